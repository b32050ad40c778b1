package solver

import (
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// addUnneededRenames rejects the installed renamed packages that nothing needs
// any more once the packages to be uninstalled are gone.
func (p *problem) addUnneededRenames() {
	staying := slices.DeleteFunc(slices.Clone(p.image.installed), func(id sat.ID) bool {
		return p.staysIn(p.m.slotAt(id)) != id
	})
	for _, id := range p.unneededRenames(staying) {
		p.info(p.m.slotAt(id)).rejected = true
	}
}

// unneededRenames returns the renamed ones among selected that no other package
// which is kept depends on, other than by incorporate, optional or origin.
func (p *problem) unneededRenames(selected []sat.ID) []sat.ID {
	p.ranking.epoch += 2
	waiting, gone := p.ranking.epoch, p.ranking.epoch-1
	unneeded := p.mem.ids.list(len(selected))
	for _, id := range selected {
		if p.m.is(id, renamed) && !p.m.is(id, obsolete) {
			p.ranking.stamp[p.m.slotAt(id)] = waiting
			unneeded = append(unneeded, id)
		}
	}
	if len(unneeded) == 0 {
		return nil
	}
	kept := p.mem.ids.list(len(unneeded))
	keep := func(id sat.ID) {
		for s := range p.needs(id) {
			if p.ranking.stamp[s] == waiting {
				p.ranking.stamp[s] = gone
				kept = append(kept, p.m.find(unneeded, s))
			}
		}
	}
	for _, id := range selected {
		if !p.m.is(id, renamed|obsolete) {
			keep(id)
		}
	}
	for k := 0; k < len(kept); k++ {
		keep(kept[k])
	}
	return slices.DeleteFunc(unneeded, func(id sat.ID) bool { return p.ranking.stamp[p.m.slotAt(id)] != waiting })
}

// needs yields the slots that id depends on, other than by incorporate,
// optional or origin.
func (p *problem) needs(id sat.ID) func(yield func(sat.Slot) bool) {
	return func(yield func(sat.Slot) bool) {
		for i := range p.m.dependencies(id, allKinds&^(1<<incorporate|1<<optional|1<<originOf)) {
			if !p.relevant.counts(i) {
				continue
			}
			for _, t := range p.m.dep(i).targets {
				if t.slot != sat.None && !yield(t.slot) {
					return
				}
			}
		}
	}
}

// checkLeaves returns a [*NonLeafError] if an installed package that stays
// requires one that is rejected.
func (p *problem) checkLeaves() error {
	by := map[sat.ID][]fmri.FMRI{}
	for _, id := range p.image.installed {
		if s := p.m.slotAt(id); p.staysIn(s) != id || p.slots[s].proposal != 0 {
			continue
		}
		for i := range p.m.dependencies(id, 1<<require) {
			s := p.m.info[i].slot
			if s == sat.None || !p.slots[s].rejected || !p.relevant.counts(i) {
				continue
			}
			if st := &p.slots[s]; st.installed != 0 {
				by[st.installed-1] = append(by[st.installed-1], p.m.fmri(id))
			}
		}
	}
	if len(by) == 0 {
		return nil
	}
	e := &NonLeafError{}
	for _, id := range p.image.installed {
		if list := by[id]; list != nil {
			e.Packages = append(e.Packages, Dependents{p.m.fmri(id), slices.Compact(list)})
		}
	}
	return e
}
