package upkeep

import (
	"fmt"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/rows"
	"github.com/goips/ips/manifest"
)

// A Retention rule says which versions of a large catalog are worth keeping. What one
// field keeps, no other drops. The zero Retention keeps everything.
type Retention struct {
	// Newest is how many versions of each package are kept, the newest ones. Zero
	// means all.
	Newest int

	// ObsoleteBefore drops obsolete versions whose time stamp is earlier. If the newest
	// version of a package is one of them, all its versions go: without the
	// newest, those that it makes obsolete would come back to life. Zero means none.
	ObsoleteBefore time.Time

	// Incorporations selects packages. For each version of theirs that is kept, what its
	// incorporate dependencies name is kept, too: the newest version that matches
	// each. If that has such dependencies, so is what they name, and so on.
	Incorporations []fmri.Pattern

	// Keep, if not nil, returns true for further versions to keep.
	Keep func(catalog.Package) bool
}

// Thinning is what a retention rule would do to a catalog.
type Thinning struct {
	Removed []catalog.Package // in the order of the catalog
	Bytes   int64             // that the parts become smaller, see [Stats]
	Actions int               // fewer
}

// Thin returns what a rule would remove. To remove it, pass each to
// [catalog.Builder.Remove], or use the method Thin of a repository.
func Thin(c *catalog.Catalog, rule *Retention) (*Thinning, error) {
	m, err := newMeasure(c)
	if err != nil {
		return nil, err
	}
	keep, err := rule.keep(m)
	if err != nil {
		return nil, err
	}
	out := &Thinning{}
	for row, kept := range keep {
		if kept {
			continue
		}
		z := m.entry(row)
		out.Removed = append(out.Removed, z.Package)
		out.Bytes += z.Bytes
		out.Actions += z.Actions
	}
	return out, nil
}

// keep returns which versions are kept, by row.
func (r *Retention) keep(m *measure) ([]bool, error) {
	keep := make([]bool, len(m.packages))
	for publisher := range m.c.Publishers() {
		for name := range m.c.Stems(publisher) {
			lo, hi := m.rows.Span(publisher, name)
			r.keepNewest(m.packages[lo:hi], keep[lo:hi])
		}
	}
	if r.Keep != nil {
		for row := range keep {
			keep[row] = keep[row] || r.Keep(m.packages[row])
		}
	}
	if len(r.Incorporations) == 0 {
		return keep, nil
	}
	t, err := m.rows.Table(string(catalog.Dependency))
	if err != nil {
		return nil, err
	}
	w := incorporated{m: m, t: t, keep: keep, names: make([]*target, t.Len())}
	return keep, w.run(r.Incorporations)
}

// keepNewest marks the versions of a package that number and age keep.
func (r *Retention) keepNewest(versions []catalog.Package, keep []bool) {
	n := len(versions)
	if r.expired(versions[n-1]) {
		return
	}
	from := 0
	if r.Newest > 0 {
		from = max(0, n-r.Newest)
	}
	for i := from; i < n; i++ {
		keep[i] = !r.expired(versions[i])
	}
}

// expired reports whether a version is obsolete and old enough.
func (r *Retention) expired(p catalog.Package) bool {
	if r.ObsoleteBefore.IsZero() || !p.Obsolete() {
		return false
	}
	t, ok := p.Version().Time()
	return ok && t.Before(r.ObsoleteBefore)
}

// incorporated keeps what incorporations name.
type incorporated struct {
	m     *measure
	t     *rows.Table
	keep  []bool
	names []*target // by action, once it was looked at
	todo  []int     // kept rows whose dependencies are to be followed
}

// A target is what an action incorporates: nothing, if the name is empty.
type target struct {
	name    string
	version fmri.Version
}

// run follows the dependencies of all kept versions that the patterns select.
func (w *incorporated) run(patterns []fmri.Pattern) error {
	row := make(map[catalog.Package]int, len(w.m.packages))
	for i, p := range w.m.packages {
		row[p] = i
	}
	for _, pattern := range patterns {
		for p := range w.m.c.Match(pattern) {
			if w.keep[row[p]] {
				w.todo = append(w.todo, row[p])
			}
		}
	}
	followed := map[int]bool{}
	for len(w.todo) > 0 {
		row := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if followed[row] {
			continue
		}
		followed[row] = true
		for _, action := range w.t.Actions(row) {
			if err := w.follow(w.m.packages[row], action); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow keeps what an action of p names.
func (w *incorporated) follow(p catalog.Package, action uint32) error {
	to := w.names[action]
	if to == nil {
		var err error
		if to, err = parseTarget(w.t.Text(action)); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		w.names[action] = to
	}
	if to.name == "" {
		return nil
	}
	for publisher := range w.m.c.Publishers() {
		lo, hi := w.m.rows.Span(publisher, to.name)
		for row := hi - 1; row >= lo; row-- {
			if !to.version.IsValid() || w.m.rows.Version(row).Succeeds(to.version, fmri.Auto) {
				w.keep[row] = true
				w.todo = append(w.todo, row)
				break
			}
		}
	}
	return nil
}

// parseTarget returns what an action incorporates.
func parseTarget(text string) (*target, error) {
	a, err := manifest.ParseAction(text)
	if err != nil || a.Kind != manifest.KindDepend {
		return &target{}, err
	}
	if kind, _ := a.Attrs.Get("type"); kind != "incorporate" {
		return &target{}, nil
	}
	decoded, err := a.Decode()
	d, _ := decoded.(manifest.Depend)
	if err != nil || len(d.FMRIs) == 0 {
		return &target{}, err
	}
	return &target{d.FMRIs[0].Name(), d.FMRIs[0].Version()}, nil
}
