package sat

import (
	"iter"
	"slices"
)

// A requirement says: if guard and an id of cond are selected, one of set is.
type requirement struct {
	set   []Span
	guard ID   // None: always
	cond  Span // empty: always
	watch [2]ID
	next  [2]int32 // watch references, see [Engine.watches]
	conds int32    // next requirement with a condition in the same slot
	tag   int32
	used  bool // it has forbidden something
}

// A limit says: if guard is selected, its slot keeps inside, or outside, of span.
type limit struct {
	span    Span
	slot    Slot
	guard   ID
	next    int32 // of the same guard, or waiting for the same slot
	outside bool
	tag     int32
}

// Require states that one of the ids of set must be selected if guard and an
// id of cond are. A guard of [None] and an empty cond always hold. The ids of
// set are preferred in its order, in each span from the highest down. The
// engine keeps set. The tag comes back in [Engine.Core].
func (e *Engine) Require(guard ID, cond Span, set []Span, tag int32) {
	c := int32(len(e.reqs))
	e.reqs = room(e.reqs)
	e.reqs = append(e.reqs, requirement{set: set, guard: guard, cond: cond,
		watch: [2]ID{None, None}, conds: None, tag: tag})
	e.Stats.Requirements++
	for _, p := range set {
		e.Open(e.slotOf[p.Lo])
	}
	if !cond.Empty() {
		s := e.slotOf[cond.Lo]
		e.Open(s)
		e.reqs[c].conds, e.slots[s].conds = e.slots[s].conds, c
	}
	if guard != None {
		e.examine(c)
	} else {
		e.enforce(c)
	}
}

// room returns list with room for one more. It doubles: what grows by a
// quarter leaves four times as much behind.
func room[T any](list []T) []T {
	if len(list) == cap(list) {
		return slices.Grow(list, max(len(list), 1024))
	}
	return list
}

// Limit states that if guard is selected, slot s keeps inside of span; with
// outside, outside of it. It is called while guard is being loaded, or while s
// is being opened.
func (e *Engine) Limit(guard ID, s Slot, span Span, outside bool, tag int32) {
	l := int32(len(e.limits))
	e.limits = room(e.limits)
	lim := limit{span: span, slot: s, guard: guard, outside: outside, tag: tag}
	st := &e.slots[s]
	if st.state == open {
		ld := &e.loads[e.loadOf[guard]]
		lim.next, ld.limits = ld.limits, l
	} else {
		lim.next, st.limits = st.limits, l
	}
	e.limits = append(e.limits, lim)
	e.Stats.Limits++
}

// AtMost makes a class of extra ids, to which [Engine.Count] adds, and states
// that no more than k of them are selected. It returns the number of the class,
// counted from zero since the last Reset.
func (e *Engine) AtMost(k int) int {
	e.classes = append(e.classes, class{most: k})
	return len(e.classes) - 1
}

// Count adds the extra id to class n.
func (e *Engine) Count(n int, id ID) {
	e.classes[n].ids = append(e.classes[n].ids, id)
	e.count(int32(n))
}

// Used yields guard and tag of the requirements that have had a part in
// forbidding something since the last Reset, or may have had.
func (e *Engine) Used() iter.Seq2[ID, int32] {
	return func(yield func(ID, int32) bool) {
		for i := range e.reqs {
			if q := &e.reqs[i]; q.used && !yield(q.guard, q.tag) {
				return
			}
		}
	}
}

// Define gives the extra id its constraints: those that state states, all with
// it as guard.
func (e *Engine) Define(id ID, state func()) {
	n := len(e.loads)
	e.loadOf[id] = int32(n)
	e.loads = append(e.loads, load{first: int32(len(e.reqs)), limits: None})
	state()
	e.loads[n].end = int32(len(e.reqs))
}

// Assume selects the extra id until the scope ends. It is called inside a scope
// before the search.
func (e *Engine) Assume(id ID) { e.choose(id, reason{}) }

// Forbid states, until the scope ends, that not all of ids are selected. It is
// called inside a scope before the search.
func (e *Engine) Forbid(ids []ID) {
	first := int32(len(e.ngIDs))
	e.ngIDs = append(e.ngIDs, ids...)
	e.ng = append(e.ng, nogood{first: first, end: int32(len(e.ngIDs))})
	n := int32(len(e.ng) - 1)
	e.primeNogood(n)
}

// openSlot asks the provider for the domain of s and applies the limits that
// have been waiting for it.
func (e *Engine) openSlot(s Slot) {
	st := &e.slots[s]
	st.state = opening
	st.window = Span{e.layout.Base[s], e.layout.Base[s+1]}
	e.opened = append(e.opened, s)
	e.provider.Open(s)
	st.window = e.trim(st.window)
	st.state = open
	e.late = e.late[:0]
	for l := st.limits; l != None; {
		lim := &e.limits[l]
		next := lim.next
		ld := &e.loads[e.loadOf[lim.guard]]
		lim.next, ld.limits = ld.limits, l
		if e.selected(lim.guard) {
			e.insertLate(l)
		}
		l = next
	}
	st.limits = None
	for _, l := range e.late {
		e.apply(l)
	}
}

// insertLate puts limit l among the late ones, by the level of its guard: the
// entries of a slot must have rising levels.
func (e *Engine) insertLate(l int32) {
	e.late = append(e.late, l)
	for i := len(e.late) - 1; i > 0 && e.guardLevel(e.late[i-1]) > e.guardLevel(l); i-- {
		e.late[i-1], e.late[i] = e.late[i], e.late[i-1]
	}
}

// guardLevel is the level at which the guard of limit l was selected.
func (e *Engine) guardLevel(l int32) int32 {
	return e.trail[e.selection(e.slotOf[e.limits[l].guard])].level
}

// selection returns the trail entry that selected the id of slot s.
func (e *Engine) selection(s Slot) int32 {
	i := e.slots[s].last
	for e.trail[i].kind != selects {
		i = e.trail[i].prev
	}
	return i
}

// selected reports whether id is selected.
func (e *Engine) selected(id ID) bool { return e.slots[e.slotOf[id]].sel == id }
