package solver

import (
	"context"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// A groupUse is a group or group-any dependency of one version.
type groupUse struct {
	id  sat.ID
	dep int32
}

// anything stands for no group dependency.
var anything = groupUse{id: sat.None}

// A groupState is what has been found out about a groupUse: whether there is
// any selection, other group dependencies aside, in which the version and a
// member are together. If not, the dependency does not count.
type groupState uint8

const (
	unknown groupState = iota
	possible
	blocked
)

// A grouping is what has been found out about group dependencies.
type grouping struct {
	groups  map[groupUse]groupState
	classes map[groupUse]int // of those that cannot all be met
	unmet   []int            // by class: how many of it may be left unmet
}

// search looks for the best selection by levels A to C. It leaves as few group
// dependencies unmet as possible, besides those that are blocked. Whether one
// is blocked is found out only when it has been in the way of something.
//
// Group dependencies that cannot all be met are put into a class, of which one
// more may be left unmet than before. Classes have nothing in common, so their
// limits add up to the fewest that must be left unmet, and a selection leaves so
// many unmet just if it observes the limit of each class.
func (p *problem) search(ctx context.Context) (bool, error) {
	p.forgetClasses()
	for first := true; ; first = false {
		ok, err := p.attempt(ctx)
		if err != nil {
			return false, err
		}
		var core []sat.Cause
		if !ok {
			if core, err = p.main.eng.Core(ctx); err != nil {
				return false, err
			}
		}
		found, err := p.probeGroups(ctx, p.suspects(core))
		switch {
		case err != nil:
			return false, err
		case found:
			p.forgetClasses()
		case ok:
			return true, nil
		case !p.joinClasses(core):
			p.failed = &p.main
			return false, nil
		case first:
			if ok, err := p.feasible(ctx, anything); !ok {
				p.failed = &p.probe
				return false, err
			}
		}
	}
}

// attempt searches with the classes as they are.
func (p *problem) attempt(ctx context.Context) (bool, error) {
	p.main.relaxed = true
	p.main.start()
	p.main.demandAll()
	p.setGoals()
	return p.main.eng.Search(ctx)
}

// forgetClasses begins anew: all group dependencies are to be met.
func (p *problem) forgetClasses() {
	p.grouping.unmet = p.grouping.unmet[:0]
	clear(p.grouping.classes)
}

// joinClasses makes one class of the group dependencies and classes of a core,
// and lets one more of it be left unmet. It returns false if there are none:
// then nothing can be done about the contradiction.
func (p *problem) joinClasses(core []sat.Cause) bool {
	unmet, next := 1, len(p.grouping.unmet)
	joined := map[int]bool{}
	var uses []groupUse
	for _, c := range core {
		switch {
		case c.Class > 0:
			joined[c.Class-1] = true
		case p.isGroup(c.Guard, c.Tag):
			uses = append(uses, groupUse{c.Guard, c.Tag})
		}
	}
	for _, use := range uses {
		if n, ok := p.grouping.classes[use]; ok {
			joined[n] = true
		} else {
			p.grouping.classes[use] = next
		}
	}
	for use, n := range p.grouping.classes {
		if joined[n] {
			p.grouping.classes[use] = next
		}
	}
	for n := range joined {
		unmet += p.grouping.unmet[n]
		p.grouping.unmet[n] = 0
	}
	p.grouping.unmet = append(p.grouping.unmet, unmet)
	return len(uses)+len(joined) > 0
}

// isGroup reports whether tag is that of a group dependency of id.
func (p *problem) isGroup(id sat.ID, tag int32) bool {
	return id != sat.None && tag >= 0 && p.m.kind(tag).isGroup()
}

// suspects returns the group dependencies that have been in the way of
// something in the last attempt, which ended with the given core, if any.
func (p *problem) suspects(core []sat.Cause) []groupUse {
	var list []groupUse
	for id, tag := range p.main.eng.Used() {
		if p.isGroup(id, tag) {
			list = append(list, groupUse{id, tag})
		}
	}
	for _, c := range core {
		if c.Class == 0 && p.isGroup(c.Guard, c.Tag) {
			list = append(list, groupUse{c.Guard, c.Tag})
		}
	}
	return list
}

// probeGroups finds out which of the uses are blocked. It reports whether there
// is one.
func (p *problem) probeGroups(ctx context.Context, uses []groupUse) (bool, error) {
	any := false
	for _, use := range uses {
		if p.grouping.groups[use] != unknown {
			continue
		}
		ok, err := p.feasible(ctx, use)
		if err != nil {
			return false, err
		}
		p.grouping.groups[use] = possible
		if !ok {
			p.grouping.groups[use] = blocked
			p.sweep(use.id)
			any = true
		}
	}
	return any, nil
}

// sweep finds the group dependencies of id that are blocked as can be seen
// without a search. Where there is one, there are often more.
func (p *problem) sweep(id sat.ID) {
	e := &p.probe
	e.noGroups = true
	e.start()
	e.demandAll()
	e.eng.Require(sat.None, sat.Span{}, []sat.Span{{Lo: id, Hi: id + 1}}, 0)
	for i := range p.m.dependencies(id, groupKinds) {
		use := groupUse{id, i}
		if p.relevant.counts(i) && p.grouping.groups[use] == unknown && !e.eng.Consider(p.groupSet(p.m.dep(i))) {
			p.grouping.groups[use] = blocked
		}
	}
}

// feasible reports whether there is a selection, group dependencies aside, with
// the version of use and one of its members, or any at all.
func (p *problem) feasible(ctx context.Context, use groupUse) (bool, error) {
	e := &p.probe
	e.noGroups = true
	e.start()
	e.demandAll()
	if use != anything {
		e.eng.Require(sat.None, sat.Span{}, []sat.Span{{Lo: use.id, Hi: use.id + 1}}, 0)
		e.eng.Require(sat.None, sat.Span{}, p.groupSet(p.m.dep(use.dep)), 0)
	}
	return e.eng.Search(ctx)
}

// groupSet returns what one of must be selected for the group dependency d,
// nothing if it does not count: its members that are not avoided, rejected or
// without candidates.
func (p *problem) groupSet(d *dep) []sat.Span { return p.memberSet(d, false) }

// memberSet is like groupSet, with the members without candidates if all is set.
func (p *problem) memberSet(d *dep, all bool) []sat.Span {
	set := p.mem.spans.list(len(d.targets) + 1) // and a waiver
	live := false
	for _, t := range d.targets {
		s := t.slot
		if s == sat.None || p.slots[s].avoided || p.slots[s].rejected {
			continue
		}
		any, dead := p.census(s)
		if any || all {
			set = append(set, p.m.all(s))
		}
		live = live || any && !dead
	}
	if d.kind == groupAny && live {
		return p.withoutObsolete(set)
	}
	return set
}

// census reports whether slot s has candidates, and whether obsolete ones.
func (p *problem) census(s sat.Slot) (any, dead bool) {
	r := p.rules(s)
	if p.supposing {
		r = p.rulesBefore(s)
	}
	all := p.m.all(s)
	for id := all.Lo; id < all.Hi; id++ {
		if r.forbids(id) == 0 {
			any = true
			dead = dead || p.m.is(id, obsolete)
		}
	}
	return any, dead
}

// withoutObsolete returns the spans of set less obsolete versions.
func (p *problem) withoutObsolete(set []sat.Span) []sat.Span {
	var live []sat.Span
	for _, q := range set {
		live = p.m.appendAtLeast(live, p.m.slotAt(q.Lo), fmri.Version{})
	}
	return live
}
