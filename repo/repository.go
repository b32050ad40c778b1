package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/repo/store"
)

// A Repository is a Source and a Sink in a store. It may be used by several
// goroutines, and its store by other processes, the programs of the reference
// among them.
type Repository struct {
	store   store.Store
	now     func() time.Time
	waiting func(*BusyError)
	version int
	packers packers

	fixedPacking Packing // that Options say

	opened io.Closer // what Close closes; nil if the store is the caller's
	path   string    // of the directory that was opened; "" if the store is the caller's
	named  string    // that directory as errors call it

	mu     sync.Mutex
	states map[string]*publisherState
}

// A publisherState is what a Repository keeps in memory about a publisher.
type publisherState struct {
	gate  chan struct{} // holds one token while somebody writes
	still atomic.Bool   // who writes does not touch the catalog now

	mu      sync.Mutex
	attrs   []byte // from which catalog was made
	catalog *catalog.Catalog
	index   *keptIndex // which catalog, or one that it was made from, reads when it is asked
}

// Options adjust a Repository. A nil *Options is the zero value.
type Options struct {
	// Now is the clock: it gives packages their timestamp and catalogs their
	// time. Nil means time.Now.
	Now func() time.Time

	// Packing says how payloads are packed, whatever the repository says. Zero
	// means as [Repository.Packing] has it.
	Packing Packing

	// Waiting is told, before Commit of a transaction or batch waits for another
	// process that is writing, who that is. It may be called by any goroutine. Nil
	// means nobody is told.
	Waiting func(*BusyError)
}

// A Config says what a new repository is to be.
type Config struct {
	// DefaultPublisher is the publisher of packages whose name has none.
	// Empty means none until the first publisher is added.
	DefaultPublisher string

	// Version is that of the layout. Zero means 4; 3 is for old programs, and
	// has one publisher, the first that packages are published for.
	Version int

	// Packing is how payloads are packed, which the configuration says. Zero
	// means fast, but exact for version 3.
	Packing Packing
}

// check refuses what no repository can be.
func (c Config) check() error {
	if c.Version != 0 && c.Version != 3 && c.Version != 4 {
		return because(errors.ErrUnsupported, "version %d is not known; it may be 4 or 3", c.Version)
	}
	if err := c.Packing.check(); err != nil {
		return err
	}
	if c.DefaultPublisher == "" {
		return nil
	}
	return checkName(c.DefaultPublisher)
}

// Create makes a repository in a store that is empty but for the directory .zfs,
// which some file systems have at their top. If there is anything else, the error
// matches fs.ErrExist.
func Create(ctx context.Context, s store.Store, c Config, opts *Options) (_ *Repository, err error) {
	defer Error{Op: "create"}.explain(&err)
	return create(ctx, s, c, opts)
}

func create(ctx context.Context, s store.Store, c Config, opts *Options) (*Repository, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := checkEmpty(ctx, s); err != nil {
		return nil, err
	}
	r := newRepository(s, opts)
	if c.Version == 3 {
		if err := r.createOld(ctx, c); err != nil {
			return nil, err
		}
		return r, nil
	}
	if err := s.Put(ctx, configName, strings.NewReader(c.text())); err != nil {
		return nil, err
	}
	if c.DefaultPublisher == "" {
		return r, nil
	}
	if err := r.AddPublisher(ctx, c.DefaultPublisher); err != nil {
		return nil, err
	}
	return r, nil
}

func checkEmpty(ctx context.Context, s store.Store) error {
	for info, err := range store.ListDir(ctx, s, "") {
		if err != nil {
			return err
		}
		if strings.TrimSuffix(info.Name, "/") != ".zfs" {
			return because(fs.ErrExist, "there is %s already; a new repository needs an empty place", info.Name)
		}
	}
	return nil
}

// Open opens the repository in a store, of version 4 or 3. If there is none, the
// error matches fs.ErrNotExist.
//
// What a process left undone that was killed, or lost power, is brought in order
// here or, if the store cannot be written, by the next one that writes.
func Open(ctx context.Context, s store.Store, opts *Options) (_ *Repository, err error) {
	defer Error{Op: "open"}.explain(&err)
	return open(ctx, s, opts)
}

