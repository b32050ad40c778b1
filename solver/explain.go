package solver

import (
	"cmp"
	"context"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// A ground is what one [Fact] stands for in a search: constraints that are
// there or not there together.
type ground struct {
	groundKey
	uses []use    // dependencies
	ids  []sat.ID // forbidden versions
	must bool     // the slot must be present
	on   bool
}

// A groundKey tells grounds apart.
type groundKey struct {
	kind   FactKind
	slot   sat.Slot
	dep    depKind
	text   string // of the dependency, for those with several packages, or the unknown name
	target sat.Slot
	by     sat.ID // the holder, for FactHeld
}

// A use is a dependency of one version.
type use struct {
	id  sat.ID
	dep int32
}

// An explainer looks for the fewest grounds of a contradiction.
type explainer struct {
	problem *problem
	work    *work
	eng     *sat.Engine
	grounds []ground
	byKey   map[groundKey]int32
	rule    map[sat.ID][]int32 // the grounds that forbid an id
	looked  []bool             // by id: its rules are in rule
	uses    map[sat.ID][]owned // the dependencies of an id
	effort  int                // so far, see maxEffort
}

// An owned is a dependency and the ground it belongs to.
type owned struct{ dep, ground int32 }

// explain finds out why the engine of e found no selection: a set of facts that
// contradict each other, none of which can be spared unless the result is loose. If the
// end of ctx is what cut it short, it is the Err of the result.
func (w *work) explain(ctx context.Context, e *encoding) (*ConflictError, error) {
	x := &explainer{
		problem: w.problem,
		work:    w,
		byKey:   map[groundKey]int32{},
		rule:    map[sat.ID][]int32{},
		looked:  make([]bool, w.problem.m.Len()),
		uses:    map[sat.ID][]owned{},
	}
	core, err := e.eng.Core(ctx)
	if err != nil {
		return &ConflictError{Loose: true, Err: err}, nil
	}
	for _, c := range core {
		x.add(c)
	}
	for i := 0; i < len(x.grounds); i++ {
		if x.grounds[i].must {
			x.addDead(w.problem.m.layoutSpan(x.grounds[i].slot))
		}
	}
	x.eng = w.spare()
	loose, err := x.minimize(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return &ConflictError{Facts: x.facts(), Loose: loose, Err: err}, nil
}

// spare returns an engine that holds nothing of use any more.
func (w *work) spare() *sat.Engine {
	if w.probe.eng == nil {
		w.probe.eng = sat.New(w.problem.m.layout)
	}
	return w.probe.eng
}

// add enters one cause of the contradiction.
func (x *explainer) add(c sat.Cause) {
	if c.Class > 0 {
		return
	}
	if c.Tag < 0 {
		s := sat.Slot(-1 - c.Tag)
		k := FactInstalled
		if x.problem.slots[s].asked() != 0 {
			k = FactRequested
		}
		x.ground(groundKey{kind: k, slot: s})
		return
	}
	d := x.problem.m.dep(c.Tag)
	key := groundKey{kind: FactDepend, slot: x.problem.m.slotAt(c.Guard), dep: d.kind, target: d.slot}
	switch {
	case len(d.targets) > 1:
		key.text = x.problem.m.text(c.Tag)
	case d.slot == sat.None:
		key.text = x.problem.m.dependOf(c.Tag).fmris[0].Name()
	}
	x.addUse(x.ground(key), use{c.Guard, c.Tag})
	if d.slot == sat.None || d.kind != require && (d.kind != incorporate || !x.problem.m.is(c.Guard, repeats)) {
		return
	}
	for i := range x.problem.m.dependencies(c.Guard, 1<<d.kind) { // what it says of the same package besides
		if x.problem.m.info[i].slot == d.slot && x.problem.relevant.counts(i) {
			x.addUse(x.ground(key), use{c.Guard, i})
		}
	}
}

// addUse enters a dependency of ground g, once.
func (x *explainer) addUse(g int32, u use) {
	own := owned{u.dep, g}
	if slices.Contains(x.uses[u.id], own) {
		return
	}
	x.grounds[g].uses = append(x.grounds[g].uses, u)
	x.uses[u.id] = append(x.uses[u.id], own)
	if d := x.problem.m.dep(u.dep); d.kind.needs() {
		x.addDead(x.needSet(d))
	}
}

// needSet returns what d needs one of, whether or not it is a candidate: that
// it is none is another ground.
func (x *explainer) needSet(d *dep) []sat.Span {
	if d.kind.isGroup() {
		return x.problem.memberSet(d, true)
	}
	return d.set
}

// ground returns the index of the ground with the given key.
func (x *explainer) ground(k groundKey) int32 {
	g, ok := x.byKey[k]
	if !ok {
		g = int32(len(x.grounds))
		x.byKey[k] = g
		x.grounds = append(x.grounds, ground{groundKey: k, on: true, must: k.kind < FactDepend})
	}
	return g
}

// addDead enters the rules that forbid ids of the given spans.
func (x *explainer) addDead(spans []sat.Span) {
	for _, q := range spans {
		r := x.problem.rules(x.problem.m.slotAt(q.Lo))
		for id := q.Lo; id < q.Hi; id++ {
			if x.looked[id] {
				continue
			}
			x.looked[id] = true
			if r.forbids(id) == 0 {
				continue
			}
			for k := firstRule; k <= lastRule; k++ {
				if r.breaks(id, k) {
					g := x.ground(r.keyFor(id, k))
					x.grounds[g].ids = append(x.grounds[g].ids, id)
					x.rule[id] = append(x.rule[id], g)
				}
			}
		}
	}
}

// forbidden returns a ground that is on and forbids id, or -1: one of those
// marked in prefer, if there is one.
func (x *explainer) forbidden(id sat.ID, prefer []bool) int32 {
	found := int32(-1)
	for _, g := range x.rule[id] {
		if x.grounds[g].on && (found < 0 || prefer != nil && prefer[g]) {
			found = g
		}
	}
	return found
}

// keyFor returns the key of the ground for which rule k forbids id.
func (r *rules) keyFor(id sat.ID, k FactKind) groundKey {
	key := groundKey{kind: k, slot: r.slot}
	switch k {
	case notAsked:
		key.kind = FactRequested
	case upgradeOnly:
		key.kind = FactInstalled
	case undecided:
		key.kind = FactDecided
	case FactHeld:
		key.by = r.holder(id)
	}
	return key
}

// Open, Load and Rank are the engine's calls, answered with the grounds that
// are on.
func (x *explainer) Open(s sat.Slot) {
	for id := x.problem.m.layout.Base[s]; id < x.problem.m.layout.Base[s+1]; id++ {
		if x.forbidden(id, nil) >= 0 {
			x.eng.Exclude(id)
		}
	}
}

func (x *explainer) Load(id sat.ID) {
	e := encoding{problem: x.problem, work: x.work, eng: x.eng}
	for _, u := range x.uses[id] {
		switch d := x.problem.m.dep(u.dep); {
		case !x.grounds[u.ground].on:
		case d.kind.isGroup():
			x.eng.Require(id, sat.Span{}, x.needSet(d), u.dep)
		default:
			e.state(id, u.dep)
		}
	}
}

func (x *explainer) Rank(id sat.ID) int { return x.problem.rank(id) }

// contradicts reports whether the grounds that are on contradict each other.
// If so, it turns off those that took no part.
func (x *explainer) contradicts(ctx context.Context) (bool, error) {
	x.eng.Reset(x)
	x.eng.OnStall = nil
	x.eng.MaxConflicts, x.eng.FreeAfter = x.work.opts.MaxConflicts, freeAfter
	for i := range x.grounds {
		if g := &x.grounds[i]; g.on && g.must {
			x.eng.Require(sat.None, sat.Span{}, x.problem.m.layoutSpan(g.slot), -1-int32(i))
		}
	}
	ok, err := x.eng.Search(ctx)
	x.effort += x.eng.Stats.Loads + x.eng.Stats.Decisions
	if ok || err != nil {
		return false, err
	}
	core, err := x.eng.Core(ctx)
	if err != nil {
		return false, err
	}
	needed := make([]bool, len(x.grounds))
	for _, c := range core {
		x.markNeeded(c, needed)
	}
	for i := range x.grounds {
		x.grounds[i].on = x.grounds[i].on && needed[i]
	}
	return true, nil
}

// markNeeded marks the grounds of a cause.
func (x *explainer) markNeeded(c sat.Cause, needed []bool) {
	if c.Tag < 0 {
		g := -1 - c.Tag
		needed[g] = true
		x.markRules(x.problem.m.layoutSpan(x.grounds[g].slot), needed)
		return
	}
	for _, u := range x.uses[c.Guard] {
		if u.dep == c.Tag {
			needed[u.ground] = true
		}
	}
	if d := x.problem.m.dep(c.Tag); d.kind.needs() {
		x.markRules(x.needSet(d), needed)
	}
}

// markRules marks the grounds that forbid ids of the given spans.
func (x *explainer) markRules(spans []sat.Span, needed []bool) {
	for _, q := range spans {
		for id := q.Lo; id < q.Hi; id++ {
			if g := x.forbidden(id, needed); g >= 0 {
				needed[g] = true
			}
		}
	}
}

// maxEffort is how much work the search for the fewest grounds may take: loaded versions
// and decisions of all its searches. What real conflicts take is far below.
const maxEffort = 400_000

// manyGrounds is the number of grounds from which on those that say the same of
// different names are spared together or not at all.
const manyGrounds = 256

// minimize turns off grounds until none can be spared. It ends early, and says so, if
// that takes too much work, or with ctx.
func (x *explainer) minimize(ctx context.Context) (loose bool, err error) {
	if _, err := x.contradicts(ctx); err != nil {
		return true, err
	}
	for _, unit := range x.units() {
		if !x.grounds[unit[0]].on {
			continue
		}
		if x.effort > maxEffort {
			return true, nil
		}
		before := x.onSet()
		for _, i := range unit {
			x.grounds[i].on = false
		}
		ok, err := x.contradicts(ctx)
		if !ok {
			x.restore(before)
		}
		if err != nil {
			return true, err
		}
	}
	return false, nil
}

// units returns the grounds that are on in the order in which they are to be spared,
// one by one or, if there are many, in groups of siblings.
func (x *explainer) units() [][]int {
	var order []int
	for i := range x.grounds {
		if x.grounds[i].on {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(x.grounds[b].weight(), x.grounds[a].weight())
	})
	many := len(order) > manyGrounds
	var units [][]int
	siblings := map[groundKey]int{}
	for _, i := range order {
		key := x.grounds[i].groundKey
		key.slot = sat.None
		n, seen := siblings[key]
		if seen && many {
			units[n] = append(units[n], i)
			continue
		}
		siblings[key] = len(units)
		units = append(units, []int{i})
	}
	return units
}

// onSet returns which grounds are on.
func (x *explainer) onSet() []bool {
	set := make([]bool, len(x.grounds))
	for i := range x.grounds {
		set[i] = x.grounds[i].on
	}
	return set
}

func (x *explainer) restore(set []bool) {
	for i, on := range set {
		x.grounds[i].on = on
	}
}

// weight says how gladly a ground is spared.
func (g *ground) weight() int {
	return len(g.uses) + len(g.ids)
}
