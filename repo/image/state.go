package image

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// A state is everything an image knows at one moment. It is not changed once made.
type state struct {
	file      *ini.File
	config    Config
	installed *catalog.Catalog
	known     *catalog.Catalog
	avoid     solver.AvoidSet
	frozen    []solver.Freeze
	foreign   bool // the catalogs are in a form that is only read
}

// Directories and files below the metadata directory.
const (
	configFile   = "pkg5.image"
	stateDir     = "state"
	tmpDir       = "cache/tmp"
	newState     = tmpDir + "/state.new"
	oldState     = tmpDir + "/state.old"
	updatingFlag = "state_updating"
	modifiedFile = "modified"
)

// maxConfig bounds the size of the files here that are not catalogs, in bytes.
const maxConfig = 16 << 20

// directories are made with every image.
var directories = []string{
	"cache/index", "cache/publisher", tmpDir, "gui_cache", "history", "license", "lost+found",
	"publisher", "ssl", "state/installed", "state/known",
}

// token returns what changes whenever the packages of the image do, or the settings that
// only a plan changes: a reader may have met them on both sides of a commit.
func (s *state) token() string {
	sum := fnv.New64a()
	for _, section := range []string{"variant", "facet", "inherited_facet", "mediators"} {
		for name, value := range s.file.Section(section) {
			fmt.Fprintf(sum, "%s %q %q\n", section, name, value)
		}
	}
	return fmt.Sprintf("%s-%016x", formatTime(s.known.Modified()), sum.Sum64())
}

// packages yields the names of what is installed, in order.
func (s *state) packages() iter.Seq[fmri.FMRI] {
	return func(yield func(fmri.FMRI) bool) {
		for p := range s.installed.All() {
			if !yield(p.FMRI()) {
				return
			}
		}
	}
}

// attempts is how often a reader begins again because a writer has put a new state in
// place of the one that was being read.
const attempts = 20

// loadState reads the image from disk. It needs no lock: the directory of the state is
// opened once, and what was read from it counts if it is still the state afterwards.
func (i *Image) loadState(t *tree) (*state, error) {
	var err error
	for range attempts {
		dir, oerr := i.openState(t)
		if errors.Is(oerr, fs.ErrNotExist) {
			err = because(fs.ErrNotExist, "the directory %s of the image is missing", i.meta(stateDir))
			continue
		}
		if errors.Is(oerr, errMoved) {
			err = oerr
			continue
		}
		if oerr != nil {
			return nil, oerr
		}
		s, rerr := i.readState(t, dir)
		settled := i.isState(t, dir)
		dir.Close()
		if settled {
			return s, rerr
		}
		err = errors.New("another process changes the image all the time; try again later")
	}
	return nil, err
}

