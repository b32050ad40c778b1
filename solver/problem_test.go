package solver_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A problem is a universe after hard rules 0, 1, 2, 6 and 7: the candidates of
// each stem, which stems must have one, and which are requested.
//
// It is the slow and obvious reading of the rules, made to be compared with the
// text and to share nothing with the solver.
type problem struct {
	*universe
	versions  []version // by stem, newest first, equal ones by rank
	stems     []string
	installed []int // by stem: version or -1, as the operation sees it
	really    []int // by stem: the same before an exact-install empties the image
	removed   []bool
	rejected  []bool
	avoided   []bool
	proposed  map[int]set // by stem
	order     []int       // the proposed stems
	held      map[int]bool
	downgrade set        // permitted downgrades
	why       [][]string // by version: why it is no candidate
	cands     set
}

// A failure is a category with the text that a reader wants.
type failure struct{ category, detail string }

func (f *failure) Error() string { return f.category + ": " + f.detail }

// newProblem applies the rules that precede the search.
func newProblem(u *universe) (*problem, error) {
	p := &problem{universe: u, proposed: map[int]set{}, held: map[int]bool{}}
	p.readVersions()
	p.readState()
	if err := p.propose(); err != nil {
		return p, err
	}
	p.findRemoved()
	if err := p.checkLeaves(); err != nil {
		return p, err
	}
	p.findDowngrades()
	p.findHeld()
	p.trim()
	return p, nil
}

func (p *problem) readVersions() {
	for _, known := range p.Known {
		v := version{fmri: fmri.MustParse(known.FMRI)}
		v.read(p.universe, known.Actions)
		p.versions = append(p.versions, v)
	}
	slices.SortStableFunc(p.versions, func(a, b version) int {
		return cmp.Or(strings.Compare(a.fmri.Name(), b.fmri.Name()), b.fmri.Version().Compare(a.fmri.Version()),
			p.compareRank(a.fmri.Publisher(), b.fmri.Publisher()))
	})
	for i := range p.versions {
		v := &p.versions[i]
		if n := len(p.stems); n == 0 || p.stems[n-1] != v.fmri.Name() {
			p.stems = append(p.stems, v.fmri.Name())
		}
		v.stem = len(p.stems) - 1
	}
	p.why = make([][]string, len(p.versions))
}

func (p *problem) readState() {
	n := len(p.stems)
	p.really, p.removed = make([]int, n), make([]bool, n)
	for s := range p.really {
		p.really[s] = -1
	}
	for _, text := range p.Installed {
		if i := p.find(fmri.MustParse(text)); i >= 0 {
			p.really[p.versions[i].stem] = i
		}
	}
	p.installed = slices.Clone(p.really)
	p.rejected, p.avoided = p.named(p.Reject), p.named(p.Avoid)
	if p.Op == "exact-install" {
		for s := range p.installed {
			p.installed[s], p.avoided[s] = -1, false
		}
	}
}

func (p *problem) named(stems []string) []bool {
	list := make([]bool, len(p.stems))
	for _, name := range stems {
		if s := p.stem(name); s >= 0 {
			list[s] = true
		}
	}
	return list
}

// stem returns the number of a name, or -1.
func (p *problem) stem(name string) int {
	s, ok := slices.BinarySearch(p.stems, name)
	if !ok {
		return -1
	}
	return s
}

func (p *problem) find(f fmri.FMRI) int {
	return slices.IndexFunc(p.versions, func(v version) bool { return v.fmri == f })
}

// of returns the versions of a stem.
func (p *problem) of(stem int) (all set) {
	for i := range p.versions {
		if p.versions[i].stem == stem {
			all.add(i)
		}
	}
	return all
}

// at returns the versions of d's stem that relation admits.
func (p *problem) at(d fmri.FMRI, relation func(v, d fmri.Version) bool) (all set) {
	if s := p.stem(d.Name()); s >= 0 {
		for i := range p.of(s).all() {
			if !d.Version().IsValid() || relation(p.versions[i].fmri.Version(), d.Version()) {
				all.add(i)
			}
		}
	}
	return all
}

func atLeast(v, d fmri.Version) bool { return v.Compare(d) >= 0 }
func matches(v, d fmri.Version) bool { return v.Compare(d) == 0 || v.Succeeds(d, fmri.Auto) }

// live leaves those that are not obsolete.
func (p *problem) live(s set) set {
	for i := range s.all() {
		if p.versions[i].obsolete {
			s.remove(i)
		}
	}
	return s
}

