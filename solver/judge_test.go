package solver_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
)

// A judge checks the answer to a query by the rules of the corpus. They are the
// part of the solver's rules that its queries touch, and say besides what an
// answer may look like where an update has to make packages older.
type judge struct {
	*corpus
	q       *query
	off     universe // its facets are the query's
	request []string // requested names, in order
	pattern map[string]fmri.Version
	inst    map[string]*pack
	isInc   map[string]bool // installed incorporations
	held    map[string]bool
	gone    map[string]bool
	relax   bool     // installed packages may become older, as the last choice
	order   []string // the objectives

	answer   map[string]*pack
	limits   map[string][]*limit
	faults   []string
	warnings []string
}

// A limit is an optional, incorporate or exclude dependency of a listed package.
type limit struct {
	owner *pack
	dep   *cdep
}

func newJudge(c *corpus, q *query, answer []string) *judge {
	j := &judge{corpus: c, q: q, pattern: map[string]fmri.Version{}, inst: map[string]*pack{}, isInc: map[string]bool{},
		held: map[string]bool{}, gone: map[string]bool{}, answer: map[string]*pack{}, limits: map[string][]*limit{}}
	j.off.Facets = q.Facets
	j.readQuery()
	j.findObjectives()
	for _, text := range answer {
		p := c.find(text)
		switch {
		case p == nil:
			j.fault("unknown package %s", text)
		case j.answer[p.fmri.Name()] != nil:
			j.fault("two versions of %s", p.fmri.Name())
		default:
			j.answer[p.fmri.Name()] = p
		}
	}
	return j
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (j *judge) readQuery() {
	for _, text := range j.q.Installed {
		if p := j.find(text); p != nil {
			j.inst[p.fmri.Name()] = p
		}
	}
	for _, name := range slices.Concat(j.q.Request.Reject, j.q.Request.Uninstall) {
		j.gone[name] = true
	}
	j.relax = j.q.Request.Update || j.q.Request.Downgrade
	for _, text := range j.q.Request.Install {
		f := fmri.MustParse(text)
		j.request = append(j.request, f.Name())
		j.pattern[f.Name()] = f.Version()
		for _, p := range j.byName[f.Name()] {
			j.relax = j.relax || p.hold
		}
	}
}

// findObjectives finds the incorporations, which of them are held, and the order
// in which names matter: the requested ones, incorporations by how many of the
// others name them, the rest.
func (j *judge) findObjectives() {
	rank := map[string]int{}
	for name, p := range j.inst {
		for d := range j.active(p) {
			if target := d.on[0].Name(); d.typ == "incorporate" && len(j.byName[target]) > 0 {
				j.isInc[name] = true
				rank[target]++
			}
		}
		j.held[name] = j.isInc[name] && p.hold && !j.relax
	}
	var rest []string
	for name := range j.inst {
		if !slices.Contains(j.request, name) && !j.gone[name] {
			rest = append(rest, name)
		}
	}
	place := func(name string) int {
		if j.isInc[name] {
			return rank[name]
		}
		return len(j.inst) + 1
	}
	slices.SortFunc(rest, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b)) })
	j.order = append(slices.Clone(j.request), rest...)
}

// active yields the dependencies that variants and facets leave.
func (j *judge) active(p *pack) func(yield func(*cdep) bool) {
	return func(yield func(*cdep) bool) {
		for _, d := range p.deps {
			if d.typ != "" && j.off.allows(d.attrs) && !yield(d) {
				return
			}
		}
	}
}

