package solver

import (
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// solution makes a Solution of the selected ids, in ascending order.
func (p *problem) solution(selected []sat.ID) *Solution {
	final := p.final(selected)
	sol := &Solution{m: p.m, old: slices.Clone(p.image.present), next: final, avoid: p.avoidSet(selected, final)}
	if p.isUpdateAll() {
		sol.blocked = p.blocked(selected)
	}
	return sol
}

// final returns the image that a selection means: without obsolete versions,
// and without renamed ones that nothing needs.
func (p *problem) final(selected []sat.ID) []sat.ID {
	drop := p.unneededRenames(selected)
	final := make([]sat.ID, 0, len(selected))
	for _, id := range selected {
		if _, found := slices.BinarySearch(drop, id); !found && !p.m.is(id, obsolete) {
			final = append(final, id)
		}
	}
	return final
}

// avoidSet works out what the image must remember about the members of the
// groups in it: final, from among selected.
func (p *problem) avoidSet(selected, final []sat.ID) AvoidSet {
	var a AvoidSet
	if p.req.Op != ExactInstall {
		for _, name := range p.img.Avoid.Avoided {
			if s, ok := p.m.slot(name); !ok || p.slots[s].proposal == 0 {
				a.Avoided = append(a.Avoided, name)
			}
		}
	}
	members, unknown := p.members(final)
	for _, s := range members {
		name := p.m.nameOf(s)
		switch id := p.m.find(selected, s); {
		case id != sat.None && p.m.is(id, obsolete):
			a.Obsolete = append(a.Obsolete, name)
		case p.m.find(final, s) != sat.None:
		case p.slots[s].rejected:
			a.Avoided = append(a.Avoided, name)
		case !slices.Contains(a.Avoided, name):
			a.Implicit = append(a.Implicit, name)
		}
	}
	for _, name := range unknown {
		if !slices.Contains(a.Avoided, name) {
			a.Implicit = append(a.Implicit, name)
		}
	}
	for _, list := range []*[]string{&a.Avoided, &a.Implicit, &a.Obsolete} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return a
}

// members returns what the group dependencies of final name: the slots, each
// once, and the names that are not known.
func (p *problem) members(final []sat.ID) (slots []sat.Slot, unknown []string) {
	p.ranking.epoch++
	for _, id := range final {
		if !p.m.is(id, groups) {
			continue
		}
		for i := range p.m.dependencies(id, groupKinds) {
			if !p.relevant.counts(i) {
				continue
			}
			for k, t := range p.m.dep(i).targets {
				if t.slot == sat.None {
					unknown = append(unknown, p.m.dependOf(i).fmris[k].Name())
				} else if p.ranking.stamp[t.slot] != p.ranking.epoch {
					p.ranking.stamp[t.slot] = p.ranking.epoch
					slots = append(slots, t.slot)
				}
			}
		}
	}
	return slots, unknown
}

// newestCandidate returns the newest candidate of slot s, or sat.None.
func (p *problem) newestCandidate(s sat.Slot) sat.ID {
	r := p.rules(s)
	all := p.m.all(s)
	best := sat.ID(sat.None)
	for id := all.Hi - 1; id >= all.Lo && (best == sat.None || p.m.firstEqual(best) <= id); id-- {
		if r.forbids(id) == 0 && (best == sat.None || p.rank(id) < p.rank(best)) {
			best = id
		}
	}
	return best
}

// blocked returns the installed packages that stay behind a newer candidate.
func (p *problem) blocked(selected []sat.ID) []fmri.FMRI {
	var list []fmri.FMRI
	for _, id := range p.image.installed {
		s := p.m.slotAt(id)
		if p.staysIn(s) == sat.None {
			continue
		}
		if best := p.newestCandidate(s); best != sat.None && p.m.find(selected, s) < p.m.firstEqual(best) {
			list = append(list, p.m.fmri(id))
		}
	}
	return list
}

// stuck returns what should have moved if sol is an update of everything that
// changes nothing: the packages with an install-hold that have a newer candidate.
func (p *problem) stuck(sol *Solution) []Change {
	if !p.isUpdateAll() || p.img.Linked || !slices.Equal(sol.old, sol.next) {
		return nil
	}
	var list []Change
	for _, id := range p.image.installed {
		if !p.m.is(id, hold) {
			continue
		}
		if best := p.newestCandidate(p.m.slotAt(id)); best != sat.None && id < p.m.firstEqual(best) {
			list = append(list, Change{p.m.fmri(id), p.m.fmri(best)})
		}
	}
	return list
}
