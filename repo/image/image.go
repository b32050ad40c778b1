package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/internal/ini"
)

// An Image is one installed tree. Its methods may be called from several goroutines;
// those that change the image wait for each other, and keep other processes out.
type Image struct {
	path string
	kind Type
	root *os.Root
	opts Options

	mu   sync.Mutex // held by whatever changes the image
	held *lock
	tree *tree // of the holder of mu

	state atomic.Pointer[state]
}

// Options are what the caller chooses about an image; nil means all defaults.
type Options struct {
	// Openers open the origins of publishers. An origin whose scheme has no
	// opener cannot be read.
	Openers repo.Openers

	// Host is what installing does to the machine beyond files. Nil refuses users,
	// groups and drivers, and leaves services alone.
	Host Host

	// Accept is asked for every license that must be accepted; nil accepts none.
	Accept func(pkg fmri.FMRI, license manifest.Action) bool

	// Client is the name that the history and the lock record; empty means "ips".
	Client string

	// Parallel is how many payloads are fetched at the same time; 0 means 8.
	Parallel int

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Log receives what is worth knowing but no error; nil means silence.
	Log *slog.Logger

	// Progress is called as the work goes on, never from two goroutines at once;
	// nil means not at all.
	Progress func(Event)

	// Of tests: before is called with every change to the disk and may prevent it;
	// volatile does without waiting for the disk.
	before   func(op, name string) error
	volatile bool
}

func (o *Options) defaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Client == "" {
		d.Client = "ips"
	}
	if d.Parallel <= 0 {
		d.Parallel = 8
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Progress == nil {
		d.Progress = func(Event) {}
	}
	return d
}

// An Event is a moment in the course of an operation.
type Event struct {
	Stage       Stage
	Name        string // what is at hand: a publisher, package or path
	Done, Total int    // steps of the stage; Total is 0 if it is not known
}

// A Stage is a part of an operation.
type Stage uint8

const (
	Refreshing Stage = iota + 1 // catalogs of publishers
	Planning                    // manifests
	Fetching                    // payloads
	Removing                    // steps of the plan ...
	Installing
	Updating
	Committing // what the image knows
	Verifying  // packages
)

var stageNames = [...]string{
	"", "refresh", "plan", "fetch", "remove", "install", "update", "commit", "verify",
}

// String returns the name of a stage: "refresh", "plan", "fetch" and so on.
func (s Stage) String() string {
	if int(s) >= len(stageNames) {
		return ""
	}
	return stageNames[s]
}

// ErrNotImage is what Open finds where there is no image. It wraps [fs.ErrNotExist].
var ErrNotImage = fmt.Errorf("no image here: %w", fs.ErrNotExist)

// Create makes a new image in the directory root, which must be missing or empty; a
// ".zfs" in it does not count, nor does what an interrupted Create left. The image
// exists from the moment its configuration does, which is written last.
//
// If there is an image already, the error wraps [fs.ErrExist].
func Create(ctx context.Context, root string, c Config, opts *Options) (*Image, error) {
	if err := c.check(); err != nil {
		return nil, wrap("create", root, err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	i, err := newImage(root, opts)
	if err != nil {
		return nil, err
	}
	i.kind = c.Type
	if err := i.create(ctx, c.completed()); err != nil {
		return nil, wrap("create", root, errors.Join(err, i.Close()))
	}
	return i, nil
}

func newImage(root string, opts *Options) (*Image, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	i := &Image{path: root, root: r, opts: opts.defaults()}
	i.tree = i.newTree()
	i.tree.before, i.tree.volatile = i.opts.before, i.opts.volatile
	return i, nil
}

// newTree returns a tree for one reader; trees share the root but nothing else.
func (i *Image) newTree() *tree { return newTree(i.root) }

func (i *Image) create(ctx context.Context, c Config) error {
	if err := i.checkVacant(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, dir := range directories {
		if err := i.tree.mkdirAll(i.meta(dir)); err != nil {
			return err
		}
	}
	if _, err := i.lock(); err != nil {
		return err
	}
	defer i.unlock()
	empty := catalog.Builder{Unsigned: true, Now: i.now()}
	known, err := empty.Build()
	if err != nil {
		return err
	}
	s := &state{file: new(ini.File), config: c, known: known, installed: known}
	if err := i.writeState(s); err != nil {
		return err
	}
	if err := i.touch(); err != nil {
		return err
	}
	return i.writeConfig(s)
}

// checkVacant refuses a directory that holds an image or anything else.
func (i *Image) checkVacant() error {
	if kind, err := i.find(); err == nil {
		return fmt.Errorf("image in %s: %w", kind.Metadata(), fs.ErrExist)
	}
	return i.checkEmpty(".", i.meta())
}

// checkEmpty refuses a directory that has more in it than the way to allowed.
func (i *Image) checkEmpty(dir, allowed string) error {
	entries, err := i.tree.readDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case name == ".zfs", name == allowed && e.IsDir():
		case name == path.Dir(allowed) && e.IsDir():
			if err := i.checkEmpty(name, allowed); err != nil {
				return err
			}
		default:
			return fmt.Errorf("directory is not empty: it holds %s: %w", name, fs.ErrExist)
		}
	}
	return nil
}

// writeConfig writes the configuration of s and makes s the state of the image.
func (i *Image) writeConfig(s *state) error {
	writeConfig(s.file, s.config)
	mode := fs.FileMode(0o644)
	if fi, err := i.tree.lstat(i.meta(configFile)); err == nil {
		mode = fi.Mode().Perm()
	}
	if err := i.tree.writeFile(i.meta(configFile), s.file.Text(), mode); err != nil {
		return err
	}
	i.state.Store(s)
	return nil
}

// Open opens the image whose root is this very directory. If there is none, the
// error wraps [ErrNotImage]. The image is only read, unless its state was being
// replaced when the machine stopped.
func Open(ctx context.Context, root string, opts *Options) (*Image, error) {
	i, err := newImage(root, opts)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(ErrNotImage, err)
	}
	if err != nil {
		return nil, wrap("open", root, err)
	}
	if err := i.open(ctx); err != nil {
		return nil, wrap("open", root, errors.Join(err, i.Close()))
	}
	return i, nil
}

