package solver

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// facts returns what the grounds that are on say, the dependencies of the same
// versions joined.
func (x *explainer) facts() []Fact {
	var facts []Fact
	of := map[string]int{} // versions to the fact about their dependencies
	for i := range x.grounds {
		g := &x.grounds[i]
		if !g.on {
			continue
		}
		if g.kind == FactDepend {
			key := fmt.Sprint(g.versions())
			if n, ok := of[key]; ok {
				facts[n].Depends = append(facts[n].Depends, x.dependency(g.uses))
				continue
			}
			of[key] = len(facts)
		}
		facts = append(facts, x.fact(g))
	}
	for i := range facts {
		if facts[i].Kind == FactDepend {
			slices.SortStableFunc(facts[i].Depends, compareDependencies)
		}
	}
	slices.SortStableFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(x.requestOrder(a), x.requestOrder(b)),
			cmp.Compare(a.Name, b.Name))
	})
	return facts
}

// requestOrder returns where a requested name stands in the request, 0 for others.
func (x *explainer) requestOrder(f Fact) int32 {
	s, _ := x.problem.m.slot(f.Name)
	if f.Kind != FactRequested {
		return 0
	}
	return x.problem.slots[s].asked()
}

// compareDependencies puts what is needed before what is limited.
func compareDependencies(a, b Dependency) int {
	return cmp.Or(
		cmp.Compare(depKinds[a.Type], depKinds[b.Type]),
		slices.Compare(a.On, b.On),
		slices.Compare(a.Actions, b.Actions),
	)
}

// versions returns the ids that have the dependencies of g, ascending.
func (g *ground) versions() []sat.ID {
	ids := make([]sat.ID, len(g.uses))
	for i, u := range g.uses {
		ids[i] = u.id
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// fact returns what one ground says.
func (x *explainer) fact(g *ground) Fact {
	f := Fact{Kind: g.kind, Name: x.problem.m.nameOf(g.slot)}
	ids := g.ids
	switch g.kind {
	case FactRequested:
		pr := &x.problem.proposals[x.problem.slots[g.slot].asked()-1]
		ids, f.Comment = pr.candidates, pr.describe()
	case FactInstalled:
		f.By = x.problem.m.fmri(x.problem.installedIn(g.slot))
		ids = x.notOlder(g.slot)
	case FactDecided:
		ids = []sat.ID{x.problem.slots[g.slot].decided - 1}
	case FactDepend:
		ids = g.versions()
		f.Depends = []Dependency{x.dependency(g.uses)}
		f.Renamed = g.dep == require && !slices.ContainsFunc(ids, func(id sat.ID) bool { return !x.problem.m.is(id, renamed) })
	case FactHeld:
		f.By, f.top = x.problem.m.fmri(g.by), x.problem.m.name(x.top(g.by))
		if uses := x.limitsOf(g); len(uses) > 0 {
			f.Depends = []Dependency{x.dependency(uses)}
		}
	case FactFrozen:
		r := x.problem.rules(g.slot)
		f.By, f.Comment = r.freeze().Package, r.freeze().Comment
	case FactPublisher:
		if inst := x.problem.staysIn(g.slot); inst != sat.None {
			f.By = x.problem.m.fmri(inst)
		}
	case FactOrigin, FactParent:
		f.Depends = []Dependency{x.dependency(x.broken(g))}
	}
	f.Packages = x.packages(ids)
	f.All = len(f.Packages) == int(x.problem.m.layout.Base[g.slot+1]-x.problem.m.layout.Base[g.slot])
	return f
}

// notOlder returns the ids of slot s, which is installed, that the rule against
// older versions admits.
func (x *explainer) notOlder(s sat.Slot) []sat.ID {
	var ids []sat.ID
	r := x.problem.rules(s)
	for id := x.problem.m.layout.Base[s]; id < x.problem.m.layout.Base[s+1]; id++ {
		if !r.breaks(id, upgradeOnly) {
			ids = append(ids, id)
		}
	}
	return ids
}

// packages returns the packages of ids, ascending.
func (x *explainer) packages(ids []sat.ID) []fmri.FMRI {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	list := make([]fmri.FMRI, len(sorted))
	for i, id := range sorted {
		list[i] = x.problem.m.fmri(id)
	}
	return list
}

// top returns the installed incorporation that incorporates id, or what does
// that, and so on: the one that is to be asked for if id is to move.
func (x *explainer) top(id sat.ID) sat.ID {
	for range maxDowngradeDepth {
		above := id
		for _, pin := range x.problem.m.pins.of(int(x.problem.m.slotAt(id))) {
			for by := pin.by.Lo; by < pin.by.Hi; by++ {
				if x.problem.staysIn(x.problem.m.slotAt(by)) == by && x.problem.m.slotAt(by) != x.problem.m.slotAt(id) && x.problem.relevant.counts(pin.dep) {
					above = by
				}
			}
		}
		if above == id {
			break
		}
		id = above
	}
	return id
}

// limitsOf returns the dependencies by which a held incorporation forbids the
// ids of g, nothing if they are versions of its own.
func (x *explainer) limitsOf(g *ground) []use {
	var uses []use
	for n := x.problem.heldOn(g.slot); n != 0; n = x.problem.holding.heldLimits[n-1].next {
		if l := &x.problem.holding.heldLimits[n-1]; l.by == g.by && l.dep != noDep {
			uses = append(uses, use{l.by, l.dep})
		}
	}
	return uses
}

// broken returns the origin or parent dependencies of the ids of g that are not met.
func (x *explainer) broken(g *ground) []use {
	var uses []use
	for _, id := range g.ids {
		i := x.problem.brokenOrigin(id)
		if g.kind == FactParent {
			i = x.problem.brokenParent(id)
		}
		uses = append(uses, use{id, i})
	}
	return uses
}

// dependency describes dependencies of the same type on the same packages.
func (x *explainer) dependency(uses []use) Dependency {
	uses = slices.Clone(uses)
	slices.SortStableFunc(uses, func(a, b use) int { return cmp.Compare(a.id, b.id) })
	d := x.problem.m.dependOf(uses[len(uses)-1].dep)
	dep := Dependency{Type: d.kind.String()}
	for _, f := range d.fmris {
		if !d.kind.isGroup() || x.isMember(f.Name()) {
			dep.On = append(dep.On, f.Name())
		}
	}
	dep.Missing = d.kind.needs()
	seen := map[string]bool{}
	for _, u := range uses {
		dep.Missing = dep.Missing && len(x.problem.m.dep(u.dep).set) == 0
		if text := x.problem.m.text(u.dep); !seen[text] {
			seen[text] = true
			dep.Actions = append(dep.Actions, text)
		}
	}
	if dep.Missing && len(d.fmris) == 1 {
		dep.Obsolete = x.obsoleteSince(d.fmris[0].Name())
	}
	return dep
}

// obsoleteSince returns the first version of a package from which on all are obsolete,
// the zero FMRI if the newest is not.
func (x *explainer) obsoleteSince(name string) (since fmri.FMRI) {
	s, ok := x.problem.m.slot(name)
	if !ok {
		return since
	}
	all := x.problem.m.all(s)
	for id := all.Hi - 1; id >= all.Lo && x.problem.m.is(id, obsolete); id-- {
		since = x.problem.m.fmri(id)
	}
	return since
}

// isMember reports whether a package counts as a member of groups.
func (x *explainer) isMember(name string) bool {
	s, ok := x.problem.m.slot(name)
	return ok && !x.problem.slots[s].avoided && !x.problem.slots[s].rejected
}
