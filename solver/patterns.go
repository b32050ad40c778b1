package solver

import (
	"cmp"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// A match is what one pattern matches.
type match struct {
	pattern fmri.Pattern
	byName  []nameMatch // sorted by name
	missed  Reason      // if nothing is left: why
}

// A nameMatch is what one pattern matches of one name.
type nameMatch struct {
	slot sat.Slot
	ids  []sat.ID // ascending
}

// readPatterns turns the patterns of the request into rejected names and proposals.
func (p *problem) readPatterns() error {
	var errs PatternErrors
	p.rejectNames(&errs)
	matches := p.matchAll(&errs)
	if p.req.Op == Uninstall {
		for _, mt := range matches {
			for _, n := range mt.byName {
				p.info(n.slot).rejected = true
			}
		}
	} else {
		p.propose(matches, &errs)
	}
	p.followActuators(&errs)
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// rejectNames marks the names that the request rejects.
func (p *problem) rejectNames(errs *PatternErrors) {
	for _, pat := range p.req.Reject {
		var slots []sat.Slot
		for s := range p.names(pat) {
			slots = append(slots, s)
		}
		switch {
		case len(slots) == 0:
			errs.add(&PatternError{Category: NoMatch, Reason: Unknown, Patterns: []fmri.Pattern{pat}})
		case len(slots) > 1 && !pat.IsGlob():
			errs.add(&PatternError{Category: MultipleMatches, Patterns: []fmri.Pattern{pat}, Matches: p.newestOf(slots)})
		}
		for _, s := range slots {
			p.info(s).rejected = true
		}
	}
}

// names yields the slots whose names match pat, in the order of names.
func (p *problem) names(pat fmri.Pattern) func(yield func(sat.Slot) bool) {
	return func(yield func(sat.Slot) bool) {
		name := pat.Name()
		switch {
		case pat.IsExact():
			if s, ok := p.m.slot(name); ok {
				yield(s)
			}
		case pat.IsGlob():
			for s := range sat.Slot(len(p.m.heads)) {
				if pat.MatchesName(p.m.nameOf(s)) && !yield(s) {
					return
				}
			}
		default:
			for _, s := range p.m.tails()[lastPart(name)] {
				if pat.MatchesName(p.m.nameOf(s)) && !yield(s) {
					return
				}
			}
		}
	}
}

// matchAll matches the patterns of the request, each once.
func (p *problem) matchAll(errs *PatternErrors) []match {
	matches := p.mem.matches[:0]
	for _, pat := range p.req.Patterns {
		if p.mem.seen[pat] {
			continue
		}
		p.mem.seen[pat] = true
		mt := p.match(pat)
		p.settleNames(&mt)
		switch {
		case len(mt.byName) == 0:
			if mt.missed == NotInstalled && p.req.IgnoreMissing {
				continue
			}
			errs.add(&PatternError{Category: NoMatch, Reason: mt.missed, Patterns: []fmri.Pattern{pat}})
		case len(mt.byName) > 1 && !pat.IsGlob():
			var slots []sat.Slot
			for _, n := range mt.byName {
				slots = append(slots, n.slot)
			}
			errs.add(&PatternError{Category: MultipleMatches, Patterns: []fmri.Pattern{pat}, Matches: p.newestOf(slots)})
		default:
			matches = append(matches, mt)
		}
	}
	p.mem.matches = matches
	return matches
}

// match finds all that pat matches.
func (p *problem) match(pat fmri.Pattern) match {
	mt := match{pattern: pat, byName: p.mem.found.list(1), missed: Unknown}
	if p.req.Op == Uninstall || p.req.Op == Update {
		mt.missed = NotInstalled
	}
	for s := range p.names(pat) {
		choice := p.choice(s)
		n := nameMatch{slot: s, ids: p.mem.ids.list(int(choice.Hi - choice.Lo))}
		for id := choice.Lo; id < choice.Hi; id++ {
			if !pat.MatchesVersion(p.m.version(id)) || pat.Publisher() != "" && pat.Publisher() != p.m.publishers[p.m.publisher[id]] {
				continue
			}
			switch {
			case p.slots[s].rejected:
				mt.missed = max(mt.missed, IsRejected)
			case p.req.Op != Uninstall && !p.relevant.forVariants(id):
				mt.missed = max(mt.missed, OtherVariant)
			default:
				n.ids = append(n.ids, id)
			}
		}
		if len(n.ids) > 0 {
			mt.byName = append(mt.byName, n)
		}
	}
	return mt
}

// choice returns the versions of slot s among which patterns choose.
func (p *problem) choice(s sat.Slot) sat.Span {
	present := p.slots[s].present
	switch {
	case present == 0 && (p.req.Op == Uninstall || p.req.Op == Update):
		return sat.Span{}
	case p.req.Op == Uninstall:
		return sat.Span{Lo: present - 1, Hi: present}
	}
	return p.m.all(s)
}

// settleNames leaves a pattern without wildcards that matches several names
// those which are not obsolete, and not where another one was renamed to.
func (p *problem) settleNames(mt *match) {
	if len(mt.byName) < 2 || mt.pattern.IsGlob() {
		return
	}
	gone := func(n nameMatch) bool {
		return !slices.ContainsFunc(n.ids, func(id sat.ID) bool { return !p.m.is(id, obsolete) })
	}
	if slices.ContainsFunc(mt.byName, func(n nameMatch) bool { return !gone(n) }) {
		mt.byName = slices.DeleteFunc(mt.byName, gone)
	}
	targets := map[sat.Slot]bool{}
	for _, n := range mt.byName {
		for _, id := range n.ids {
			p.addRenameTargets(id, targets)
		}
	}
	mt.byName = slices.DeleteFunc(mt.byName, func(n nameMatch) bool { return targets[n.slot] })
}

// addRenameTargets adds where id, if it is renamed, was renamed to.
func (p *problem) addRenameTargets(id sat.ID, targets map[sat.Slot]bool) {
	if !p.m.is(id, renamed) {
		return
	}
	for i := range p.m.dependencies(id, 1<<require) {
		if s := p.m.info[i].slot; s != sat.None {
			targets[s] = true
		}
	}
}

// newestOf returns the newest version of each slot.
func (p *problem) newestOf(slots []sat.Slot) []fmri.FMRI {
	var list []fmri.FMRI
	for _, s := range slots {
		list = append(list, p.m.fmri(p.m.layout.Base[s+1]-1))
	}
	return list
}

// propose makes proposals of the matches: one for each name, in the order in
// which the patterns first hit them.
func (p *problem) propose(matches []match, errs *PatternErrors) {
	for i := range matches {
		for _, n := range matches[i].byName {
			if p.slots[n.slot].proposal == 0 {
				p.info(n.slot).proposal = int32(len(p.proposals) + 1)
				p.proposals = append(p.proposals, proposal{slot: n.slot, hits: p.mem.hits.list(1)})
			}
		}
	}
	for i := range matches {
		for _, n := range matches[i].byName {
			pr := &p.proposals[p.slots[n.slot].proposal-1]
			pr.hits = append(pr.hits, hit{matches[i].pattern, n.ids})
		}
	}
	for k := range p.proposals {
		if err := p.decide(&p.proposals[k]); err != nil {
			errs.add(err)
		}
	}
}

// A hit is what one pattern matches of one name.
type hit struct {
	pattern fmri.Pattern
	ids     []sat.ID
}

// decide works out the candidates of a proposal from the patterns that hit it.
func (p *problem) decide(pr *proposal) *PatternError {
	hits := strongest(pr.hits)
	ids := hits[0].ids
	for _, h := range hits[1:] {
		ids = intersect(ids, h.ids)
	}
	fail := func(c Category, found []sat.ID) *PatternError {
		e := &PatternError{Category: c}
		for _, h := range hits {
			e.Patterns = append(e.Patterns, h.pattern)
		}
		for _, id := range found {
			e.Matches = append(e.Matches, p.m.fmri(id))
		}
		return e
	}
	if len(ids) == 0 {
		var found []sat.ID
		for _, h := range hits {
			found = append(found, h.ids...)
		}
		return fail(MultiSpec, found)
	}
	named := slices.ContainsFunc(hits, func(h hit) bool { return h.pattern.Publisher() != "" })
	narrowed := p.narrowPublishers(pr.slot, ids, named)
	if len(narrowed) == 0 {
		return fail(WrongPublishers, ids)
	}
	if slices.ContainsFunc(hits, func(h hit) bool { return h.pattern.IsLatest() }) {
		newest := p.m.version(narrowed[len(narrowed)-1])
		narrowed = slices.DeleteFunc(narrowed, func(id sat.ID) bool { return p.m.version(id).Compare(newest) != 0 })
	}
	pr.candidates = narrowed
	pr.hits = hits
	inst := p.installedIn(pr.slot)
	pr.older = inst != sat.None && p.m.version(narrowed[len(narrowed)-1]).Compare(p.m.version(inst)) < 0
	return nil
}

// describe returns what is asked for as a user would write it.
func (pr *proposal) describe() string {
	if pr.text != "" {
		return pr.text
	}
	var texts []string
	for _, h := range pr.hits {
		texts = append(texts, strings.TrimPrefix(h.pattern.String(), "pkg:/"))
	}
	return strings.Join(texts, ", ")
}

// strongest returns the hits that count: those without wildcards, else those
// that name a publisher, else all.
func strongest(hits []hit) []hit {
	if len(hits) == 1 {
		return hits
	}
	for _, strong := range []func(hit) bool{
		func(h hit) bool { return !h.pattern.IsGlob() },
		func(h hit) bool { return h.pattern.Publisher() != "" },
	} {
		if slices.ContainsFunc(hits, strong) {
			return slices.DeleteFunc(slices.Clone(hits), func(h hit) bool { return !strong(h) })
		}
	}
	return hits
}

// intersect returns what the ascending a and b have in common.
func intersect(a, b []sat.ID) []sat.ID {
	var both []sat.ID
	for _, id := range a {
		if _, ok := slices.BinarySearch(b, id); ok {
			both = append(both, id)
		}
	}
	return both
}

// narrowPublishers leaves of ids those of one publisher: the one that the name
// is installed from, if that is sticky and no pattern named another, or else
// the first in the search order, besides what is installed.
func (p *problem) narrowPublishers(s sat.Slot, ids []sat.ID, named bool) []sat.ID {
	inst := p.slots[s].present - 1
	if inst != sat.None && !named && p.publishers.sticky[p.m.publisher[inst]] {
		return slices.DeleteFunc(p.mem.ids.clone(ids), func(id sat.ID) bool {
			return p.m.publisher[id] != p.m.publisher[inst]
		})
	}
	best := slices.MinFunc(ids, func(a, b sat.ID) int {
		return cmp.Or(p.publishers.compare(p.m.publisher[a], p.m.publisher[b]), cmp.Compare(a, b))
	})
	keep := p.m.publisher[best]
	_, matched := slices.BinarySearch(ids, inst)
	return slices.DeleteFunc(p.mem.ids.clone(ids), func(id sat.ID) bool {
		switch {
		case id == inst:
			return false
		case matched && p.m.version(id).Compare(p.m.version(inst)) == 0:
			return true
		}
		return p.m.publisher[id] != keep
	})
}
