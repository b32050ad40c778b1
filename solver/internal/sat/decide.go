package sat

import "slices"

// again is what next returns when there is something to propagate first.
const again ID = -2

// next returns the id to select next, [None] when nothing is left to do, or again.
func (e *Engine) next() ID {
	if e.guide.on {
		return e.nextFree()
	}
	for ; e.goal < len(e.Goals); e.goal++ {
		g := e.Goals[e.goal]
		if e.slots[g.Slot].sel != None {
			continue
		}
		if id := e.wanted(g); id != None {
			return e.look(id)
		}
	}
	for ; e.todo < len(e.agenda); e.todo++ {
		q := &e.reqs[e.agenda[e.todo]]
		if !e.fulfilled(q.set) {
			return e.look(e.prefer(q.set, e.find(q.set, None)))
		}
	}
	return None
}

// wanted returns the living id that goal g wants of its undecided slot, or [None].
func (e *Engine) wanted(g Goal) ID {
	id := g.ID
	if id == None {
		all := [1]Span{e.slots[g.Slot].window}
		id = e.prefer(all[:], e.find(all[:], None))
	}
	if id != None && e.Alive(id) {
		return id
	}
	return None
}

// look returns id if nothing speaks against it at first sight. Otherwise it
// takes id out and returns again.
func (e *Engine) look(id ID) ID {
	fresh := e.loadOf[id] == 0
	e.Load(id)
	ld := e.loads[e.loadOf[id]]
	if !fresh {
		for c := ld.first; c < ld.end && e.Alive(id); c++ {
			e.examine(c)
		}
	}
	for l := ld.limits; l != None && e.Alive(id); l = e.limits[l].next {
		lim := &e.limits[l]
		other := e.slots[lim.slot].sel
		if lim.slot == e.slotOf[id] {
			other = id
		}
		if other != None && lim.span.Contains(other) == lim.outside {
			e.kill(id, reason{byLimit, l}, e.level())
		}
	}
	if e.head < len(e.trail) {
		return again
	}
	return id
}

// Consider takes out those ids of set that contradict, at first sight, what
// stands, and reports whether others are alive. It is meant for questions
// between Reset and the first decision.
func (e *Engine) Consider(set []Span) bool {
	for _, p := range set {
		e.Open(e.slotOf[p.Lo])
		for id := p.Lo; id < p.Hi; id++ {
			if !e.propagate() {
				return false
			}
			if e.Alive(id) && !e.selected(id) {
				e.look(id)
			}
		}
	}
	return e.propagate() && e.find(set, None) != None
}

// prefer returns the living id of the best rank among those of set that have
// the same standing as id, the highest living one of set in its slot.
func (e *Engine) prefer(set []Span, id ID) ID {
	if e.layout.Equal == nil || id == None || e.isExtra(id) {
		return id
	}
	best := id
	for i := id; e.layout.Equal[i]; i-- {
		if e.Alive(i-1) && contains(set, i-1) && e.provider.Rank(i-1) < e.provider.Rank(best) {
			best = i - 1
		}
	}
	return best
}

// contains reports whether id lies in one of the spans.
func contains(set []Span, id ID) bool {
	return slices.ContainsFunc(set, func(p Span) bool { return p.Contains(id) })
}
