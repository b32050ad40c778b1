package sat

// guide is the working memory of a search for any selection, and of the walk
// from there to the preferred one.
//
// Where the order of goals is a bad guide, goals that are far down it make the
// search repeat itself. So it looks for a selection without them first: what
// had a part in recent contradictions is decided before the rest, as it was
// decided last time. Then it decides one goal after the other, in order, and
// looks again for a selection whenever the last one found has something else.
// A goal is still given up only because of goals before it.
type guide struct {
	on        bool
	frontier  int     // goals before it are decided first
	witnessed bool    // the last selection found has those goals
	phase     []ID    // by slot: what was selected last, or None
	found     []ID    // by slot: what the last selection found has, or None
	hot       []int32 // requirements of recent contradictions, the latest last
	conflicts int     // since the last restart
	restarts  int
}

const (
	restartUnit = 32  // conflicts until the first restart
	maxHot      = 128 // requirements that are decided first
)

// beginFree begins to look for any selection.
func (e *Engine) beginFree() {
	g := &e.guide
	if g.phase == nil {
		g.phase, g.found = make([]ID, len(e.layout.Base)-1), make([]ID, len(e.layout.Base)-1)
	}
	for s := range g.phase {
		g.phase[s], g.found[s] = None, None
	}
	for i := len(e.Goals) - 1; i >= 0; i-- {
		if q := &e.Goals[i]; q.ID != None && int(q.Slot) < len(g.phase) {
			g.phase[q.Slot] = q.ID
		}
	}
	g.on, g.frontier, g.witnessed = true, 0, false
	g.hot, g.conflicts, g.restarts = g.hot[:0], 0, 0
	e.backjump(e.root)
}

// endFree goes back to the order of goals.
func (e *Engine) endFree() { e.guide.on = false }

// nextFree is next while the search is free.
func (e *Engine) nextFree() ID {
	g := &e.guide
	for {
		if id := e.nextGoal(); id != None {
			return e.look(id)
		}
		if !g.witnessed {
			if id := e.nextNeed(); id != None {
				return e.look(id)
			}
			g.witnessed = true
			e.keepFound()
			e.backToFrontier()
			if e.head < len(e.trail) {
				return again
			}
			continue
		}
		if g.frontier == len(e.Goals) {
			e.endFree()
			return e.next()
		}
		g.frontier++
		g.witnessed = false
	}
}

// keepFound notes the selection that has been found.
func (e *Engine) keepFound() {
	for s := range e.guide.found {
		e.guide.found[s] = e.slots[s].sel
	}
}

// nextGoal returns the next id for a goal before the frontier, or [None].
func (e *Engine) nextGoal() ID {
	g := &e.guide
	for ; e.goal < g.frontier; e.goal++ {
		slot := e.Goals[e.goal].Slot
		last := e.goal == g.frontier-1
		if sel := e.slots[slot].sel; sel != None {
			g.witnessed = g.witnessed || last && g.found[slot] == sel
			continue
		}
		id := e.wanted(e.Goals[e.goal])
		if last {
			g.witnessed = id == None || g.found[slot] == id
		}
		if id != None {
			return id
		}
	}
	return None
}

// nextNeed returns an id that an unmet requirement needs, or [None].
func (e *Engine) nextNeed() ID {
	hot := e.guide.hot
	for i := len(hot) - 1; i >= 0 && i >= len(hot)-maxHot; i-- {
		if c := hot[i]; e.inForce(c) && !e.fulfilled(e.reqs[c].set) {
			return e.recall(e.reqs[c].set)
		}
	}
	for ; e.todo < len(e.agenda); e.todo++ {
		if q := &e.reqs[e.agenda[e.todo]]; !e.fulfilled(q.set) {
			return e.recall(q.set)
		}
	}
	return None
}

// recall returns the living id of set that was selected last, else the best one.
func (e *Engine) recall(set []Span) ID {
	for _, p := range set {
		s := e.slotOf[p.Lo]
		if int(s) >= len(e.guide.phase) {
			continue
		}
		if id := e.guide.phase[s]; id != None && p.Contains(id) && e.Alive(id) {
			return id
		}
	}
	return e.prefer(set, e.find(set, None))
}

// backToFrontier takes back the decisions that were made for no goal.
func (e *Engine) backToFrontier() {
	lv := e.level()
	for lv > e.root && e.levels[lv-1].goal >= e.guide.frontier {
		lv--
	}
	e.backjump(lv)
}

// heat notes the requirements behind the last contradiction, and begins again
// when it is time.
func (e *Engine) heat() {
	g := &e.guide
	for _, r := range e.proof {
		if r.kind == byRequire && !r.settled {
			g.hot = append(g.hot, r.ref)
		}
	}
	if len(g.hot) > 16*maxHot {
		g.hot = append(g.hot[:0], g.hot[len(g.hot)-4*maxHot:]...)
	}
	if g.conflicts++; g.conflicts >= restartUnit*luby(g.restarts+1) {
		g.conflicts = 0
		g.restarts++
		e.backToFrontier()
	}
}

// luby returns the nth number of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ...
func luby(n int) int {
	for k := 1; ; k++ {
		switch {
		case n == 1<<k-1:
			return 1 << (k - 1)
		case n < 1<<k-1:
			return luby(n - 1<<(k-1) + 1)
		}
	}
}
