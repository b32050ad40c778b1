package solver

import (
	"cmp"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// A ranking is the order in which names are decided, and the memory to find it.
type ranking struct {
	order   []sat.Slot // see unproposed
	reaches []int32    // by slot, of those in order
	stamp   []int32    // by slot: when it was last seen
	epoch   int32
}

// newRanking returns the memory for n names.
func newRanking(n int) ranking { return ranking{reaches: make([]int32, n), stamp: make([]int32, n)} }

// setGoals states levels A to C of the order of preference.
func (w *work) setGoals() {
	goals := w.main.eng.Goals
	for i := range w.problem.proposals {
		goals = append(goals, sat.Goal{Slot: w.problem.proposals[i].slot, ID: sat.None})
	}
	rest := w.problem.unproposed()
	if !w.problem.isUpdateAll() {
		for _, s := range rest {
			goals = append(goals, sat.Goal{Slot: s, ID: w.problem.staysIn(s)})
		}
	}
	for _, s := range rest {
		goals = append(goals, sat.Goal{Slot: s, ID: sat.None})
	}
	w.main.eng.Goals = goals
}

// unproposed returns the slots that are installed, stay and are not proposed,
// in the order in which the search decides them: those with the widest reach
// first, then by name. For an update of everything the rules say so; otherwise
// it is just a good order, for which a rough reach is enough.
func (p *problem) unproposed() []sat.Slot {
	p.ranking.order = p.ranking.order[:0]
	for _, id := range p.image.installed {
		s := p.m.slotAt(id)
		if p.staysIn(s) == sat.None || p.slots[s].proposal != 0 {
			continue
		}
		p.ranking.order = append(p.ranking.order, s)
		p.ranking.reaches[s] = p.m.reach[s]
		if p.isUpdateAll() && p.m.reach[s] > 0 {
			p.ranking.reaches[s] = p.reach(s)
		}
	}
	slices.SortStableFunc(p.ranking.order, func(a, b sat.Slot) int { return cmp.Compare(p.ranking.reaches[b], p.ranking.reaches[a]) })
	return p.ranking.order
}

// reach returns the number of other slots that can be reached from s over
// incorporate dependencies of candidates.
func (p *problem) reach(s sat.Slot) int32 {
	p.ranking.epoch++
	p.ranking.stamp[s] = p.ranking.epoch
	todo := append(p.mem.scratch[:0], s)
	n := int32(0)
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.m.special[s]&incorporates == 0 {
			continue
		}
		r := p.rules(s)
		for _, e := range p.m.edges.of(int(s)) {
			if p.ranking.stamp[e.slot] != p.ranking.epoch && r.incorporates(e) {
				p.ranking.stamp[e.slot] = p.ranking.epoch
				todo = append(todo, e.slot)
				n++
			}
		}
	}
	p.mem.scratch = todo
	return n
}

// incorporates reports whether a candidate of r's name has an incorporate
// dependency on e's that counts.
func (r *rules) incorporates(e edge) bool {
	p := r.p
	if e.last < r.oldest && !r.st.permits {
		return false
	}
	if r.plain && p.relevant.noFacets {
		return true
	}
	for _, pin := range p.m.pins.of(int(e.slot)) {
		if p.m.slotAt(pin.by.Lo) != r.slot || !p.relevant.counts(pin.dep) {
			continue
		}
		for id := pin.by.Lo; id < pin.by.Hi; id++ {
			if r.forbids(id) == 0 {
				return true
			}
		}
	}
	return false
}
