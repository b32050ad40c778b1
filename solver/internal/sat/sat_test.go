package sat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// A universe is a problem written down, for the engine and for brute force.
type universe struct {
	layout   Layout
	excluded []ID
	narrowed map[Slot]Span
	reqs     []req
	limits   []lim
	engine   *Engine
	rank     []int
	late     bool // limits of slots that are not open are left to Open
}

type req struct {
	guard ID
	cond  Span
	set   []Span
}

type lim struct {
	guard   ID
	slot    Slot
	span    Span
	outside bool
}

func (u *universe) Rank(id ID) int { return u.rank[id] }

func (u *universe) Open(s Slot) {
	for _, id := range u.excluded {
		if u.layout.Base[s] <= id && id < u.layout.Base[s+1] {
			u.engine.Exclude(id)
		}
	}
	if p, ok := u.narrowed[s]; ok {
		u.engine.Narrow(s, p)
	}
	for i, l := range u.limits {
		if u.late && l.slot == s && u.engine.IsLoaded(l.guard) {
			u.engine.Limit(l.guard, s, l.span, l.outside, int32(len(u.reqs)+i))
		}
	}
}

func (u *universe) Load(id ID) {
	for i, l := range u.limits {
		if l.guard == id && (!u.late || u.engine.IsOpen(l.slot)) {
			u.engine.Limit(id, l.slot, l.span, l.outside, int32(len(u.reqs)+i))
		}
	}
	for i, r := range u.reqs {
		if r.guard == id {
			u.engine.Require(id, r.cond, r.set, int32(i))
		}
	}
}

// start puts u into the engine.
func (u *universe) start(goals []Goal) *Engine {
	if u.engine == nil {
		u.engine = New(u.layout)
	}
	u.engine.Reset(u)
	for i, r := range u.reqs {
		if r.guard == None {
			u.engine.Require(None, r.cond, r.set, int32(i))
		}
	}
	u.engine.Goals = append(u.engine.Goals, goals...)
	for _, g := range goals {
		u.engine.Open(g.Slot)
	}
	return u.engine
}

// slots returns the number of slots.
func (u *universe) slots() int { return len(u.layout.Base) - 1 }

// all calls f with every selection: an id or None for each slot.
func (u *universe) all(f func(sel []ID) bool) {
	sel := make([]ID, u.slots())
	var walk func(s int) bool
	walk = func(s int) bool {
		if s == len(sel) {
			return f(sel)
		}
		sel[s] = None
		if !walk(s + 1) {
			return false
		}
		for id := u.layout.Base[s]; id < u.layout.Base[s+1]; id++ {
			sel[s] = id
			if p, ok := u.narrowed[Slot(s)]; slices.Contains(u.excluded, id) || ok && !p.Contains(id) {
				continue
			}
			if !walk(s + 1) {
				return false
			}
		}
		return true
	}
	walk(0)
}

// broken returns the first constraint that sel breaks, of those that use admits.
func (u *universe) broken(sel []ID, use func(tag int) bool) string {
	has := func(p Span) bool {
		return slices.ContainsFunc(sel, p.Contains)
	}
	for i, r := range u.reqs {
		on := (r.guard == None || has(only(r.guard))) && (r.cond.Empty() || has(r.cond))
		if use(i) && on && !slices.ContainsFunc(r.set, has) {
			return fmt.Sprintf("requirement %v", r)
		}
	}
	for i, l := range u.limits {
		if id := sel[l.slot]; use(len(u.reqs)+i) && has(only(l.guard)) && id != None && l.span.Contains(id) == l.outside {
			return fmt.Sprintf("limit %v", l)
		}
	}
	return ""
}

func always(int) bool { return true }

// best returns the selection that is best by the goals, nil if there is none,
// as the ages that the goals get: 0 is best.
func (u *universe) best(goals []Goal) []int {
	var best []int
	u.all(func(sel []ID) bool {
		if u.broken(sel, always) == "" {
			if a := u.ages(goals, sel); best == nil || slices.Compare(a, best) < 0 {
				best = a
			}
		}
		return true
	})
	return best
}

func (u *universe) ages(goals []Goal, sel []ID) []int {
	ages := []int{0}
	for _, g := range goals {
		id := sel[g.Slot]
		switch {
		case g.ID != None && id == g.ID:
			ages = append(ages, 0)
		case g.ID != None:
			ages = append(ages, 1)
		case id == None:
			ages = append(ages, 1000)
		default:
			ages = append(ages, int(u.layout.Base[g.Slot+1]-id))
		}
	}
	return ages
}

// random makes a universe of n slots.
func random(rnd *rand.Rand, n int) *universe {
	u := &universe{layout: Layout{Base: []ID{0}}, narrowed: map[Slot]Span{}}
	for range n {
		u.layout.Base = append(u.layout.Base, u.layout.Base[len(u.layout.Base)-1]+ID(1+rnd.IntN(4)))
	}
	total := int(u.layout.Base[n])
	slotOf := func(s Slot) Span { return Span{u.layout.Base[s], u.layout.Base[s+1]} }
	part := func(s Slot) Span {
		p := slotOf(s)
		switch k := ID(rnd.IntN(int(p.Hi - p.Lo))); rnd.IntN(3) {
		case 0:
			p.Lo += k
		case 1:
			p.Hi -= k
		}
		return p
	}
	for range rnd.IntN(3) {
		u.excluded = append(u.excluded, ID(rnd.IntN(total)))
	}
	if rnd.IntN(2) == 0 {
		s := Slot(rnd.IntN(n))
		u.narrowed[s] = part(s)
	}
	for id := range ID(total) {
		for range rnd.IntN(3) {
			r := req{guard: id}
			if rnd.IntN(4) == 0 {
				r.cond = part(Slot(rnd.IntN(n)))
			}
			for range 1 + rnd.IntN(2) {
				r.set = append(r.set, part(Slot(rnd.IntN(n))))
			}
			u.reqs = append(u.reqs, r)
		}
		for range rnd.IntN(3) {
			s := Slot(rnd.IntN(n))
			u.limits = append(u.limits, lim{id, s, part(s), rnd.IntN(3) == 0})
		}
	}
	for range 1 + rnd.IntN(2) {
		u.reqs = append(u.reqs, req{None, Span{}, []Span{slotOf(Slot(rnd.IntN(n)))}})
	}
	return u
}

