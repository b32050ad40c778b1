package repo

import (
	"bytes"
	"context"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo/store"
)

// changeCatalog makes a change to a catalog, with a record of it in the update
// logs, and puts it in the place of the present one.
func (w *writer) changeCatalog(ctx context.Context, base *catalog.Catalog, change func(*catalog.Builder) error) error {
	base, err := w.begun(base)
	if err != nil {
		return err
	}
	b := &catalog.Builder{
		Base: base,
		Logs: store.FS(ctx, store.Sub(w.repo.store, w.home.catalogDir())),
		Now:  w.repo.now(),
	}
	if err := change(b); err != nil {
		return err
	}
	c, err := b.Build()
	if err != nil {
		return err
	}
	return w.putCatalog(ctx, c)
}

// begun returns a catalog to change. Where there is none yet, it begins now: the time of
// its creation is by which clients know a catalog.
func (w *writer) begun(c *catalog.Catalog) (*catalog.Catalog, error) {
	if c.Len() > 0 || !c.Created().IsZero() {
		return c, nil
	}
	return (&catalog.Builder{Now: w.repo.now()}).Build()
}

// putCatalog replaces the catalog: all other files first, durably, and then
// catalog.attrs, which makes them the catalog.
func (w *writer) putCatalog(ctx context.Context, c *catalog.Catalog) error {
	batch, err := store.NewBatch(ctx, w.repo.store)
	if err != nil {
		return err
	}
	defer batch.Close()
	var attrs bytes.Buffer
	for file := range c.Files() {
		if file.Name == attrsName {
			_, err = file.WriteTo(&attrs)
		} else if file.Modified {
			err = w.draftFile(ctx, batch, file)
		}
		if err != nil {
			return err
		}
	}
	if err := batch.Flush(ctx); err != nil {
		return err
	}
	return w.putAttrs(ctx, attrs.Bytes(), c)
}

// putAttrs makes c, all other files of which are in place, the catalog.
func (w *writer) putAttrs(ctx context.Context, attrs []byte, c *catalog.Catalog) error {
	if err := w.lock.Check(ctx); err != nil {
		return err
	}
	if err := w.repo.store.Put(ctx, w.home.attrs(), bytes.NewReader(attrs)); err != nil {
		return err
	}
	w.state.remember(attrs, c)
	w.putIndex(ctx, c)
	return nil
}

// indexFrom is how many versions make a catalog large enough for an index.
const indexFrom = 1000

// putIndex stores the catalog in the form that is opened fast. It is a copy to
// save time, which readers take only if it fits, so nothing depends on it.
func (w *writer) putIndex(ctx context.Context, c *catalog.Catalog) {
	if c.Len() < indexFrom {
		return
	}
	var b bytes.Buffer
	if err := c.WriteIndex(&b); err == nil {
		w.repo.store.Put(ctx, w.home.index(), &b)
	}
}

// draftFile puts one file of a catalog into a batch.
func (w *writer) draftFile(ctx context.Context, batch store.Batch, file catalog.File) error {
	d, err := batch.Create(ctx)
	if err != nil {
		return err
	}
	if _, err := file.WriteTo(d); err != nil {
		return join(err, d.Drop())
	}
	return d.Keep(w.home.catalogDir() + "/" + file.Name)
}

// rebuild makes the catalog anew from all manifests but those of the packages
// that are gone. Manifests that cannot be read are left out.
func (w *writer) rebuild(ctx context.Context, gone []fmri.FMRI) error {
	skip := map[fmri.FMRI]bool{}
	for _, f := range gone {
		skip[f] = true
	}
	b := &catalog.Builder{Now: w.repo.now()}
	for found, err := range w.repo.manifests(ctx, w.home) {
		if err != nil {
			return err
		}
		if found.err != nil || skip[found.fmri] {
			continue
		}
		if err := b.Add(found.fmri, found.manifest); err != nil {
			return err
		}
	}
	c, err := b.Build()
	if err != nil {
		return err
	}
	if err := w.putCatalog(ctx, c); err != nil {
		return err
	}
	return w.removeStrays(ctx, c)
}

// removeStrays removes files in the catalog's directory that do not belong to
// the catalog.
func (w *writer) removeStrays(ctx context.Context, c *catalog.Catalog) error {
	attrs, err := c.Attrs()
	if err != nil {
		return err
	}
	listed := map[string]bool{attrsName: true}
	for _, f := range attrs.Parts {
		listed[f.Name] = true
	}
	for _, f := range attrs.Updates {
		listed[f.Name] = true
	}
	var strays []string
	for info, err := range store.ListDir(ctx, w.repo.store, w.home.catalogDir()) {
		if err != nil {
			return err
		}
		if !info.IsDir() && !listed[strings.TrimPrefix(info.Name, w.home.catalogDir()+"/")] {
			strays = append(strays, info.Name)
		}
	}
	return removeObjects(ctx, w.repo.store, strays...)
}
