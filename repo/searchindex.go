package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo/store"
)

// The search index. It is made of the manifests of packages that are in the catalog,
// and nothing depends on it: whoever finds none, or one whose files do not fit
// together, does without. It is replaced with the order of writes that package search
// asks for, and purged before a manifest is removed.

func (h home) searchDir() string  { return h.prefix + "index" }
func (h home) searchLock() string { return h.searchDir() + "/lock" }

// scratchDir is where runs of tokens are kept while an index is made.
func (h home) scratchDir() string { return h.searchDir() + "/TMP" }

// Rebuild makes the catalog of a publisher anew, and then the search index, the old one
// of which serves until then.
func (r *Repository) Rebuild(ctx context.Context, publisher string) (err error) {
	defer Error{Op: "rebuild", Place: r.named, Publisher: publisher}.explain(&err)
	err = r.maintain(ctx, publisher, r.writeAnew, func(w *writer) error { return w.rebuildCatalog(ctx) })
	if err != nil {
		return err
	}
	return r.RebuildIndex(ctx, publisher)
}

// Refresh lists stored packages that are not in the catalog yet, and returns them; and
// adds to the search index what it lacks.
func (r *Repository) Refresh(ctx context.Context, publisher string) (added []fmri.FMRI, err error) {
	added, err = r.RefreshCatalog(ctx, publisher)
	if err != nil {
		return nil, err
	}
	return added, r.RefreshIndex(ctx, publisher)
}

// RebuildIndex makes the search index of a publisher anew. The old one serves until
// the new one is complete. If another process is writing, the error is a *BusyError.
func (r *Repository) RebuildIndex(ctx context.Context, publisher string) (err error) {
	defer Error{Op: "rebuild search index of", Place: r.named, Publisher: publisher}.explain(&err)
	return r.maintain(ctx, publisher, r.writeNow, func(w *writer) error {
		return w.lockIndex(ctx, func() error {
			c, err := w.repo.tryCatalog(ctx, w.home)
			if err != nil {
				return err
			}
			return w.writeIndex(ctx, nil, listedIn(c))
		})
	})
}

// RefreshIndex adds to the search index of a publisher the packages of its catalog that
// it lacks, and removes those that the catalog does not list. An index that is
// damaged is made anew. If another process is writing, the error is a *BusyError.
func (r *Repository) RefreshIndex(ctx context.Context, publisher string) (err error) {
	defer Error{Op: "refresh search index of", Place: r.named, Publisher: publisher}.explain(&err)
	return r.maintain(ctx, publisher, r.writeNow, func(w *writer) error {
		return w.lockIndex(ctx, func() error { return w.refreshIndex(ctx) })
	})
}

func (w *writer) refreshIndex(ctx context.Context) error {
	c, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return err
	}
	x, err := w.repo.openSearchIndex(ctx, w.home)
	if err != nil {
		return err
	}
	if x == nil {
		return w.writeIndex(ctx, nil, listedIn(c))
	}
	var missing []fmri.FMRI
	for f := range listedIn(c) {
		if !x.Has(f) {
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 && x.Len() == c.Len() {
		return x.Close()
	}
	err = w.writeIndex(ctx, x.For(listedIn(c)), slices.Values(missing))
	var damaged *search.FormatError
	if errors.As(err, &damaged) {
		return w.writeIndex(ctx, nil, listedIn(c))
	}
	return err
}

// listedIn yields the names of a catalog's packages.
func listedIn(c *catalog.Catalog) iter.Seq[fmri.FMRI] {
	return func(yield func(fmri.FMRI) bool) {
		for p := range c.All() {
			if !yield(p.FMRI()) {
				return
			}
		}
	}
}

// openSearchIndex opens the index of a publisher; it is nil if there is none that can be
// used.
func (r *Repository) openSearchIndex(ctx context.Context, h home) (*search.Index, error) {
	x, err := search.Open(store.FS(ctx, store.Sub(r.store, h.searchDir())))
	var damaged *search.FormatError
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &damaged) {
		return nil, nil
	}
	return x, err
}

// lockIndex calls f with the lock under which programs of the reference write the
// index; a depot of theirs does that without the lock of the publisher.
func (w *writer) lockIndex(ctx context.Context, f func() error) (err error) {
	lock, err := store.Acquire(ctx, w.repo.store, w.home.searchLock(), &store.LockOptions{Note: w.repo.note()})
	if err != nil {
		return busy(w.home.publisher, err)
	}
	defer func() { err = join(err, lock.Release()) }()
	return f()
}

// writeIndex makes an index of packages, or adds them to one, which it closes, and puts
// it in the place of the present one.
func (w *writer) writeIndex(ctx context.Context, base *search.Index, packages iter.Seq[fmri.FMRI]) error {
	files, err := w.newIndexFiles(ctx)
	if err != nil {
		return join(err, base.Close())
	}
	defer files.close()
	b := &search.Builder{Base: base, Scratch: scratch{ctx, w.repo.store, w.home.scratchDir()}}
	for m, err := range w.repo.texts(ctx, packages) {
		if err == nil && m.text != nil {
			err = b.Add(m.fmri, m.text)
		}
		if err != nil {
			return join(err, base.Close())
		}
	}
	if err := join(b.Write(files), base.Close()); err != nil {
		return err
	}
	return w.replaceIndex(ctx, files)
}

