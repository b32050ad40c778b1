package solver_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// This file has instances that were made to take forever, or to take everything.

// A heap is a [solver.Source] that is written down package by package.
type heap []solver.Package

func (h heap) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		for _, p := range h {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// add adds a version with its dependencies: "require b@1".
func (h *heap) add(name, version string, depends ...string) {
	p := solver.Package{FMRI: fmri.MustParse(fullName("p", name, version))}
	for _, d := range depends {
		p.Actions = append(p.Actions, "depend type="+d)
	}
	*h = append(*h, p)
}

// solver returns a solver over the heap.
func (h heap) solver(t *testing.T, opts *solver.Options) *solver.Solver {
	t.Helper()
	m, err := solver.NewModel(h)
	if err != nil {
		t.Fatal(err)
	}
	return solver.New(m, opts)
}

// install installs names on an empty image. A minute is more than enough for it.
func install(ctx context.Context, s *solver.Solver, names ...string) (*solver.Solution, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req := solver.Request{Op: solver.Install}
	for _, name := range names {
		req.Patterns = append(req.Patterns, fmri.MustParsePattern("pkg:/"+name))
	}
	return s.Solve(ctx, &solver.Image{}, req)
}

// pigeons puts n+1 pigeons into n holes, by excludes: no proof by clauses that
// there is no room is shorter than exponential.
func pigeons(n int) (h heap, names []string) {
	for i := range n + 1 {
		holes := "require-any"
		for j := range n {
			holes += fmt.Sprintf(" fmri=in/%d/%d", i, j)
			var others []string
			for k := range n + 1 {
				if k != i {
					others = append(others, fmt.Sprintf("exclude fmri=in/%d/%d", k, j))
				}
			}
			h.add(fmt.Sprintf("in/%d/%d", i, j), "1", others...)
		}
		names = append(names, fmt.Sprintf("pigeon/%d", i))
		h.add(names[i], "1", holes)
	}
	return h, names
}

// TestPigeonsSmall shows that the solver does know that there is no room.
func TestPigeonsSmall(t *testing.T) {
	h, names := pigeons(4)
	_, err := install(t.Context(), h.solver(t, nil), names...)
	if c := solver.CategoryOf(err); c != solver.NoSolution {
		t.Errorf("%v: %v", c, err)
	}
	if _, err := install(t.Context(), h.solver(t, nil), names[1:]...); err != nil {
		t.Errorf("one pigeon less: %v", err)
	}
}

// TestPigeonsCancelled ends a hopeless search from outside, while its memory
// stays bounded.
func TestPigeonsCancelled(t *testing.T) {
	h, names := pigeons(14)
	s := h.solver(t, &solver.Options{MaxConflicts: 1 << 40})
	best := time.Hour
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		end, _ := ctx.Deadline()
		_, err := install(ctx, s, names...)
		best = min(best, time.Since(end))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	t.Logf("ends %v after its time", best)
	if best > 100*time.Millisecond {
		t.Errorf("ends %v after its time", best)
	}
}

// TestPigeonsLimited ends a hopeless search by the limit of its work.
func TestPigeonsLimited(t *testing.T) {
	h, names := pigeons(14)
	s := h.solver(t, &solver.Options{MaxConflicts: 20_000})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := install(t.Context(), s, names...)
	runtime.ReadMemStats(&after)
	var limit *solver.LimitError
	if !errors.As(err, &limit) || limit.Limit != "MaxConflicts" || limit.Max != 20_000 {
		t.Errorf("%v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
		t.Errorf("%d MB allocated in 20,000 conflicts", used>>20)
	}
}

// TestCancelledBefore does not begin to solve.
func TestCancelledBefore(t *testing.T) {
	h, names := pigeons(3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := install(ctx, h.solver(t, nil), names...); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// chains are long dependencies of every kind, 20,000 packages each. Nothing may
// recurse along them.
func TestLongChains(t *testing.T) {
	const n = 20_000
	for _, typ := range []string{"require", "group", "conditional", "require-any", "renamed"} {
		t.Run(typ, func(t *testing.T) {
			var h heap
			for i := range n {
				name, next := fmt.Sprintf("c%05d", i), fmt.Sprintf(" fmri=c%05d", i+1)
				switch typ {
				case "conditional":
					h.add(name, "1", "conditional"+next+" predicate="+name)
				case "renamed":
					h.add(name, "1", "require"+next)
					h[i].Actions = append(h[i].Actions, "set name=pkg.renamed value=true")
				default:
					h.add(name, "1", typ+next)
				}
			}
			h.add(fmt.Sprintf("c%05d", n), "1")
			sol, err := install(t.Context(), h.solver(t, nil), "c00000")
			if err != nil {
				t.Fatal(err)
			}
			want := n + 1
			if typ == "renamed" {
				want = 1
			}
			if got := count(sol.Packages()); got != want {
				t.Errorf("%d packages, want %d", got, want)
			}
		})
	}
}

func count[T any](seq iter.Seq[T]) (n int) {
	for range seq {
		n++
	}
	return n
}

// TestChainsBroken has the same chains with nothing at their ends.
func TestChainsBroken(t *testing.T) {
	n := int(rounds(500, 5_000))
	for _, typ := range []string{"require", "conditional"} {
		var h heap
		for i := range n {
			name, next := fmt.Sprintf("c%05d", i), fmt.Sprintf(" fmri=c%05d", i+1)
			if typ == "conditional" {
				next += " predicate=" + name
			}
			h.add(name, "1", typ+next)
		}
		_, err := install(t.Context(), h.solver(t, nil), "c00000")
		if c := solver.CategoryOf(err); c != solver.NoSolution {
			t.Errorf("%s: %v: %v", typ, c, err)
		}
	}
}

// TestManyVersions has one name with many versions, of which only the oldest will
// do, and it takes a partner with as many to see it.
func TestManyVersions(t *testing.T) {
	n := rounds(1_000, 10_000)
	var h heap
	for i := range int(n) {
		v := fmt.Sprint(i + 1)
		if i == 0 {
			h.add("a", v, "require fmri=b")
			h.add("b", v)
			continue
		}
		h.add("a", v, "require fmri=b@"+v, "exclude fmri=c")
		h.add("b", v, "incorporate fmri=a@"+fmt.Sprint(i), "require fmri=c")
	}
	h.add("c", "1")
	sol, err := install(t.Context(), h.solver(t, nil), "a")
	if err != nil {
		t.Fatal(err)
	}
	for f := range sol.Packages() {
		if f.Name() == "a" && f.Version().Release() != "1" {
			t.Errorf("%v", f)
		}
	}
}

// TestManyVersionsConflict has 10,000 versions, none of which will do, each for a
// reason of its own. The reason given is short nevertheless.
func TestManyVersionsConflict(t *testing.T) {
	var h heap
	for i := range 10_000 {
		h.add("a", fmt.Sprint(i+1), fmt.Sprintf("require fmri=b%d", i%100))
	}
	_, err := install(t.Context(), h.solver(t, nil), "a")
	if c := solver.CategoryOf(err); c != solver.NoSolution {
		t.Fatalf("%v: %v", c, err)
	}
	if text := err.Error(); len(text) > 20_000 {
		t.Errorf("%d bytes of reasons: %s…", len(text), text[:1000])
	}
}

// TestGroupOfRivals has a group of many members of which half cannot come along:
// some that exclude each other in pairs, and some that exclude the group itself.
func TestGroupOfRivals(t *testing.T) {
	n, m := int(rounds(20, 100)), int(rounds(200, 2_000))
	var h heap
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf("group fmri=m%d", i))
		h.add(fmt.Sprintf("m%d", i), "1", fmt.Sprintf("exclude fmri=m%d", i^1))
	}
	for i := range m {
		members = append(members, fmt.Sprintf("group fmri=x%d", i))
		h.add(fmt.Sprintf("x%d", i), "1", "exclude fmri=g")
	}
	h.add("g", "1", members...)
	sol, err := install(t.Context(), h.solver(t, nil), "g")
	if err != nil {
		t.Fatal(err)
	}
	if got := count(sol.Packages()); got != 1+n/2 {
		t.Errorf("%d packages, want %d", got, 1+n/2)
	}
}

// TestLadder has 200 rungs with two ways each, and all ways are dead ends that
// show only at the bottom.
func TestLadder(t *testing.T) {
	const n = 200
	var h heap
	for i := range n {
		next := fmt.Sprintf("require-any fmri=l%d fmri=r%d", i+1, i+1)
		h.add(fmt.Sprintf("l%d", i), "1", next)
		h.add(fmt.Sprintf("r%d", i), "1", next)
	}
	h.add(fmt.Sprintf("l%d", n), "1", "exclude fmri=l0", "exclude fmri=r0")
	h.add(fmt.Sprintf("r%d", n), "1", "exclude fmri=l0", "exclude fmri=r0")
	h.add("top", "1", "require-any fmri=l0 fmri=r0")
	_, err := install(t.Context(), h.solver(t, nil), "top")
	if c := solver.CategoryOf(err); c != solver.NoSolution {
		t.Errorf("%v: %v", c, err)
	}
}
