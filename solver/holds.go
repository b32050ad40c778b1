package solver

import (
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// A heldLimit is an incorporate dependency of a held incorporation on one name.
type heldLimit struct {
	by   sat.ID
	dep  int32
	next int32 // index plus one
}

// A holding is what installed incorporations hold.
type holding struct {
	held       []sat.ID // incorporations that keep their version
	heldLimits []heldLimit
}

// holdIncorporations finds the installed incorporations that keep their
// version, and with it the versions of what they incorporate. An update of
// everything holds none.
func (p *problem) holdIncorporations() {
	if p.isUpdateAll() || p.req.Downgrade || p.req.Op == ExactInstall {
		return
	}
	h := holds{problem: p}
	h.relax()
	h.findHolds()
	held := p.holding.held
	for _, id := range p.image.installed {
		s := p.m.slotAt(id)
		if p.staysIn(s) == id && p.incorporatesAny(id) && !h.isRelaxed(s) && !h.isNamed(s) {
			held = append(held, id)
		}
	}
	p.holding.held = held
}

// isUpdateAll reports whether the request is an update of everything.
func (p *problem) isUpdateAll() bool { return p.req.Op == Update && len(p.req.Patterns) == 0 }

// incorporatesAny reports whether id has an incorporate dependency that counts.
func (p *problem) incorporatesAny(id sat.ID) bool {
	for range p.incorporations(id) {
		return true
	}
	return false
}

// incorporations yields the incorporate dependencies of id that count.
func (p *problem) incorporations(id sat.ID) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		if !p.m.is(id, incorporates) {
			return
		}
		for i := range p.m.dependencies(id, 1<<incorporate) {
			if p.relevant.counts(i) && !yield(i) {
				return
			}
		}
	}
}

// heldOn returns the first of heldLimits on slot s plus one, or 0 if there are
// none. It looks for them when it is first asked.
func (p *problem) heldOn(s sat.Slot) int32 {
	st := p.info(s)
	if st.held == 0 {
		st.held = -1
		if _, ok := slices.BinarySearch(p.holding.held, p.installedIn(s)); ok {
			p.addHeldLimit(st, heldLimit{by: p.installedIn(s), dep: noDep})
		}
		for id, i := range p.m.pinning(s, p.holding.held) {
			if p.relevant.counts(i) {
				p.addHeldLimit(st, heldLimit{by: id, dep: i})
			}
		}
	}
	return max(st.held, 0)
}

func (p *problem) addHeldLimit(st *slotInfo, l heldLimit) {
	l.next = max(st.held, 0)
	p.holding.heldLimits = append(p.holding.heldLimits, l)
	st.held = int32(len(p.holding.heldLimits))
}

// holder returns the held incorporation that forbids id, or sat.None.
func (r *rules) holder(id sat.ID) sat.ID {
	p := r.p
	for n := r.held; n != 0; n = p.holding.heldLimits[n-1].next {
		l := &p.holding.heldLimits[n-1]
		switch {
		case l.dep == noDep:
			if !p.keepsVersion(l.by, id) {
				return l.by
			}
		case !inSpans(p.m.dep(l.dep).set, id):
			return l.by
		}
	}
	return sat.None
}

// keepsVersion reports whether id is the version of by, or one that it matches
// as a constraint: of two with one timestamp, 1.2 keeps the version 1.
func (p *problem) keepsVersion(by, id sat.ID) bool {
	return id == by || p.m.version(id).Succeeds(p.m.version(by), fmri.Auto)
}

// inSpans reports whether id is in one of the spans.
func inSpans(spans []sat.Span, id sat.ID) bool {
	return slices.ContainsFunc(spans, func(q sat.Span) bool { return q.Contains(id) })
}

// holds is what decides which incorporations are held.
type holds struct {
	problem *problem
	relaxed []sat.Slot // proposed, at other versions than installed
	values  []string   // holds of those
	scanned bool       // slotInfo.named is filled in
}