// openState opens the directory of the state. While a new one is put in place there is
// a moment without it; the new one is complete by then.
func (i *Image) openState(t *tree) (*os.Root, error) {
	dir, err := t.descend(i.meta(stateDir), i.meta(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return t.descend(i.meta(newState), i.meta(newState))
	}
	return dir, err
}

// isState reports whether an open directory is that of the state.
func (i *Image) isState(t *tree, dir *os.Root) bool {
	mine, err := dir.Lstat(".")
	if err != nil {
		return false
	}
	is, err := t.lstat(i.meta(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		is, err = t.lstat(i.meta(newState))
	}
	return err == nil && os.SameFile(mine, is)
}

// readState reads the configuration, and the rest from the directory of the state.
func (i *Image) readState(t *tree, dir *os.Root) (*state, error) {
	src, err := t.readFile(i.meta(configFile), maxConfig)
	if err != nil {
		return nil, err
	}
	s := new(state)
	if s.file, err = ini.Parse(configFile, src); err != nil {
		return nil, err
	}
	if s.config, err = readConfig(s.file); err != nil {
		return nil, err
	}
	s.config.Type = i.kind
	files := newTree(dir)
	if s.avoid, err = readAvoid(files); err != nil {
		return nil, err
	}
	if s.frozen, err = readFrozen(files); err != nil {
		return nil, err
	}
	return s, i.loadCatalogs(t, files, s)
}

// loadCatalogs reads the two catalogs, or the database that some images have instead.
func (i *Image) loadCatalogs(t, files *tree, s *state) (err error) {
	if s.foreign, err = keepsDatabase(s.file, files); err != nil {
		return err
	}
	if s.foreign {
		return i.loadDatabase(t, files, s)
	}
	if s.installed, err = readCatalog(files.root, "installed"); err != nil {
		return err
	}
	s.known, err = readCatalog(files.root, "known")
	return err
}

// keepsDatabase reports whether the catalogs of an image are in a database alone. In an
// image of version 4 it is a copy of the catalogs, made for speed.
func keepsDatabase(file *ini.File, files *tree) (bool, error) {
	if _, err := files.lstat(databaseFile); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if get(file, "image", "version") != strconv.Itoa(writtenVersion) {
		return true, nil
	}
	_, err := files.lstat("installed/catalog.attrs")
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// readCatalog reads the catalog in a directory; without catalog.attrs it is empty.
func readCatalog(root *os.Root, dir string) (*catalog.Catalog, error) {
	fsys, err := fs.Sub(root.FS(), dir)
	if err != nil {
		return nil, err
	}
	c, err := catalog.Read(fsys, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return new(catalog.Catalog), nil
	}
	return c, err
}

// A rebuilder makes the catalogs of an image anew, out of what is offered and what is
// installed. It needs no manifests: entries are copied.
type rebuilder struct {
	old     *state
	now     time.Time
	sources []*catalog.Catalog          // before what is installed
	offered func(catalog.Package) bool  // whether an entry of a source is offered
	gone    map[fmri.FMRI]bool          // no longer installed
	come    map[fmri.FMRI]solver.Change // newly installed
	named   map[string]bool             // packages that were asked for by name
	newest  map[string]fmri.Version

	installed, known catalog.Builder
}

// refreshed returns the state after the publishers' catalogs have become these.
func (s *state) refreshed(offered []*catalog.Catalog, now time.Time) (*state, error) {
	r := rebuilder{old: s, now: now, sources: offered}
	r.offered = func(catalog.Package) bool { return true }
	return r.build()
}

// changed returns the state after a plan is carried out.
func (s *state) changed(p *plan.Plan, now time.Time) (*state, error) {
	r := rebuilder{old: s, now: now, sources: []*catalog.Catalog{s.known}}
	r.offered = func(p catalog.Package) bool { return readMetadata(p).has(stateKnown) }
	r.gone, r.come, r.named = map[fmri.FMRI]bool{}, map[fmri.FMRI]solver.Change{}, map[string]bool{}
	for name := range p.Requested() {
		r.named[name] = true
	}
	for c := range p.Packages() {
		if c.From != c.To {
			r.gone[c.From] = true
			r.come[c.To] = c
		}
	}
	return r.build()
}

func (r *rebuilder) build() (*state, error) {
	r.installed = catalog.Builder{Unsigned: true, Now: r.now}
	r.known = catalog.Builder{Unsigned: true, Now: r.now}
	sources := append(r.sources, r.old.installed)
	r.newest = newestVersions(sources)
	done := map[fmri.FMRI]bool{}
	for _, c := range sources {
		for p := range c.All() {
			f := p.FMRI()
			if done[f] {
				continue
			}
			done[f] = true
			if err := r.add(p, c != r.old.installed && r.offered(p)); err != nil {
				return nil, err
			}
		}
	}
	next := *r.old
	var err error
	if next.known, err = r.known.Build(); err != nil {
		return nil, err
	}
	next.installed, err = r.installed.Build()
	return &next, err
}

// newestVersions returns the newest version of each name over all publishers.
func newestVersions(cs []*catalog.Catalog) map[string]fmri.Version {
	newest := map[string]fmri.Version{}
	for _, c := range cs {
		for p := range c.All() {
			if v, ok := newest[p.Name()]; !ok || v.Compare(p.Version()) < 0 {
				newest[p.Name()] = p.Version()
			}
		}
	}
	return newest
}

// add enters one version into the catalogs it belongs to.
func (r *rebuilder) add(p catalog.Package, offered bool) error {
	was, _ := r.old.installed.Lookup(p.FMRI())
	m := readMetadata(was)
	if !was.IsValid() {
		known, _ := r.old.known.Lookup(p.FMRI())
		m = readMetadata(known)
	}
	installed := r.date(m, p.FMRI(), was.IsValid())
	if !installed && !offered {
		return nil
	}
	requested := installed && (r.named[p.Name()] || r.wasRequested(p.FMRI()))
	m.setStates(r.states(p, offered, installed, requested))
	text := m.text()
	if installed {
		if err := r.installed.AddPackage(p, text); err != nil {
			return err
		}
	}
	return r.known.AddPackage(p, text)
}

// wasRequested reports whether an installed version, or the one it has replaced, was asked
// for by name.
func (r *rebuilder) wasRequested(f fmri.FMRI) bool {
	if c, ok := r.come[f]; ok {
		f = c.From
	}
	was, ok := r.old.installed.Lookup(f)
	return ok && readMetadata(was).has(stateRequested)
}

// date reports whether a version is installed after the changes, and notes when that
// came about.
func (r *rebuilder) date(m metadata, f fmri.FMRI, installed bool) bool {
	if c, ok := r.come[f]; ok {
		if c.From.IsValid() {
			r.inherit(m, c.From)
		} else {
			m.setTime("last-install", r.now)
		}
		return true
	}
	if r.gone[f] {
		m.setTime("last-install", time.Time{})
		m.setTime("last-update", time.Time{})
		return false
	}
	return installed
}

// inherit takes over when the version before was installed.
func (r *rebuilder) inherit(m metadata, from fmri.FMRI) {
	was, _ := r.old.installed.Lookup(from)
	m.setTime("last-install", r.now)
	if at, ok := readMetadata(was)["last-install"]; ok {
		m["last-install"] = at
	}
	m.setTime("last-update", r.now)
}

func (r *rebuilder) states(p catalog.Package, offered, installed, requested bool) []int {
	list := []int{stateV1}
	for _, s := range []struct {
		is    bool
		state int
	}{
		{offered, stateKnown},
		{installed, stateInstalled},
		{r.newest[p.Name()].Compare(p.Version()) > 0, stateUpgradable},
		{p.Obsolete(), stateObsolete},
		{p.Renamed(), stateRenamed},
		{r.isFrozen(p.FMRI()), stateFrozen},
		{requested, stateRequested},
	} {
		if s.is {
			list = append(list, s.state)
		}
	}
	return list
}

func (r *rebuilder) isFrozen(f fmri.FMRI) bool {
	return slices.ContainsFunc(r.old.frozen, func(z solver.Freeze) bool {
		return z.Package.Name() == f.Name() && f.Version().Succeeds(z.Package.Version(), fmri.Auto)
	})
}

// writeState replaces the directory "state": a new one is made beside it, flushed, and
// put in its place. If the second renaming does not happen, readers take the new one, and
// the next writer makes up for it.
func (i *Image) writeState(s *state) error {
	dir := i.meta(newState)
	if err := i.tree.removeAll(dir); err != nil {
		return err
	}
	if err := i.tree.mkdirAll(dir); err != nil {
		return err
	}
	if err := i.copyStateFiles(dir); err != nil {
		return err
	}
	if len(s.avoid.Avoided)+len(s.avoid.Implicit)+len(s.avoid.Obsolete) > 0 {
		if err := i.writeNew(path.Join(dir, avoidFile), avoidText(s.avoid), time.Time{}); err != nil {
			return err
		}
	}
	for name, c := range map[string]*catalog.Catalog{"installed": s.installed, "known": s.known} {
		if err := i.writeCatalog(path.Join(dir, name), c); err != nil {
			return err
		}
	}
	if err := i.tree.sync(); err != nil {
		return err
	}
	return i.swapState()
}

// swapState puts the new state in the place of the old one.
func (i *Image) swapState() error {
	if err := i.tree.removeAll(i.meta(oldState)); err != nil {
		return err
	}
	if _, err := i.tree.lstat(i.meta(stateDir)); err == nil {
		if err := i.tree.rename(i.meta(stateDir), i.meta(oldState)); err != nil {
			return err
		}
	}
	if err := i.tree.rename(i.meta(newState), i.meta(stateDir)); err != nil {
		return err
	}
	if err := i.tree.syncDir(i.meta()); err != nil {
		return err
	}
	return i.tree.removeAll(i.meta(oldState))
}

// copyStateFiles copies what is in the state directory beside the catalogs and is not
// written with them. A database of the old state is left out: whoever wants it makes it
// from the catalogs again.
func (i *Image) copyStateFiles(dir string) error {
	entries, err := i.tree.readDir(i.meta(stateDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == updatingFlag || e.Name() == avoidFile || strings.HasPrefix(e.Name(), databaseFile) {
			continue
		}
		src, err := i.tree.readFile(i.meta(stateDir, e.Name()), maxConfig)
		if err != nil {
			return err
		}
		if err := i.writeNew(path.Join(dir, e.Name()), src, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// writeCatalog writes the files of a catalog into a directory that nobody reads yet.
func (i *Image) writeCatalog(dir string, c *catalog.Catalog) error {
	if err := i.tree.mkdirAll(dir); err != nil {
		return err
	}
	for f := range c.Files() {
		var b bytes.Buffer
		if _, err := f.WriteTo(&b); err != nil {
			return err
		}
		if err := i.writeNew(path.Join(dir, f.Name), b.Bytes(), f.ModTime); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that does not exist yet. It is flushed by the next sync.
func (i *Image) writeNew(name string, content []byte, mtime time.Time) error {
	f, err := i.tree.create(name, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = i.tree.syncFile(f)
	}
	if err = errors.Join(err, f.Close()); err != nil || mtime.IsZero() {
		return err
	}
	return i.tree.chtimes(name, mtime)
}
