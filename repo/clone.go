package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store"
)

// A Cataloger is a Source that gives out the files of its catalogs as they are
// stored.
type Cataloger interface {
	CatalogFile(ctx context.Context, publisher, name string) (io.ReadCloser, store.Info, error)
}

// A CloneResult says what Clone has done.
type CloneResult struct {
	Copy     CopyResult
	Replaced []fmri.FMRI // got other signatures
	Removed  []fmri.FMRI
	Freed    Amount // that nothing named any more
}

// A Cloner is a Sink that can become equal to a source.
type Cloner interface {
	Clone(ctx context.Context, src Source, publisher string, opts *CopyOptions) (CloneResult, error)
}

// Clone makes what dst has of a publisher equal to what src has: what is missing
// is copied, what has other signatures is replaced, and what src does not have
// is removed. If src is a Cataloger, the catalog becomes the same byte for byte,
// so that clients of one can go on with the other. The error matches
// errors.ErrUnsupported where dst is no Cloner.
func Clone(ctx context.Context, dst Sink, src Source, publisher string, opts *CopyOptions) (CloneResult, error) {
	if c, ok := dst.(Cloner); ok {
		return c.Clone(ctx, src, publisher, opts)
	}
	err := because(errors.ErrUnsupported, "the destination can only be added to")
	return CloneResult{}, &Error{Op: "clone", Publisher: publisher, Err: err}
}

// Clone makes a Repository a Cloner.
func (r *Repository) Clone(ctx context.Context, src Source, publisher string, opts *CopyOptions) (result CloneResult, err error) {
	defer Error{Op: "clone", Publisher: publisher}.explain(&err)
	if opts != nil && opts.Transform != nil {
		return result, because(errors.ErrUnsupported, "what is cloned keeps its manifests; they cannot be changed on the way")
	}
	snapshot, c, err := snapshot(ctx, src, publisher)
	if err != nil {
		return result, err
	}
	result.Copy, err = Copy(ctx, Unlisted(exactSink{r}), src, listedIn(c), opts)
	if err != nil {
		return result, err
	}
	w, err := r.write(ctx, publisher, true)
	if err != nil {
		return result, err
	}
	err = w.become(ctx, src, c, snapshot, &result)
	return result, join(err, w.close())
}

// An exactSink is where Clone copies to. What is removed afterwards does not decide
// in which form a payload is stored.
type exactSink struct{ repo *Repository }

func (s exactSink) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) { return s.repo.Begin(ctx, f) }

func (s exactSink) NewBatch(ctx context.Context) (Batch, error) {
	b, err := s.repo.newBatch(ctx, true)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// snapshot reads the catalog of a publisher, and its files if the source gives
// them out.
func snapshot(ctx context.Context, src Source, publisher string) (store.Store, *catalog.Catalog, error) {
	cataloger, ok := src.(Cataloger)
	if !ok {
		c, err := src.Catalog(ctx, publisher)
		return nil, c, err
	}
	for try := 0; ; try++ {
		s, c, err := trySnapshot(ctx, cataloger, publisher)
		if errors.Is(err, fs.ErrNotExist) && s == nil {
			c, err := src.Catalog(ctx, publisher) // none yet
			return nil, c, err
		}
		if err == nil || !isTorn(err) || try == 10 {
			return s, c, err
		}
		if _, err := src.Catalog(ctx, publisher); err != nil { // waits until it is whole
			return nil, nil, err
		}
	}
}

// trySnapshot copies a catalog to memory. The store is nil if there is none.
func trySnapshot(ctx context.Context, src Cataloger, publisher string) (store.Store, *catalog.Catalog, error) {
	s := store.Memory()
	fetch := func(name string) error {
		r, info, err := src.CatalogFile(ctx, publisher, name)
		if err != nil {
			return err
		}
		defer r.Close()
		if info.Size > maxPart {
			return tooLarge(name, maxPart)
		}
		return s.Put(ctx, name, &limitedReader{r, name, maxPart})
	}
	if err := fetch(attrsName); err != nil {
		return nil, nil, err
	}
	text, err := readObject(ctx, s, attrsName, maxAttrs)
	if err != nil {
		return s, nil, err
	}
	attrs, err := catalog.ParseAttrs(text, nil)
	if err != nil {
		return s, nil, err
	}
	for _, f := range slices.Concat(attrs.Parts, attrs.Updates) {
		if err := fetch(f.Name); err != nil {
			return s, nil, err
		}
	}
	c, err := catalog.Read(store.FS(ctx, s), nil)
	return s, c, err
}

// become makes the publisher's packages those of a catalog, all of which are
// stored already.
func (w *writer) become(ctx context.Context, src Source, c *catalog.Catalog, snapshot store.Store, result *CloneResult) error {
	old, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return err
	}
	var j journal
	var gone, other []fmri.FMRI
	for ch := range catalog.Diff(old, c) {
		switch {
		case !ch.New.IsValid():
			gone = append(gone, ch.Old.FMRI())
			j = append(j, journalLine{opRemove, ch.Old.FMRI()})
		case !ch.Old.IsValid():
			j = append(j, journalLine{opList, ch.New.FMRI()})
		default:
			other = append(other, ch.New.FMRI())
			j = append(j, journalLine{opAdd, ch.New.FMRI()})
		}
	}
	if err := w.begin(ctx, j); err != nil {
		return err
	}
	if err := w.replaceManifests(ctx, src, other); err != nil {
		return err
	}
	if err := w.putSnapshot(ctx, c, snapshot); err != nil {
		return err
	}
	if result.Freed, err = w.removeManifests(ctx, gone); err != nil {
		return err
	}
	result.Replaced, result.Removed = other, gone
	return w.done(ctx)
}