// relax finds the names whose versions the request lets go.
func (h *holds) relax() {
	for i := range h.problem.proposals {
		pr := &h.problem.proposals[i]
		inst := h.problem.installedIn(pr.slot)
		if len(pr.candidates) != 1 || pr.candidates[0] != inst {
			h.relaxName(pr.slot, inst)
		}
	}
	if !h.problem.img.Linked {
		return
	}
	for _, id := range h.problem.image.installed {
		if h.problem.m.is(id, parent) && h.problem.dependsOnParentSelf(id) && h.problem.image.parents[h.problem.m.name(id)] != h.problem.m.fmri(id) {
			h.relaxName(h.problem.m.slotAt(id), id)
		}
	}
}

func (h *holds) relaxName(s sat.Slot, inst sat.ID) {
	h.relaxed = append(h.relaxed, s)
	if inst != sat.None {
		h.values = append(h.values, h.problem.m.holds[inst]...)
	}
}

func (h *holds) isRelaxed(s sat.Slot) bool { return slices.Contains(h.relaxed, s) }

// isRelaxedValue reports whether a hold is let go by a hold that is a dotted
// prefix of it.
func (h *holds) isRelaxedValue(value string) bool {
	return slices.ContainsFunc(h.values, func(v string) bool {
		rest, ok := strings.CutPrefix(value, v)
		return ok && (rest == "" || rest[0] == '.')
	})
}

// findHolds finds the installed packages with a hold that is not relaxed, and
// those that inherit one: incorporations without a hold that are pinned to one
// version by a package with one.
func (h *holds) findHolds() {
	var todo []sat.ID
	for _, id := range h.problem.image.installed {
		if !h.problem.m.is(id, hold) || h.problem.staysIn(h.problem.m.slotAt(id)) != id {
			continue
		}
		if !slices.ContainsFunc(h.problem.m.holds[id], h.isRelaxedValue) && !h.isRelaxed(h.problem.m.slotAt(id)) {
			h.problem.info(h.problem.m.slotAt(id)).holding = true
			todo = append(todo, id)
		}
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for i := range h.problem.m.dependencies(id, 1<<incorporate) {
			if s := h.problem.m.info[i].slot; s != sat.None && h.inherits(s, i) {
				h.problem.info(s).holding = true
				todo = append(todo, h.problem.installedIn(s))
			}
		}
	}
}

// inherits reports whether the incorporate dependency i hands a hold down to slot s.
func (h *holds) inherits(s sat.Slot, i int32) bool {
	inst := h.problem.staysIn(s)
	if inst == sat.None || h.problem.slots[s].holding || h.problem.m.is(inst, hold) || !h.problem.incorporatesAny(inst) || !h.problem.relevant.counts(i) {
		return false
	}
	r := h.problem.rules(s)
	n := 0
	for _, q := range h.problem.m.dep(i).set {
		for id := q.Lo; id < q.Hi; id++ {
			if h.problem.publishers.single || r.mayComeFrom(id) {
				n++
			}
		}
	}
	return n == 1
}

// isNamed reports whether an installed package that stays names s with a
// version. Names with a hold that is not relaxed do not count.
func (h *holds) isNamed(s sat.Slot) bool {
	if h.problem.slots[s].holding {
		return false
	}
	if !h.scanned {
		h.scanned = true
		for _, id := range h.problem.image.installed {
			if h.problem.staysIn(h.problem.m.slotAt(id)) == id {
				h.markNamed(id)
			}
		}
	}
	return h.problem.slots[s].named
}

// markNamed marks what id names with a version.
func (h *holds) markNamed(id sat.ID) {
	for i := range h.problem.m.dependencies(id, allKinds) {
		switch a := &h.problem.m.info[i]; {
		case !a.versioned || !h.problem.relevant.counts(i):
		case a.single():
			h.nameTarget(target{a.slot, true})
		default:
			d := h.problem.m.dep(i)
			for _, t := range d.targets {
				h.nameTarget(t)
			}
			h.nameTarget(d.predicate)
		}
	}
}

func (h *holds) nameTarget(t target) {
	if t.slot != sat.None && t.versioned {
		h.problem.info(t.slot).named = true
	}
}
