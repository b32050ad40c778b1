package solver

import (
	"slices"
	"strings"

	"github.com/goips/ips/solver/internal/sat"
)

// maxDowngradeDepth is how far a downgrade is carried from incorporation to
// incorporation.
const maxDowngradeDepth = 10

// A downgradeWalk is a set of incorporations that may be selected, and may
// then ask for versions older than what is installed. They come from packages
// with the same install-holds.
type downgradeWalk struct {
	holds []string
	ids   []sat.ID // ascending
}

// permitDowngrades finds the versions older than what is installed that may be
// selected because an incorporation that may be selected asks for them.
func (p *problem) permitDowngrades() {
	if p.req.Downgrade {
		return
	}
	walks := p.downgrading.walks[:0]
	if p.isUpdateAll() {
		for _, id := range p.image.installed {
			walks = p.walkFromNewer(walks, id)
		}
	} else {
		for i := range p.proposals {
			for _, id := range p.proposals[i].candidates {
				walks = p.walkFrom(walks, id)
			}
		}
		for i := range walks {
			p.walkOn(&walks[i])
		}
	}
	p.downgrading.walks = walks
	if len(walks) == 0 {
		return
	}
	for _, inst := range p.image.installed {
		if p.staysIn(p.m.slotAt(inst)) != inst {
			continue
		}
		for i := range walks {
			p.permitFor(inst, &walks[i])
		}
	}
}

// walkFromNewer adds the versions that are not older than inst and of a
// publisher that may supply them.
func (p *problem) walkFromNewer(walks []downgradeWalk, inst sat.ID) []downgradeWalk {
	s := p.m.slotAt(inst)
	if p.m.special[s]&incorporates == 0 || p.staysIn(s) != inst {
		return walks
	}
	r := p.rules(s)
	for id := p.m.firstEqual(inst); id < p.m.layout.Base[s+1]; id++ {
		if p.publishers.single || r.mayComeFrom(id) {
			walks = p.walkFrom(walks, id)
		}
	}
	return walks
}

// walkFrom adds id, if it is an incorporation, to the walk of its holds.
func (p *problem) walkFrom(walks []downgradeWalk, id sat.ID) []downgradeWalk {
	if !p.m.is(id, incorporates) {
		return walks
	}
	own := p.m.holds[id]
	i := slices.IndexFunc(walks, func(w downgradeWalk) bool { return slices.Equal(w.holds, own) })
	if i < 0 {
		i = len(walks)
		walks = slices.Grow(walks, 1)[:i+1] // with the memory of an earlier one
		walks[i] = downgradeWalk{own, walks[i].ids[:0]}
	}
	walks[i].ids = append(walks[i].ids, id)
	return walks
}

// walkOn adds to a walk the incorporations that those in it may carry along.
func (p *problem) walkOn(w *downgradeWalk) {
	seen := map[sat.ID]bool{}
	now := slices.Clone(w.ids)
	for depth := 1; depth < maxDowngradeDepth && len(now) > 0; depth++ {
		var next []sat.ID
		for _, id := range now {
			for _, i := range p.m.carries(id) {
				next = p.carry(next, seen, w, id, i)
			}
		}
		w.ids = append(w.ids, next...)
		now = next
	}
	slices.Sort(w.ids)
	w.ids = slices.Compact(w.ids)
}

// carry appends the incorporations that id asks for by dependency i instead of what is
// installed.
func (p *problem) carry(next []sat.ID, seen map[sat.ID]bool, w *downgradeWalk, id sat.ID, i int32) []sat.ID {
	inst := p.staysIn(p.m.info[i].slot)
	if inst == sat.None || !p.relevant.counts(i) {
		return next
	}
	d := p.m.dep(i)
	if p.admits(id, d, inst) {
		return next
	}
	for _, q := range d.set {
		for v := q.Lo; v < q.Hi; v++ {
			if p.m.is(v, incorporates) && !seen[v] && w.takes(p.m, id, v) && p.admits(id, d, v) {
				seen[v] = true
				next = append(next, v)
			}
		}
	}
	return next
}

// permitFor permits the versions older than inst that those in w ask for
// instead of it.
func (p *problem) permitFor(inst sat.ID, w *downgradeWalk) {
	s := p.m.slotAt(inst)
	first := p.m.firstEqual(inst)
	pins, oldest := p.m.pins.of(int(s)), p.m.oldestOf(s) // those of the latest versions come last
	for n := len(pins) - 1; n >= 0 && pins[n].by.Hi > w.ids[0]; n-- {
		pin := &pins[n]
		if oldest[n] >= first || !p.relevant.counts(pin.dep) {
			continue
		}
		d := p.m.dep(pin.dep)
		k, _ := slices.BinarySearch(w.ids, pin.by.Lo)
		for ; k < len(w.ids) && w.ids[k] < pin.by.Hi; k++ {
			if !p.admits(w.ids[k], d, inst) {
				p.permit(w, w.ids[k], d, first)
			}
		}
	}
}

// permit permits the versions before first that id asks for by d.
func (p *problem) permit(w *downgradeWalk, id sat.ID, d *dep, first sat.ID) {
	for _, q := range d.set {
		for v := q.Lo; v < min(q.Hi, first); v++ {
			if !p.downgrading.isPermitted[v] && w.takes(p.m, id, v) && p.admits(id, d, v) {
				p.downgrading.isPermitted[v] = true
				p.downgrading.permitted = append(p.downgrading.permitted, v)
				p.info(d.slot).permits = true
			}
		}
	}
}

// takes reports whether id, which incorporates v, may carry it along: v is of
// the same publisher and not held by something else.
func (w *downgradeWalk) takes(m *Model, id, v sat.ID) bool {
	if m.publisher[v] != m.publisher[id] {
		return false
	}
	return !m.is(v, hold) || slices.ContainsFunc(m.holds[v], func(h string) bool {
		return slices.ContainsFunc(w.holds, func(prefix string) bool { return strings.HasPrefix(h, prefix) })
	})
}

// admits reports whether v matches all incorporate dependencies of id on its
// name, one of which is d.
func (p *problem) admits(id sat.ID, d *dep, v sat.ID) bool {
	if !inSpans(d.set, v) {
		return false
	}
	if !p.m.is(id, repeats) {
		return true
	}
	for other := range p.incorporations(id) {
		if p.m.info[other].slot == d.slot && !inSpans(p.m.dep(other).set, v) {
			return false
		}
	}
	return true
}

// A downgrading is what may become older.
type downgrading struct {
	permitted   []sat.ID // older versions that may be selected, in no order
	isPermitted []bool   // by id
	walks       []downgradeWalk
}

// reset permits nothing.
func (d *downgrading) reset() {
	for _, id := range d.permitted {
		d.isPermitted[id] = false
	}
	d.permitted = d.permitted[:0]
}
