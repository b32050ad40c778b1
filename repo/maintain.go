package repo

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// A Removal says what was removed.
type Removal struct {
	Packages []fmri.FMRI
	Freed    Amount // that nothing named any more
}

// Remove removes package versions, which must be named in full, and the payloads
// that no other package of the publisher needs. Versions that are not there are
// passed over, unless none of them is: that is an error matching fs.ErrNotExist.
// If another process is writing, the error is a *BusyError.
func (r *Repository) Remove(ctx context.Context, pkgs ...fmri.FMRI) (removed Removal, err error) {
	byPublisher := map[string][]fmri.FMRI{}
	for _, f := range pkgs {
		f, err := r.withPublisher(ctx, f)
		if err != nil {
			return removed, &Error{Op: "remove", FMRI: f, Err: err}
		}
		byPublisher[f.Publisher()] = append(byPublisher[f.Publisher()], f)
	}
	for _, publisher := range slices.Sorted(maps.Keys(byPublisher)) {
		some, err := r.removeFrom(ctx, publisher, byPublisher[publisher])
		removed.add(some)
		if err != nil {
			return removed, &Error{Op: "remove packages of", Publisher: publisher, Err: err}
		}
	}
	if len(removed.Packages) == 0 && len(pkgs) > 0 {
		return removed, &Error{Op: "remove", FMRI: pkgs[0], Err: because(fs.ErrNotExist, "the repository has no such package")}
	}
	return removed, nil
}

func (r *Removal) add(more Removal) {
	r.Packages = append(r.Packages, more.Packages...)
	r.Freed.Payloads += more.Freed.Payloads
	r.Freed.Bytes += more.Freed.Bytes
}

// removeFrom removes packages of one publisher.
func (r *Repository) removeFrom(ctx context.Context, publisher string, pkgs []fmri.FMRI) (removed Removal, err error) {
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return removed, ignore(err, fs.ErrNotExist)
	}
	w, err := r.write(ctx, publisher, false)
	if err != nil {
		return removed, err
	}
	defer func() { err = join(err, w.close()) }()
	c, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return removed, err
	}
	var there, listed []fmri.FMRI
	for _, f := range pkgs {
		_, inCatalog := c.Lookup(f)
		stored, err := exists(ctx, w.repo.store, w.home.manifest(f))
		if err != nil {
			return removed, err
		}
		if inCatalog {
			listed = append(listed, f)
		}
		if inCatalog || stored {
			there = append(there, f)
		}
	}
	if len(there) == 0 {
		return removed, nil
	}
	return w.remove(ctx, c, there, listed)
}

