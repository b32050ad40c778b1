package solver

import (
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// An encoding is a problem in an engine: the engine asks it for what it needs.
type encoding struct {
	problem  *problem
	work     *work
	eng      *sat.Engine
	onStall  func() []sat.ID // doomed
	carriers []sat.ID        // the incorporations that are loaded, ascending
	noGroups bool            // group dependencies do not count
	relaxed  bool            // those of a class may be left unmet
}

// start empties the engine for the encoding.
func (e *encoding) start() {
	if e.eng == nil {
		e.eng = sat.New(e.problem.m.layout)
	}
	e.eng.Reset(e)
	e.carriers = e.carriers[:0]
	e.eng.MaxConflicts = e.work.opts.MaxConflicts
	if e.work.effort > 0 {
		e.eng.MaxConflicts = e.work.effort
	}
	if e.onStall == nil {
		e.onStall = e.doomed
	}
	e.eng.StallAfter, e.eng.OnStall = stallAfter, e.onStall
	e.eng.FreeAfter = freeAfter
	for i := 0; e.relaxed && i < len(e.work.grouping.unmet); i++ {
		e.eng.AtMost(e.work.grouping.unmet[i])
	}
}

// The tag of a requirement or limit is the index of its dependency; that of the
// demand that slot s be present is mustTag(s).
func mustTag(s sat.Slot) int32 { return -1 - int32(s) }

// Open says which ids of slot s are no candidates, and how the loaded
// incorporations limit it. It is the engine's call.
func (e *encoding) Open(s sat.Slot) {
	r := e.problem.rules(s)
	all := e.problem.m.all(s)
	if r.simple {
		e.eng.Narrow(s, sat.Span{Lo: r.oldest, Hi: all.Hi})
		e.openHeld(s, r.held)
	}
	for id := all.Lo; id < all.Hi && !r.simple; id++ {
		if r.forbids(id) != 0 {
			e.eng.Exclude(id)
		}
	}
	for id, i := range e.problem.m.pinning(s, e.carriers) {
		if e.problem.relevant.counts(i) {
			e.limit(id, i)
		}
	}
}

// openHeld keeps of slot s what held incorporations admit, beginning with the
// given one of heldLimits.
func (e *encoding) openHeld(s sat.Slot, n int32) {
	for ; n != 0; n = e.problem.holding.heldLimits[n-1].next {
		l := &e.problem.holding.heldLimits[n-1]
		if l.dep == noDep {
			for id := e.problem.m.layout.Base[s]; id < e.problem.m.layout.Base[s+1]; id++ {
				if !e.problem.keepsVersion(l.by, id) {
					e.eng.Exclude(id)
				}
			}
			continue
		}
		d := e.problem.m.dep(l.dep)
		e.eng.Narrow(s, d.hull[0])
		for gap := range d.gaps() {
			for id := gap.Lo; id < gap.Hi; id++ {
				e.eng.Exclude(id)
			}
		}
	}
}

// Rank orders versions that are equal. It is the engine's call.
func (e *encoding) Rank(id sat.ID) int { return e.problem.rank(id) }

// Load states the dependencies of id. It is the engine's call.
//
// An incorporation of thousands of names limits the few that have come into
// play. What else it limits waits for Open, so those few come first.
func (e *encoding) Load(id sat.ID) {
	if e.problem.m.is(id, incorporates) {
		k, _ := slices.BinarySearch(e.carriers, id)
		e.carriers = slices.Insert(e.carriers, k, id)
		for i := range e.problem.m.dependencies(id, 1<<incorporate) {
			if s := e.problem.m.info[i].slot; s != sat.None && e.eng.IsOpen(s) && e.problem.relevant.counts(i) {
				e.limit(id, i)
			}
		}
	}
	for i := range e.problem.m.dependencies(id, allKinds&^(1<<incorporate)) {
		if e.problem.relevant.counts(i) {
			e.state(id, i)
		}
	}
}

// state states dependency i of id.
func (e *encoding) state(id sat.ID, i int32) {
	switch d := e.problem.m.dep(i); d.kind {
	case incorporate, optional, exclude:
		e.limit(id, i)
	case require, requireAny:
		e.eng.Require(id, sat.Span{}, d.set, i)
	case conditional:
		for _, q := range d.cond {
			e.eng.Require(id, q, d.set, i)
		}
	case group, groupAny:
		e.group(id, i, d)
	}
}

// limit states dependency i of id: an incorporate, optional or exclude.
func (e *encoding) limit(id sat.ID, i int32) {
	d := e.problem.m.dep(i)
	if d.slot == sat.None {
		return
	}
	if d.hull[0] != e.problem.m.whole[d.slot] {
		e.eng.Limit(id, d.slot, d.hull[0], false, i)
	}
	for gap := range d.gaps() {
		e.eng.Limit(id, d.slot, gap, true, i)
	}
}

// group states the group dependency d, which is number i, of id.
func (e *encoding) group(id sat.ID, i int32, d *dep) {
	use := groupUse{id, i}
	if e.noGroups || e.work.grouping.groups[use] == blocked {
		return
	}
	set := e.problem.groupSet(d)
	if len(set) == 0 {
		return
	}
	if n, ok := e.work.grouping.classes[use]; ok && e.relaxed {
		waiver := e.eng.Extra()
		e.eng.Count(n, waiver)
		set = append(set, sat.Span{Lo: waiver, Hi: waiver + 1})
	}
	e.eng.Require(id, sat.Span{}, set, i)
}

// demandAll states that what is proposed, and what is installed and stays, is
// present.
func (e *encoding) demandAll() {
	for i := range e.problem.proposals {
		e.demand(e.problem.proposals[i].slot)
	}
	for _, id := range e.problem.image.installed {
		if s := e.problem.m.slotAt(id); e.problem.staysIn(s) != sat.None && e.problem.slots[s].asked() == 0 {
			e.demand(s)
		}
	}
}

// demand states that slot s is present.
func (e *encoding) demand(s sat.Slot) {
	e.eng.Require(sat.None, sat.Span{}, e.problem.m.layoutSpan(s), mustTag(s))
}
