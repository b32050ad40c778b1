package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// Bounds of what is read into memory, in bytes.
const (
	maxAttrs    = 64 << 20
	maxManifest = 256 << 20
)

// Catalog returns the packages of a publisher. All of it is of one moment,
// whatever others are writing. A publisher that has no catalog yet has an empty
// one.
func (r *Repository) Catalog(ctx context.Context, publisher string) (_ *catalog.Catalog, err error) {
	defer Error{Op: "read catalog of", Place: r.named, Publisher: publisher}.explain(&err)
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return nil, err
	}
	return r.readCatalog(ctx, r.home(publisher))
}

// checkPublisher returns an error matching fs.ErrNotExist if there is no such
// publisher.
func (r *Repository) checkPublisher(ctx context.Context, publisher string) error {
	there, err := r.hasPublisher(ctx, publisher)
	if err == nil && !there {
		err = because(fs.ErrNotExist, "the repository has no such publisher")
	}
	return err
}

// catalogPatience is how long a reader waits for a catalog to be whole. A writer
// replaces its files one after the other, in a small fraction of this.
const catalogPatience = 5 * time.Second

// readCatalog reads a catalog whose files belong together. While writers are at it, it
// tries again; what a dead writer has left it brings in order, if it may.
func (r *Repository) readCatalog(ctx context.Context, h home) (*catalog.Catalog, error) {
	deadline := time.Now().Add(catalogPatience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		attrs, err := r.readAttrs(ctx, h)
		if err != nil {
			return nil, err
		}
		c, err := r.catalogOf(ctx, h, attrs)
		if err == nil || !isTorn(err) || r.state(h.publisher).still.Load() || time.Now().After(deadline) {
			return c, err
		}
		moving, merr := r.isMoving(ctx, h, attrs)
		if merr != nil {
			return nil, merr
		}
		if !moving {
			c, err = r.mendCatalog(ctx, h, err)
			if busy := new(BusyError); !errors.As(err, &busy) {
				return c, err
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// isMoving reports whether somebody may be changing a catalog, or has done so since its
// attributes were read.
func (r *Repository) isMoving(ctx context.Context, h home, attrs []byte) (bool, error) {
	if r.isBusy(ctx, h) {
		return true, nil
	}
	now, err := r.readAttrs(ctx, h)
	return !bytes.Equal(now, attrs), err
}

// mendCatalog reads a catalog once more that is torn and that nobody is at, after having
// completed what a dead process began. A *BusyError says that somebody is at it now.
func (r *Repository) mendCatalog(ctx context.Context, h home, torn error) (*catalog.Catalog, error) {
	left, err := exists(ctx, r.store, h.journal())
	if !left || err != nil || h.publisher == "" {
		return nil, torn
	}
	w, err := r.write(ctx, h.publisher, false)
	if busy := new(BusyError); errors.As(err, &busy) {
		return nil, err
	}
	if err != nil {
		return nil, torn
	}
	if err := w.close(); err != nil {
		return nil, err
	}
	return r.tryCatalog(ctx, h)
}

// readAttrs reads the attributes of a catalog; they are nil if there is none.
func (r *Repository) readAttrs(ctx context.Context, h home) ([]byte, error) {
	attrs, err := readObject(ctx, r.store, h.attrs(), maxAttrs)
	return attrs, ignore(err, fs.ErrNotExist)
}

// tryCatalog reads a catalog, unless it is the one that was read last.
func (r *Repository) tryCatalog(ctx context.Context, h home) (*catalog.Catalog, error) {
	attrs, err := r.readAttrs(ctx, h)
	if err != nil {
		return nil, err
	}
	return r.catalogOf(ctx, h, attrs)
}

// catalogOf reads the catalog that has these attributes.
func (r *Repository) catalogOf(ctx context.Context, h home, attrs []byte) (*catalog.Catalog, error) {
	if attrs == nil {
		return new(catalog.Catalog), nil
	}
	state := r.state(h.publisher)
	if c := state.cached(attrs); c != nil {
		return c, nil
	}
	x, file := r.openIndex(ctx, h)
	c, err := catalog.Read(r.catalogFS(ctx, h, attrs), &catalog.ReadOptions{Index: x})
	if err != nil {
		file.close()
		return nil, err
	}
	state.remember(attrs, c)
	state.hold(file)
	return c, nil
}

// openIndex opens the index of a catalog, if there is one that can be read. The
// file is nil otherwise.
func (r *Repository) openIndex(ctx context.Context, h home) (*catalog.Index, *keptIndex) {
	f, info, err := r.store.Open(ctx, h.index())
	if err != nil {
		return nil, nil
	}
	file := &keptIndex{repo: r, name: h.index(), tag: info.Tag, open: f}
	if _, ok := f.(io.ReaderAt); ok {
		if x, err := catalog.OpenIndex(file, info.Size); err == nil {
			return x, file
		}
	}
	f.Close()
	return nil, nil
}

// hold keeps the file of the index of a catalog that was read. That of the one before
// is left to those who have that catalog.
func (s *publisherState) hold(index *keptIndex) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = index
}

// close closes the file of the index.
func (s *publisherState) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.close()
}

// cached returns the catalog with these attributes, if it is the one in memory.
func (s *publisherState) cached(attrs []byte) *catalog.Catalog {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bytes.Equal(s.attrs, attrs) {
		return nil
	}
	return s.catalog
}

func (s *publisherState) remember(attrs []byte, c *catalog.Catalog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attrs, s.catalog = attrs, c
}

// isBusy reports whether somebody may be changing a catalog. A lock that says who holds it
// may be what a dead process has left, which only taking it shows; where that is not
// permitted, what it says counts.
func (r *Repository) isBusy(ctx context.Context, h home) bool {
	info, err := store.Stat(ctx, r.store, h.lock())
	if err != nil || info.Size == 0 {
		return false
	}
	lock, err := store.Acquire(ctx, r.store, h.lock(), &store.LockOptions{Note: r.note()})
	return err != nil || lock.Release() != nil
}

// isTorn reports whether an error may come from files of two states of a catalog: one
// has not the signature that the attributes tell, is missing, or has what the others
// have not.
func isTorn(err error) bool {
	var signature *catalog.SignatureError
	var format *catalog.FormatError
	return errors.As(err, &signature) || errors.As(err, &format) || errors.Is(err, fs.ErrNotExist)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// catalogFS returns the directory of a catalog with the attributes that were
// read already.
func (r *Repository) catalogFS(ctx context.Context, h home, attrs []byte) fs.FS {
	return pinnedFS{store.FS(ctx, store.Sub(r.store, h.catalogDir())), attrs}
}

// A pinnedFS has one file that does not change.
type pinnedFS struct {
	fs.FS
	attrs []byte
}

const attrsName = "catalog.attrs"

func (p pinnedFS) Open(name string) (fs.File, error) {
	if name == attrsName {
		return &memFile{Reader: bytes.NewReader(p.attrs)}, nil
	}
	return p.FS.Open(name)
}

// A memFile is a file in memory.
type memFile struct{ *bytes.Reader }

func (f *memFile) Close() error               { return nil }
func (f *memFile) Stat() (fs.FileInfo, error) { return memInfo{f.Size()}, nil }

type memInfo struct{ size int64 }

func (i memInfo) Name() string       { return attrsName }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return 0o444 }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return false }
func (i memInfo) Sys() any           { return nil }

// CatalogFile opens one file of a publisher's catalog, as it is stored, for
// those who serve it.
func (r *Repository) CatalogFile(ctx context.Context, publisher, name string) (_ io.ReadCloser, _ store.Info, err error) {
	defer Error{Op: "read " + name + " of", Place: r.named, Publisher: publisher}.explain(&err)
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return nil, store.Info{}, err
	}
	return store.Sub(r.store, r.home(publisher).catalogDir()).Open(ctx, name)
}

