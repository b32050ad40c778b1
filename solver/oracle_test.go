package solver_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/crillab/gophersat/solver"
)

// This file has a second engine: the rules as clauses for a general solver, which
// can answer for universes that are too large to enumerate. It decides whether
// there is an answer, and whether there is a better one than that given.

// An oracle answers questions about the selections of a problem.
type oracle struct {
	*checker
	rules []solver.CardConstr // rules 1 to 4; version i is variable i+1
	least int                 // rule 5: how many demands are violated
}

func newOracle(p *problem) *oracle {
	o := &oracle{checker: newChecker(p)}
	for i := range o.versions {
		o.ruleVersion(i)
	}
	for s := range o.stems {
		if o.isRequired(s) {
			o.rule(literals(o.of(s))...)
		}
	}
	o.judgeGroups(func(i int, others set) bool {
		_, ok := o.search(nil, clause(lit(i)), clause(literals(others)...))
		return ok
	})
	o.rules = append(o.rules, o.demandRules()...)
	for n := len(o.demands); o.least < n; o.least++ {
		if _, ok := o.search(nil); ok {
			break
		}
	}
	return o
}

func lit(i int) int { return i + 1 }

func clause(lits ...int) solver.CardConstr { return solver.AtLeast1(lits...) }

func literals(versions set) (lits []int) {
	for i := range versions.all() {
		lits = append(lits, lit(i))
	}
	return lits
}

func negated(versions set) (lits []int) {
	for i := range versions.all() {
		lits = append(lits, -lit(i))
	}
	return lits
}

func (o *oracle) rule(lits ...int) { o.rules = append(o.rules, clause(lits...)) }

// ruleVersion adds the clauses of version i.
func (o *oracle) ruleVersion(i int) {
	if !o.cands.has(i) || o.conflicts[i].has(i) {
		o.rule(-lit(i))
		return
	}
	for j := range o.conflicts[i].all() {
		if i < j {
			o.rule(-lit(i), -lit(j))
		}
	}
	for _, n := range o.needs[i] {
		one := append(literals(n.one), -lit(i))
		if n.always {
			o.rule(one...)
		}
		for c := range n.when.all() {
			o.rule(append(slices.Clone(one), -lit(c))...)
		}
	}
}

// demandRules gives each demand a variable that says it is violated.
func (o *oracle) demandRules() (rules []solver.CardConstr) {
	for k, d := range o.demands {
		if !o.blocked[k] {
			rules = append(rules, clause(append(literals(d.one), -lit(d.owner), o.violated(k))...))
		}
	}
	return rules
}

func (o *oracle) violated(demand int) int { return lit(len(o.versions) + demand) }

// search returns a selection that meets the hard rules, has all the literals of
// where, and meets the clauses of also.
func (o *oracle) search(where []int, also ...solver.CardConstr) (x set, ok bool) {
	rules := slices.Concat(o.rules, also)
	for _, l := range where {
		rules = append(rules, clause(l))
	}
	if n := len(o.demands); n > 0 {
		few := solver.CardConstr{AtLeast: n - o.least}
		for k := range o.demands {
			few.Lits = append(few.Lits, -o.violated(k))
		}
		if few.AtLeast > 0 {
			rules = append(rules, few)
		}
	}
	for _, r := range rules {
		if len(r.Lits) == 0 {
			return set{}, false
		}
	}
	s := solver.New(solver.ParseCardConstrs(rules))
	if s.Solve() != solver.Sat {
		return set{}, false
	}
	for i, is := range s.Model() {
		if is && i < len(o.versions) {
			x.add(i)
		}
	}
	return x, true
}

// better returns a selection that is better than x, and at which level.
func (o *oracle) better(x set) (y set, level string) {
	var equal []int
	for _, l := range o.levels() {
		where, one := o.noWorse(x, l)
		if y, ok := o.search(append(where, equal...), clause(one...)); ok {
			return y, l.name
		}
		equal = append(equal, o.asGood(x, l)...)
	}
	return o.betterFresh(x, equal)
}

// noWorse returns literals by which a selection is nowhere worse than x at a
// level, and those of which one makes it better.
func (o *oracle) noWorse(x set, l level) (where, one []int) {
	for _, s := range l.stems {
		mine := x.and(o.of(s))
		var better, worse set
		for i := range o.of(s).all() {
			k, m := o.key(setOf(i), level{stems: []int{s}, changed: l.changed}), o.key(mine, level{stems: []int{s}, changed: l.changed})
			if k[0] < m[0] {
				better.add(i)
			} else if k[0] > m[0] {
				worse.add(i)
			}
		}
		one = append(one, literals(better)...)
		where = append(where, negated(worse)...)
	}
	return where, one
}

