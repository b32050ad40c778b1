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

// Remove removes package versions, which must be named in full, and the payloads
// that no other package of the publisher needs. Versions that are not there are
// passed over, unless none of them is: that is an error matching fs.ErrNotExist.
// If another process is writing, the error is a *BusyError.
func (r *Repository) Remove(ctx context.Context, pkgs ...fmri.FMRI) error {
	byPublisher := map[string][]fmri.FMRI{}
	for _, f := range pkgs {
		f, err := r.withPublisher(ctx, f)
		if err != nil {
			return &Error{Op: "remove", FMRI: f, Err: err}
		}
		byPublisher[f.Publisher()] = append(byPublisher[f.Publisher()], f)
	}
	removed := 0
	for _, publisher := range slices.Sorted(maps.Keys(byPublisher)) {
		n, err := r.removeFrom(ctx, publisher, byPublisher[publisher])
		if err != nil {
			return &Error{Op: "remove packages of", Publisher: publisher, Err: err}
		}
		removed += n
	}
	if removed == 0 && len(pkgs) > 0 {
		return &Error{Op: "remove", FMRI: pkgs[0], Err: fs.ErrNotExist}
	}
	return nil
}

// removeFrom removes packages of one publisher and returns how many were there.
func (r *Repository) removeFrom(ctx context.Context, publisher string, pkgs []fmri.FMRI) (n int, err error) {
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return 0, ignore(err, fs.ErrNotExist)
	}
	w, err := r.write(ctx, publisher, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	c, err := w.tryCatalog(ctx, w.home)
	if err != nil {
		return 0, err
	}
	var j journal
	var listed []fmri.FMRI
	for _, f := range pkgs {
		_, inCatalog := c.Lookup(f)
		stored, err := w.isStored(ctx, f)
		if err != nil {
			return 0, err
		}
		if inCatalog {
			listed = append(listed, f)
		}
		if inCatalog || stored {
			j = append(j, journalLine{opRemove, f})
		}
	}
	if len(j) == 0 {
		return 0, nil
	}
	return len(j), w.remove(ctx, c, j, listed)
}

// remove takes packages from the catalog, and then away.
func (w *writer) remove(ctx context.Context, c *catalog.Catalog, j journal, listed []fmri.FMRI) error {
	if err := w.purgeIndex(ctx); err != nil {
		return err
	}
	if err := w.begin(ctx, j); err != nil {
		return err
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
			return err
		}
	}
	var gone []fmri.FMRI
	for _, line := range j {
		gone = append(gone, line.fmri)
	}
	if err := w.removeManifests(ctx, gone); err != nil {
		return err
	}
	return w.done(ctx)
}

// isStored reports whether there is a manifest of a package.
func (w *writer) isStored(ctx context.Context, f fmri.FMRI) (bool, error) {
	return w.exists(ctx, w.home.manifest(f))
}

// RebuildCatalog makes the catalog of a publisher anew from all stored manifests;
// those that cannot be read are left out. Clients get the whole catalog the next time.
// If another process is writing, the error is a *BusyError.
func (r *Repository) RebuildCatalog(ctx context.Context, publisher string) error {
	err := r.maintain(ctx, publisher, func(w *writer) error {
		if err := w.begin(ctx, journal{{op: opRebuild}}); err != nil {
			return err
		}
		if err := w.rebuild(ctx, nil); err != nil {
			return err
		}
		return w.done(ctx)
	})
	if err != nil {
		return &Error{Op: "rebuild catalog of", Publisher: publisher, Err: err}
	}
	return nil
}

// RefreshCatalog lists stored packages that are not in the catalog of a publisher yet,
// and returns them. If another process is writing, the error is a *BusyError.
func (r *Repository) RefreshCatalog(ctx context.Context, publisher string) (added []fmri.FMRI, err error) {
	err = r.maintain(ctx, publisher, func(w *writer) error {
		added, err = w.refresh(ctx)
		return err
	})
	if err != nil {
		return nil, &Error{Op: "refresh catalog of", Publisher: publisher, Err: err}
	}
	return added, nil
}

func (w *writer) refresh(ctx context.Context) ([]fmri.FMRI, error) {
	c, err := w.tryCatalog(ctx, w.home)
	if err != nil {
		return nil, err
	}
	var found []storedManifest
	var added []fmri.FMRI
	var j journal
	for m, err := range w.unlisted(ctx, c) {
		if err != nil {
			return nil, err
		}
		found = append(found, m)
		added = append(added, m.fmri)
		j = append(j, journalLine{opList, m.fmri})
	}
	if len(found) == 0 {
		return nil, w.ensureCatalog(ctx)
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

// maintain calls f with the right to write, if nobody else has it.
func (r *Repository) maintain(ctx context.Context, publisher string, f func(w *writer) error) (err error) {
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return err
	}
	w, err := r.write(ctx, publisher, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return f(w)
}

// ignore returns nil for an error that matches target.
func ignore(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}
