package solver_test

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// This file hands a universe to the solver, and says what is wrong with what
// comes back.

// Packages makes a universe a [solver.Source].
func (u *universe) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		for _, p := range u.Known {
			if !yield(solver.Package{FMRI: fmri.MustParse(p.FMRI), Actions: p.Actions}, nil) {
				return
			}
		}
	}
}

// image returns the universe's image.
func (u *universe) image() *solver.Image {
	img := &solver.Image{
		Installed: parseAll(u.Installed),
		OwnRanks:  u.ownRanks,
		Varcets:   manifest.Varcets{Variants: u.variants(), Facets: u.Facets},
		Avoid:     solver.AvoidSet{Avoided: slices.Sorted(slices.Values(u.Avoid))},
		Root:      parseAll(u.Root),
	}
	for _, p := range u.Publishers {
		img.Publishers = append(img.Publishers, solver.Publisher{Name: p.name, Sticky: p.sticky, Disabled: !p.enabled})
	}
	for _, f := range parseAll(u.Freezes) {
		img.Frozen = append(img.Frozen, solver.Freeze{Package: f})
	}
	if u.Parent != nil {
		img.Linked, img.Parent = true, parseAll(*u.Parent)
	}
	return img
}

// request returns what the universe asks for.
func (u *universe) request() (req solver.Request) {
	ops := []solver.Op{solver.Install, solver.Update, solver.Uninstall, solver.ExactInstall}
	req.Op = ops[slices.IndexFunc(ops, func(op solver.Op) bool { return op.String() == u.Op })]
	for _, text := range u.Propose {
		req.Patterns = append(req.Patterns, fmri.MustParsePattern(text))
	}
	for _, stem := range u.Reject {
		req.Reject = append(req.Reject, fmri.MustParsePattern("pkg:/"+stem))
	}
	return req
}

func parseAll(texts []string) (all []fmri.FMRI) {
	for _, text := range texts {
		all = append(all, fmri.MustParse(text))
	}
	return all
}

// A result is what the solver makes of a universe.
type result struct {
	category string // "" for an answer
	answer   answer
	err      error
}

// solve asks the solver.
func (u *universe) solve(ctx context.Context) result {
	model, err := solver.NewModel(u)
	if err != nil {
		return result{category: "model", err: err}
	}
	return u.solveWith(ctx, solver.New(model, nil))
}

// solveWith asks a solver that knows the universe's packages.
func (u *universe) solveWith(ctx context.Context, s *solver.Solver) result {
	sol, err := s.Solve(ctx, u.image(), u.request())
	if err != nil {
		return result{category: solver.CategoryOf(err).String(), err: err}
	}
	return result{answer: answerOf(sol)}
}

func answerOf(sol *solver.Solution) answer {
	a := answer{Image: []string{}}
	for f := range sol.Packages() {
		a.Image = append(a.Image, f.String())
	}
	slices.Sort(a.Image)
	sets := sol.Avoid()
	a.Avoid, a.ImplicitAvoid, a.ObsoleteTracked = orNil(sets.Avoided), orNil(sets.Implicit), orNil(sets.Obsolete)
	for f := range sol.Blocked() {
		a.Blocked = append(a.Blocked, f.Name())
	}
	return a
}

func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (r result) String() string {
	if r.err != nil {
		return fmt.Sprintf("%s: %v", r.category, r.err)
	}
	return r.answer.String()
}

// check fails the test unless the result is wanted, and tells the story.
func (r result) check(t *testing.T, u *universe, want outcome) {
	t.Helper()
	if r.category == want.Category && (r.err != nil || slices.ContainsFunc(want.Acceptable, r.answer.equal)) {
		return
	}
	t.Errorf("wrong answer\n%sgot  %s\nwant %s\n%s\n%s", u, r, want, diagnose(solveByBrute(u), r), u.vector())
}

// diagnose says why a result is wrong.
func diagnose(b *brute, r result) string {
	switch {
	case b.err != nil && r.err == nil:
		return b.err.Error()
	case r.err != nil && len(b.best) > 0:
		return "an answer exists: " + b.answer(b.best[0]).String()
	case r.err != nil:
		return ""
	}
	var image set
	for _, f := range parseAll(r.answer.Image) {
		i := b.find(f)
		if i < 0 {
			return "unknown package " + f.String()
		}
		image.add(i)
	}
	return b.fault(image, r.answer)
}

// fault says what is wrong with a final image: which rule every selection behind
// it breaks, or at which level a better one exists.
func (b *brute) fault(image set, a answer) string {
	behind := func(all []set) (those []set) {
		for _, x := range all {
			if b.final(x) == image {
				those = append(those, x)
			}
		}
		return those
	}
	var found []string
	for _, x := range behind(b.best) {
		found = append(found, b.answer(x).String())
	}
	if len(found) > 0 {
		return "the image is right, the sets are not: " + a.String() + " should be " + strings.Join(found, " or ")
	}
	for _, x := range behind(b.all) {
		for _, y := range b.best {
			if level := b.beats(y, x); level != "" {
				found = append(found, fmt.Sprintf("the selection %s is worse at level %s than %s", b.names(x), level, b.names(y)))
			}
		}
	}
	if len(found) > 0 {
		return strings.Join(found, "\n")
	}
	for _, x := range behind(b.ruled) {
		return fmt.Sprintf("rule 5: %d group dependencies are not met, where fewer could be: %s", b.unmet(x), b.unmetNames(x))
	}
	return b.violates(image)
}

// beats returns the level at which y is better than x, or "".
func (b *brute) beats(y, x set) string {
	for _, l := range b.levels() {
		if mine, theirs := b.key(y, l), b.key(x, l); !reflect.DeepEqual(mine, theirs) {
			if dominates(mine, theirs) {
				return l.name
			}
			return ""
		}
	}
	switch {
	case b.beatsBySubset(y, x):
		return "D (1)"
	case b.newer(b.fresh(y), b.fresh(x)):
		return "D (2)"
	}
	return ""
}

func (b *brute) unmetNames(x set) string {
	var texts []string
	for k, d := range b.demands {
		if x.has(d.owner) && !b.blocked[k] && !d.one.meets(x) {
			texts = append(texts, plain(b.versions[d.owner].fmri)+": "+d.dependency.String())
		}
	}
	return strings.Join(texts, "; ")
}
