package solver_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// A claim is a fact of the solver's, understood anew: the versions that it is
// about, and what it asks of a selection.
type claim struct {
	fact     *solver.Fact
	versions set
	depends  []owned // of a [solver.FactDepend]
}

// An owned dependency is a dependency with the version that has it.
type owned struct {
	owner int
	*dependency
}

// checkFacts checks an explanation: every fact is true; together they cannot be
// met; without any one of them they can.
func checkFacts(t *testing.T, b *brute, err error) {
	t.Helper()
	var conflict *solver.ConflictError
	if !errors.As(err, &conflict) {
		return
	}
	complain := func(format string, args ...any) {
		t.Errorf("%s\n%s%v\n%s", fmt.Sprintf(format, args...), b.universe, conflict, b.vector())
	}
	if len(conflict.Facts) == 0 {
		complain("no facts")
		return
	}
	var claims []claim
	for i := range conflict.Facts {
		c, err := b.claim(&conflict.Facts[i])
		if err == nil && c.isDemand() {
			err = b.checkDemand(&c)
		}
		if err != nil {
			complain("fact %d is false: %v", i+1, err)
			return
		}
		claims = append(claims, c)
	}
	contradict, needed := b.contradiction(claims)
	if !contradict {
		complain("the facts do not contradict each other")
		return
	}
	for k, ok := range needed {
		if !ok {
			complain("fact %d can be spared", k+1)
		}
	}
}

// contradiction reports whether no selection of known versions meets all claims,
// and for each claim whether some selection meets all the others.
func (b *brute) contradiction(claims []claim) (contradict bool, needed []bool) {
	contradict, needed = true, make([]bool, len(claims))
	b.everySelection(set{}, 0, func(x set) {
		broken, n := 0, 0
		for k := range claims {
			if !b.keeps(x, &claims[k]) {
				broken, n = k, n+1
			}
		}
		contradict = contradict && n > 0
		needed[broken] = needed[broken] || n == 1
	})
	return contradict, needed
}

// everySelection yields all ways to add to x at most one version of each stem
// from s on.
func (b *brute) everySelection(x set, s int, yield func(x set)) {
	if s == len(b.stems) {
		yield(x)
		return
	}
	b.everySelection(x, s+1, yield)
	for i := range b.of(s).all() {
		b.everySelection(x.or(setOf(i)), s+1, yield)
	}
}

// keeps reports whether a selection does what a claim asks for.
func (b *brute) keeps(x set, c *claim) bool {
	switch {
	case c.isDemand():
		return x.meets(c.versions)
	case c.fact.Kind == solver.FactDepend:
		return !slices.ContainsFunc(c.depends, func(d owned) bool { return x.has(d.owner) && !b.meets(x, d.dependency) })
	}
	return !x.meets(c.versions)
}

func (c *claim) isDemand() bool {
	switch c.fact.Kind {
	case solver.FactRequested, solver.FactInstalled, solver.FactDecided:
		return true
	}
	return false
}

// claim understands a fact, or says why it is false.
func (b *brute) claim(f *solver.Fact) (claim, error) {
	c := claim{fact: f}
	s := b.stem(f.Name)
	for _, p := range f.Packages {
		i := b.find(p)
		if i < 0 || b.versions[i].stem != s {
			return c, fmt.Errorf("%v is no version of %s", p, f.Name)
		}
		c.versions.add(i)
	}
	switch {
	case s < 0:
		return c, fmt.Errorf("%s is unknown", f.Name)
	case f.All && c.versions != b.of(s):
		return c, errors.New("not all versions are told")
	case c.isDemand():
		return c, nil
	case f.Kind == solver.FactDepend:
		return c, b.checkDepends(&c)
	}
	return c, b.checkRule(&c)
}

// checkDemand says why a version that the claim does not name would do, too.
func (b *brute) checkDemand(c *claim) error {
	s := b.stem(c.fact.Name)
	would := b.of(s)
	switch i := b.stays(s); {
	case c.fact.Kind == solver.FactRequested:
		would = b.proposed[s]
	case c.fact.Kind == solver.FactDecided:
		return errors.New("nothing is decided yet")
	case i < 0 || b.versions[i].fmri != c.fact.By:
		return fmt.Errorf("%v is not installed, or to go", c.fact.By)
	}
	for i := range would.without(c.versions).all() {
		if !slices.Contains(b.why[i], "upgrade-only") {
			return fmt.Errorf("%v would do, too", b.versions[i].fmri)
		}
	}
	if would.empty() {
		return fmt.Errorf("%s is not requested", c.fact.Name)
	}
	return nil
}

// checkDepends finds the dependencies of the claim, or says which is missing.
func (b *brute) checkDepends(c *claim) error {
	for i := range c.versions.all() {
		known := b.Known[slices.IndexFunc(b.Known, func(p universePackage) bool {
			return p.FMRI == b.versions[i].fmri.String()
		})]
		for _, d := range c.fact.Depends {
			found := false
			for _, action := range d.Actions {
				if slices.Contains(known.Actions, action) {
					found = true
					c.depends = append(c.depends, b.owned(i, action)...)
				}
			}
			if !found {
				return fmt.Errorf("%v has none of %q", known.FMRI, d.Actions)
			}
		}
	}
	for _, d := range c.depends {
		if !slices.ContainsFunc(c.fact.Depends, func(e solver.Dependency) bool { return e.Type == d.typ && d.narrow(e.On) }) {
			return fmt.Errorf("%s is not of the type or on the names told", d)
		}
	}
	return nil
}