func randomGoals(rnd *rand.Rand, u *universe) []Goal {
	var goals []Goal
	for s := range Slot(u.slots()) {
		switch rnd.IntN(3) {
		case 0:
			goals = append(goals, Goal{s, None})
		case 1:
			lo, hi := u.layout.Base[s], u.layout.Base[s+1]
			goals = append(goals, Goal{s, lo + ID(rnd.IntN(int(hi-lo)))})
		}
	}
	rnd.Shuffle(len(goals), func(i, j int) { goals[i], goals[j] = goals[j], goals[i] })
	return goals
}

func checkAgainstBruteForce(t *testing.T, seed uint64, n int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	u := random(rnd, n)
	u.late = seed%2 == 1
	u.engine = New(u.layout)
	if seed%3 == 0 {
		u.engine.maxProof = int(seed % 4)
	}
	for round := range 2 {
		goals := randomGoals(rnd, u)
		want := u.best(goals)
		e := u.start(goals)
		e.FreeAfter = int(seed/6) % 3 // never, or soon: the answers are the same
		ok, err := e.Search(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if ok != (want != nil) {
			t.Fatalf("seed %d round %d: search says %v, brute force %v", seed, round, ok, want)
		}
		if !ok {
			u.checkCore(t, seed)
			return
		}
		sel := selection(e, u)
		if b := u.broken(sel, always); b != "" {
			t.Fatalf("seed %d: %v breaks %s", seed, sel, b)
		}
		if got := u.ages(goals, sel); !slices.Equal(got, want) {
			t.Fatalf("seed %d: goals %v got %v, want %v", seed, goals, got, want)
		}
	}
}

func selection(e *Engine, u *universe) []ID {
	var sel []ID
	for s := range Slot(u.slots()) {
		if e.slots[s].state == unopened {
			sel = append(sel, None)
		} else {
			sel = append(sel, e.Selected(s))
		}
	}
	return sel
}

// checkCore checks that what the core names cannot be met.
func (u *universe) checkCore(t *testing.T, seed uint64) {
	t.Helper()
	core := map[int]bool{}
	causes, err := u.engine.Core(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range causes {
		core[int(c.Tag)] = true
	}
	u.all(func(sel []ID) bool {
		if u.broken(sel, func(tag int) bool { return core[tag] }) == "" {
			t.Fatalf("seed %d: %v meets the whole core %v", seed, sel, core)
		}
		return true
	})
}

// TestBruteForce compares searches with the enumeration of all selections:
// whether there is one, the ages of the goals, and that a core is one.
func TestBruteForce(t *testing.T) {
	n := uint64(800)
	if os.Getenv("IPS_LONG") != "" {
		n = 20_000
	}
	for seed := range n {
		checkAgainstBruteForce(t, seed, 3+int(seed%3))
	}
}

// TestAllocations shows that a second search of the same problem allocates nothing.
func TestAllocations(t *testing.T) {
	u := random(rand.New(rand.NewPCG(7, 1)), 6)
	goals := []Goal{{0, None}, {1, None}}
	u.start(goals)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := u.start(goals).Search(context.Background()); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestScope shows that what is said and learned in a scope ends with it.
func TestScope(t *testing.T) {
	u := &universe{layout: Layout{Base: []ID{0, 2, 4}}}
	u.reqs = []req{{None, Span{}, []Span{{0, 2}}}, {1, Span{}, []Span{{2, 4}}}}
	e := u.start([]Goal{{0, None}})
	if ok, _ := e.Search(t.Context()); !ok || e.Selected(0) != 1 || e.Selected(1) != 3 {
		t.Fatalf("selected %d and %d", e.Selected(0), e.Selected(1))
	}
	e.BackToGoals()
	sc := e.Push()
	e.Narrow(1, Span{2, 3})
	if ok, _ := e.Search(t.Context()); !ok || e.Selected(1) != 2 {
		t.Fatalf("in the scope: selected %d", e.Selected(1))
	}
	e.Pop(sc)
	sc = e.Push()
	e.Narrow(1, Span{2, 2})
	if ok, _ := e.Search(t.Context()); ok {
		t.Fatal("nothing is left to select")
	}
	e.Pop(sc)
	if ok, _ := e.Search(t.Context()); !ok || e.Selected(1) != 3 {
		t.Fatalf("after the scope: selected %d", e.Selected(1))
	}
}

// TestLuby knows the beginning of the sequence.
func TestLuby(t *testing.T) {
	want := []int{1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8, 1}
	for i, w := range want {
		if got := luby(i + 1); got != w {
			t.Errorf("luby(%d) = %d, want %d", i+1, got, w)
		}
	}
}
