package sat

// A kind says what an entry of the trail did.
type kind uint8

const (
	narrows kind = iota // the window became smaller
	holes               // one id was taken out
	selects             // one id was selected
)

// An entry is one change of a domain.
type entry struct {
	before Span  // the window before
	id     ID    // the id taken out or selected, None if it was not just one
	slot   Slot  // whose domain
	prev   int32 // entry of the same slot before this one, or None
	level  int32
	kind   kind
	why    reason
}

// A reason is why an entry was made: a constraint, or nothing for decisions
// and what the caller says.
type reason struct {
	kind reasonKind
	ref  int32
}

type reasonKind uint8

const (
	given     reasonKind = iota // a decision, or said from outside
	byRequire                   // ref is a requirement
	byLimit                     // ref is a limit
	byNogood                    // ref is a nogood
	byAtMost
)

// Exclude takes id out of its slot: for good if called while the slot is being
// opened, else until the level at which it is called is left.
func (e *Engine) Exclude(id ID) {
	switch s := e.slotOf[id]; {
	case e.slots[s].state == opening:
		e.hole[id] = true
	case e.Alive(id) && e.slots[s].sel == None:
		e.kill(id, reason{}, e.level())
	}
}

// Narrow keeps only the ids of p in slot s, under the terms of [Engine.Exclude].
func (e *Engine) Narrow(s Slot, p Span) {
	if st := &e.slots[s]; st.state == opening {
		st.window = st.window.and(p)
		return
	}
	e.shrink(s, p, reason{}, e.level())
}

// and returns what p and q have in common.
func (p Span) and(q Span) Span {
	r := Span{max(p.Lo, q.Lo), min(p.Hi, q.Hi)}
	if r.Empty() {
		return Span{p.Lo, p.Lo}
	}
	return r
}

// push appends an entry for slot s in its present state.
func (e *Engine) push(s Slot, k kind, id ID, why reason, lv int32) {
	st := &e.slots[s]
	e.trail = append(e.trail, entry{st.window, id, s, st.last, lv, k, why})
	st.last = int32(len(e.trail) - 1)
}

// shrink narrows the window of s to p.
func (e *Engine) shrink(s Slot, p Span, why reason, lv int32) {
	st := &e.slots[s]
	w := e.trim(st.window.and(p))
	if w == st.window || st.window.Empty() {
		return
	}
	e.push(s, narrows, None, why, lv)
	st.window = w
}

// kill takes the living, unselected id out of its slot: at the edge of the window
// by narrowing it, which saves others from looking at dead ids.
func (e *Engine) kill(id ID, why reason, lv int32) {
	s := e.slotOf[id]
	w := e.slots[s].window
	switch {
	case id == w.Hi-1:
		e.push(s, narrows, id, why, lv)
		e.slots[s].window = e.trim(Span{w.Lo, id})
	case id == w.Lo:
		e.push(s, narrows, id, why, lv)
		e.slots[s].window = e.trim(Span{id + 1, w.Hi})
	default:
		e.push(s, holes, id, why, lv)
		e.hole[id] = true
	}
}

// trim returns w without holes at its ends.
func (e *Engine) trim(w Span) Span {
	for !w.Empty() && e.hole[w.Hi-1] {
		w.Hi--
	}
	for !w.Empty() && e.hole[w.Lo] {
		w.Lo++
	}
	return w
}

// choose selects the living id of an undecided slot.
func (e *Engine) choose(id ID, why reason) {
	s := e.slotOf[id]
	e.push(s, selects, id, why, e.level())
	st := &e.slots[s]
	st.window, st.sel = only(id), id
}

// undo takes back an entry that is the last one of its slot.
func (e *Engine) undo(en *entry) {
	st := &e.slots[en.slot]
	st.window, st.last = en.before, en.prev
	switch en.kind {
	case holes:
		e.hole[en.id] = false
	case selects:
		st.sel = None
		if e.guide.on && int(en.slot) < len(e.guide.phase) {
			e.guide.phase[en.slot] = en.id
		}
	}
}

// backjump takes back every decision above level lv and what followed from it.
// A limit that was applied late, because its slot was opened late, but has its
// cause below lv, is applied again.
func (e *Engine) backjump(lv int32) {
	if lv >= e.level() {
		return
	}
	back := e.levels[lv]
	e.kept = e.kept[:0]
	for i := len(e.trail) - 1; i >= back.trail; i-- {
		en := &e.trail[i]
		if en.level <= lv {
			e.kept = append(e.kept, en.why.ref)
		}
		e.undo(en)
	}
	e.trail, e.levels, e.agenda = e.trail[:back.trail], e.levels[:lv], e.agenda[:back.agenda]
	e.head, e.goal, e.todo = len(e.trail), back.goal, back.todo
	for i := len(e.kept) - 1; i >= 0; i-- {
		e.apply(e.kept[i])
	}
}

// Push begins a scope: what is said and learned from now on ends with [Engine.Pop],
// and a search goes back no further than this.
func (e *Engine) Push() Scope {
	sc := Scope{e.root, len(e.ng), e.Goals}
	e.levels = append(e.levels, level{len(e.trail), e.goal, e.todo, len(e.agenda)})
	e.root = e.level()
	return sc
}

// A Scope is where [Engine.Pop] returns to.
type Scope struct {
	root    int32
	nogoods int
	goals   []Goal
}

// Pop ends the scope.
func (e *Engine) Pop(sc Scope) {
	e.backjump(e.root - 1)
	e.root, e.clash = sc.root, reason{}
	e.Goals = sc.goals
	for i := sc.nogoods; i < len(e.ng); i++ {
		e.ng[i].dead = true
	}
}

// BackToGoals takes back the decisions that were made for requirements, and
// leaves those for goals.
func (e *Engine) BackToGoals() {
	lv := e.level()
	for lv > e.root && e.levels[lv-1].goal == len(e.Goals) {
		lv--
	}
	e.backjump(lv)
}
