package sat

// propagate draws all consequences of the trail. It returns false on a
// contradiction, with its reason in e.clash.
func (e *Engine) propagate() bool {
	for e.head < len(e.trail) && e.clash.kind == given {
		en := e.trail[e.head]
		e.head++
		e.Stats.Steps++
		switch en.kind {
		case narrows:
			e.died(en.before, e.slots[en.slot].window)
		case holes:
			e.rewatch(en.id)
		case selects:
			e.died(en.before, only(en.id))
			e.checkNogoods(en.id)
			e.activate(en.id)
			e.checkConditions(en.slot, en.id)
		}
	}
	return e.clash.kind == given
}

// fail records a contradiction, the first one if there are several.
func (e *Engine) fail(why reason) {
	if e.clash.kind == given {
		e.clash = why
	}
}

// died tells the watchers of the ids in before but not in after.
func (e *Engine) died(before, after Span) {
	for id := before.Lo; id < before.Hi; id++ {
		if id == after.Lo && !after.Empty() {
			id = after.Hi - 1
			continue
		}
		if e.watches[id] != 0 {
			e.rewatch(id)
		}
	}
}

// rewatch finds new ids to watch for the requirements that watch the dead id.
// Those of a dead guard go unwatched: before it can be selected, if ever,
// [Engine.enforce] looks at them.
func (e *Engine) rewatch(id ID) {
	ref := e.watches[id]
	e.watches[id] = 0
	for ref != 0 {
		c, w := (ref-1)>>1, (ref-1)&1
		q := &e.reqs[c]
		ref = q.next[w]
		if q.guard != None && !e.Alive(q.guard) {
			q.watch[w] = None
			continue
		}
		other := q.watch[1-w]
		to := id
		if other == None || !e.selected(other) {
			if t := e.last(q.set, other); t != None {
				to = t
			}
		}
		q.watch[w] = to
		q.next[w], e.watches[to] = e.watches[to], 2*c+w+1
		if to == id && (other == None || !e.selected(other)) {
			e.unit(c, other)
		}
	}
}

// find returns the first living id of set in order of preference, other than not.
func (e *Engine) find(set []Span, not ID) ID {
	for _, p := range set {
		w := e.slots[e.slotOf[p.Lo]].window
		for id := min(p.Hi, w.Hi) - 1; id >= p.Lo && id >= w.Lo; id-- {
			if !e.hole[id] && id != not {
				return id
			}
		}
	}
	return None
}

// last returns the last living id of set in order of preference, other than
// not. It is the one to watch, since those before it are tried first.
func (e *Engine) last(set []Span, not ID) ID {
	for k := len(set) - 1; k >= 0; k-- {
		p := set[k]
		w := e.slots[e.slotOf[p.Lo]].window
		for id := max(p.Lo, w.Lo); id < p.Hi && id < w.Hi; id++ {
			if !e.hole[id] && id != not {
				return id
			}
		}
	}
	return None
}

// unit draws the consequence of requirement c when no id of its set but perhaps
// t is alive.
func (e *Engine) unit(c int32, t ID) {
	if t != None && e.Alive(t) {
		if e.inForce(c) && !e.selected(t) {
			e.choose(t, reason{byRequire, c})
		}
		return
	}
	q := &e.reqs[c]
	q.used = true
	why := reason{byRequire, c}
	switch guarded, met := q.guard == None || e.selected(q.guard), e.met(q.cond); {
	case guarded && met:
		e.fail(why)
	case guarded:
		e.exclude(q.cond, why, e.level())
	case met && e.Alive(q.guard):
		e.kill(q.guard, why, e.level())
	}
}

// met reports whether an id of cond is selected, or cond is empty.
func (e *Engine) met(cond Span) bool {
	return cond.Empty() || cond.Contains(e.slots[e.slotOf[cond.Lo]].sel)
}

// inForce reports whether guard and condition of requirement c hold.
func (e *Engine) inForce(c int32) bool {
	q := &e.reqs[c]
	return (q.guard == None || e.selected(q.guard)) && e.met(q.cond)
}

