package solver

import (
	"cmp"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// setGoals states levels A to C of the order of preference.
func (p *problem) setGoals() {
	goals := p.main.eng.Goals
	for i := range p.proposals {
		goals = append(goals, sat.Goal{Slot: p.proposals[i].slot, ID: sat.None})
	}
	rest := p.unproposed()
	if !p.isUpdateAll() {
		for _, s := range rest {
			goals = append(goals, sat.Goal{Slot: s, ID: p.staysIn(s)})
		}
	}
	for _, s := range rest {
		goals = append(goals, sat.Goal{Slot: s, ID: sat.None})
	}
	p.main.eng.Goals = goals
}

// unproposed returns the slots that are installed, stay and are not proposed,
// in the order in which the search decides them: those with the widest reach
// first, then by name. For an update of everything the rules say so; otherwise
// it is just a good order, for which a rough reach is enough.
func (p *problem) unproposed() []sat.Slot {
	p.order = p.order[:0]
	for _, id := range p.installed {
		s := p.m.slotAt(id)
		if p.staysIn(s) == sat.None || p.slots[s].proposal != 0 {
			continue
		}
		p.order = append(p.order, s)
		p.reaches[s] = p.m.reach[s]
		if p.isUpdateAll() && p.m.reach[s] > 0 {
			p.reaches[s] = p.reach(s)
		}
	}
	slices.SortStableFunc(p.order, func(a, b sat.Slot) int { return cmp.Compare(p.reaches[b], p.reaches[a]) })
	return p.order
}

// reach returns the number of other slots that can be reached from s over
// incorporate dependencies of candidates.
func (p *problem) reach(s sat.Slot) int32 {
	p.epoch++
	p.stamp[s] = p.epoch
	todo := append(p.scratch[:0], s)
	n := int32(0)
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.m.special[s]&incorporates == 0 {
			continue
		}
		r := p.rules(s)
		for _, e := range p.m.edges.of(int(s)) {
			if p.stamp[e.slot] != p.epoch && r.incorporates(e) {
				p.stamp[e.slot] = p.epoch
				todo = append(todo, e.slot)
				n++
			}
		}
	}
	p.scratch = todo
	return n
}

// incorporates reports whether a candidate of r's name has an incorporate
// dependency on e's that counts.
func (r *rules) incorporates(e edge) bool {
	p := r.p
	if e.last < r.oldest && !r.st.permits {
		return false
	}
	if r.plain && p.noFacets {
		return true
	}
	for _, pin := range p.m.pins.of(int(e.slot)) {
		if p.m.slotAt(pin.by.Lo) != r.slot || !p.counts(pin.dep) {
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