// remove takes packages, some of which are listed, from the catalog, and then away.
func (w *writer) remove(ctx context.Context, c *catalog.Catalog, pkgs, listed []fmri.FMRI) (removed Removal, err error) {
	if err := w.purgeIndex(ctx); err != nil {
		return removed, err
	}
	var j journal
	for _, f := range pkgs {
		j = append(j, journalLine{opRemove, f})
	}
	if err := w.begin(ctx, j); err != nil {
		return removed, err
	}
	if len(listed) > 0 {
		err := w.changeCatalog(ctx, c, func(b *catalog.Builder) error {
			for _, f := range listed {
				if err := b.Remove(f); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			w.recover(context.WithoutCancel(ctx)) // or the next writer does
			return removed, err
		}
	}
	removed.Packages = pkgs
	if removed.Freed, err = w.removeManifests(ctx, pkgs); err != nil {
		return removed, err
	}
	return removed, w.done(ctx)
}

// RebuildCatalog makes the catalog of a publisher anew from all stored manifests;
// those that cannot be read are left out. Clients get the whole catalog the next time.
// The search index, which is of the old one, goes. If another process is writing, the
// error is a *BusyError.
func (r *Repository) RebuildCatalog(ctx context.Context, publisher string) (err error) {
	defer Error{Op: "rebuild catalog of", Place: r.named, Publisher: publisher}.explain(&err)
	return r.maintain(ctx, publisher, r.writeAnew, func(w *writer) error {
		if err := w.purgeIndex(ctx); err != nil {
			return err
		}
		return w.rebuildCatalog(ctx)
	})
}

func (w *writer) rebuildCatalog(ctx context.Context) error {
	if err := w.begin(ctx, journal{{op: opRebuild}}); err != nil {
		return err
	}
	if err := w.rebuild(ctx, nil); err != nil {
		return err
	}
	return w.done(ctx)
}

// RefreshCatalog lists stored packages that are not in the catalog of a publisher yet,
// and returns them. If another process is writing, the error is a *BusyError.
func (r *Repository) RefreshCatalog(ctx context.Context, publisher string) (added []fmri.FMRI, err error) {
	defer Error{Op: "refresh catalog of", Place: r.named, Publisher: publisher}.explain(&err)
	err = r.maintain(ctx, publisher, r.writeNow, func(w *writer) error {
		added, err = w.refresh(ctx)
		return err
	})
	return added, err
}

// Enlist makes a Repository an Enlister. Those whose manifest cannot be read are left
// out.
func (r *Repository) Enlist(ctx context.Context, pkgs ...fmri.FMRI) (added []fmri.FMRI, err error) {
	defer Error{Op: "list packages of", Place: r.named}.explain(&err)
	byPublisher := map[string][]fmri.FMRI{}
	for _, f := range pkgs {
		byPublisher[f.Publisher()] = append(byPublisher[f.Publisher()], f)
	}
	for _, publisher := range slices.Sorted(maps.Keys(byPublisher)) {
		some, err := r.enlist(ctx, publisher, byPublisher[publisher])
		added = append(added, some...)
		if err != nil {
			return added, err
		}
	}
	return added, nil
}

func (r *Repository) enlist(ctx context.Context, publisher string, pkgs []fmri.FMRI) (added []fmri.FMRI, err error) {
	known, err := r.readCatalog(ctx, r.home(publisher))
	if err != nil {
		return nil, err
	}
	pkgs = slices.DeleteFunc(slices.Clone(pkgs), func(f fmri.FMRI) bool {
		_, listed := known.Lookup(f)
		return listed
	})
	if len(pkgs) == 0 {
		return nil, nil
	}
	w, err := r.write(ctx, publisher, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = join(err, w.close()) }()
	c, err := r.tryCatalog(ctx, w.home)
	if err != nil {
		return nil, err
	}
	var found []storedManifest
	for _, f := range pkgs {
		m, err := r.readManifest(ctx, w.home, w.home.manifest(f))
		if err != nil {
			return nil, err
		}
		if _, listed := c.Lookup(f); !listed && m.text != nil && m.err == nil {
			found = append(found, m)
		}
	}
	return w.list(ctx, c, found)
}

func (w *writer) refresh(ctx context.Context) ([]fmri.FMRI, error) {
	c, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return nil, err
	}
	var found []storedManifest
	for m, err := range w.unlisted(ctx, c) {
		if err != nil {
			return nil, err
		}
		found = append(found, m)
	}
	if len(found) == 0 {
		return nil, w.ensureCatalog(ctx)
	}
	return w.list(ctx, c, found)
}

// list enters stored packages into the catalog.
func (w *writer) list(ctx context.Context, c *catalog.Catalog, found []storedManifest) (added []fmri.FMRI, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	var j journal
	for _, m := range found {
		added = append(added, m.fmri)
		j = append(j, journalLine{opList, m.fmri})
	}
	if err := w.begin(ctx, j); err != nil {
		return nil, err
	}
	err = w.changeCatalog(ctx, c, func(b *catalog.Builder) error {
		for _, m := range found {
			if err := b.Add(m.fmri, m.manifest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, w.done(ctx)
}

// writeNow is write for those who do not wait.
func (r *Repository) writeNow(ctx context.Context, publisher string) (*writer, error) {
	return r.write(ctx, publisher, false)
}

// maintain calls f with the right to write, if nobody else has it.
func (r *Repository) maintain(ctx context.Context, publisher string, write func(context.Context, string) (*writer, error), f func(w *writer) error) (err error) {
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return err
	}
	w, err := write(ctx, publisher)
	if err != nil {
		return err
	}
	defer func() { err = join(err, w.close()) }()
	return f(w)
}

// ignore returns nil for an error that matches target.
func ignore(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}
