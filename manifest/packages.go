package manifest

import (
	"iter"
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
)

// A PackageChange is how a package differs between two sets of packages. Old is the zero
// FMRI if it is added, and New is if it is removed.
type PackageChange struct{ Old, New fmri.FMRI }

// Name returns the name of the package.
func (c PackageChange) Name() string {
	if c.New.IsValid() {
		return c.New.Name()
	}
	return c.Old.Name()
}

// DiffPackages returns the differences of two sets of packages in the order of their names.
// A set has one version of each name, whatever its publisher; of more the last counts.
func DiffPackages(old, new iter.Seq[fmri.FMRI]) []PackageChange {
	pairs := map[string]PackageChange{}
	for f := range old {
		pairs[f.Name()] = PackageChange{Old: f}
	}
	for f := range new {
		pairs[f.Name()] = PackageChange{Old: pairs[f.Name()].Old, New: f}
	}
	var changes []PackageChange
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		if c := pairs[name]; c.Old != c.New {
			changes = append(changes, c)
		}
	}
	return changes
}

// Duplicates returns the groups of actions of one kind and with one key that differ in
// other things, in the order of the manifest. Many belong to different variants; so filter
// the manifest before.
func (m *Manifest) Duplicates() [][]Action {
	type group struct {
		actions   []Action
		different bool
	}
	groups := map[object]*group{}
	var order []*group
	for i := range m.actions {
		a := &m.actions[i]
		o, ok := a.object()
		if !ok {
			continue
		}
		if a.Kind != KindDepend {
			o.more = ""
		}
		g := groups[o]
		if g == nil {
			g = new(group)
			groups[o] = g
			order = append(order, g)
		}
		g.different = g.different || len(g.actions) > 0 && g.actions[0].Different(*a, PolicyDefault)
		g.actions = append(g.actions, *a)
	}
	var duplicates [][]Action
	for _, g := range order {
		if g.different {
			duplicates = append(duplicates, g.actions)
		}
	}
	return duplicates
}