// forbidden returns why the request itself forbids p, or "".
func (j *judge) forbidden(p *pack) string {
	name, v := p.fmri.Name(), p.fmri.Version()
	inst, isInstalled := j.inst[name]
	want, isRequested := j.pattern[name]
	older := isInstalled && v.Compare(inst.fmri.Version()) < 0
	switch {
	case p.badVariant:
		return "wrong variant"
	case j.gone[name]:
		return "rejected or uninstalled"
	case !j.thawed(p):
		return "frozen"
	case isRequested && want.IsValid() && !matches(v, want):
		return "not the requested version"
	case isRequested && older && !j.q.Request.Downgrade:
		return "requested, and older than installed"
	case isRequested:
		return ""
	case isInstalled && j.held[name] && p != inst:
		return "other version of a held incorporation"
	case older && !j.relax:
		return "older than installed"
	}
	return ""
}

func (j *judge) thawed(p *pack) bool {
	for _, text := range j.q.Freeze {
		f := fmri.MustParse(text)
		if f.Name() == p.fmri.Name() && f.Version().IsValid() && !matches(p.fmri.Version(), f.Version()) {
			return false
		}
	}
	return true
}

func (l *limit) admits(p *pack) bool {
	d := l.dep.on[0].Version()
	switch l.dep.typ {
	case "optional":
		return enough(p, d)
	case "incorporate":
		return !d.IsValid() || matches(p.fmri.Version(), d)
	}
	return d.IsValid() && p.fmri.Version().Compare(d) < 0 // exclude
}

func enough(p *pack, least fmri.Version) bool {
	return !least.IsValid() || p.fmri.Version().Compare(least) >= 0
}

// virtual returns the obsolete or renamed versions that may stand for a name
// which is not listed.
func (j *judge) virtual(name string, renamedOnly bool, seen []string) (all []*pack) {
	if slices.Contains(seen, name) {
		return nil
	}
	for _, p := range j.byName[name] {
		if !p.renamed && (renamedOnly || !p.obsolete) || renamedOnly && p.obsolete || j.forbidden(p) != "" {
			continue
		}
		admitted := !slices.ContainsFunc(j.limits[name], func(l *limit) bool { return !l.admits(p) })
		for d := range j.active(p) {
			admitted = admitted && j.holds(p, d, append(seen, name))
		}
		if admitted {
			all = append(all, p)
		}
	}
	return all
}

// holds reports whether a dependency is met. A non-nil seen means that the owner
// is itself a renamed version that is not listed.
func (j *judge) holds(owner *pack, d *cdep, seen []string) bool {
	switch d.typ {
	case "require", "require-any":
		return j.some(d.on, seen)
	case "conditional":
		q := j.answer[d.predicate.Name()]
		return q == nil || q.obsolete || !enough(q, d.predicate.Version()) || j.some(d.on, seen)
	case "group":
		name := d.on[0].Name()
		return len(j.byName[name]) == 0 || j.answer[name] != nil || slices.Contains(j.q.Avoid, name) || j.gone[name] ||
			slices.ContainsFunc(j.virtual(name, false, nil), func(p *pack) bool { return p.obsolete })
	case "optional", "incorporate", "exclude":
		q := j.answer[d.on[0].Name()]
		return q == nil || (&limit{owner, d}).admits(q)
	}
	return true // other types do not occur
}

func (j *judge) some(on []fmri.FMRI, seen []string) bool {
	for _, f := range on {
		q := j.answer[f.Name()]
		switch {
		case q != nil && !q.obsolete && enough(q, f.Version()):
			return true
		case q == nil && seen != nil && slices.ContainsFunc(j.virtual(f.Name(), true, seen), func(p *pack) bool {
			return enough(p, f.Version())
		}):
			return true
		}
	}
	return false
}

// validate checks that the answer is an image that the request may result in.
func (j *judge) validate() {
	for _, p := range j.answer {
		for d := range j.active(p) {
			if d.typ == "optional" || d.typ == "incorporate" || d.typ == "exclude" {
				j.limits[d.on[0].Name()] = append(j.limits[d.on[0].Name()], &limit{p, d})
			}
		}
	}
	for _, p := range j.answer {
		if p.obsolete {
			j.fault("%s is obsolete", plain(p.fmri))
		}
		if why := j.forbidden(p); why != "" {
			j.fault("%s: %s", plain(p.fmri), why)
		}
		for d := range j.active(p) {
			if !j.holds(p, d, nil) {
				j.fault("%s: unmet: %s", plain(p.fmri), d.text)
			}
		}
	}
	for _, name := range j.order {
		if j.answer[name] == nil && len(j.virtual(name, false, nil)) == 0 {
			j.fault("%s has vanished", name)
		}
	}
	j.checkNeeded()
}