// narrow reports whether names are those of the dependency. Of a group they may be
// some: the members that count, which it then leaves.
func (d *dependency) narrow(names []string) bool {
	on := d.on
	if strings.HasPrefix(d.typ, "group") {
		on = slices.DeleteFunc(slices.Clone(on), func(f fmri.FMRI) bool { return !slices.Contains(names, f.Name()) })
	}
	if !slices.Equal(sorted(names), sorted(namesOf(on))) {
		return false
	}
	d.on = on
	return true
}

// owned reads an action of version i, unless variants or facets leave it out.
func (b *brute) owned(i int, action string) (all []owned) {
	var v version
	v.read(b.universe, []string{action})
	for k := range v.depends {
		all = append(all, owned{i, &v.depends[k]})
	}
	return all
}

func namesOf(fmris []fmri.FMRI) (names []string) {
	for _, f := range fmris {
		names = append(names, f.Name())
	}
	return names
}

// sorted returns names, each once.
func sorted(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// checkRule says which of the claim's versions the rule does not forbid.
func (b *brute) checkRule(c *claim) error {
	for i := range c.versions.all() {
		switch v := b.versions[i].fmri; {
		case !slices.Contains(b.why[i], c.fact.Kind.String()):
			return fmt.Errorf("%v is not %v", v, c.fact.Kind)
		case c.fact.Kind == solver.FactHeld && !slices.Contains(b.heldBy(i), b.find(c.fact.By)):
			return fmt.Errorf("%v is not held by %v", v, c.fact.By)
		}
	}
	if c.versions.empty() {
		return fmt.Errorf("%v is nothing", c.fact.Kind)
	}
	return nil
}

// meets reports whether a selection of any known versions meets a dependency.
func (b *brute) meets(x set, d *dependency) bool {
	var enough set
	for _, f := range d.on {
		enough = enough.or(b.at(f, atLeast))
	}
	switch d.typ {
	case "require", "require-any":
		return b.live(enough).meets(x)
	case "conditional":
		return !b.live(b.at(d.predicate, atLeast)).meets(x) || b.live(enough).meets(x)
	case "exclude":
		return !enough.meets(x)
	case "group", "group-any": // where it may not be left out
		return b.meetsGroup(x, d)
	}
	s := b.stem(d.on[0].Name())
	if d.typ == "incorporate" {
		enough = b.at(d.on[0], matches)
	}
	return s < 0 || !b.of(s).without(enough).meets(x)
}

func (b *brute) meetsGroup(x set, d *dependency) bool {
	var enough set
	for _, s := range b.members(d) {
		enough = enough.or(b.of(s))
	}
	if b.wantsLive(d) {
		enough = b.live(enough)
	}
	return enough.meets(x)
}

// checkRepairs makes each repair, and sees that it works.
func checkRepairs(t *testing.T, u *universe, err error) {
	t.Helper()
	var conflict *solver.ConflictError
	if !errors.As(err, &conflict) {
		return
	}
	for _, r := range conflict.Repairs {
		repaired := u.repaired(r)
		b := solveByBrute(repaired)
		got := b.outcome()
		ok := slices.ContainsFunc(got.Acceptable, func(a answer) bool {
			return !r.Version.IsValid() || slices.Contains(a.Image, r.Version.String()) || b.versions[b.find(r.Version)].renamed
		})
		if got.Status != "ok" && got.Category != "stuck" || !ok && !b.unclear {
			t.Errorf("%v: gives %v, not %v\n%s%v\n%s", r, got, r.Version, u, conflict, u.vector())
		}
	}
}

// repaired returns the universe after a repair.
func (u *universe) repaired(r solver.Repair) *universe {
	v := *u
	ofName := func(text string) bool { return fmri.MustParsePattern(text).MatchesName(r.Name) }
	exact := "pkg:/" + r.Name
	switch r.Kind {
	case solver.RepairVersion:
		v.Propose = slices.Clone(v.Propose)
		for i, text := range v.Propose {
			if ofName(text) {
				v.Propose[i] = exact
			}
		}
	case solver.RepairAlso:
		v.Propose = append(slices.Clone(v.Propose), exact)
	case solver.RepairUnfreeze:
		v.Freezes = slices.DeleteFunc(slices.Clone(v.Freezes), func(text string) bool { return strings.HasPrefix(text, r.Name+"@") })
	case solver.RepairFacet:
		v.Facets = maps.Clone(u.Facets)
		if v.Facets == nil {
			v.Facets = map[string]bool{}
		}
		v.Facets[r.Name] = false
	case solver.RepairUninstall:
		v.Reject = append(slices.Clone(v.Reject), r.Name)
	case solver.RepairAccept:
		v.Reject = slices.DeleteFunc(slices.Clone(v.Reject), func(name string) bool { return name == r.Name })
	}
	return &v
}
