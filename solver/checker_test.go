package solver_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A checker judges selections: sets of versions, obsolete and renamed ones
// included. It has hard rules 3, 4, 5 and 9 and the order of preference.
type checker struct {
	*problem
	conflicts []set    // by version: those that may not stand beside it
	needs     [][]need // by version
	demands   []demand // of groups
	blocked   []bool   // by demand; see [checker.judgeGroups]
	reach     []int    // by stem, for an update

	// The rules are unclear: they do not say whether a group-any is blocked if
	// its owner goes with obsolete members only, and they do not count.
	unclear bool
}

// A need is one require, require-any or conditional dependency.
type need struct {
	dependency *dependency
	when       set // conditional: some of these is selected
	always     bool
	one        set // then one of these must be
}

// A demand is one group or group-any dependency of a candidate.
type demand struct {
	owner      int
	dependency *dependency
	members    set // all candidates of the members that count
	one        set // one of which must be selected
}

func newChecker(p *problem) *checker {
	c := &checker{problem: p, conflicts: make([]set, len(p.versions)), needs: make([][]need, len(p.versions))}
	for s := range p.stems {
		for i := range p.of(s).all() {
			c.conflicts[i] = p.of(s).without(setOf(i))
		}
	}
	for i := range p.cands.all() {
		for d := range p.versions[i].depends {
			c.compile(i, &p.versions[i].depends[d])
		}
	}
	c.findReach()
	return c
}

// compile puts dependency d of version i into sets, rule 4.
func (c *checker) compile(i int, d *dependency) {
	switch d.typ {
	case "require", "require-any":
		c.needs[i] = append(c.needs[i], need{dependency: d, always: true, one: c.enough(d)})
	case "conditional":
		when := c.live(c.at(d.predicate, atLeast)).and(c.cands)
		c.needs[i] = append(c.needs[i], need{dependency: d, when: when, one: c.enough(d)})
	case "optional":
		c.forbid(i, c.other(d, c.at(d.on[0], atLeast)))
	case "incorporate":
		c.forbid(i, c.other(d, c.at(d.on[0], matches)))
	case "exclude":
		c.forbid(i, c.at(d.on[0], atLeast))
	case "group", "group-any":
		c.demand(i, d)
	}
}

// enough returns the candidates that meet a require dependency.
func (c *checker) enough(d *dependency) (one set) {
	for _, f := range d.on {
		one = one.or(c.at(f, atLeast))
	}
	return c.live(one).and(c.cands)
}

// other returns the versions of d's stem that are not in ok.
func (c *checker) other(d *dependency, ok set) set {
	s := c.stem(d.on[0].Name())
	if s < 0 {
		return set{}
	}
	return c.of(s).without(ok)
}

func (c *checker) forbid(i int, those set) {
	c.conflicts[i] = c.conflicts[i].or(those)
	for j := range those.all() {
		c.conflicts[j].add(i)
	}
}

// demand compiles a group dependency, rule 5.
func (c *checker) demand(i int, d *dependency) {
	m := demand{owner: i, dependency: d}
	for _, s := range c.members(d) {
		m.members = m.members.or(c.of(s).and(c.cands))
	}
	m.one = m.members
	if c.wantsLive(d) {
		m.one = c.live(m.one)
	}
	if !m.one.empty() {
		c.demands = append(c.demands, m)
	}
}

// members returns the stems of a group dependency that count.
func (c *checker) members(d *dependency) (stems []int) {
	for _, f := range d.on {
		if s := c.stem(f.Name()); s >= 0 && !c.avoided[s] && !c.rejected[s] {
			stems = append(stems, s)
		}
	}
	return stems
}

// wantsLive reports whether obsolete versions do not meet a group dependency.
func (c *checker) wantsLive(d *dependency) bool {
	return d.typ == "group-any" && slices.ContainsFunc(c.members(d), func(s int) bool {
		cands := c.of(s).and(c.cands)
		return !cands.empty() && c.live(cands) == cands
	})
}