// checkNeeded looks for packages that nobody needs.
func (j *judge) checkNeeded() {
	need, reached := map[string]bool{}, map[string]bool{}
	var todo []*pack
	for _, name := range j.order {
		if p := j.answer[name]; p != nil {
			todo = append(todo, p)
		} else {
			todo = append(todo, j.virtual(name, false, nil)...)
		}
		reached[name] = true
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for d := range j.active(todo[0]) {
			for _, f := range d.on {
				p := j.answer[f.Name()]
				if p == nil || !slices.Contains([]string{"require", "require-any", "conditional", "group"}, d.typ) {
					continue
				}
				need[f.Name()] = need[f.Name()] || d.typ != "group" && enough(p, f.Version())
				if !reached[f.Name()] {
					reached[f.Name()] = true
					todo = append(todo, p)
				}
			}
		}
	}
	for name := range j.answer {
		switch {
		case j.inst[name] != nil || slices.Contains(j.request, name):
		case slices.Contains(j.q.Avoid, name) && !need[name]:
			j.fault("%s is on the avoid list, and only a group names it", name)
		case !reached[name]:
			j.warnings = append(j.warnings, name+" is not needed")
		}
	}
}

// rank returns the place of p in the order of preference of its name, or -1.
func (j *judge) rank(p *pack) int {
	name := p.fmri.Name()
	inst := j.inst[name]
	var order []*pack
	for _, q := range slices.Backward(j.byName[name]) {
		if j.forbidden(q) == "" {
			order = append(order, q)
		}
	}
	if !slices.Contains(j.request, name) && inst != nil {
		class := func(q *pack) int {
			switch {
			case q == inst && !j.q.Request.Update:
				return 0
			case q.fmri.Version().Compare(inst.fmri.Version()) >= 0:
				return 1
			}
			return 2
		}
		slices.SortStableFunc(order, func(a, b *pack) int { return cmp.Compare(class(a), class(b)) })
	}
	return slices.Index(order, p)
}

// place returns the rank of what the answer has of a name; that of the best
// version that may stand for it if it has none.
func (j *judge) place(name string) int {
	if p := j.answer[name]; p != nil {
		return j.rank(p)
	}
	best := -1
	for _, p := range j.virtual(name, false, nil) {
		if r := j.rank(p); best < 0 || r >= 0 && r < best {
			best = r
		}
	}
	return best
}

// TestJudge shows that the judge of the corpus sees what is wrong: the
// reference's answers are valid, and damaged they are not.
func TestJudge(t *testing.T) {
	for _, c := range corpora(t) {
		for _, q := range c.queries {
			good := c.former[q.Name]
			if len(good) == 0 || len(good) > 200 || len(q.Installed) > 0 {
				continue
			}
			if faults := faultsOf(c, q, good); len(faults) > 0 {
				t.Errorf("%s: the reference's answer: %v", q.Name, faults[0])
			}
			for i, text := range good {
				if faults := faultsOf(c, q, slices.Delete(slices.Clone(good), i, i+1)); len(faults) == 0 {
					t.Errorf("%s: %s is missing, and nobody sees it", q.Name, text)
				}
			}
		}
	}
}

// faultsOf returns what the judge says about an answer, warnings included.
func faultsOf(c *corpus, q *query, answer []string) []string {
	j := newJudge(c, q, answer)
	j.validate()
	return append(j.faults, j.warnings...)
}
