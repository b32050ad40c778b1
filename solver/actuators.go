package solver

import (
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// An actuator is what a package asks for when it is uninstalled.
type actuator struct {
	pattern   fmri.Pattern // one name
	uninstall bool         // or else it is to be updated
}

// The set actions that actuators are made of.
const (
	updateOnUninstall    = "pkg.additional-update-on-uninstall"
	uninstallOnUninstall = "pkg.additional-uninstall-on-uninstall"
)

// actuate notes the actuators of version id. What is no name of a package is none.
func (b *modelBuilder) actuate(id sat.ID, name string, a manifest.Action) {
	for value := range a.Attrs.Values("value") {
		if f, err := fmri.Parse(value); err == nil {
			b.m.actuators[id] = append(b.m.actuators[id], actuator{fmri.Exactly(f), name == uninstallOnUninstall})
		}
	}
}

// followActuators adds to the request what the packages that are uninstalled ask for, of
// what is installed: other packages that go with them, and versions that others get.
func (p *problem) followActuators(errs *PatternErrors) {
	if len(p.m.actuators) == 0 {
		return
	}
	var going []sat.ID
	for _, id := range p.image.installed {
		if p.slots[p.m.slotAt(id)].rejected {
			going = append(going, id)
		}
	}
	var updates []match
	for k := 0; k < len(going); k++ {
		for _, a := range p.m.actuators[going[k]] {
			s, ok := p.m.slot(a.pattern.Name())
			if !ok || p.staysIn(s) == sat.None {
				continue
			}
			inst := p.staysIn(s)
			switch installed := a.pattern.MatchesVersion(p.m.version(inst)); {
			case a.uninstall && installed:
				p.info(s).rejected = true
				going = append(going, inst)
			case !a.uninstall && !installed:
				updates = append(updates, p.versions(a.pattern, s))
			}
		}
	}
	wanted := updates[:0]
	for _, mt := range updates {
		if n := mt.byName[0]; len(n.ids) > 0 && !p.slots[n.slot].rejected {
			wanted = append(wanted, mt)
		}
	}
	p.propose(wanted, errs)
}

// versions matches a pattern with the versions of one name.
func (p *problem) versions(pat fmri.Pattern, s sat.Slot) match {
	n := nameMatch{slot: s}
	for all, id := p.m.all(s), p.m.all(s).Lo; id < all.Hi; id++ {
		if pat.MatchesVersion(p.m.version(id)) {
			n.ids = append(n.ids, id)
		}
	}
	return match{pattern: pat, byName: []nameMatch{n}}
}