// Manifest returns the manifest of a package version. If the name has no
// publisher, all publishers are asked, the default one first.
func (r *Repository) Manifest(ctx context.Context, f fmri.FMRI) (_ *manifest.Manifest, err error) {
	defer Error{Op: "read manifest of", Place: r.named, FMRI: f}.explain(&err)
	return r.manifest(ctx, f)
}

func (r *Repository) manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	if !f.Version().IsValid() {
		return nil, fmri.ErrNoVersion
	}
	var data []byte
	err := r.search(ctx, f.Publisher(), func(h home) (err error) {
		data, err = readObject(ctx, r.store, h.manifest(f), maxManifest)
		return err
	})
	if err != nil {
		return nil, err
	}
	return manifest.Parse(f.String(), data)
}

// search calls find for the homes of a publisher, or of all if it is empty,
// until one has what is sought.
func (r *Repository) search(ctx context.Context, publisher string, find func(h home) error) error {
	homes, err := r.homes(ctx, publisher)
	if err != nil {
		return err
	}
	for _, h := range homes {
		if err := find(h); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}

// homes returns the home of a publisher or, if that is "", of all publishers,
// the default one first.
func (r *Repository) homes(ctx context.Context, publisher string) ([]home, error) {
	if publisher != "" || r.version < 4 {
		if publisher != "" && checkName(publisher) != nil {
			return nil, nil
		}
		return []home{r.home(publisher)}, nil
	}
	names, err := r.Publishers(ctx)
	if err != nil {
		return nil, err
	}
	first, err := r.DefaultPublisher(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var homes []home
	for _, name := range names {
		homes = append(homes, r.home(name))
		if last := len(homes) - 1; name == first {
			homes[0], homes[last] = homes[last], homes[0]
		}
	}
	return homes, nil
}

// Payload returns the stored form of a payload. If publisher is "", all
// publishers are asked.
func (r *Repository) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	rc, _, err := r.PayloadFile(ctx, publisher, d)
	return rc, err
}

// PayloadFile is Payload with the description of the stored object, for those
// who serve it.
func (r *Repository) PayloadFile(ctx context.Context, publisher string, d manifest.Digest) (rc io.ReadCloser, info store.Info, err error) {
	defer Error{Op: "read", Place: r.named, Publisher: publisher, Digest: d}.explain(&err)
	err = r.searchPayload(ctx, publisher, d, func(name string) (err error) {
		rc, info, err = r.store.Open(ctx, name)
		return err
	})
	return rc, info, err
}

// searchPayload calls find with each name a payload may have.
func (r *Repository) searchPayload(ctx context.Context, publisher string, d manifest.Digest, find func(name string) error) error {
	if !d.IsValid() {
		return fs.ErrNotExist
	}
	return r.search(ctx, publisher, func(h home) error {
		err := find(h.payload(d))
		if errors.Is(err, fs.ErrNotExist) && r.version < 4 {
			err = find(h.oldPayload(d))
		}
		return err
	})
}