func open(ctx context.Context, s store.Store, opts *Options) (*Repository, error) {
	r := newRepository(s, opts)
	if err := r.detect(ctx); err != nil {
		return nil, err
	}
	if err := r.recoverAll(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func newRepository(s store.Store, opts *Options) *Repository {
	r := &Repository{store: s, now: time.Now, version: 4, states: map[string]*publisherState{}}
	if opts == nil {
		return r
	}
	r.fixedPacking = opts.Packing
	r.waiting = opts.Waiting
	if opts.Now != nil {
		r.now = opts.Now
	}
	return r
}

// detect finds out which version the repository has.
func (r *Repository) detect(ctx context.Context) error {
	config, err := r.readConfig(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text, ok := config.Get("repository", "version"); ok {
		r.version, _ = strconv.Atoi(text)
	} else {
		r.version = 0
	}
	if r.version <= 0 {
		if r.version, err = r.guessVersion(ctx); err != nil {
			return err
		}
	}
	if r.version != 3 && r.version != 4 {
		return because(errors.ErrUnsupported, "it is a repository of version %d; only 3 and 4 are supported", r.version)
	}
	return nil
}

// guessVersion tells the version from what there is.
func (r *Repository) guessVersion(ctx context.Context) (int, error) {
	for _, err := range store.ListDir(ctx, r.store, publishersDir) {
		return 4, err
	}
	for _, probe := range []struct {
		name    string
		version int
	}{{"catalog/attrs", 2}, {"catalog/catalog.attrs", 3}, {configName, 4}, {oldConfigName, 3}} {
		switch _, err := store.Stat(ctx, r.store, probe.name); {
		case err == nil:
			return probe.version, nil
		case !errors.Is(err, fs.ErrNotExist):
			return 0, err
		}
	}
	return 0, because(fs.ErrNotExist, "there is no repository in it")
}

// Version returns the version of the layout: 4, or 3.
func (r *Repository) Version() int { return r.version }

// home returns where a publisher's objects are.
func (r *Repository) home(publisher string) home {
	if r.version < 4 {
		return home{publisher: publisher}
	}
	return home{publisher, publishersDir + "/" + publisher + "/"}
}

// state returns what is kept about a publisher.
func (r *Repository) state(publisher string) *publisherState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.states[publisher]
	if s == nil {
		s = &publisherState{gate: make(chan struct{}, 1)}
		r.states[publisher] = s
	}
	return s
}

// enter passes the gate.
func (s *publisherState) enter(ctx context.Context, wait bool) error {
	select {
	case s.gate <- struct{}{}:
		return ctx.Err()
	default:
	}
	if !wait {
		return &BusyError{Process: strconv.Itoa(os.Getpid()), Host: "this host"}
	}
	select {
	case s.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *publisherState) leave() { <-s.gate }

// Publishers returns the names of the publishers, sorted.
func (r *Repository) Publishers(ctx context.Context) (there []string, err error) {
	defer Error{Op: "list publishers of", Place: r.named}.explain(&err)
	if r.version < 4 {
		return r.onlyPublisher(ctx)
	}
	names, err := r.publisherDirs(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		ok, err := r.hasPublisher(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			there = append(there, name)
		}
	}
	return there, nil
}

// publisherDirs returns the names of publishers below which there is anything,
// if it be a lock or nothing but directories, sorted.
func (r *Repository) publisherDirs(ctx context.Context) ([]string, error) {
	var names []string
	for info, err := range store.ListDir(ctx, r.store, publishersDir) {
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(info.Name, publishersDir+"/"), "/")
		if info.IsDir() && checkName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// hasPublisher reports whether there is a publisher: something that says so, or
// packages.
func (r *Repository) hasPublisher(ctx context.Context, name string) (bool, error) {
	if checkName(name) != nil {
		return false, nil
	}
	if r.version < 4 {
		names, err := r.onlyPublisher(ctx)
		return slices.Contains(names, name), err
	}
	h := r.home(name)
	for _, object := range []string{h.attrs(), h.info()} {
		if there, err := exists(ctx, r.store, object); there || err != nil {
			return there, err
		}
	}
	for _, err := range r.store.List(ctx, h.packages()) {
		return err == nil, err
	}
	return false, nil
}

// onlyPublisher returns the publisher of a repository of version 3.
func (r *Repository) onlyPublisher(ctx context.Context) ([]string, error) {
	config, err := r.readConfig(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if name, _ := config.Get("publisher", "prefix"); name != "" {
		return []string{name}, nil
	}
	c, err := r.readCatalog(ctx, home{})
	if err != nil {
		return nil, err
	}
	for name := range c.Publishers() {
		return []string{name}, nil
	}
	return nil, nil
}

// DefaultPublisher returns the publisher of packages whose name has none, "" if
// there is no such publisher.
func (r *Repository) DefaultPublisher(ctx context.Context) (name string, err error) {
	defer Error{Op: "read configuration of", Place: r.named}.explain(&err)
	config, err := r.readConfig(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	name, _ = config.Get("publisher", "prefix")
	if name != "" || r.version >= 4 {
		return name, nil
	}
	only, err := r.onlyPublisher(ctx)
	return strings.Join(only, ""), err
}

// maxConfig bounds the size of configuration files, in bytes.
const maxConfig = 16 << 20

// readConfig reads the configuration. The file is never nil.
func (r *Repository) readConfig(ctx context.Context) (*ini.File, error) {
	name := configName
	data, err := readObject(ctx, r.store, name, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		name = oldConfigName
		data, err = readObject(ctx, r.store, name, maxConfig)
	}
	if err != nil {
		return &ini.File{}, err
	}
	file, err := ini.Parse(name, data)
	if err != nil {
		return &ini.File{}, err
	}
	return file, nil
}

// text returns the configuration of the new repository.
func (c Config) text() string {
	if c.Packing == PackExact {
		return newConfig
	}
	return "# " + packsFast + "\n\n" + newConfig
}

// newConfig is the configuration of a new repository that is packed exactly, as the
// reference writes it.
const newConfig = `[publisher]
prefix = 

[repository]
version = 4
trust-anchor-directory = /etc/ssl/pkg/
signature-required-names = []
check-certificate-revocation = False

[CONFIGURATION]
version = 4

`