// asGood returns literals by which a selection is equal to x at a level.
func (o *oracle) asGood(x set, l level) (equal []int) {
	for _, s := range l.stems {
		switch mine := x.and(o.of(s)); {
		case !l.changed:
			equal = append(equal, literals(mine)...)
		case x.has(o.installed[s]):
			equal = append(equal, lit(o.installed[s]))
		default:
			equal = append(equal, -lit(o.installed[s]))
		}
	}
	return equal
}

// betterFresh looks for something better at level D. What it does not find may
// exist, for D (2) asks for a minimal selection, of which it makes only a few.
func (o *oracle) betterFresh(x set, equal []int) (set, string) {
	fresh := o.fresh(x)
	if y := o.shrink(x, set{}); y != x {
		return y, "D (1)"
	}
	var where, one []int
	for i := range fresh.all() {
		for j := range o.of(o.versions[i].stem).all() {
			if j < i {
				one = append(one, lit(j))
			} else if j > i {
				where = append(where, -lit(j))
			}
		}
	}
	where = append(where, equal...)
	var also []solver.CardConstr
	for range 20 {
		y, ok := o.search(where, append(also, clause(one...))...)
		if !ok {
			break
		}
		if y = o.shrink(y, set{}); o.newer(o.fresh(y), fresh) {
			return y, "D (2)"
		}
		also = append(also, clause(negated(o.fresh(y))...))
	}
	return set{}, ""
}

// shrink takes new packages, apart from those in keep, out of a selection as long
// as it can, and as also allows.
func (o *oracle) shrink(x, keep set, also ...solver.CardConstr) set {
	for {
		spare := o.fresh(x).without(keep)
		var out set // everything that x does not have
		for i := range o.versions {
			if !x.has(i) {
				out.add(i)
			}
		}
		where := append(negated(out), literals(x.without(spare))...)
		y, ok := o.search(where, append(slices.Clone(also), clause(negated(spare)...))...)
		if !ok {
			return x
		}
		x = y
	}
}

// behind yields selections whose answer has the image and the obsolete packages
// of a. Obsolete and renamed versions do not show in an image; selections with
// needless ones are left out, since they are never the best.
func (o *oracle) behind(image set, a answer, yield func(x set) bool) {
	var where []int
	var also []solver.CardConstr
	for i := range o.versions {
		hidden := o.versions[i].obsolete || o.versions[i].renamed && !image.meets(o.of(o.versions[i].stem))
		switch {
		case image.has(i):
			where = append(where, lit(i))
		case !hidden:
			where = append(where, -lit(i))
		}
	}
	for _, name := range a.ObsoleteTracked {
		also = append(also, clause(literals(o.of(o.stem(name)))...))
	}
	pins := slices.Clone(also)
	for range 100 {
		x, ok := o.search(where, also...)
		if !ok {
			return
		}
		x = o.shrink(x, image, pins...)
		if o.final(x) == image && !yield(x) {
			return
		}
		also = append(also, clause(negated(x.without(image))...))
	}
}

// judge returns what is wrong with an answer, or "". Its image is enough of an
// answer if the update is said to be stuck.
func (o *oracle) judge(a answer, stuck bool) string {
	var image set
	for _, f := range parseAll(a.Image) {
		i := o.find(f)
		if i < 0 {
			return "unknown package " + f.String()
		}
		image.add(i)
	}
	complaint := "the image breaks a hard rule: " + o.violates(image)
	o.behind(image, a, func(x set) bool {
		y, level := o.better(x)
		switch want := o.answer(x); {
		case level != "":
			complaint = fmt.Sprintf("better at level %s is %s", level, o.answer(y))
		case o.isStuck(x) != stuck:
			complaint = fmt.Sprintf("stuck should be %t", !stuck)
		case !stuck && !want.equal(a):
			complaint = "the sets should be " + want.String()
		default:
			complaint = ""
		}
		return complaint != ""
	})
	return complaint
}

// unchanged returns the installed packages as an answer.
func (o *oracle) unchanged() (a answer) {
	for _, i := range o.installed {
		if i >= 0 {
			a.Image = append(a.Image, o.versions[i].fmri.String())
		}
	}
	return a
}

// TestOracle shows on universes that can be enumerated that the oracle is right.
func TestOracle(t *testing.T) {
	for seed := range rounds(400, 40_000) {
		d := seededDice(seed, 400)
		u := smallWorld.universe(&d)
		b := solveByBrute(u)
		if b.err != nil {
			continue
		}
		o := newOracle(b.problem)
		if _, ok := o.search(nil); ok != (len(b.all) > 0) {
			t.Fatalf("the oracle says %t\n%s", ok, u)
		}
		for _, x := range b.all {
			y, level := o.better(x)
			if isBest := slices.Contains(b.best, x); isBest != (level == "") {
				t.Fatalf("%s best=%t, but the oracle prefers %s at %q\n%s", b.names(x), isBest, b.names(y), level, u)
			}
		}
	}
}
