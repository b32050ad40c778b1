package sat

import (
	"context"
	"slices"
)

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
// fewest possible. The error is that of ctx.
func (e *Engine) Core(ctx context.Context) ([]Cause, error) {
	w := coreWalk{
		e:      e,
		reqs:   make([]bool, len(e.reqs)),
		limits: make([]bool, len(e.limits)),
		ng:     make([]bool, len(e.ng)),
		deaths: map[Slot]*deaths{},
	}
	if n := len(e.trail); n > len(e.seen) {
		e.seen = append(e.seen, make([]mark, n-len(e.seen))...)
	}
	e.proof = e.proof[:0]
	w.follow(ref{e.clash, true})
	for n := 0; len(e.proof) > 0 && (n&255 != 0 || ctx.Err() == nil); n++ {
		r := e.proof[len(e.proof)-1]
		e.proof = e.proof[:len(e.proof)-1]
		w.follow(r)
	}
	for _, j := range e.marked {
		e.seen[j] = unseen
	}
	e.marked = e.marked[:0]
	if len(e.proof) > 0 {
		e.proof = e.proof[:0]
		return nil, ctx.Err()
	}
	return w.causes, nil
}

// A coreWalk goes from a contradiction back to its constraints. At the root
// level [Engine.mark] puts the causes of an entry on e.proof, which serves as
// the list of what is still to be followed.
type coreWalk struct {
	e                *Engine
	reqs, limits, ng []bool
	shared           bool // the shared proof is followed
	causes           []Cause
	deaths           map[Slot]*deaths
	found            []int32 // scratch
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
		e.causesOfDemand(r.ref)
		for _, p := range e.reqs[r.ref].set {
			w.markDeaths(p)
		}
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

// Deaths are the entries that killed the ids of one slot. Of each id they are asked
// once: many requirements are on the same ids, and what has been followed is followed.
type deaths struct {
	base  ID
	entry []int32 // by id, None if no entry killed it
	next  []int32 // by id: where to look for one that has not been asked for
}

// markDeaths marks the entries that killed the dead ids of p, the latest first.
func (w *coreWalk) markDeaths(p Span) {
	s := w.e.slotOf[p.Lo]
	d := w.deaths[s]
	if d == nil {
		d = w.e.deathsOf(s)
		w.deaths[s] = d
	}
	w.found = w.found[:0]
	for i := d.look(p.Lo - d.base); i < int32(p.Hi-d.base); i = d.look(ID(i)) {
		if d.entry[i] != None {
			w.found = append(w.found, d.entry[i])
		}
		d.next[i] = i + 1
	}
	slices.SortFunc(w.found, func(a, b int32) int { return int(b - a) })
	for _, i := range w.found {
		w.e.mark(i)
	}
}

// look returns the first place from i on that has not been asked for.
func (d *deaths) look(i ID) int32 {
	at := int32(i)
	for d.next[at] != at {
		d.next[at] = d.next[d.next[at]]
		at = d.next[at]
	}
	return at
}

// deathsOf finds the deaths of slot s.
func (e *Engine) deathsOf(s Slot) *deaths {
	all := e.idsOf(s)
	n := int(all.Hi - all.Lo)
	d := &deaths{base: all.Lo, entry: make([]int32, n), next: make([]int32, n+1)}
	for i := range n {
		d.entry[i], d.next[i] = None, int32(i)
	}
	d.next[n] = int32(n)
	st := &e.slots[s]
	after := st.window
	for i := st.last; i != None; i = e.trail[i].prev {
		en := &e.trail[i]
		if en.kind == holes {
			d.entry[en.id-d.base] = i
			continue
		}
		if after.Empty() {
			after = Span{en.before.Hi, en.before.Hi}
		}
		d.note(e, Span{en.before.Lo, after.Lo}, i)
		d.note(e, Span{after.Hi, en.before.Hi}, i)
		after = en.before
	}
	return d
}

// note enters that entry i killed the ids of p that were not taken out before.
func (d *deaths) note(e *Engine, p Span, i int32) {
	for id := p.Lo; id < p.Hi; id++ {
		if !e.hole[id] {
			d.entry[id-d.base] = i
		}
	}
}

// idsOf returns all ids of slot s.
func (e *Engine) idsOf(s Slot) Span {
	if n := int(s) - (len(e.layout.Base) - 1); n >= 0 {
		id := ID(len(e.slotOf) - e.extras + n)
		return only(id)
	}
	return Span{e.layout.Base[s], e.layout.Base[s+1]}
}