// ------------------------------------------------------------- publishers

// rank returns the place of a publisher in the search order; those that are not
// configured and enabled come last.
func (p *problem) rank(publisher string) int {
	for i, q := range p.Publishers {
		if q.name == publisher && q.enabled {
			return i
		}
	}
	return 1000
}

func (p *problem) compareRank(a, b string) int {
	return cmp.Or(cmp.Compare(p.rank(a), p.rank(b)), strings.Compare(a, b))
}

func (p *problem) sticky(publisher string) bool {
	return slices.ContainsFunc(p.Publishers, func(q universePublisher) bool {
		return q.name == publisher && q.enabled && q.sticky
	})
}

// tiers returns the tier of each enabled publisher: adjacent ones that are not
// sticky share one.
func (p *problem) tiers() map[string]int {
	tiers, tier, shared := map[string]int{}, 0, false
	for _, q := range p.Publishers {
		if !q.enabled {
			continue
		}
		if q.sticky || !shared || p.ownRanks {
			tier++
		}
		tiers[q.name], shared = tier, !q.sticky
	}
	return tiers
}

// supplied returns the versions of a stem that rule 2 leaves.
func (p *problem) supplied(stem int) (all set) {
	inst := p.installed[stem]
	publisher := func(i int) string { return p.versions[i].fmri.Publisher() }
	want, isProposed := p.proposed[stem]
	tiers, best := p.tiers(), 1000
	for i := range p.of(stem).all() {
		if tier := tiers[publisher(i)]; tier > 0 {
			best = min(best, tier)
		}
	}
	for i := range p.of(stem).all() {
		var ok bool
		switch {
		case i == inst:
			ok = true
		case inst >= 0 && p.versions[i].fmri.Version().Compare(p.versions[inst].fmri.Version()) == 0:
			ok = isProposed && want.has(i) && !want.has(inst)
		case isProposed:
			ok = want.has(i)
		case inst >= 0 && p.sticky(publisher(inst)):
			ok = publisher(i) == publisher(inst)
		default:
			ok = tiers[publisher(i)] == best
		}
		if ok {
			all.add(i)
		}
	}
	return all
}

// ---------------------------------------------------------- removal, leaves

// findRemoved finds the installed packages that are to go: rejected ones, those
// to be uninstalled, those that do not fit the variants, and for uninstall
// renamed ones that nothing else needs.
func (p *problem) findRemoved() {
	for s, inst := range p.installed {
		p.removed[s] = inst >= 0 && (p.rejected[s] || p.versions[inst].foreign)
	}
	if p.Op != "uninstall" {
		return
	}
	var stay set
	for s, inst := range p.installed {
		if inst >= 0 && !p.removed[s] {
			stay.add(inst)
		}
	}
	for i := range stay.without(p.withoutUnneeded(stay)).all() {
		s := p.versions[i].stem
		if p.versions[i].renamed {
			p.removed[s], p.rejected[s] = true, true
		}
	}
}

// withoutUnneeded leaves out renamed packages that nothing retained needs.
func (p *problem) withoutUnneeded(all set) (retained set) {
	var grow func(i int)
	grow = func(i int) {
		if retained.has(i) {
			return
		}
		retained.add(i)
		for _, d := range p.versions[i].depends {
			if d.typ == "incorporate" || d.typ == "optional" || d.typ == "origin" {
				continue
			}
			for _, f := range d.on {
				if s := p.stem(f.Name()); s >= 0 {
					for j := range p.of(s).and(all).all() {
						grow(j)
					}
				}
			}
		}
	}
	for i := range all.all() {
		if !p.versions[i].renamed {
			grow(i)
		}
	}
	return retained
}

// stays returns the installed version of a stem that is not being removed, or -1.
func (p *problem) stays(stem int) int {
	if p.removed[stem] {
		return -1
	}
	return p.installed[stem]
}

// checkLeaves is rule 7.
func (p *problem) checkLeaves() error {
	if p.Op != "uninstall" {
		return nil
	}
	for s := range p.stems {
		i := p.stays(s)
		if i < 0 {
			continue
		}
		for _, d := range p.versions[i].depends {
			if t := p.stem(d.on[0].Name()); d.typ == "require" && t >= 0 && p.removed[t] {
				return &failure{"non_leaf", fmt.Sprintf("%s: %s", plain(p.versions[i].fmri), &d)}
			}
		}
	}
	return nil
}

