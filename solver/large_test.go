package solver_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/goips/ips/solver"
)

// largeWorld makes universes that enumeration cannot solve. Most of their
// requests can be met, and their images are consistent.
func largeWorld() *world {
	w := &world{versions: []string{"1", "1.1", "2", "2.1", "3"}, most: 6, settled: true, publishers: smallWorld.publishers}
	for i := range 40 {
		w.stems = append(w.stems, fmt.Sprintf("s%02d", i))
	}
	return w
}

// settle installs what some request for the universe's first stems would have
// installed, so that its packages go together.
func (u *universe) settle(d *dice) {
	before := *u
	before.Op, before.Installed, before.Reject, before.Freezes, before.Propose = "install", nil, nil, nil, nil
	for _, p := range u.Known {
		if stem := parseAll([]string{p.FMRI})[0].Name(); d.once(8) {
			before.Propose = append(before.Propose, "pkg:/"+stem)
		}
	}
	u.Installed = nil
	p, err := newProblem(&before)
	if err != nil {
		return
	}
	o := newOracle(p)
	x, ok := o.search(nil)
	if !ok {
		return
	}
	for i := range o.final(x).all() {
		u.Installed = append(u.Installed, o.versions[i].fmri.String())
	}
}

// TestLarge compares the solver with the oracle: whether there is an answer, and
// that there is no better one.
func TestLarge(t *testing.T) {
	seen := map[string]int{}
	w := largeWorld()
	seeds := []uint64{4307} // was wrong once
	for seed := range rounds(200, 5000) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		d := seededDice(seed, 4000)
		u := w.universe(&d)
		got := u.solve(t.Context())
		if complaint := verdict(u, got); complaint != "" {
			t.Errorf("seed %d\n%sgot  %s\n%s\n%s", seed, u, got, complaint, u.vector())
		}
		seen[u.Op+" "+got.category]++
	}
	t.Log(seen)
}

// verdict returns what the oracle has against a result, or "".
func verdict(u *universe, got result) string {
	p, err := newProblem(u)
	if err != nil {
		return unless(got.category == err.(*failure).category, err.Error())
	}
	o := newOracle(p)
	x, feasible := o.search(nil)
	switch {
	case o.unclear:
		return ""
	case !feasible:
		return unless(got.category == "no_solution", "there is no solution")
	case got.category == "stuck":
		return o.judge(o.unchanged(), true)
	case got.err != nil:
		return "a selection is " + o.names(x)
	}
	return o.judge(got.answer, false)
}

func unless(ok bool, complaint string) string {
	if ok {
		return ""
	}
	return complaint
}

// TestReuse solves many requests with one solver, in turn and at once: what it
// remembers of one must not show in another.
func TestReuse(t *testing.T) {
	w := largeWorld()
	for seed := range rounds(10, 200) {
		d := seededDice(seed, 8000)
		u := w.universe(&d)
		model, err := solver.NewModel(u)
		if err != nil {
			t.Fatal(err)
		}
		s := solver.New(model, nil)
		var wait sync.WaitGroup
		for range 8 {
			again := u.another(w, &d)
			want := again.solve(t.Context()).String()
			if got := again.solveWith(t.Context(), s).String(); got != want {
				t.Errorf("after others: %s, alone: %s\n%s", got, want, again)
			}
			wait.Go(func() {
				if got := again.solveWith(t.Context(), s).String(); got != want {
					t.Errorf("beside others: %s, alone: %s\n%s", got, want, again)
				}
			})
		}
		wait.Wait()
	}
}

// another returns another request for the same packages.
func (u *universe) another(w *world, d *dice) *universe {
	v := *u
	v.Op, v.Propose, v.Reject, v.Freezes, v.Avoid = d.pick("install", "update", "uninstall", "exact-install"), nil, nil, nil, nil
	w.makeRequest(d, &v, w.stems[:20])
	return &v
}
