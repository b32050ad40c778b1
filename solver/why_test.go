package solver_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// TestWhy asks for the reason of every package of small universes, there or not.
func TestWhy(t *testing.T) {
	for seed := range rounds(200, 5000) {
		d := seededDice(seed, 400)
		u := smallWorld.universe(&d)
		got := u.solve(t.Context())
		b := solveByBrute(u)
		if got.err != nil || b.unclear {
			continue
		}
		model, err := solver.NewModel(u)
		if err != nil {
			t.Fatal(err)
		}
		s := solver.New(model, nil)
		for _, name := range b.stems {
			e, err := s.Why(t.Context(), u.image(), u.request(), name)
			if err == nil {
				err = b.checkWhy(e, name, got.answer)
			}
			if err != nil {
				t.Errorf("%s: %v\n%v\n%s%s\n%s", name, err, e, u, got, u.vector())
			}
		}
	}
}

// checkWhy checks the explanation of a name in an answer.
func (b *brute) checkWhy(e *solver.Explanation, name string, a answer) error {
	there := slices.IndexFunc(parseAll(a.Image), func(f fmri.FMRI) bool { return f.Name() == name })
	switch {
	case e.Name != name || e.String() == "":
		return fmt.Errorf("is about %q", e.Name)
	case there < 0 && (e.Package.IsValid() || len(e.Chain) > 0):
		return fmt.Errorf("%v is not there", e.Package)
	case there >= 0 && e.Package.String() != a.Image[there]:
		return fmt.Errorf("%v is not what is there", e.Package)
	}
	return errors.Join(b.checkChain(e), b.checkInstead(e))
}

// checkChain checks that the chain of an explanation leads from a demand to the
// package, each link being what the one before asks for.
func (b *brute) checkChain(e *solver.Explanation) error {
	if !e.Package.IsValid() {
		return nil
	}
	if len(e.Chain) == 0 {
		return errors.New("no chain")
	}
	for k := range e.Chain {
		c, err := b.claim(&e.Chain[k])
		if err == nil && c.isDemand() {
			err = b.checkDemand(&c)
		}
		next := e.Package.Name()
		if k+1 < len(e.Chain) {
			next = e.Chain[k+1].Name
		}
		switch {
		case err != nil:
			return fmt.Errorf("link %d is false: %w", k+1, err)
		case c.isDemand() != (k == 0):
			return fmt.Errorf("link %d is a demand: %t", k+1, k > 0)
		case k == 0 && c.fact.Name != next, k > 0 && !slices.Contains(c.fact.Depends[0].On, next):
			return fmt.Errorf("link %d does not lead to %s", k+1, next)
		}
	}
	return nil
}

// checkInstead checks that the facts against something else contradict each
// other, that none can be spared, and that the rules among them are true.
func (b *brute) checkInstead(e *solver.Explanation) error {
	if e.Instead == nil {
		return nil
	}
	var claims []claim
	for i := range e.Instead.Facts {
		c, err := b.claim(&e.Instead.Facts[i])
		if err != nil {
			return fmt.Errorf("fact %d is false: %w", i+1, err)
		}
		claims = append(claims, c)
	}
	contradict, needed := b.contradiction(claims)
	if k := slices.Index(needed, false); contradict && k >= 0 {
		return fmt.Errorf("fact %d can be spared", k+1)
	}
	if !contradict {
		return errors.New("the facts do not contradict each other")
	}
	return nil
}