// violates returns which of rules 1 to 4 a selection breaks, or "".
func (c *checker) violates(x set) string {
	for i := range x.all() {
		v := plain(c.versions[i].fmri)
		if !c.cands.has(i) {
			return fmt.Sprintf("rule 1: %s is no candidate: %s", v, strings.Join(c.why[i], ", "))
		}
		if those := c.conflicts[i].and(x); !those.empty() {
			return fmt.Sprintf("rules 3, 4: %s may not stand beside %s", v, c.names(those))
		}
		for _, n := range c.needs[i] {
			if (n.always || n.when.meets(x)) && !n.one.meets(x) {
				return fmt.Sprintf("rule 4: %s: %s", v, n.dependency)
			}
		}
	}
	for s, name := range c.stems {
		if c.isRequired(s) && !c.of(s).meets(x) {
			return fmt.Sprintf("rule 3: no version of %s", name)
		}
	}
	return ""
}

func (c *checker) names(versions set) string {
	var names []string
	for i := range versions.all() {
		names = append(names, plain(c.versions[i].fmri))
	}
	return strings.Join(names, " ")
}

// judgeGroups says which demands are blocked: possible tells whether some
// selection after rules 1 to 4 has version i and one of others.
func (c *checker) judgeGroups(possible func(i int, others set) bool) {
	c.blocked = make([]bool, len(c.demands))
	for k, d := range c.demands {
		c.blocked[k] = !possible(d.owner, d.one)
		c.unclear = c.unclear || c.blocked[k] && possible(d.owner, d.members)
	}
}

// unmet counts the violated demands of a selection.
func (c *checker) unmet(x set) (n int) {
	for k, d := range c.demands {
		if x.has(d.owner) && !c.blocked[k] && !d.one.meets(x) {
			n++
		}
	}
	return n
}

// final returns the image after a selection, rule 9.
func (c *checker) final(x set) set { return c.withoutUnneeded(c.live(x)) }

// An answer is a final image with the sets that go with it.
type answer struct {
	Image           []string `json:"image"`
	Avoid           []string `json:"avoid,omitempty"`
	ImplicitAvoid   []string `json:"implicit_avoid,omitempty"`
	ObsoleteTracked []string `json:"obsolete_tracked,omitempty"`
	Blocked         []string `json:"blocked,omitempty"`
}

func (a answer) String() string {
	s := "[" + strings.Join(a.Image, " ") + "]"
	for _, l := range []struct {
		what string
		list []string
	}{{"avoid", a.Avoid}, {"implicit", a.ImplicitAvoid}, {"obsolete", a.ObsoleteTracked}, {"blocked", a.Blocked}} {
		if len(l.list) > 0 {
			s += fmt.Sprintf(" %s=%v", l.what, l.list)
		}
	}
	return strings.NewReplacer(",5.11", "", ":20200101T000000Z", "", "pkg://test/", "").Replace(s)
}

// answer returns the answer that a selection is.
func (c *checker) answer(x set) answer {
	a := answer{Image: []string{}}
	for i := range c.final(x).all() {
		a.Image = append(a.Image, c.versions[i].fmri.String())
	}
	slices.Sort(a.Image)
	tracked := c.tracked(x)
	if c.Op != "exact-install" {
		for _, name := range c.Avoid {
			if s := c.stem(name); s < 0 || c.proposed[s].empty() {
				a.Avoid = append(a.Avoid, name)
			}
		}
	}
	for _, name := range tracked {
		s := c.stem(name)
		switch {
		case s >= 0 && c.of(s).meets(x):
			if c.live(c.of(s).and(x)).empty() {
				a.ObsoleteTracked = append(a.ObsoleteTracked, name)
			}
		case s >= 0 && c.rejected[s] && !slices.Contains(a.Avoid, name):
			a.Avoid = append(a.Avoid, name)
		case !slices.Contains(a.Avoid, name):
			a.ImplicitAvoid = append(a.ImplicitAvoid, name)
		}
	}
	slices.Sort(a.Avoid)
	a.Avoid = slices.Compact(a.Avoid)
	a.Blocked = c.behind(x)
	return a
}

