package solver_test

import (
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// This file has rule 0, which makes proposed stems of patterns, and rule 6,
// which says which incorporations hold and what may become older.

// A hit is a pattern with the versions it matches.
type hit struct {
	pattern  fmri.Pattern
	versions set
}

// propose finds the proposed versions of each stem; for an uninstall, what is
// to be removed.
func (p *problem) propose() error {
	hits, err := p.match()
	if err != nil {
		return err
	}
	if p.Op == "uninstall" {
		for _, h := range hits {
			for i := range h.versions.all() {
				p.rejected[p.versions[i].stem] = true
			}
		}
		return nil
	}
	for _, h := range hits {
		for s := range p.stems {
			if !h.versions.meets(p.of(s)) || slices.Contains(p.order, s) {
				continue
			}
			p.order = append(p.order, s)
			if err := p.proposeStem(s, hits); err != nil {
				return err
			}
		}
	}
	return nil
}

// match looks up each pattern.
func (p *problem) match() (hits []hit, err error) {
	var pool set
	for i := range p.versions {
		s := p.versions[i].stem
		if !p.rejected[s] && !p.versions[i].foreign && (p.Op != "uninstall" || p.installed[s] == i) {
			pool.add(i)
		}
	}
	for _, text := range p.Propose {
		h := hit{pattern: fmri.MustParsePattern(text)}
		for i := range pool.all() {
			if h.pattern.Matches(p.versions[i].fmri) {
				h.versions.add(i)
			}
		}
		if h.versions.empty() {
			return nil, &failure{"no_match", text}
		}
		if !h.pattern.IsGlob() {
			if h.versions, err = p.single(h); err != nil {
				return nil, err
			}
		}
		hits = append(hits, h)
	}
	return hits, nil
}

// single makes a pattern without wildcards mean one stem.
func (p *problem) single(h hit) (set, error) {
	stems := p.stemsOf(h.versions)
	if len(stems) > 1 && !p.live(h.versions).empty() {
		for _, s := range stems {
			if p.live(h.versions.and(p.of(s))).empty() {
				h.versions = h.versions.without(p.of(s))
			}
		}
	}
	if len(p.stemsOf(h.versions)) > 1 {
		for i := range h.versions.all() {
			h.versions = h.versions.without(p.renamedTo(i))
		}
	}
	if stems = p.stemsOf(h.versions); len(stems) > 1 {
		return set{}, &failure{"multiple_matches", h.pattern.String()}
	}
	return h.versions, nil
}

// renamedTo returns all versions of the stems that a renamed version leads to.
func (p *problem) renamedTo(i int) (all set) {
	for _, d := range p.versions[i].depends {
		if s := p.stem(d.on[0].Name()); p.versions[i].renamed && d.typ == "require" && s >= 0 {
			all = all.or(p.of(s))
		}
	}
	return all
}

func (p *problem) stemsOf(versions set) (stems []int) {
	for i := range versions.all() {
		if s := p.versions[i].stem; !slices.Contains(stems, s) {
			stems = append(stems, s)
		}
	}
	return stems
}

// proposeStem decides which versions of a stem its patterns propose.
func (p *problem) proposeStem(s int, hits []hit) error {
	want, latest, named := p.of(s), false, false
	for _, h := range p.binding(s, hits) {
		want = want.and(h.versions)
		latest = latest || h.pattern.IsLatest()
		named = named || h.pattern.Publisher() != ""
	}
	if want.empty() {
		return &failure{"multispec", p.stems[s]}
	}
	want = p.narrow(s, want, named)
	if want.empty() {
		return &failure{"wrong_publishers", p.stems[s]}
	}
	if latest {
		want = p.newest(want)
	}
	p.proposed[s] = want
	return nil
}

// binding returns the patterns that count for a stem: those without wildcards
// if there are any, else those that name a publisher, else all.
func (p *problem) binding(s int, hits []hit) []hit {
	explicit := func(h hit) bool { return !h.pattern.IsGlob() }
	published := func(h hit) bool { return h.pattern.Publisher() != "" }
	var all []hit
	for _, h := range hits {
		if h.versions.meets(p.of(s)) {
			all = append(all, h)
		}
	}
	for _, wins := range []func(hit) bool{explicit, published} {
		if slices.ContainsFunc(all, wins) {
			return slices.DeleteFunc(all, func(h hit) bool { return !wins(h) })
		}
	}
	return all
}

// narrow leaves the versions of one publisher, and the installed one.
func (p *problem) narrow(s int, want set, named bool) (left set) {
	inst := p.installed[s]
	publisher := func(i int) string { return p.versions[i].fmri.Publisher() }
	var best string
	if inst >= 0 && p.sticky(publisher(inst)) && !named {
		best = publisher(inst)
	} else {
		for i := range want.all() {
			if best == "" || p.compareRank(publisher(i), best) < 0 {
				best = publisher(i)
			}
		}
	}
	for i := range want.all() {
		hop := inst >= 0 && want.has(inst) && i != inst &&
			p.versions[i].fmri.Version().Compare(p.versions[inst].fmri.Version()) == 0
		if i == inst || publisher(i) == best && !hop {
			left.add(i)
		}
	}
	return left
}

// newest leaves the versions that are as new as the newest.
func (p *problem) newest(versions set) (left set) {
	var best fmri.Version
	for i := range versions.all() { // the newest comes first
		v := p.versions[i].fmri.Version()
		if !best.IsValid() {
			best = v
		}
		if v.Compare(best) == 0 {
			left.add(i)
		}
	}
	return left
}

// ------------------------------------------------- incorporations that hold

// findHeld finds the held incorporations, rule 6.
func (p *problem) findHeld() {
	if p.Op == "update" {
		return
	}
	free := p.relaxedStems()
	holds := map[int]bool{} // stems with an unrelaxed hold
	for s := range p.stems {
		if i := p.stays(s); i >= 0 && len(p.versions[i].holds) > 0 && !p.holdRelaxed(i, free) {
			holds[s] = true
		}
	}
	p.addChildHolds(holds)
	named := p.versionedDependents()
	for s := range p.stems {
		i := p.stays(s)
		if i >= 0 && p.incorporates(i) && !free[s] && (!named[s] || holds[s]) {
			p.held[s] = true
		}
	}
}

// relaxedStems returns the stems whose installed package may move.
func (p *problem) relaxedStems() map[int]bool {
	free := map[int]bool{}
	for s := range p.stems {
		i := p.stays(s)
		if i < 0 {
			continue
		}
		if want, ok := p.proposed[s]; ok && want != setOf(i) {
			free[s] = true
		}
		for _, d := range p.versions[i].depends {
			if d.typ == "parent" && d.on[0].Name() == self && !p.meetsParent(&p.versions[i], &d) {
				free[s] = true
			}
		}
	}
	return free
}

// holdRelaxed reports whether a relaxed stem carries the hold of installed
// version i or a dotted prefix of it.
func (p *problem) holdRelaxed(i int, free map[int]bool) bool {
	for s := range free {
		for _, have := range p.versions[p.installed[s]].holds {
			for _, hold := range p.versions[i].holds {
				if hold == have || strings.HasPrefix(hold, have+".") {
					return true
				}
			}
		}
	}
	return false
}

func (p *problem) incorporates(i int) bool {
	return slices.ContainsFunc(p.versions[i].depends, func(d dependency) bool { return d.typ == "incorporate" })
}

// addChildHolds follows incorporate dependencies that leave one version.
func (p *problem) addChildHolds(holds map[int]bool) {
	var todo []int
	for s := range p.stems {
		if holds[s] {
			todo = append(todo, s)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for _, d := range p.versions[p.installed[todo[0]]].depends {
			s := p.stem(d.on[0].Name())
			if d.typ != "incorporate" || s < 0 || holds[s] || p.stays(s) < 0 {
				continue
			}
			i := p.installed[s]
			left := p.at(d.on[0], matches).and(p.supplied(s))
			if left.len() == 1 && len(p.versions[i].holds) == 0 && p.incorporates(i) {
				holds[s] = true
				todo = append(todo, s)
			}
		}
	}
}

// versionedDependents returns the stems that an installed package which stays
// names with a version.
func (p *problem) versionedDependents() map[int]bool {
	named := map[int]bool{}
	for s := range p.stems {
		i := p.stays(s)
		if i < 0 {
			continue
		}
		for _, d := range p.versions[i].depends {
			for _, f := range append([]fmri.FMRI{d.predicate}, d.on...) {
				if t := p.stem(f.Name()); t >= 0 && f.Version().IsValid() {
					named[t] = true
				}
			}
		}
	}
	return named
}

// heldBy returns the installed incorporations that hold version i back.
func (p *problem) heldBy(i int) (by []int) {
	for s := range p.stems {
		if p.held[s] && p.forbids(p.installed[s], i) {
			by = append(by, p.installed[s])
		}
	}
	return by
}

// forbids reports whether the held incorporation inst forbids version i.
func (p *problem) forbids(inst, i int) bool {
	// It keeps its version as a constraint would have it: 1-0.2 may become 1-0.2.1
	// if the timestamp is the same.
	if p.versions[i].stem == p.versions[inst].stem && !matches(p.versions[i].fmri.Version(), p.versions[inst].fmri.Version()) {
		return true
	}
	return slices.ContainsFunc(p.versions[inst].depends, func(d dependency) bool {
		return d.typ == "incorporate" && d.on[0].Name() == p.versions[i].fmri.Name() && !p.at(d.on[0], matches).has(i)
	})
}

// ------------------------------------------------------ permitted downgrades

// findDowngrades finds the permitted downgrades, rule 6.
func (p *problem) findDowngrades() {
	for s := range p.stems {
		for i := range p.walkers(s).all() {
			depth := 10
			if p.Op == "update" {
				depth = 1
			}
			p.permit(i, p.versions[i].holds, depth, map[[2]int]bool{})
		}
	}
}

// walkers returns the versions of a stem from which the walk starts.
func (p *problem) walkers(s int) (from set) {
	if p.Op != "update" {
		return p.proposed[s]
	}
	if p.stays(s) < 0 {
		return set{}
	}
	for i := range p.supplied(s).all() {
		if !p.isOlder(i, p.installed[s]) {
			from.add(i)
		}
	}
	return from
}

// permit permits what version i incorporates to become older.
func (p *problem) permit(i int, holds []string, depth int, seen map[[2]int]bool) {
	if depth == 0 || seen[[2]int{i, depth}] {
		return
	}
	seen[[2]int{i, depth}] = true
	for s := range p.stems {
		match, ok := p.incorporated(i, s)
		inst := p.stays(s)
		if !ok || inst < 0 || match.has(inst) {
			continue
		}
		for j := range match.all() {
			if !p.mayFollow(j, i, holds) {
				continue
			}
			if p.isOlder(j, inst) {
				p.downgrade.add(j)
			}
			p.permit(j, holds, depth-1, seen)
		}
	}
}

// incorporated returns the versions of a stem that all of i's constraints on it
// match, and whether there are any constraints.
func (p *problem) incorporated(i, s int) (match set, ok bool) {
	match = p.of(s)
	for _, d := range p.versions[i].depends {
		if d.typ == "incorporate" && d.on[0].Name() == p.stems[s] && d.on[0].Version().IsValid() {
			match, ok = match.and(p.at(d.on[0], matches)), true
		}
	}
	return match, ok
}

// mayFollow reports whether version j may become older on behalf of i.
func (p *problem) mayFollow(j, i int, holds []string) bool {
	v := &p.versions[j]
	if v.fmri.Publisher() != p.versions[i].fmri.Publisher() {
		return false
	}
	return len(v.holds) == 0 || slices.ContainsFunc(v.holds, func(hold string) bool {
		return slices.ContainsFunc(holds, func(h string) bool { return strings.HasPrefix(hold, h) })
	})
}
