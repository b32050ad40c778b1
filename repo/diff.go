package repo

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// A Difference says what two sources have of one publisher. Versions are equal
// if their names are.
type Difference struct {
	Publisher  string
	A, B       []fmri.FMRI // only in the first, only in the second, sorted
	Both       []fmri.FMRI // sorted
	HasA, HasB bool        // whether the source knows the publisher

	// SameCatalog reports whether the catalogs are of the same moment.
	SameCatalog bool
}

// IsEmpty reports whether both sources have the same packages.
func (d *Difference) IsEmpty() bool { return len(d.A) == 0 && len(d.B) == 0 && d.HasA == d.HasB }

// Diff compares what two sources have of some publishers or, without any, of
// all. The result is sorted by publisher.
func Diff(ctx context.Context, a, b Source, publishers ...string) ([]Difference, error) {
	if publishers == nil {
		for _, s := range []Source{a, b} {
			names, err := s.Publishers(ctx)
			if err != nil {
				return nil, err
			}
			publishers = append(publishers, names...)
		}
	}
	names := slices.Clone(publishers)
	slices.Sort(names)
	var all []Difference
	for _, name := range slices.Compact(names) {
		d, err := diff(ctx, a, b, name)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func diff(ctx context.Context, a, b Source, publisher string) (d Difference, err error) {
	d.Publisher = publisher
	ca, err := d.catalog(ctx, a, &d.HasA)
	if err != nil {
		return d, err
	}
	cb, err := d.catalog(ctx, b, &d.HasB)
	if err != nil {
		return d, err
	}
	if !d.HasA && !d.HasB {
		return d, &Error{Op: "compare", Publisher: publisher, Err: because(fs.ErrNotExist, "neither source has this publisher")}
	}
	for ch := range catalog.Diff(ca, cb) {
		switch {
		case !ch.New.IsValid():
			d.A = append(d.A, ch.Old.FMRI())
		case !ch.Old.IsValid():
			d.B = append(d.B, ch.New.FMRI())
		}
	}
	only := d.A // in the order of the catalog
	for p := range ca.All() {
		if f := p.FMRI(); len(only) > 0 && only[0] == f {
			only = only[1:]
		} else {
			d.Both = append(d.Both, f)
		}
	}
	d.SameCatalog = ca.Modified().Equal(cb.Modified())
	return d, nil
}

// catalog reads one side, which is empty for a publisher that is not known.
func (d *Difference) catalog(ctx context.Context, s Source, has *bool) (*catalog.Catalog, error) {
	c, err := s.Catalog(ctx, d.Publisher)
	if errors.Is(err, fs.ErrNotExist) {
		return new(catalog.Catalog), nil
	}
	*has = err == nil
	return c, err
}
