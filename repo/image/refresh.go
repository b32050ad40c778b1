package image

import (
	"bytes"
	"context"
	"errors"
	"path"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo"
)

// Refresh reads the catalogs of all enabled publishers. If it fails for one of them,
// nothing has changed; the errors of all of them are returned.
func (i *Image) Refresh(ctx context.Context) (err error) {
	defer wrap(&err, "refresh", i.path)
	if i.opts.ReadOnly {
		return i.refreshMemory(ctx)
	}
	return i.change(ctx, func() error { return i.refresh(ctx) })
}

// refreshMemory refreshes what is known, on top of what is on the disk now.
func (i *Image) refreshMemory(ctx context.Context) error {
	t := i.newTree()
	defer t.forget()
	s, err := i.loadState(t)
	if err != nil {
		return err
	}
	_, offered, err := i.offered(ctx, s)
	if err != nil {
		return err
	}
	next, err := s.refreshed(offered, i.now())
	if err != nil {
		return err
	}
	i.state.Store(next)
	return nil
}

func (i *Image) refresh(ctx context.Context) error {
	names, offered, err := i.offered(ctx, i.state.Load())
	if err != nil {
		return err
	}
	return i.keepCatalogs(names, offered)
}

// offered returns the enabled publishers that have origins, and their catalogs.
func (i *Image) offered(ctx context.Context, s *state) (names []string, offered []*catalog.Catalog, err error) {
	srcs := i.sources(s)
	defer srcs.Close()
	var errs []error
	for n, p := range srcs.pubs {
		i.opts.Progress(repo.Event{Op: "refresh", Name: p.Name, Done: n, Total: len(srcs.pubs)})
		if p.Disabled || len(p.Origins) == 0 {
			continue
		}
		c, err := srcs.catalog(ctx, p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		names, offered = append(names, p.Name), append(offered, c)
	}
	i.opts.Progress(repo.Event{Op: "refresh", Done: len(srcs.pubs), Total: len(srcs.pubs)})
	return names, offered, errors.Join(errs...)
}

// keepCatalogs writes the publishers' catalogs and, if they offer something else than
// before, the catalogs of the image.
func (i *Image) keepCatalogs(names []string, offered []*catalog.Catalog) error {
	for n, name := range names {
		if err := i.writePublished(name, offered[n]); err != nil {
			return err
		}
	}
	old := i.state.Load()
	next, err := old.refreshed(offered, i.now())
	if err != nil || sameCatalog(old.known, next.known) {
		return err
	}
	if err := i.writeState(next); err != nil {
		return err
	}
	i.state.Store(next)
	return i.touch()
}

// sameCatalog reports whether two catalogs have the same packages in the same states.
func sameCatalog(a, b *catalog.Catalog) bool {
	if a.Len() != b.Len() {
		return false
	}
	for n := range a.Len() {
		p, q := a.At(n), b.At(n)
		da, _ := p.ManifestDigest()
		db, _ := q.ManifestDigest()
		if p.FMRI() != q.FMRI() || da != db || !bytes.Equal(p.Metadata(), q.Metadata()) {
			return false
		}
	}
	return true
}

// writePublished keeps a publisher's catalog as it was received: the parts, and at the
// end the attributes. Files of an older catalog go.
func (i *Image) writePublished(publisher string, c *catalog.Catalog) error {
	dir := i.meta("publisher", publisher, "catalog")
	if err := i.tree.mkdirAll(dir); err != nil {
		return err
	}
	keep := map[string]bool{}
	for f := range c.Files() {
		if isLog(f.Name) {
			continue
		}
		keep[f.Name] = true
		if err := i.replaceFile(path.Join(dir, f.Name), f); err != nil {
			return err
		}
	}
	entries, err := i.tree.readDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := i.tree.removeAll(path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return i.stamp(publisher)
}

// isLog reports whether a catalog file is an update log, which clients do not keep.
func isLog(name string) bool {
	ok, _ := path.Match("update.*", name)
	return ok
}

func (i *Image) replaceFile(name string, f catalog.File) error {
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		return err
	}
	return i.replaceBytes(name, b.Bytes(), f.ModTime)
}

// stamp records when a publisher was refreshed: the time of change of a file.
func (i *Image) stamp(publisher string) error {
	name := i.meta("publisher", publisher, "last_refreshed")
	if err := i.tree.remove(name); err != nil {
		return err
	}
	return i.writeNew(name, []byte(formatTime(i.now())+"\n"), i.now())
}

// replaceBytes writes a file of the metadata directory in one moment; it is flushed by
// the next sync. All such files have the same name until they are complete, so that at
// most one is left over.
func (i *Image) replaceBytes(name string, content []byte, mtime time.Time) error {
	tmp := i.meta(tmpDir, "ips-new")
	if err := i.tree.remove(tmp); err != nil {
		return err
	}
	if err := i.writeNew(tmp, content, mtime); err != nil {
		return err
	}
	return i.tree.rename(tmp, name)
}
