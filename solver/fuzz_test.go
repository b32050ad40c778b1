package solver_test

import "testing"

// FuzzSolve makes small universes of bytes and compares the solver with the
// brute force.
func FuzzSolve(f *testing.F) {
	for seed := range rounds(600, 20_000) {
		f.Add([]byte(seededDice(seed, 400)))
	}
	for _, seed := range []uint64{9837, 18987, 26465, 32352} { // were wrong once
		f.Add([]byte(seededDice(seed, 400)))
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		d := dice(bytes)
		u := smallWorld.universe(&d)
		b := solveByBrute(u)
		if b.unclear {
			return
		}
		got := u.solve(t.Context())
		got.check(t, u, b.outcome())
		checkFacts(t, b, got.err)
		checkRepairs(t, u, got.err)
		u.solveCatalogs(t).check(t, u, b.outcome())
		for seed := range uint64(2) {
			if again := u.shuffled(seed).solve(t.Context()); again.String() != got.String() {
				t.Errorf("in another order of input\n%sfirst  %s\nsecond %s\n%s", u, got, again, u.vector())
			}
		}
	})
}

// TestWorld shows that random universes are worth the trouble: all outcomes
// occur, and often.
func TestWorld(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(2000) {
		d := seededDice(seed, 400)
		u := smallWorld.universe(&d)
		o := solveByBrute(u).outcome()
		seen[u.Op+" "+o.Status+" "+o.Category]++
		if len(o.Acceptable) > 1 {
			seen["several acceptable"]++
		}
	}
	t.Log(seen)
	for _, what := range []string{"install ok ", "install fail no_solution", "install fail no_match", "update ok ", "update fail no_solution",
		"uninstall ok ", "uninstall fail non_leaf", "uninstall fail no_solution", "exact-install ok ", "exact-install fail no_solution"} {
		if seen[what] < 10 {
			t.Errorf("%s: %d times", what, seen[what])
		}
	}
}
