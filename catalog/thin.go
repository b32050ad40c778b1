package catalog

import (
	"fmt"
	"time"

	"github.com/goips/ips/fmri"
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
	Keep func(Package) bool
}

// Thinning is what a retention rule would do to a catalog.
type Thinning struct {
	Removed []Package // in the order of the catalog
	Bytes   int64     // that the parts become smaller, see [Stats]
	Actions int       // fewer
}

// Thin returns what a rule would remove. [Builder.Thin] does it.
func (c *Catalog) Thin(rule *Retention) (*Thinning, error) {
	keep, err := rule.keep(c)
	if err != nil {
		return nil, err
	}
	m, err := newMeasure(c)
	if err != nil {
		return nil, err
	}
	out := &Thinning{}
	for id, kept := range keep {
		if kept {
			continue
		}
		z := m.entry(id)
		out.Removed = append(out.Removed, z.Package)
		out.Bytes += z.Bytes
		out.Actions += z.Actions
	}
	return out, nil
}

// Thin removes the versions of Base that a rule does not keep and returns how many.
// Changes made before are not looked at.
func (b *Builder) Thin(rule *Retention) (int, error) {
	if b.Base == nil {
		return 0, nil
	}
	keep, err := rule.keep(b.Base)
	if err != nil {
		return 0, err
	}
	n := 0
	for id, kept := range keep {
		if kept {
			continue
		}
		if err := b.Remove(b.Base.At(id).FMRI()); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// keep returns which versions are kept, by id.
func (r *Retention) keep(c *Catalog) ([]bool, error) {
	keep := make([]bool, c.Len())
	for i := range c.stems {
		r.keepNewest(c, i, keep)
	}
	if r.Keep != nil {
		for id := range keep {
			keep[id] = keep[id] || r.Keep(c.At(id))
		}
	}
	if len(r.Incorporations) == 0 {
		return keep, nil
	}
	t, err := c.Table(Dependency)
	if err != nil {
		return nil, err
	}
	w := incorporated{c: c, t: t, keep: keep, names: make([]*target, t.Len())}
	return keep, w.run(r.Incorporations)
}

// keepNewest marks the versions of a stem that number and age keep.
func (r *Retention) keepNewest(c *Catalog, stem int, keep []bool) {
	lo, hi := int(c.first[stem]), int(c.first[stem+1])
	if r.expired(c.At(hi - 1)) {
		return
	}
	if r.Newest > 0 {
		lo = max(lo, hi-r.Newest)
	}
	for id := lo; id < hi; id++ {
		keep[id] = !r.expired(c.At(id))
	}
}

// expired reports whether a version is obsolete and old enough.
func (r *Retention) expired(p Package) bool {
	if r.ObsoleteBefore.IsZero() || !p.Obsolete() {
		return false
	}
	t, ok := p.Version().Time()
	return ok && t.Before(r.ObsoleteBefore)
}

// incorporated keeps what incorporations name.
type incorporated struct {
	c     *Catalog
	t     *Table
	keep  []bool
	names []*target // by action, once it was looked at
	todo  []int     // kept versions whose dependencies are to be followed
}

// A target is what an action incorporates: nothing, if the name is empty.
type target struct {
	name    string
	version fmri.Version
}

// run follows the dependencies of all kept versions that the patterns select.
func (w *incorporated) run(patterns []fmri.Pattern) error {
	for _, p := range patterns {
		for pkg := range w.c.Match(p) {
			if w.keep[pkg.ID()] {
				w.todo = append(w.todo, pkg.ID())
			}
		}
	}
	followed := map[int]bool{}
	for len(w.todo) > 0 {
		id := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if followed[id] {
			continue
		}
		followed[id] = true
		for _, action := range w.t.IDs(id) {
			if err := w.follow(w.c.At(id), action); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow keeps what an action of p names.
func (w *incorporated) follow(p Package, action uint32) error {
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
	for _, pub := range w.c.pubs {
		lo, hi := w.c.span(pub.name, to.name)
		for id := hi - 1; id >= lo; id-- {
			if !to.version.IsValid() || w.c.parsed(id).Succeeds(to.version, fmri.Auto) {
				w.keep[id] = true
				w.todo = append(w.todo, id)
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
	d, err := decodeDepend(a)
	if err != nil || len(d.FMRIs) == 0 {
		return &target{}, err
	}
	return &target{d.FMRIs[0].Name(), d.FMRIs[0].Version()}, nil
}
