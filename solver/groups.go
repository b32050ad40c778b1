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
func (w *work) search(ctx context.Context) (bool, error) {
	w.forgetClasses()
	for first := true; ; first = false {
		ok, err := w.attempt(ctx)
		if err != nil {
			return false, err
		}
		var core []sat.Cause
		if !ok {
			if core, err = w.main.eng.Core(ctx); err != nil {
				return false, err
			}
		}
		found, err := w.probeGroups(ctx, w.suspects(core))
		switch {
		case err != nil:
			return false, err
		case found:
			w.forgetClasses()
		case ok:
			return true, nil
		case !w.joinClasses(core):
			w.failed = &w.main
			return false, nil
		case first:
			if ok, err := w.feasible(ctx, anything); !ok {
				w.failed = &w.probe
				return false, err
			}
		}
	}
}

// attempt searches with the classes as they are.
func (w *work) attempt(ctx context.Context) (bool, error) {
	w.main.relaxed = true
	w.main.start()
	w.main.demandAll()
	w.setGoals()
	return w.main.eng.Search(ctx)
}

// forgetClasses begins anew: all group dependencies are to be met.
func (w *work) forgetClasses() {
	w.grouping.unmet = w.grouping.unmet[:0]
	clear(w.grouping.classes)
}

// joinClasses makes one class of the group dependencies and classes of a core,
// and lets one more of it be left unmet. It returns false if there are none:
// then nothing can be done about the contradiction.
func (w *work) joinClasses(core []sat.Cause) bool {
	unmet, next := 1, len(w.grouping.unmet)
	joined := map[int]bool{}
	var uses []groupUse
	for _, c := range core {
		switch {
		case c.Class > 0:
			joined[c.Class-1] = true
		case w.problem.isGroup(c.Guard, c.Tag):
			uses = append(uses, groupUse{c.Guard, c.Tag})
		}
	}
	for _, use := range uses {
		if n, ok := w.grouping.classes[use]; ok {
			joined[n] = true
		} else {
			w.grouping.classes[use] = next
		}
	}
	for use, n := range w.grouping.classes {
		if joined[n] {
			w.grouping.classes[use] = next
		}
	}
	for n := range joined {
		unmet += w.grouping.unmet[n]
		w.grouping.unmet[n] = 0
	}
	w.grouping.unmet = append(w.grouping.unmet, unmet)
	return len(uses)+len(joined) > 0
}

// isGroup reports whether tag is that of a group dependency of id.
func (p *problem) isGroup(id sat.ID, tag int32) bool {
	return id != sat.None && tag >= 0 && p.m.kind(tag).isGroup()
}

// suspects returns the group dependencies that have been in the way of
// something in the last attempt, which ended with the given core, if any.
func (w *work) suspects(core []sat.Cause) []groupUse {
	var list []groupUse
	for id, tag := range w.main.eng.Used() {
		if w.problem.isGroup(id, tag) {
			list = append(list, groupUse{id, tag})
		}
	}
	for _, c := range core {
		if c.Class == 0 && w.problem.isGroup(c.Guard, c.Tag) {
			list = append(list, groupUse{c.Guard, c.Tag})
		}
	}
	return list
}

// probeGroups finds out which of the uses are blocked. It reports whether there
// is one.
func (w *work) probeGroups(ctx context.Context, uses []groupUse) (bool, error) {
	any := false
	for _, use := range uses {
		if w.grouping.groups[use] != unknown {
			continue
		}
		ok, err := w.feasible(ctx, use)
		if err != nil {
			return false, err
		}
		w.grouping.groups[use] = possible
		if !ok {
			w.grouping.groups[use] = blocked
			w.sweep(use.id)
			any = true
		}
	}
	return any, nil
}

// sweep finds the group dependencies of id that are blocked as can be seen
// without a search. Where there is one, there are often more.
func (w *work) sweep(id sat.ID) {
	e := &w.probe
	e.noGroups = true
	e.start()
	e.demandAll()
	e.eng.Require(sat.None, sat.Span{}, []sat.Span{{Lo: id, Hi: id + 1}}, 0)
	for i := range w.problem.m.dependencies(id, groupKinds) {
		use := groupUse{id, i}
		if w.problem.relevant.counts(i) && w.grouping.groups[use] == unknown && !e.eng.Consider(w.problem.groupSet(w.problem.m.dep(i))) {
			w.grouping.groups[use] = blocked
		}
	}
}

// feasible reports whether there is a selection, group dependencies aside, with
// the version of use and one of its members, or any at all.
func (w *work) feasible(ctx context.Context, use groupUse) (bool, error) {
	e := &w.probe
	e.noGroups = true
	e.start()
	e.demandAll()
	if use != anything {
		e.eng.Require(sat.None, sat.Span{}, []sat.Span{{Lo: use.id, Hi: use.id + 1}}, 0)
		e.eng.Require(sat.None, sat.Span{}, w.problem.groupSet(w.problem.m.dep(use.dep)), 0)
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