// exclude takes the ids of p out of their undecided slot.
func (e *Engine) exclude(p Span, why reason, lv int32) {
	s := e.slotOf[p.Lo]
	w := e.slots[s].window
	if p.Hi >= w.Hi {
		e.shrink(s, Span{w.Lo, p.Lo}, why, lv)
		return
	}
	for id := max(p.Lo, w.Lo); id < p.Hi; id++ {
		if !e.hole[id] {
			e.kill(id, why, lv)
		}
	}
}

// settle makes requirement c watch two living ids, as far as there are any,
// and returns how many: 0, 1 or 2.
func (e *Engine) settle(c int32) int {
	n := 0
	for w := range int32(2) {
		q := &e.reqs[c]
		old := q.watch[w]
		if old != None && e.Alive(old) {
			n++
			continue
		}
		t := e.last(q.set, q.watch[1-w])
		if t == None {
			continue
		}
		n++
		if old != None {
			e.unwatch(old, 2*c+w+1)
		}
		q.watch[w] = t
		q.next[w], e.watches[t] = e.watches[t], 2*c+w+1
	}
	return n
}

// unwatch takes ref off the list of id.
func (e *Engine) unwatch(id ID, ref int32) {
	p := &e.watches[id]
	for *p != ref {
		p = &e.reqs[(*p-1)>>1].next[(*p-1)&1]
	}
	*p = e.reqs[(ref-1)>>1].next[(ref-1)&1]
}

// examine draws the consequences of requirement c, which is not in force.
func (e *Engine) examine(c int32) {
	if e.settle(c) == 0 {
		e.unit(c, None)
	}
}

// enforce draws the consequences of requirement c, which is now in force.
func (e *Engine) enforce(c int32) {
	switch q := &e.reqs[c]; e.settle(c) {
	case 0:
		e.unit(c, None)
	case 1:
		t := q.watch[0]
		if t == None || !e.Alive(t) {
			t = e.reqs[c].watch[1]
		}
		e.unit(c, t)
	default:
		if !e.fulfilled(q.set) {
			e.agenda = append(e.agenda, c)
		}
	}
}

// fulfilled reports whether an id of set is selected.
func (e *Engine) fulfilled(set []Span) bool {
	for _, p := range set {
		if p.Contains(e.slots[e.slotOf[p.Lo]].sel) {
			return true
		}
	}
	return false
}

// activate puts the constraints of the selected id into force.
func (e *Engine) activate(id ID) {
	e.Load(id)
	if e.isExtra(id) {
		for n := range e.classes {
			e.count(int32(n))
		}
	}
	ld := e.loads[e.loadOf[id]]
	for c := ld.first; c < ld.end; c++ {
		if e.met(e.reqs[c].cond) {
			e.enforce(c)
		} else {
			e.examine(c)
		}
	}
	for l := ld.limits; l != None; l = e.limits[l].next {
		e.apply(l)
	}
}

// checkConditions looks at the requirements whose condition may be met by id,
// now selected in slot s.
func (e *Engine) checkConditions(s Slot, id ID) {
	for c := e.slots[s].conds; c != None; c = e.reqs[c].conds {
		switch q := &e.reqs[c]; {
		case !q.cond.Contains(id):
		case q.guard == None || e.selected(q.guard):
			e.enforce(c)
		default:
			e.examine(c)
		}
	}
}

// apply puts limit l, whose guard is selected, on its slot.
func (e *Engine) apply(l int32) {
	lim := &e.limits[l]
	st := &e.slots[lim.slot]
	why := reason{byLimit, l}
	switch {
	case st.sel != None:
		if lim.span.Contains(st.sel) == lim.outside {
			e.fail(why)
		}
	case lim.outside:
		e.exclude(lim.span, why, e.guardLevel(l))
	case lim.span.Lo > st.window.Lo || lim.span.Hi < st.window.Hi:
		e.shrink(lim.slot, lim.span, why, e.guardLevel(l))
	}
}

// count enforces the limit of class n.
func (e *Engine) count(n int32) {
	c := &e.classes[n]
	selected := 0
	for _, id := range c.ids {
		if e.selected(id) {
			selected++
		}
	}
	why := reason{byAtMost, n}
	if selected > c.most {
		e.fail(why)
	}
	if selected != c.most {
		return
	}
	for _, id := range c.ids {
		if !e.selected(id) && e.Alive(id) {
			e.kill(id, why, e.level())
		}
	}
}
