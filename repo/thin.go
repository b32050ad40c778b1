package repo

import (
	"context"

	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
)

// A ThinResult says what Thin has done.
type ThinResult struct {
	Removed Removal
	Catalog *upkeep.Thinning // what was saved in the catalog
}

// Thin removes the versions of a publisher that a retention rule does not keep, with the
// payloads that no other package needs. Whoever wants to know before doing it asks
// [upkeep.Thin]. If another process is writing, the error is a *BusyError.
func (r *Repository) Thin(ctx context.Context, publisher string, rule *upkeep.Retention) (result ThinResult, err error) {
	defer Error{Op: "thin", Place: r.named, Publisher: publisher}.explain(&err)
	err = r.maintain(ctx, publisher, r.writeNow, func(w *writer) error {
		result, err = w.thin(ctx, rule)
		return err
	})
	return result, err
}

func (w *writer) thin(ctx context.Context, rule *upkeep.Retention) (result ThinResult, err error) {
	c, err := w.repo.tryCatalog(ctx, w.home)
	if err != nil {
		return result, err
	}
	result.Catalog, err = upkeep.Thin(c, rule)
	if err != nil || len(result.Catalog.Removed) == 0 {
		return result, err
	}
	var listed []fmri.FMRI
	for _, p := range result.Catalog.Removed {
		listed = append(listed, p.FMRI())
	}
	result.Removed, err = w.remove(ctx, c, listed, listed)
	return result, err
}