// tracked returns the members of the groups of a selection, sorted.
func (c *checker) tracked(x set) (names []string) {
	for i := range x.all() {
		for _, d := range c.versions[i].depends {
			if d.typ == "group" || d.typ == "group-any" {
				for _, f := range d.on {
					names = append(names, f.Name())
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// behind returns the installed stems that an update leaves behind a newer
// candidate.
func (c *checker) behind(x set) (names []string) {
	if c.Op != "update" {
		return nil
	}
	for s, name := range c.stems {
		if c.stays(s) >= 0 && x.meets(c.of(s)) && c.age(x, s) > c.age(c.cands, s) {
			names = append(names, name)
		}
	}
	return names
}

// isStuck is rule 8.
func (c *checker) isStuck(x set) bool {
	var installed set
	ahead := false
	for s, i := range c.installed {
		if i < 0 {
			continue
		}
		installed.add(i)
		ahead = ahead || len(c.versions[i].holds) > 0 && c.age(c.cands, s) < c.age(setOf(i), s)
	}
	return c.Op == "update" && c.Parent == nil && ahead && c.final(x) == installed
}

// ----------------------------------------------------- order of preference

// age returns the place of x's newest version of a stem among all its versions,
// the newest being 0.
func (c *checker) age(x set, stem int) int {
	age := 0
	for i := range c.of(stem).all() {
		if x.has(i) {
			break
		}
		age++
	}
	return age
}

// findReach counts for each stem the others that it reaches over incorporate
// dependencies of candidates.
func (c *checker) findReach() {
	to := make([][]int, len(c.stems))
	for i := range c.cands.all() {
		for _, d := range c.versions[i].depends {
			if t := c.stem(d.on[0].Name()); d.typ == "incorporate" && t >= 0 {
				to[c.versions[i].stem] = append(to[c.versions[i].stem], t)
			}
		}
	}
	for s := range c.stems {
		seen := map[int]bool{s: true}
		for todo := []int{s}; len(todo) > 0; todo = todo[1:] {
			for _, t := range to[todo[0]] {
				if !seen[t] {
					seen[t] = true
					todo = append(todo, t)
				}
			}
		}
		c.reach = append(c.reach, len(seen)-1)
	}
}

// A level is one step of the order of preference: stems whose ages are compared
// together, or the set of those that change.
type level struct {
	name    string
	stems   []int
	changed bool
}

// levels returns the levels A to C.
func (c *checker) levels() (all []level) {
	var kept []int
	for s := range c.stems {
		if _, isProposed := c.proposed[s]; c.stays(s) >= 0 && !isProposed {
			kept = append(kept, s)
		}
	}
	if c.Op == "update" {
		slices.SortStableFunc(kept, func(s, t int) int { return cmp.Compare(c.reach[t], c.reach[s]) })
		for i, s := range kept {
			if i == 0 || c.reach[s] != c.reach[kept[i-1]] {
				all = append(all, level{name: fmt.Sprintf("A (reach %d)", c.reach[s])})
			}
			last := &all[len(all)-1]
			last.stems = append(last.stems, s)
		}
		return all
	}
	for _, s := range c.order {
		all = append(all, level{name: "A (" + c.stems[s] + ")", stems: []int{s}})
	}
	return append(all, level{name: "B", stems: kept, changed: true}, level{name: "C", stems: kept})
}

// key returns what of a selection is compared at a level: for each stem its age,
// or whether it changes. Smaller is better.
func (c *checker) key(x set, l level) []int {
	key := make([]int, len(l.stems))
	for k, s := range l.stems {
		switch {
		case !l.changed:
			key[k] = c.age(x, s)
		case !x.has(c.installed[s]):
			key[k] = 1
		}
	}
	return key
}

// dominates reports whether key a is at least as good as b everywhere, and
// better somewhere.
func dominates(a, b []int) bool {
	better := false
	for k := range a {
		if a[k] > b[k] {
			return false
		}
		better = better || a[k] < b[k]
	}
	return better
}

// fresh returns what of a selection is neither installed nor proposed.
func (c *checker) fresh(x set) (fresh set) {
	for i := range x.all() {
		s := c.versions[i].stem
		if _, isProposed := c.proposed[s]; !isProposed && c.stays(s) < 0 {
			fresh.add(i)
		}
	}
	return fresh
}

// newer reports whether the new selection a is at least as new as b in all
// stems of both, and newer in one.
func (c *checker) newer(a, b set) bool {
	better := false
	for i := range a.all() {
		s := c.versions[i].stem
		theirs := b.and(c.of(s))
		if theirs.empty() {
			continue
		}
		mine, their := c.age(a, s), c.age(theirs, s)
		if mine > their {
			return false
		}
		better = better || mine < their
	}
	return better
}
