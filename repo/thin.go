package repo

import (
	"context"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// Thin removes the versions of a publisher that a retention rule does not keep, with the
// payloads that no other package needs, and returns what that saved in the catalog.
// Whoever wants to know before doing it asks [catalog.Catalog.Thin]. If another process
// is writing, the error is a *BusyError.
func (r *Repository) Thin(ctx context.Context, publisher string, rule *catalog.Retention) (saved *catalog.Thinning, err error) {
	err = r.maintain(ctx, publisher, func(w *writer) error {
		saved, err = w.thin(ctx, rule)
		return err
	})
	if err != nil {
		return nil, &Error{Op: "thin", Publisher: publisher, Err: err}
	}
	return saved, nil
}

func (w *writer) thin(ctx context.Context, rule *catalog.Retention) (*catalog.Thinning, error) {
	c, err := w.tryCatalog(ctx, w.home)
	if err != nil {
		return nil, err
	}
	saved, err := c.Thin(rule)
	if err != nil || len(saved.Removed) == 0 {
		return saved, err
	}
	var j journal
	var listed []fmri.FMRI
	for _, p := range saved.Removed {
		listed = append(listed, p.FMRI())
		j = append(j, journalLine{opRemove, p.FMRI()})
	}
	return saved, w.remove(ctx, c, j, listed)
}
