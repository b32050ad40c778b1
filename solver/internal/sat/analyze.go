package sat

// analysis is the working memory of conflict analysis.
type analysis struct {
	seen    []mark  // per trail entry
	marked  []int32 // the entries seen
	stack   []int32 // entries to be replaced by their causes at once
	learnt  []ID    // selected below the current level
	lv      int32   // the level at which the analysis is
	pending int     // marked entries of that level that remain
	proof   []ref
}

// A mark is the state of a trail entry during an analysis.
type mark uint8

const (
	unseen  mark = iota
	waiting      // a cause
	passed       // a cause that its own causes stand for
)

// A nogood is a set of ids that cannot all be selected.
type nogood struct {
	first, end int32    // in ngIDs; the first two are watched
	next       [2]int32 // watch references
	proof      [2]int32 // in ngProof
	shared     bool     // the proof is part of the shared one
	dead       bool
}

// A ref is a reason in a proof. Settled ones need their own causes followed,
// since they stood at the root level and were not part of the analysis.
type ref struct {
	reason
	settled bool
}

// learn finds out which selections caused the clash, forbids that combination,
// and goes back to where the new nogood has a consequence. A nogood of nothing
// is a clash at the root level.
func (e *Engine) learn() {
	uip := e.analyze()
	n := e.addNogood(uip)
	ids := e.ngIDs[e.ng[n].first:e.ng[n].end]
	back := e.root
	if len(ids) > 1 {
		back = max(back, e.levelOf(ids[1]))
	}
	e.backjump(back)
	e.clash = reason{}
	if len(ids) == 0 {
		e.fail(reason{byNogood, n})
		return
	}
	e.watchNogood(n)
	if e.Alive(uip) {
		e.kill(uip, reason{byNogood, n}, e.level())
	}
}

// analyze traces the clash to a single selection of one level, which it
// returns, and those of lower levels, in e.learnt. The level is the current one
// unless an entry there was found late and has only lower causes. It returns
// [None] if the clash has no cause above the root level.
func (e *Engine) analyze() ID {
	e.begin()
	e.explain(e.clash, nil)
	uip := ID(None)
	for i := len(e.trail) - 1; i >= 0; i-- {
		if e.pending == 0 && !e.descend() {
			break
		}
		en := &e.trail[i]
		if e.seen[i] != waiting || en.level != e.lv {
			continue
		}
		if e.pending == 1 && en.kind == selects {
			uip = en.id
			break
		}
		e.pending--
		e.explain(en.why, en)
	}
	for _, j := range e.marked {
		e.seen[j] = unseen
	}
	e.marked = e.marked[:0]
	return uip
}

// begin readies the working memory for an analysis at the current level.
func (e *Engine) begin() {
	e.learnt, e.proof, e.pending, e.lv = e.learnt[:0], e.proof[:0], 0, e.level()
	if n := len(e.trail); n > len(e.seen) {
		e.seen = append(e.seen, make([]mark, n-len(e.seen)+n/2)...)
	}
}

// descend moves the analysis to the highest level at which there is a cause.
// It returns false if there is none.
func (e *Engine) descend() bool {
	if len(e.learnt) == 0 {
		return false
	}
	e.lv = 0
	for _, id := range e.learnt {
		e.lv = max(e.lv, e.levelOf(id))
	}
	lower := e.learnt[:0]
	for _, id := range e.learnt {
		if e.levelOf(id) < e.lv {
			lower = append(lower, id)
		}
	}
	e.pending = len(e.learnt) - len(lower)
	e.learnt = lower
	return true
}

// mark notes that entry i is a cause.
func (e *Engine) mark(i int32) {
	if e.seen[i] != unseen {
		return
	}
	e.seen[i] = waiting
	e.marked = append(e.marked, i)
	switch en := &e.trail[i]; {
	case en.level <= e.root:
		e.proof = append(e.proof, ref{en.why, true})
	case en.level == e.lv:
		e.pending++
	case en.kind == selects:
		e.learnt = append(e.learnt, en.id)
	default:
		e.seen[i] = passed
		e.stack = append(e.stack, i)
	}
}

// explain marks the causes behind why: those of entry en or, if that is nil, of
// a clash.
func (e *Engine) explain(why reason, en *entry) {
	base := len(e.stack)
	e.causes(why, en)
	for len(e.stack) > base {
		i := e.stack[len(e.stack)-1]
		e.stack = e.stack[:len(e.stack)-1]
		e.causes(e.trail[i].why, &e.trail[i])
	}
}

// causes marks the immediate causes behind why.
func (e *Engine) causes(why reason, en *entry) {
	e.proof = append(e.proof, ref{why, false})
	switch why.kind {
	case byRequire:
		e.causesOfRequire(why.ref)
	case byLimit:
		e.causesOfLimit(why.ref, en)
	case byNogood:
		n := &e.ng[why.ref]
		for _, id := range e.ngIDs[n.first:n.end] {
			if en == nil || id != en.id {
				e.mark(e.selection(e.slotOf[id]))
			}
		}
	case byAtMost:
		for _, id := range e.classes[why.ref].ids {
			if e.selected(id) {
				e.mark(e.selection(e.slotOf[id]))
			}
		}
	}
}

// causesOfRequire marks what made requirement c have a consequence: its guard
// and condition as far as they hold, and what killed the ids of its set.
func (e *Engine) causesOfRequire(c int32) {
	e.causesOfDemand(c)
	for _, p := range e.reqs[c].set {
		e.markDeaths(p)
	}
}

// causesOfDemand marks the guard and condition of requirement c as far as they hold.
func (e *Engine) causesOfDemand(c int32) {
	q := &e.reqs[c]
	q.used = true
	if q.guard != None && e.selected(q.guard) {
		e.mark(e.selection(e.slotOf[q.guard]))
	}
	if !q.cond.Empty() && e.met(q.cond) {
		e.mark(e.selection(e.slotOf[q.cond.Lo]))
	}
}