func (i *Image) open(ctx context.Context) (err error) {
	if i.kind, err = i.find(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := i.tree.lstat(i.meta(stateDir)); errors.Is(err, fs.ErrNotExist) {
		if err := i.restoreState(); err != nil {
			return err
		}
	}
	s, err := i.loadState(i.tree)
	if err != nil {
		return err
	}
	i.state.Store(s)
	return nil
}

// find returns which type of image is here.
func (i *Image) find() (Type, error) {
	for _, t := range []Type{User, Full} {
		fi, err := i.root.Stat(path.Join(t.Metadata(), configFile))
		if err == nil && fi.Mode().IsRegular() {
			return t, nil
		}
	}
	return User, ErrNotImage
}

// restoreState finishes a replacement of the state that stopped half-way: the new
// one is complete before the old one is moved.
func (i *Image) restoreState() error {
	if _, err := i.lock(); err != nil {
		return err
	}
	defer i.unlock()
	if _, err := i.tree.lstat(i.meta(newState)); err != nil {
		return fmt.Errorf("state of the image is missing: %w", err)
	}
	return i.swapState()
}

// Close releases what the image holds open.
func (i *Image) Close() error { return i.tree.Close() }

// Root returns the path that the image was opened with.
func (i *Image) Root() string { return i.path }

// Config returns a copy of the configuration.
func (i *Image) Config() Config { return i.state.Load().config.clone() }

// Installed returns the catalog of what is installed.
func (i *Image) Installed() *catalog.Catalog { return i.state.Load().installed }

// Known returns the catalog of what the enabled publishers offered at the last
// Refresh, and of what is installed.
func (i *Image) Known() *catalog.Catalog { return i.state.Load().known }

// Packages yields the names of what is installed, in order.
func (i *Image) packages() iter.Seq[fmri.FMRI] {
	return func(yield func(fmri.FMRI) bool) {
		for p := range i.Installed().All() {
			if !yield(p.FMRI()) {
				return
			}
		}
	}
}

// meta returns the path of something in the metadata directory.
func (i *Image) meta(elem ...string) string {
	return path.Join(append([]string{i.kind.Metadata()}, elem...)...)
}

// now returns the time to the microsecond.
func (i *Image) now() time.Time { return i.opts.Now().UTC().Truncate(time.Microsecond) }

// touch tells monitors that the image has changed.
func (i *Image) touch() error {
	name := i.meta(modifiedFile)
	if _, err := i.tree.lstat(name); errors.Is(err, fs.ErrNotExist) {
		return i.writeNew(name, nil, i.now())
	}
	return i.tree.chtimes(name, i.now())
}

// SetConfig writes a new configuration. Its type and its variants and facets must be
// those of the image, and so must its mediators. What a publisher offers is known after the next Refresh.
func (i *Image) SetConfig(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return i.wrap("configure", err)
	}
	return i.change(ctx, "configure", func() error {
		s := *i.state.Load()
		if c.Type != i.kind || !sameVarcets(c.Varcets, s.config.Varcets) || !slices.Equal(c.Mediators, s.config.Mediators) {
			return fmt.Errorf("only a plan changes variants, facets and mediators, and nothing the type: %w", errors.ErrUnsupported)
		}
		file, err := ini.Parse(configFile, s.file.Text())
		if err != nil {
			return err
		}
		s.file, s.config = file, c.clone()
		return i.writeConfig(&s)
	})
}

// change calls f with the image locked and its state read anew, and finishes first
// what an earlier operation could not.
func (i *Image) change(ctx context.Context, op string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return i.wrap(op, err)
	}
	if _, err := i.lock(); err != nil {
		return i.wrap(op, err)
	}
	defer i.unlock()
	defer i.tree.forget()
	s, err := i.loadState(i.tree)
	if err != nil {
		return i.wrap(op, err)
	}
	if s.foreign {
		return i.wrap(op, fmt.Errorf("image keeps its packages in %s: %w", databaseFile, errors.ErrUnsupported))
	}
	i.state.Store(s)
	if err := i.recover(ctx); err != nil {
		return i.wrap(op, err)
	}
	return i.wrap(op, f())
}

// An Error says in which operation on which image something went wrong.
type Error struct {
	Op   string // "create", "open", "refresh", "plan", "execute" ...
	Root string // of the image
	Err  error
}

func (e *Error) Error() string { return "image " + e.Root + ": " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (i *Image) wrap(op string, err error) error { return wrap(op, i.path, err) }

func wrap(op, root string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Root: root, Err: err}
}