// ------------------------------------------------------------- candidates

// trim finds the candidates, rule 1.
func (p *problem) trim() {
	for i := range p.versions {
		if p.why[i] = p.reasons(i); len(p.why[i]) == 0 {
			p.cands.add(i)
		}
	}
}

// reasons returns everything that keeps version i from being a candidate, in
// the words of [solver.FactKind].
func (p *problem) reasons(i int) (all []string) {
	v := &p.versions[i]
	inst := p.installed[v.stem]
	want, isProposed := p.proposed[v.stem]
	for _, r := range []struct {
		name string
		is   bool
	}{
		{"unsupported", v.unsupported},
		{"rejected", p.rejected[v.stem]},
		{"variant", v.foreign},
		{"not-asked", isProposed && !want.has(i)},
		{"publisher", !p.supplied(v.stem).has(i)},
		{"upgrade-only", p.isOlder(i, inst) && !p.downgrade.has(i) && !p.asksOlder(v.stem)},
		{"held", len(p.heldBy(i)) > 0},
		{"frozen", p.isFrozen(v)},
		{"explicit", v.explicit && inst < 0 && !isProposed && !p.parentHas(v)},
		{"origin", p.lacks(v, "origin")},
		{"parent", p.lacks(v, "parent")},
	} {
		if r.is {
			all = append(all, r.name)
		}
	}
	return all
}

// isOlder reports whether version i is older than the installed one, if any.
func (p *problem) isOlder(i, inst int) bool {
	return inst >= 0 && p.versions[i].fmri.Version().Compare(p.versions[inst].fmri.Version()) < 0
}

// asksOlder reports whether all that is asked for is older than what is installed.
func (p *problem) asksOlder(s int) bool {
	want, ok := p.proposed[s]
	for i := range want.all() {
		ok = ok && p.isOlder(i, p.installed[s])
	}
	return ok
}

func (p *problem) isFrozen(v *version) bool {
	return p.Op != "exact-install" && slices.ContainsFunc(parseAll(p.Freezes), func(f fmri.FMRI) bool {
		return f.Name() == v.fmri.Name() && f.Version().IsValid() && !matches(v.fmri.Version(), f.Version())
	})
}

const self = "feature/package/dependency/self"

// parentHas reports whether the parent's having a package makes an
// explicit-install version of it a candidate.
func (p *problem) parentHas(v *version) bool {
	return p.inParent(v.fmri.Name()).IsValid() && slices.ContainsFunc(v.depends, func(d dependency) bool {
		return d.typ == "parent" && d.on[0].Name() == self
	})
}

func (p *problem) inParent(name string) fmri.FMRI {
	if p.Parent != nil {
		for _, f := range parseAll(*p.Parent) {
			if f.Name() == name {
				return f
			}
		}
	}
	return fmri.FMRI{}
}

// lacks reports whether an origin or parent dependency of v is violated.
func (p *problem) lacks(v *version, typ string) bool {
	return slices.ContainsFunc(v.depends, func(d dependency) bool {
		return d.typ == typ && (typ == "origin" && !p.meetsOrigin(&d) || typ == "parent" && !p.meetsParent(v, &d))
	})
}

func (p *problem) meetsOrigin(d *dependency) bool {
	f := d.on[0]
	if !f.Version().IsValid() {
		return true
	}
	if d.liveRoot {
		return !slices.ContainsFunc(parseAll(p.Root), func(g fmri.FMRI) bool {
			return g.Name() == f.Name() && !atLeast(g.Version(), f.Version())
		})
	}
	s := p.stem(f.Name())
	return s < 0 || p.really[s] < 0 || atLeast(p.versions[p.really[s]].fmri.Version(), f.Version())
}

func (p *problem) meetsParent(v *version, d *dependency) bool {
	if p.Parent == nil {
		return true
	}
	for _, f := range d.on {
		if f.Name() == self {
			if p.inParent(v.fmri.Name()) != v.fmri {
				return false
			}
			continue
		}
		have := p.inParent(f.Name())
		if !have.IsValid() || f.Publisher() != "" && f.Publisher() != have.Publisher() {
			return false
		}
		if f.Version().IsValid() && !atLeast(have.Version(), f.Version()) {
			return false
		}
	}
	return true
}

// isRequired reports whether the answer must have a version of a stem, rule 3.
func (p *problem) isRequired(s int) bool {
	_, isProposed := p.proposed[s]
	return isProposed || p.stays(s) >= 0
}
