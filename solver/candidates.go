package solver

import (
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// The rules of one name say which of its versions are candidates.
type rules struct {
	p         *problem
	slot      sat.Slot
	st        *slotInfo
	installed sat.ID // what is installed and stays, or sat.None
	oldest    sat.ID // ids before it are older than what is installed
	tier      int32  // of the publishers that may supply it
	held      int32  // first of heldLimits on it plus one, or 0
	proposal  *proposal
	wish      *proposal // what is supposed to be asked for, of a name that is not proposed
	plain     bool      // versions that are not older than installed are candidates
	simple    bool      // the same, but for held incorporations
	easy      bool      // the same, but for these and older versions that are permitted
}

// rules returns the rules of slot s.
func (p *problem) rules(s sat.Slot) rules { return p.rulesFor(s, &p.slots[s]) }

// rulesFor returns the rules of slot s if st is what is known about it.
func (p *problem) rulesFor(s sat.Slot, st *slotInfo) rules {
	r := rules{p: p, slot: s, st: st, installed: p.staysIn(s), oldest: p.m.layout.Base[s]}
	switch {
	case st.proposal != 0:
		r.proposal = &p.proposals[st.asked()-1]
	case st.wish != 0:
		r.wish = &p.proposals[st.wish-1]
	}
	if r.installed != sat.None && !p.req.Downgrade && (r.proposal == nil || !r.proposal.older) {
		r.oldest = p.m.firstEqual(r.installed)
	}
	if len(p.holding.held) > 0 {
		r.held = p.heldOn(s)
	}
	if !p.publishers.single {
		r.tier = p.bestTier(s)
	}
	r.easy = p.publishers.single && p.m.special[s]&ruled == 0 && !st.rejected &&
		r.proposal == nil && r.wish == nil && st.freeze == 0 && st.decided == 0
	r.simple = r.easy && !st.permits
	r.plain = r.simple && r.held == 0
	return r
}

// rank orders versions that are equal, the preferred one first.
func (p *problem) rank(id sat.ID) int {
	pub := p.m.publisher[id]
	return int(p.publishers.place[pub])*len(p.m.publishers) + int(pub)
}

// forbids returns why id is no candidate, or 0 if it is one. Of several
// reasons it is the first in the order below.
func (r *rules) forbids(id sat.ID) FactKind {
	if r.easy {
		switch {
		case id < r.oldest && !r.p.downgrading.isPermitted[id]:
			return upgradeOnly
		case r.held != 0 && r.holder(id) != sat.None:
			return FactHeld
		}
		return 0
	}
	for k := firstRule; k <= lastRule; k++ {
		if r.breaks(id, k) {
			return k
		}
	}
	return 0
}

// breaks reports whether id breaks rule k.
func (r *rules) breaks(id sat.ID, k FactKind) bool {
	p, m := r.p, r.p.m
	switch k {
	case FactRejected:
		return r.st.rejected
	case FactUnsupported:
		return m.is(id, unsupported)
	case FactVariant:
		return !p.relevant.forVariants(id)
	case notAsked:
		return r.proposal != nil && !r.proposal.has(id) || r.wish != nil && !r.wish.has(id)
	case FactPublisher:
		return r.proposal == nil && !p.publishers.single && !r.mayComeFrom(id)
	case upgradeOnly:
		return id < r.oldest && !p.downgrading.isPermitted[id]
	case undecided:
		return r.st.decided != 0 && id != r.st.decided-1
	case FactFrozen:
		return r.st.freeze != 0 && !m.version(id).Succeeds(r.freeze().Package.Version(), fmri.Auto)
	case FactHeld:
		return r.held != 0 && r.holder(id) != sat.None
	case FactExplicit:
		return m.is(id, explicit) && !r.mayBeExplicit(id)
	case FactOrigin:
		return m.is(id, origin) && p.brokenOrigin(id) != noDep
	case FactParent:
		return p.img.Linked && m.is(id, parent) && p.brokenParent(id) != noDep
	}
	return false
}

// freeze returns the freeze of the name, which must have one.
func (r *rules) freeze() *Freeze { return &r.p.img.Frozen[r.st.freeze-1] }

// mayBeExplicit reports whether id, which wants to be asked for by name, may be
// selected: it is proposed, or its name is installed, or the parent image has it.
func (r *rules) mayBeExplicit(id sat.ID) bool {
	if r.proposal != nil || r.st.installed != 0 {
		return true
	}
	if _, ok := r.p.image.parents[r.p.m.name(id)]; !ok {
		return false
	}
	return r.p.dependsOnParentSelf(id)
}

// brokenOrigin returns the origin dependency of id that is not met by what is
// installed before the operation, or noDep.
func (p *problem) brokenOrigin(id sat.ID) int32 {
	for i := range p.m.dependencies(id, 1<<originOf) {
		if !p.relevant.counts(i) {
			continue
		}
		if p.machineLacks(i) {
			return i
		}
		for _, f := range p.m.dependOf(i).fmris {
			if v := p.originVersion(p.m.dep(i), f); v.IsValid() && f.Version().IsValid() && v.Compare(f.Version()) < 0 {
				return i
			}
		}
	}
	return noDep
}

// originVersion returns the version of f's package where the origin dependency
// d looks for it, or the zero version. Firmware and processors are no packages.
func (p *problem) originVersion(d *dep, f fmri.FMRI) fmri.Version {
	if d.rootImage {
		if isMachine(f) {
			return fmri.Version{}
		}
		return p.image.roots[f.Name()].Version()
	}
	if s, ok := p.m.slot(f.Name()); ok && p.slots[s].present != 0 {
		return p.m.version(p.slots[s].present - 1)
	}
	return fmri.Version{}
}

// machineLacks reports whether origin dependency i is on firmware or a processor that the
// machine does not have.
func (p *problem) machineLacks(i int32) bool {
	if p.machine == nil || !p.m.dep(i).rootImage || !slices.ContainsFunc(p.m.dependOf(i).fmris, isMachine) {
		return false
	}
	a, err := manifest.ParseAction(p.m.text(i))
	return err == nil && p.machine(a) != nil
}

// isMachine reports whether a name stands for firmware or a processor.
func isMachine(f fmri.FMRI) bool {
	return strings.HasPrefix(f.Name(), "feature/firmware/") || strings.HasPrefix(f.Name(), "feature/cpu")
}

// brokenParent returns the parent dependency of id that the parent image does
// not meet, or noDep.
func (p *problem) brokenParent(id sat.ID) int32 {
	for i := range p.m.dependencies(id, 1<<parentOf) {
		if !p.relevant.counts(i) {
			continue
		}
		for _, f := range p.m.dependOf(i).fmris {
			if !p.parentHas(id, f) {
				return i
			}
		}
	}
	return noDep
}

// parentHas reports whether the parent image meets the parent dependency of id on f.
func (p *problem) parentHas(id sat.ID, f fmri.FMRI) bool {
	if f.Name() == self {
		return p.image.parents[p.m.name(id)] == p.m.fmri(id)
	}
	have, ok := p.image.parents[f.Name()]
	return ok && (f.Publisher() == "" || f.Publisher() == have.Publisher()) &&
		(!f.Version().IsValid() || have.Version().Compare(f.Version()) >= 0)
}

// dependsOnParentSelf reports whether id wants itself in the parent image.
func (p *problem) dependsOnParentSelf(id sat.ID) bool {
	for i := range p.m.dependencies(id, 1<<parentOf) {
		if p.relevant.counts(i) && slices.ContainsFunc(p.m.dependOf(i).fmris, isSelf) {
			return true
		}
	}
	return false
}

func isSelf(f fmri.FMRI) bool { return f.Name() == self }
