package solver

import (
	"cmp"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// Publishers is the search order, by index into Model.publishers.
type publishers struct {
	place   []int32 // in the search order; those not configured come after all
	tier    []int32 // place, shared by neighbours that are not sticky
	sticky  []bool
	enabled []bool
	single  bool // there is one publisher, and it is enabled
}

// Unconfigured is the place of publishers that are not configured.
const unconfigured = 1000

// rank reads the publishers of an image. If it has none, all are equal.
func (ps *publishers) rank(m *Model, img *Image) {
	n := len(m.publishers)
	ps.place = slices.Grow(ps.place[:0], n)[:n]
	ps.tier = slices.Grow(ps.tier[:0], n)[:n]
	ps.sticky = slices.Grow(ps.sticky[:0], n)[:n]
	ps.enabled = slices.Grow(ps.enabled[:0], n)[:n]
	for i := range n {
		ps.place[i], ps.tier[i] = unconfigured, unconfigured
		ps.sticky[i], ps.enabled[i] = false, false
		if len(img.Publishers) == 0 {
			ps.place[i], ps.tier[i], ps.enabled[i] = 0, 0, true
		}
	}
	tier, wasSticky := int32(0), true
	place := int32(0)
	for _, p := range img.Publishers {
		if p.Disabled {
			continue
		}
		if p.Sticky || wasSticky || img.OwnRanks {
			tier = place
		}
		if i, ok := slices.BinarySearch(m.publishers, p.Name); ok {
			ps.place[i], ps.tier[i] = place, tier
			ps.sticky[i], ps.enabled[i] = p.Sticky, true
		}
		wasSticky = p.Sticky
		place++
	}
	ps.single = n == 1 && ps.enabled[0]
}

// compare orders two publishers by place, then by name.
func (ps *publishers) compare(a, b int32) int {
	return cmp.Or(cmp.Compare(ps.place[a], ps.place[b]), cmp.Compare(a, b))
}

// bestTier returns the best tier of enabled publishers that have slot s.
func (p *problem) bestTier(s sat.Slot) int32 {
	best := int32(unconfigured)
	all := p.m.all(s)
	for id := all.Lo; id < all.Hi; id++ {
		if pub := p.m.publisher[id]; p.publishers.enabled[pub] {
			best = min(best, p.publishers.tier[pub])
		}
	}
	return best
}

// mayComeFrom reports whether publishers permit version id. It is the rule for
// names that are not proposed; for those the patterns have decided.
func (r *rules) mayComeFrom(id sat.ID) bool {
	m, ps := r.p.m, &r.p.publishers
	if id == r.installed {
		return true
	}
	pub := m.publisher[id]
	if r.installed != sat.None {
		old := m.publisher[r.installed]
		if pub != old && m.version(id).Compare(m.version(r.installed)) == 0 {
			return false
		}
		if ps.sticky[old] {
			return pub == old
		}
	}
	return ps.enabled[pub] && ps.tier[pub] == r.tier
}
