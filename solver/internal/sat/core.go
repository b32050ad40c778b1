package sat

import "slices"

// A Cause is a constraint that takes part in a contradiction.
type Cause struct {
	Guard ID // None if it holds always
	Tag   int32
	// Class is one more than the number of the class whose limit this is, and
	// zero for other constraints.
	Class int
}

// Core returns constraints that cannot all hold, after a search in no scope
// that returned false. The constraints are those the search used, not the
// fewest possible.
func (e *Engine) Core() []Cause {
	w := coreWalk{
		e:      e,
		reqs:   make([]bool, len(e.reqs)),
		limits: make([]bool, len(e.limits)),
		ng:     make([]bool, len(e.ng)),
	}
	if n := len(e.trail); n > len(e.seen) {
		e.seen = append(e.seen, make([]mark, n-len(e.seen))...)
	}
	e.proof = e.proof[:0]
	w.follow(ref{e.clash, true})
	for len(e.proof) > 0 {
		r := e.proof[len(e.proof)-1]
		e.proof = e.proof[:len(e.proof)-1]
		w.follow(r)
	}
	for _, j := range e.marked {
		e.seen[j] = unseen
	}
	e.marked = e.marked[:0]
	return w.causes
}

// A coreWalk goes from a contradiction back to its constraints. At the root
// level [Engine.mark] puts the causes of an entry on e.proof, which serves as
// the list of what is still to be followed.
type coreWalk struct {
	e                *Engine
	reqs, limits, ng []bool
	shared           bool // the shared proof is followed
	causes           []Cause
}

// follow notes the constraint of r, and what is behind it.
func (w *coreWalk) follow(r ref) {
	e := w.e
	switch r.kind {
	case byRequire:
		if q := &e.reqs[r.ref]; !w.reqs[r.ref] {
			w.reqs[r.ref] = true
			w.causes = append(w.causes, Cause{Guard: q.guard, Tag: q.tag})
		}
	case byLimit:
		if l := &e.limits[r.ref]; !w.limits[r.ref] {
			w.limits[r.ref] = true
			w.causes = append(w.causes, Cause{Guard: l.guard, Tag: l.tag})
		}
	case byNogood:
		if g := &e.ng[r.ref]; !w.ng[r.ref] {
			w.ng[r.ref] = true
			e.proof = append(e.proof, e.ngProof[g.proof[0]:g.proof[1]]...)
			w.followShared(g.shared)
		}
	case byAtMost:
		if c := (Cause{Guard: None, Class: int(r.ref) + 1}); !slices.Contains(w.causes, c) {
			w.causes = append(w.causes, c)
		}
	}
	if r.settled {
		w.settled(r)
	}
}

// followShared puts the shared proof on the list, once.
func (w *coreWalk) followShared(shared bool) {
	if !shared || w.shared {
		return
	}
	w.shared = true
	for kind, list := range w.e.shared {
		for i, what := range list {
			if what != 0 {
				w.e.proof = append(w.e.proof, ref{reason{reasonKind(kind), int32(i)}, what&isSettled != 0})
			}
		}
	}
}

// settled marks the causes of r that stand at the root level.
func (w *coreWalk) settled(r ref) {
	e := w.e
	switch r.kind {
	case byRequire:
		e.causesOfRequire(r.ref)
	case byLimit:
		lim := &e.limits[r.ref]
		for _, s := range [2]Slot{e.slotOf[lim.guard], lim.slot} {
			if e.slots[s].sel != None {
				e.mark(e.selection(s))
			}
		}
	case byNogood:
		g := &e.ng[r.ref]
		for _, id := range e.ngIDs[g.first:g.end] {
			if e.selected(id) {
				e.mark(e.selection(e.slotOf[id]))
			}
		}
	case byAtMost:
		e.causes(r.reason, nil)
	}
}