// causesOfLimit marks the selection of the guard, or that of the slot where it
// was the guard that had to give way, or both for a clash.
func (e *Engine) causesOfLimit(l int32, en *entry) {
	lim := &e.limits[l]
	own := e.slotOf[lim.guard]
	if en == nil || en.slot == lim.slot && own != lim.slot {
		e.mark(e.selection(own))
	}
	if en == nil || en.slot == own && own != lim.slot {
		e.mark(e.selection(lim.slot))
	}
}

// markDeaths marks the entries that killed the dead ids of p.
func (e *Engine) markDeaths(p Span) {
	st := &e.slots[e.slotOf[p.Lo]]
	after := st.window
	for i := st.last; i != None; {
		en := &e.trail[i]
		if en.kind == holes {
			if p.Contains(en.id) {
				e.mark(i)
			}
		} else {
			if e.kills(p, en.before, after) {
				e.mark(i)
			}
			after = en.before
		}
		i = e.trail[i].prev
	}
}

// kills reports whether an id of p that was not taken out before died when
// the window became after.
func (e *Engine) kills(p, before, after Span) bool {
	if after.Empty() {
		return e.anyFree(p.and(before))
	}
	return e.anyFree(p.and(Span{before.Lo, after.Lo})) || e.anyFree(p.and(Span{after.Hi, before.Hi}))
}

// anyFree reports whether an id of p is not a hole.
func (e *Engine) anyFree(p Span) bool {
	for id := p.Lo; id < p.Hi; id++ {
		if !e.hole[id] {
			return true
		}
	}
	return false
}

// levelOf returns the level at which id was selected.
func (e *Engine) levelOf(id ID) int32 { return e.trail[e.selection(e.slotOf[id])].level }

// addNogood stores the nogood of uip and e.learnt, the latest of which becomes
// the second id.
func (e *Engine) addNogood(uip ID) int32 {
	first, proof := int32(len(e.ngIDs)), int32(len(e.ngProof))
	if uip != None {
		e.ngIDs = append(append(e.ngIDs, uip), e.learnt...)
	}
	ids := e.ngIDs[first:]
	for i := 2; i < len(ids); i++ {
		if e.levelOf(ids[i]) > e.levelOf(ids[1]) {
			ids[1], ids[i] = ids[i], ids[1]
		}
	}
	shared := len(e.ngProof)+len(e.proof) > e.maxProof
	if shared {
		e.share(e.proof)
	} else {
		e.ngProof = append(e.ngProof, e.proof...)
	}
	e.ng = append(e.ng, nogood{first: first, end: int32(len(e.ngIDs)),
		proof: [2]int32{proof, int32(len(e.ngProof))}, shared: shared})
	return int32(len(e.ng) - 1)
}

// What is known of a reason in the shared proof.
const (
	isShared = 1 << iota
	isSettled
)

// share adds reasons to the shared proof.
func (e *Engine) share(proof []ref) {
	for _, r := range proof {
		list := &e.shared[r.kind]
		if n := int(r.ref) + 1 - len(*list); n > 0 {
			*list = append(*list, make([]uint8, n)...)
		}
		(*list)[r.ref] |= isShared
		if r.settled {
			(*list)[r.ref] |= isSettled
		}
	}
}

// watchNogood begins to watch the first two ids of nogood n.
func (e *Engine) watchNogood(n int32) {
	g := &e.ng[n]
	for w := int32(0); w < 2 && w < g.end-g.first; w++ {
		id := e.ngIDs[g.first+w]
		g.next[w], e.nogoods[id] = e.nogoods[id], 2*n+w+1
	}
}

// primeNogood begins to watch nogood n, whose ids may be selected or dead, and
// draws its consequence.
func (e *Engine) primeNogood(n int32) {
	ids := e.ngIDs[e.ng[n].first:e.ng[n].end]
	free := 0
	for k, id := range ids {
		if free < 2 && !e.selected(id) {
			ids[free], ids[k] = ids[k], ids[free]
			free++
		}
	}
	e.watchNogood(n)
	switch {
	case free == 0:
		e.fail(reason{byNogood, n})
	case free == 1 && e.Alive(ids[0]):
		e.kill(ids[0], reason{byNogood, n}, e.level())
	}
}

// checkNogoods looks at the nogoods that watch id, which is now selected.
func (e *Engine) checkNogoods(id ID) {
	r := e.nogoods[id]
	e.nogoods[id] = 0
	for r != 0 {
		n, w := (r-1)>>1, (r-1)&1
		g := &e.ng[n]
		r = g.next[w]
		if g.dead {
			continue
		}
		to := e.rewatchNogood(g, n, w)
		g.next[w], e.nogoods[to] = e.nogoods[to], 2*n+w+1
	}
}

// rewatchNogood returns the id that watch w of nogood n moves to, the same if
// there is none to move to, and draws the consequence of that.
func (e *Engine) rewatchNogood(g *nogood, n, w int32) ID {
	ids := e.ngIDs[g.first:g.end]
	if len(ids) == 1 {
		e.fail(reason{byNogood, n})
		return ids[w]
	}
	other := ids[1-w]
	if !e.Alive(other) {
		return ids[w]
	}
	for k := 2; k < len(ids); k++ {
		if !e.selected(ids[k]) {
			ids[w], ids[k] = ids[k], ids[w]
			return ids[w]
		}
	}
	if e.selected(other) {
		e.fail(reason{byNogood, n})
	} else {
		e.kill(other, reason{byNogood, n}, e.level())
	}
	return ids[w]
}
