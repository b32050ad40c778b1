package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// Clone makes what dst has of a publisher equal to what src has: what is missing
// is copied, what has other signatures is replaced, and what src does not have
// is removed. If src is a Cataloger, the catalog becomes the same byte for byte,
// so that clients of one can go on with the other.
func Clone(ctx context.Context, dst *Repository, src Source, publisher string, opts *CopyOptions) error {
	if err := clone(ctx, dst, src, publisher, opts); err != nil {
		return &Error{Op: "clone", Publisher: publisher, Err: err}
	}
	return nil
}

func clone(ctx context.Context, dst *Repository, src Source, publisher string, opts *CopyOptions) error {
	if opts != nil && opts.Transform != nil {
		return fmt.Errorf("a clone with changed manifests: %w", errors.ErrUnsupported)
	}
	snapshot, c, err := snapshot(ctx, src, publisher)
	if err != nil {
		return err
	}
	var all []fmri.FMRI
	for p := range c.All() {
		all = append(all, p.FMRI())
	}
	if err := Copy(ctx, cloned{unlisted{dst}}, src, slices.Values(all), opts); err != nil {
		return err
	}
	w, err := dst.write(ctx, publisher, true)
	if err != nil {
		return err
	}
	err = w.become(ctx, src, c, snapshot)
	return errors.Join(err, w.close())
}

// Unlisted returns a sink that stores packages without listing them in the
// catalog. Refresh lists them later.
func (r *Repository) Unlisted() Sink { return unlisted{r} }

type unlisted struct{ *Repository }

func (u unlisted) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) {
	t, err := u.Repository.Begin(ctx, f)
	return unlist(t), err
}

// Batch returns a batch of packages that are not listed.
func (u unlisted) Batch(ctx context.Context) (Batch, error) {
	b, err := u.Repository.Batch(ctx)
	return unlistedBatch{b}, err
}

type unlistedBatch struct{ Batch }

func (u unlistedBatch) Begin(ctx context.Context, f fmri.FMRI) (Tx, error) {
	t, err := u.Batch.Begin(ctx, f)
	return unlist(t), err
}

// A cloned is where Clone copies to. What is removed afterwards does not decide
// in which form a payload is stored.
type cloned struct{ unlisted }

func (c cloned) Batch(ctx context.Context) (Batch, error) {
	b, err := c.newBatch(ctx)
	if err != nil {
		return nil, &Error{Op: "publish", Err: err}
	}
	b.exact = true
	return unlistedBatch{b}, nil
}

func unlist(tx Tx) Tx {
	if t, ok := tx.(*Transaction); ok {
		t.NoCatalog = true
	}
	return tx
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
		r, _, err := src.CatalogFile(ctx, publisher, name)
		if err != nil {
			return err
		}
		defer r.Close()
		return s.Put(ctx, name, r)
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
func (w *writer) become(ctx context.Context, src Source, c *catalog.Catalog, snapshot store.Store) error {
	old, err := w.tryCatalog(ctx, w.home)
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
	if err := w.removeManifests(ctx, gone); err != nil {
		return err
	}
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
	b, err := w.newBatch(ctx)
	if err != nil {
		return err
	}
	defer b.end()
	b.exact = true
	c := commit{writer: w, batch: b}
	listed := Listed(src)
	for _, f := range pkgs {
		m, err := listed.Manifest(ctx, f)
		if err != nil {
			return err
		}
		for p := range payloadsOf(m) {
			if err := b.fetch(ctx, src, w.publisher, p); err != nil {
				return err
			}
		}
		if err := store.PutBatch(ctx, b.objects, w.home.manifest(f), bytes.NewReader(m.Text())); err != nil {
			return err
		}
	}
	if err := c.keepPayloads(ctx); err != nil {
		return err
	}
	return b.objects.Flush(ctx)
}

// fetch takes in a payload of another source, unless it is there.
func (b *batch) fetch(ctx context.Context, src Source, publisher string, p manifest.Payload) error {
	there, err := b.holds(ctx, publisher, p)
	if there || err != nil {
		return err
	}
	stored, err := src.Payload(ctx, publisher, p.Name())
	if err != nil {
		return err
	}
	defer stored.Close()
	return b.take(ctx, publisher, p, stored)
}

// putSnapshot replaces the catalog by the files of a snapshot or, without one,
// by a new catalog with the same packages.
func (w *writer) putSnapshot(ctx context.Context, c *catalog.Catalog, snapshot store.Store) error {
	if snapshot == nil {
		b := &catalog.Builder{Now: w.now()}
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
	batch, err := store.NewBatch(ctx, w.store)
	if err != nil {
		return nil, err
	}
	for info, err := range snapshot.List(ctx, "") {
		if err != nil {
			return nil, errors.Join(err, batch.Close())
		}
		if info.Name == attrsName {
			continue
		}
		data, err := readObject(ctx, snapshot, info.Name, info.Size)
		if err == nil {
			err = store.PutBatch(ctx, batch, w.catalogDir()+"/"+info.Name, bytes.NewReader(data))
		}
		if err != nil {
			return nil, errors.Join(err, batch.Close())
		}
	}
	return batch, nil
}
