package solver_test

import (
	"fmt"
	"slices"
	"strings"
)

// brute solves a problem by enumeration.
type brute struct {
	*checker
	err   error
	ruled []set // every selection that meets rules 1 to 4
	all   []set // those that meet rule 5, too
	best  []set // those that no other one beats
}

// An outcome is what a vector wants: answers, or a category of failure.
type outcome struct {
	Status     string   `json:"status"`
	Category   string   `json:"category,omitempty"`
	Acceptable []answer `json:"acceptable,omitempty"`
	Feasible   int      `json:"feasible_count"`
}

func solveByBrute(u *universe) *brute {
	p, err := newProblem(u)
	b := &brute{checker: &checker{problem: p}, err: err}
	if err != nil {
		return b
	}
	b.checker = newChecker(p)
	b.enumerate()
	b.keepBestGroups()
	b.best = b.bestOf(b.all, b.levels())
	return b
}

// outcome tells the result as a vector does.
func (b *brute) outcome() outcome {
	if b.err != nil {
		return outcome{Status: "fail", Category: b.err.(*failure).category}
	}
	images := map[set]bool{}
	for _, x := range b.all {
		images[b.final(x)] = true
	}
	if len(b.best) == 0 {
		return outcome{Status: "fail", Category: "no_solution"}
	}
	if slices.ContainsFunc(b.best, b.isStuck) {
		return outcome{Status: "fail", Category: "stuck", Feasible: len(images)}
	}
	o := outcome{Status: "ok", Feasible: len(images)}
	for _, x := range b.best {
		if a := b.answer(x); !slices.ContainsFunc(o.Acceptable, a.equal) {
			o.Acceptable = append(o.Acceptable, a)
		}
	}
	slices.SortFunc(o.Acceptable, func(a, b answer) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return o
}

func (a answer) equal(b answer) bool {
	return slices.Equal(a.Image, b.Image) && slices.Equal(a.Avoid, b.Avoid) &&
		slices.Equal(a.ImplicitAvoid, b.ImplicitAvoid) && slices.Equal(a.ObsoleteTracked, b.ObsoleteTracked) &&
		slices.Equal(a.Blocked, b.Blocked)
}

// enumerate finds every selection after rules 1 to 4, stem by stem.
func (b *brute) enumerate() {
	var stems []int
	for _, required := range []bool{true, false} {
		for s := range b.stems {
			if b.isRequired(s) == required {
				stems = append(stems, s)
			}
		}
	}
	open := b.cands
	for i := range open.all() {
		if b.conflicts[i].has(i) { // such as what excludes itself
			open.remove(i)
		}
	}
	b.extend(set{}, open, stems)
}

// extend tries all ways to decide the remaining stems; open are the versions
// that may still be selected.
func (b *brute) extend(chosen, open set, stems []int) {
	if !b.hope(chosen, open) {
		return
	}
	if len(stems) == 0 {
		if why := b.violates(chosen); why != "" {
			panic("enumerated a selection that breaks " + why)
		}
		b.ruled = append(b.ruled, chosen)
		return
	}
	s := stems[0]
	rest := open.without(b.of(s))
	for i := range b.of(s).and(open).all() {
		b.extend(chosen.or(setOf(i)), rest.without(b.conflicts[i]), stems[1:])
	}
	if !b.isRequired(s) {
		b.extend(chosen, rest, stems[1:])
	}
}

// hope reports whether the needs of what is chosen can still be met.
func (b *brute) hope(chosen, open set) bool {
	both := chosen.or(open)
	for i := range chosen.all() {
		for _, n := range b.needs[i] {
			if (n.always || n.when.meets(chosen)) && !n.one.meets(both) {
				return false
			}
		}
	}
	return true
}

// keepBestGroups is rule 5.
func (b *brute) keepBestGroups() {
	b.judgeGroups(func(i int, others set) bool {
		return slices.ContainsFunc(b.ruled, func(x set) bool { return x.has(i) && x.meets(others) })
	})
	least := 1 << 30
	for _, x := range b.ruled {
		least = min(least, b.unmet(x))
	}
	for _, x := range b.ruled {
		if b.unmet(x) == least {
			b.all = append(b.all, x)
		}
	}
}

// bestOf leaves the selections that none of the others beats: those that are
// equal at a level share their fate there, and what is left of them is compared
// at the next one.
func (b *brute) bestOf(all []set, levels []level) (best []set) {
	if len(levels) == 0 {
		return b.bestFresh(all)
	}
	groups, keys := map[string][]set{}, [][]int{}
	for _, x := range all {
		key := b.key(x, levels[0])
		if groups[fmt.Sprint(key)] == nil {
			keys = append(keys, key)
		}
		groups[fmt.Sprint(key)] = append(groups[fmt.Sprint(key)], x)
	}
	for _, key := range keys {
		if !slices.ContainsFunc(keys, func(other []int) bool { return dominates(other, key) }) {
			best = append(best, b.bestOf(groups[fmt.Sprint(key)], levels[1:])...)
		}
	}
	return best
}

// bestFresh is level D.
func (b *brute) bestFresh(all []set) (best []set) {
	var minimal []set
	for _, x := range all {
		if !slices.ContainsFunc(all, func(y set) bool { return b.beatsBySubset(y, x) }) {
			minimal = append(minimal, x)
		}
	}
	for _, x := range minimal {
		if !slices.ContainsFunc(minimal, func(y set) bool { return b.newer(b.fresh(y), b.fresh(x)) }) {
			best = append(best, x)
		}
	}
	return best
}

// beatsBySubset is level D (1): y is x without some new packages.
func (b *brute) beatsBySubset(y, x set) bool {
	return y != x && y.in(x) && x.without(y).in(b.fresh(x))
}