// replaceManifests takes over the manifests of packages, and the certificates of
// their signatures.
func (w *writer) replaceManifests(ctx context.Context, src Source, pkgs []fmri.FMRI) error {
	if len(pkgs) > 0 {
		if err := w.purgeIndex(ctx); err != nil {
			return err
		}
	}
	g, err := newStage(ctx, w.repo, true)
	if err != nil {
		return err
	}
	defer g.close()
	listed := Listed(src)
	for _, f := range pkgs {
		m, err := listed.Manifest(ctx, f)
		if err != nil {
			return err
		}
		for p := range payloadsOf(m) {
			if err := g.fetch(ctx, src, w.home.publisher, p); err != nil {
				return err
			}
		}
		if err := store.PutBatch(ctx, g.drafts, w.home.manifest(f), bytes.NewReader(m.Text())); err != nil {
			return err
		}
	}
	if err := newPlacing(w, g).run(ctx); err != nil {
		return err
	}
	return g.drafts.Flush(ctx)
}

// fetch takes in a payload of another source, unless it is there.
func (g *stage) fetch(ctx context.Context, src Source, publisher string, p manifest.Payload) error {
	held, err := g.holds(ctx, publisher, p)
	if held || err != nil {
		return err
	}
	stored, err := src.Payload(ctx, publisher, p.Name())
	if err != nil {
		return err
	}
	defer stored.Close()
	return g.take(ctx, publisher, p, stored)
}

// putSnapshot replaces the catalog by the files of a snapshot or, without one,
// by a new catalog with the same packages.
func (w *writer) putSnapshot(ctx context.Context, c *catalog.Catalog, snapshot store.Store) error {
	if snapshot == nil {
		b := &catalog.Builder{Now: w.repo.now()}
		if err := b.AddAll(c); err != nil {
			return err
		}
		fresh, err := b.Build()
		if err != nil {
			return err
		}
		if err := w.putCatalog(ctx, fresh); err != nil {
			return err
		}
		return w.removeStrays(ctx, fresh)
	}
	files, err := w.stageSnapshot(ctx, snapshot)
	if err != nil {
		return err
	}
	defer files.Close()
	if err := files.Flush(ctx); err != nil {
		return err
	}
	attrs, err := readObject(ctx, snapshot, attrsName, maxAttrs)
	if err != nil {
		return err
	}
	if err := w.putAttrs(ctx, attrs, c); err != nil {
		return err
	}
	return w.removeStrays(ctx, c)
}

// stageSnapshot puts all files but the attributes into a batch.
func (w *writer) stageSnapshot(ctx context.Context, snapshot store.Store) (store.Batch, error) {
	batch, err := store.NewBatch(ctx, w.repo.store)
	if err != nil {
		return nil, err
	}
	for info, err := range snapshot.List(ctx, "") {
		if err != nil {
			return nil, join(err, batch.Close())
		}
		if info.Name == attrsName {
			continue
		}
		data, err := readObject(ctx, snapshot, info.Name, info.Size)
		if err == nil {
			err = store.PutBatch(ctx, batch, w.home.catalogDir()+"/"+info.Name, bytes.NewReader(data))
		}
		if err != nil {
			return nil, join(err, batch.Close())
		}
	}
	return batch, nil
}
