package solver

import "github.com/goips/ips/solver/internal/sat"

// stallAfter is how many contradictions a search meets before it looks for
// versions that can never be selected.
const stallAfter = 24

// freeAfter is how many it meets before it looks for any answer first.
const freeAfter = 400

// A trimming finds the versions that cannot be selected because something they
// require has no candidate that could: whatever else is decided. It goes from
// what is dead to what requires it, so each version is found over a shortest way.
type trimming struct {
	problem *problem
	eng     *sat.Engine
	dead    []bool // by id
	cause   []int32
	queue   []sat.Slot
	queued  []bool // by slot
	out     []sat.ID
	told    []bool // by id: it is in out
	todo    []sat.ID
}

// doomed returns such versions as the search may meet, each after those
// because of which it is one.
func (e *encoding) doomed() []sat.ID {
	t := &e.work.trimming
	t.reset(e)
	for _, s := range e.problem.touched {
		t.begin(s)
	}
	for _, s := range e.problem.m.restricted {
		t.begin(s)
	}
	for _, id := range e.problem.holding.held {
		for i := range e.problem.m.dependencies(id, 1<<incorporate) {
			if s := e.problem.m.info[i].slot; s != sat.None && e.problem.slots[s] == (slotInfo{}) {
				t.begin(s)
			}
		}
	}
	for k := 0; k < len(t.queue); k++ {
		s := t.queue[k]
		t.queued[s] = false
		t.spread(s)
	}
	return t.collect()
}

// reset readies the memory of earlier trimmings for e.
func (t *trimming) reset(e *encoding) {
	t.problem, t.eng = e.problem, e.eng
	if t.dead == nil {
		t.dead, t.told = make([]bool, e.problem.m.Len()), make([]bool, e.problem.m.Len())
		t.cause, t.queued = make([]int32, e.problem.m.Len()), make([]bool, len(e.problem.m.heads))
	}
	clear(t.dead)
	clear(t.told)
	clear(t.cause)
	t.queue, t.out = t.queue[:0], t.out[:0]
}

// begin notes which ids of slot s are no candidates.
func (t *trimming) begin(s sat.Slot) {
	r := t.problem.rules(s)
	all := t.problem.m.all(s)
	for id := all.Lo; id < all.Hi; id++ {
		if !t.dead[id] && r.forbids(id) != 0 {
			t.kill(id, noDep)
		}
	}
}

// kill notes that id is dead because of dependency cause.
func (t *trimming) kill(id sat.ID, cause int32) {
	t.dead[id], t.cause[id] = true, cause
	if s := t.problem.m.slotAt(id); !t.queued[s] {
		t.queued[s] = true
		t.queue = append(t.queue, s)
	}
}

// spread kills what requires slot s in vain.
func (t *trimming) spread(s sat.Slot) {
	needs := t.problem.m.needs()
	for _, i := range needs.wanted.of(int(s)) {
		k := t.problem.m.kind(i)
		if k != require && k != requireAny || !t.problem.relevant.counts(i) || !t.hopeless(t.problem.m.dep(i)) {
			continue
		}
		for _, id := range needs.users.of(int(i)) {
			if !t.dead[id] {
				t.kill(id, i)
			}
		}
	}
}

// hopeless reports whether everything that d admits is dead.
func (t *trimming) hopeless(d *dep) bool {
	for _, q := range d.set {
		for id := q.Lo; id < q.Hi; id++ {
			if !t.dead[id] {
				return false
			}
		}
	}
	return true
}

// collect returns the dead versions of what must be present, only those of one
// name if that has no other, and those that the engine has loaded.
func (t *trimming) collect() []sat.ID {
	must := t.mustSlots()
	for _, s := range must {
		if t.isDead(s) {
			t.tellSlot(s)
			return t.out
		}
	}
	for _, s := range must {
		t.tellSlot(s)
	}
	for _, s := range t.eng.Opened() {
		if int(s) >= len(t.problem.m.heads) {
			continue
		}
		for id := t.problem.m.layout.Base[s]; id < t.problem.m.layout.Base[s+1]; id++ {
			if t.eng.IsLoaded(id) {
				t.tell(id)
			}
		}
	}
	return t.out
}

// mustSlots returns what must be present.
func (t *trimming) mustSlots() []sat.Slot {
	var must []sat.Slot
	for i := range t.problem.proposals {
		must = append(must, t.problem.proposals[i].slot)
	}
	for _, id := range t.problem.image.installed {
		if s := t.problem.m.slotAt(id); t.problem.staysIn(s) != sat.None && t.problem.slots[s].asked() == 0 {
			must = append(must, s)
		}
	}
	return must
}

// isDead reports whether all ids of slot s are dead.
func (t *trimming) isDead(s sat.Slot) bool {
	for id := t.problem.m.layout.Base[s]; id < t.problem.m.layout.Base[s+1]; id++ {
		if !t.dead[id] {
			return false
		}
	}
	return true
}

func (t *trimming) tellSlot(s sat.Slot) {
	for id := t.problem.m.layout.Base[s]; id < t.problem.m.layout.Base[s+1]; id++ {
		t.tell(id)
	}
}

// tell adds id to the result, after the versions because of which it is dead.
func (t *trimming) tell(id sat.ID) {
	todo := append(t.todo[:0], id)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		if t.told[id] || !t.dead[id] || t.cause[id] == noDep {
			todo = todo[:len(todo)-1]
			continue
		}
		n := len(todo)
		for _, q := range t.problem.m.dep(t.cause[id]).set {
			for v := q.Lo; v < q.Hi; v++ {
				if !t.told[v] && t.cause[v] != noDep {
					todo = append(todo, v)
				}
			}
		}
		if len(todo) == n {
			t.told[id] = true
			t.out = append(t.out, id)
			todo = todo[:n-1]
		}
	}
	t.todo = todo
}