// texts yields the manifests of packages, without reading more into them. They are read
// in parallel.
func (r *Repository) texts(ctx context.Context, packages iter.Seq[fmri.FMRI]) iter.Seq2[storedManifest, error] {
	names := func(yield func(fmri.FMRI, error) bool) {
		for f := range packages {
			if !yield(f, nil) {
				return
			}
		}
	}
	return ordered(ctx, names, 2*workers(0), func(ctx context.Context, f fmri.FMRI) (m storedManifest, err error) {
		m.fmri = f
		m.text, err = readObject(ctx, r.store, r.home(f.Publisher()).manifest(f), maxManifest)
		return m, ignore(err, fs.ErrNotExist) // damage, which Verify reports
	})
}

// replaceIndex gives the files of an index their names: the present dictionary is
// removed, so that there is no index; then everything but the new one is put in place,
// and what does not belong to it removed; then the new one.
func (w *writer) replaceIndex(ctx context.Context, files *indexFiles) error {
	old, err := namesBelow(ctx, w.repo.store, w.home.searchDir()+"/")
	if err != nil {
		return err
	}
	for _, name := range old {
		if !files.has[name] && name != w.home.searchLock() {
			if err := files.others.Remove(name); err != nil {
				return err
			}
		}
	}
	if err := w.lock.Check(ctx); err != nil {
		return err
	}
	if err := removeObjects(ctx, w.repo.store, w.home.searchDir()+"/"+search.Dictionary); err != nil {
		return err
	}
	if err := files.others.Flush(ctx); err != nil {
		return err
	}
	return files.dictionary.Flush(ctx)
}

// purgeIndex removes the index: the dictionary first, without which the rest is none.
func (w *writer) purgeIndex(ctx context.Context) error {
	dictionary := w.home.searchDir() + "/" + search.Dictionary
	var rest []string
	for _, dir := range []string{w.home.searchDir() + "/", w.home.searchDir() + ".old/"} { // the second is left by the reference
		names, err := namesBelow(ctx, w.repo.store, dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if name != dictionary && name != w.home.searchLock() {
				rest = append(rest, name)
			}
		}
	}
	there, err := exists(ctx, w.repo.store, dictionary)
	if err != nil || !there && len(rest) == 0 {
		return err
	}
	return w.lockIndex(ctx, func() error {
		if err := removeObjects(ctx, w.repo.store, dictionary); err != nil {
			return err
		}
		return removeObjects(ctx, w.repo.store, rest...)
	})
}

// indexFiles are the files of an index that is being made, which nobody sees yet.
type indexFiles struct {
	ctx                context.Context // of the one operation that they are made for
	dir                string
	dictionary, others store.Batch
	has                map[string]bool
}

func (w *writer) newIndexFiles(ctx context.Context) (*indexFiles, error) {
	dictionary, err := store.NewBatch(ctx, w.repo.store)
	if err != nil {
		return nil, err
	}
	others, err := store.NewBatch(ctx, w.repo.store)
	if err != nil {
		return nil, join(err, dictionary.Close())
	}
	return &indexFiles{ctx, w.home.searchDir(), dictionary, others, map[string]bool{}}, nil
}

func (f *indexFiles) close() error { return join(f.dictionary.Close(), f.others.Close()) }

// Create makes the indexFiles search.Files.
func (f *indexFiles) Create(name string) (io.WriteCloser, error) {
	batch := f.others
	if name == search.Dictionary {
		batch = f.dictionary
	}
	d, err := batch.Create(f.ctx)
	if err != nil {
		return nil, err
	}
	full := f.dir + "/" + name
	f.has[full] = true
	return &indexFile{Draft: d, name: full}, nil
}

// An indexFile is a draft that is kept under its name when it is closed.
type indexFile struct {
	store.Draft
	name string
}

func (f *indexFile) Close() error { return f.Keep(f.name) }

// A scratch keeps runs of tokens in a store.
type scratch struct {
	ctx   context.Context // of the one operation that it is made for
	store store.Store
	dir   string
}

func (s scratch) name(base string) string { return s.dir + "/" + base }

func (s scratch) Create(name string) (io.WriteCloser, error) {
	b, err := store.NewBatch(s.ctx, s.store)
	if err != nil {
		return nil, err
	}
	d, err := b.Create(s.ctx)
	if err != nil {
		return nil, join(err, b.Close())
	}
	return &scratchFile{s.ctx, b, d, s.name(name)}, nil
}

func (s scratch) Open(name string) (io.ReadCloser, error) {
	r, _, err := s.store.Open(s.ctx, s.name(name))
	return r, err
}

func (s scratch) Remove(name string) error { return s.store.Remove(s.ctx, s.name(name)) }

// A scratchFile is a batch of one draft.
type scratchFile struct {
	ctx   context.Context
	batch store.Batch
	draft store.Draft
	name  string
}

func (f *scratchFile) Write(p []byte) (int, error) { return f.draft.Write(p) }

func (f *scratchFile) Drop() error { return join(f.draft.Drop(), f.batch.Close()) }

func (f *scratchFile) Close() error {
	err := f.draft.Keep(f.name)
	if err == nil {
		err = f.batch.Flush(f.ctx)
	}
	return join(err, f.batch.Close())
}
