package image

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"path"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo"
)

// Refresh reads the catalogs of all enabled publishers. What answers is known afterwards;
// of a publisher where an origin does not answer, what was known before stays known, too.
// The error then joins an [*OriginError] for each origin that failed.
func (i *Image) Refresh(ctx context.Context) (err error) {
	defer wrap(&err, "refresh", i.path)
	if i.opts.ReadOnly {
		return i.refreshMemory(ctx)
	}
	return i.change(ctx, func() error {
		o, failed := i.offered(ctx, i.state.Load())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(failed, i.keepCatalogs(o))
	})
}

// refreshMemory refreshes what is known, on top of what is on the disk now.
func (i *Image) refreshMemory(ctx context.Context) error {
	t := i.newTree()
	defer t.forget()
	s, err := i.loadState(t)
	if err != nil {
		return err
	}
	o, failed := i.offered(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	next, err := s.refreshed(o.catalogs(), i.now())
	if err == nil {
		i.state.Store(next)
	}
	return errors.Join(failed, err)
}

// An offer is what a publisher has, as far as it is known.
type offer struct {
	publisher string
	catalog   *catalog.Catalog
	fresh     bool // some origin has answered
}

type offers []offer

func (o offers) catalogs() []*catalog.Catalog {
	list := make([]*catalog.Catalog, len(o))
	for n := range o {
		list[n] = o[n].catalog
	}
	return list
}

// offered returns what the enabled publishers with origins offer, and which origins have
// failed.
func (i *Image) offered(ctx context.Context, s *state) (list offers, failed error) {
	srcs := i.sources(s)
	defer srcs.Close()
	var errs []error
	for n, p := range srcs.pubs {
		i.opts.Progress(repo.Event{Op: "refresh", Name: p.Name, Done: n, Total: len(srcs.pubs)})
		if p.Disabled || len(p.Origins) == 0 {
			continue
		}
		got, err := srcs.catalogs(ctx, p)
		o := offer{publisher: p.Name, fresh: len(got) > 0}
		if err != nil {
			errs = append(errs, err)
			old, err := readCatalog(i.root, i.meta("publisher", p.Name, "catalog"))
			if err != nil {
				i.opts.Log.Warn("what was known of a publisher is not used", "publisher", p.Name, "error", err)
			} else {
				got = append(got, old)
			}
		}
		if o.catalog, err = merge(got); err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, o)
	}
	i.opts.Progress(repo.Event{Op: "refresh", Done: len(srcs.pubs), Total: len(srcs.pubs)})
	return list, errors.Join(errs...)
}

// merge returns what several origins offer together. One alone stays as it was received.
func merge(list []*catalog.Catalog) (*catalog.Catalog, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	return catalog.Merge(list...)
}

// keepCatalogs writes the publishers' catalogs and, if they offer something else than
// before, the catalogs of the image.
func (i *Image) keepCatalogs(list offers) error {
	for _, o := range list {
		if !o.fresh {
			continue
		}
		if err := i.writePublished(o.publisher, o.catalog); err != nil {
			return err
		}
	}
	old := i.state.Load()
	next, err := old.refreshed(list.catalogs(), i.now())
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
	next, stop := iter.Pull(b.All())
	defer stop()
	for p := range a.All() {
		q, _ := next()
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
