package sat

import (
	"context"
	"errors"
)

// An ID is a number that can be selected. Higher ids of a slot are preferred.
type ID int32

// A Slot is a run of ids of which at most one is selected.
type Slot int32

// None stands for no id and no slot.
const None = -1

// A Span is the ids from Lo up to but not including Hi, all of one slot.
type Span struct{ Lo, Hi ID }

// Contains reports whether id lies in p.
func (p Span) Contains(id ID) bool { return p.Lo <= id && id < p.Hi }

// Empty reports whether p holds no id.
func (p Span) Empty() bool { return p.Lo >= p.Hi }

// only is the span of one id.
func only(id ID) Span { return Span{id, id + 1} }

// A Provider states the constraints of a problem piece by piece.
type Provider interface {
	// Open is called once for each slot before any of its ids matters. It
	// calls [Engine.Exclude] and [Engine.Narrow] for what can never be
	// selected, [Engine.Limit] for what loaded ids say of the slot unless
	// they have said so when they were loaded, and nothing else.
	Open(s Slot)

	// Load is called once for each id before it is selected. It calls
	// [Engine.Require] and [Engine.Limit] with the id as guard. A limit of a
	// slot that is not open may be left to Open.
	Load(id ID)

	// Rank orders ids of equal standing, for which it is the lower one that
	// is preferred. It is asked only about those that Layout.Equal marks.
	Rank(id ID) int
}

// A Layout says how ids fall into slots.
type Layout struct {
	Base  []ID   // first id of each slot, and the number of ids at the end
	Equal []bool // id is of equal standing with id-1; nil if there are none
}

// A Goal is one item of the order in which a search decides: the given id or,
// where it is [None], the best one of the slot.
type Goal struct {
	Slot Slot
	ID   ID
}

// ErrLimit is returned by a search that has met more contradictions than it may.
var ErrLimit = errors.New("limit of conflicts exceeded")

// A Stats counts what a search did.
type Stats struct {
	Conflicts, Decisions, Steps, Loads, Requirements, Limits int
}

// An Engine searches. It is made by [New] for one layout, and keeps its memory
// from one problem to the next. It is not safe for concurrent use.
type Engine struct {
	// Goals are decided first, in this order. A caller may append to them
	// until the first search, and may replace them between searches.
	Goals []Goal

	// MaxConflicts ends a search; zero means never.
	MaxConflicts int

	// OnStall is asked, once a search has met StallAfter contradictions, for
	// ids that cannot be selected whatever is decided: each has a requirement
	// of which all ids are dead when those before it are. Nil is never asked.
	OnStall    func() []ID
	StallAfter int

	// FreeAfter is after how many contradictions a search in no scope looks
	// for any selection first, and goes to the preferred one from there. Zero
	// means never.
	FreeAfter int

	Stats Stats

	layout   Layout
	provider Provider

	// per id
	slotOf  []Slot
	hole    []bool
	loadOf  []int32 // index into loads, 0 if not loaded
	watches []int32 // first requirement watching the id, as watch reference
	nogoods []int32 // first nogood watching the id, as watch reference
	slots   []slot
	opened  []Slot // in order, for the reset

	loads  []load
	reqs   []requirement
	limits []limit

	ng      []nogood
	ngIDs   []ID
	ngProof []ref
	// Of later nogoods than those of maxProof reasons the reasons are thrown
	// together: there is one of each, however long the search.
	maxProof int
	shared   [byAtMost + 1][]uint8 // by kind and number of a reason

	trail  []entry
	head   int // first entry of the trail that is not propagated
	levels []level
	agenda []int32 // requirements in force, in order
	todo   int     // first of the agenda that may be unmet
	goal   int     // first goal that may be undecided
	root   int32   // level below which nothing is undone

	extras  int     // number of ids beyond the layout
	classes []class // see AtMost
	late    []int32 // scratch: limits found when a slot was opened
	kept    []int32 // scratch: limits to apply again after a jump
	clash   reason  // what the last propagation failed on
	analysis
	guide guide
}

// A slot is the state of a slot.
type slot struct {
	window Span
	sel    ID    // what is selected, or None
	last   int32 // last trail entry of the slot, or None
	limits int32 // first limit waiting for the slot to be opened, or None
	conds  int32 // first requirement with a condition in the slot, or None
	state  state
}

// A state says whether a slot's domain is known.
type state uint8

const (
	unopened state = iota
	opening
	open
)

// A load is what belongs to a loaded id.
type load struct {
	first, end int32 // its requirements
	limits     int32 // first of its limits on open slots, or None
}

// A level is the state before a decision.
type level struct {
	trail, goal, todo, agenda int
}

// New returns an engine for problems of the given layout.
func New(l Layout) *Engine {
	n, m := int(l.Base[len(l.Base)-1]), len(l.Base)-1
	e := &Engine{
		layout:  l,
		slotOf:  make([]Slot, n, n+16),
		hole:    make([]bool, n, n+16),
		loadOf:  make([]int32, n, n+16),
		watches: make([]int32, n, n+16),
		nogoods: make([]int32, n, n+16),
		slots:   make([]slot, m, m+16),
		loads:   make([]load, 1, 1024),

		maxProof: 1 << 20,
	}
	for s := range e.slots {
		e.slots[s] = closed
		for id := l.Base[s]; id < l.Base[s+1]; id++ {
			e.slotOf[id] = Slot(s)
		}
	}
	return e
}

// A class is a set of extra ids of which no more than most may be selected.
type class struct {
	ids  []ID
	most int
}

// closed is the state of a slot that has not been opened.
var closed = slot{sel: None, last: None, limits: None, conds: None}

// Reset forgets the problem and begins one of p.
func (e *Engine) Reset(p Provider) {
	e.provider = p
	e.Stats = Stats{}
	e.Goals = e.Goals[:0]
	for _, s := range e.opened {
		e.forget(s)
	}
	for i := range e.limits {
		e.slots[e.limits[i].slot].limits = None
	}
	e.dropExtras()
	e.opened = e.opened[:0]
	e.loads = e.loads[:1]
	clear(e.reqs) // they point into the caller's memory
	e.reqs = e.reqs[:0]
	e.limits = e.limits[:0]
	e.ng, e.ngIDs, e.ngProof = e.ng[:0], e.ngIDs[:0], e.ngProof[:0]
	for kind := range e.shared {
		clear(e.shared[kind])
		e.shared[kind] = e.shared[kind][:0]
	}
	e.trail, e.levels, e.agenda = e.trail[:0], e.levels[:0], e.agenda[:0]
	e.head, e.todo, e.goal, e.root = 0, 0, 0, 0
	e.clash = reason{}
}

// forget puts slot s and its ids back into the state of [New].
func (e *Engine) forget(s Slot) {
	e.slots[s] = closed
	lo, hi := e.layout.Base[s], e.layout.Base[s+1]
	clear(e.hole[lo:hi])
	clear(e.loadOf[lo:hi])
	clear(e.watches[lo:hi])
	clear(e.nogoods[lo:hi])
}

// dropExtras takes back the ids of [Engine.Extra].
func (e *Engine) dropExtras() {
	n, m := len(e.slotOf)-e.extras, len(e.slots)-e.extras
	e.slotOf, e.hole, e.loadOf = e.slotOf[:n], e.hole[:n], e.loadOf[:n]
	e.watches, e.nogoods = e.watches[:n], e.nogoods[:n]
	e.slots = e.slots[:m]
	e.extras, e.classes = 0, e.classes[:0]
}

// Extra returns a new id, in a slot of its own and without constraints.
func (e *Engine) Extra() ID {
	id, s := ID(len(e.slotOf)), Slot(len(e.slots))
	e.slotOf = append(e.slotOf, s)
	e.hole = append(e.hole, false)
	e.loadOf = append(e.loadOf, 0)
	e.watches = append(e.watches, 0)
	e.nogoods = append(e.nogoods, 0)
	e.slots = append(e.slots, closed)
	e.extras++
	st := &e.slots[s]
	st.window, st.state = only(id), open
	return id
}

// isExtra reports whether id was made by [Engine.Extra].
func (e *Engine) isExtra(id ID) bool { return int(id) >= len(e.slotOf)-e.extras }

// Open makes sure that slot s is open.
func (e *Engine) Open(s Slot) {
	if e.slots[s].state == unopened {
		e.openSlot(s)
	}
}

// IsOpen reports whether slot s is open.
func (e *Engine) IsOpen(s Slot) bool { return e.slots[s].state != unopened }

// Opened returns the slots that are open, in the order in which they were opened.
// The caller must not change the result, which ends with the next search.
func (e *Engine) Opened() []Slot { return e.opened }

// Load makes sure that id is loaded.
func (e *Engine) Load(id ID) {
	if e.loadOf[id] == 0 {
		e.loadID(id)
	}
}

// loadID asks the provider for the constraints of id and looks at them.
func (e *Engine) loadID(id ID) {
	e.Open(e.slotOf[id])
	n := int32(len(e.loads))
	e.loadOf[id] = n
	e.loads = append(e.loads, load{first: int32(len(e.reqs)), limits: None})
	if !e.isExtra(id) {
		e.provider.Load(id)
	}
	e.loads[n].end = int32(len(e.reqs))
	e.Stats.Loads++
}

// Selected returns the selected id of slot s, or [None].
func (e *Engine) Selected(s Slot) ID { return e.slots[s].sel }

// Alive reports whether id can still be selected, or is. Its slot must be open.
func (e *Engine) Alive(id ID) bool {
	s := &e.slots[e.slotOf[id]]
	return s.window.Contains(id) && !e.hole[id]
}

// Decided appends to buf the slots of which something is selected, in the order
// in which that happened.
func (e *Engine) Decided(buf []Slot) []Slot {
	for i := range e.trail {
		if e.trail[i].kind == selects {
			buf = append(buf, e.trail[i].slot)
		}
	}
	return buf
}

// Search looks for a selection that meets all constraints, deciding the goals
// in order and then what they need. It continues from where the last search or
// change ended, and leaves the selection standing. Without one it returns
// false; [Engine.Core] tells why.
func (e *Engine) Search(ctx context.Context) (bool, error) {
	start := e.Stats.Conflicts
	stalled := e.OnStall == nil
	freed := e.FreeAfter == 0 || e.root > 0
	defer e.endFree()
	for n := 0; ; n++ {
		if n&255 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		if !e.propagate() {
			if e.level() == e.root {
				return false, nil
			}
			e.Stats.Conflicts++
			if e.MaxConflicts > 0 && e.Stats.Conflicts-start > e.MaxConflicts {
				return false, ErrLimit
			}
			e.learn()
			if !stalled && e.Stats.Conflicts-start >= e.StallAfter {
				stalled = true
				e.drop(e.OnStall())
			}
			switch {
			case e.guide.on:
				e.heat()
			case !freed && e.Stats.Conflicts-start >= e.FreeAfter:
				freed = true
				e.beginFree()
			}
			continue
		}
		switch id := e.next(); id {
		case None:
			return true, nil
		case again: // a look has changed something
		default:
			e.decide(id)
		}
	}
}

// drop takes out ids of which each has a requirement that cannot be met.
func (e *Engine) drop(ids []ID) {
	e.backjump(e.root)
	for _, id := range ids {
		e.Open(e.slotOf[id])
		if !e.Alive(id) {
			continue
		}
		e.Load(id)
		ld := e.loads[e.loadOf[id]]
		for c := ld.first; c < ld.end && e.Alive(id); c++ {
			e.examine(c)
		}
	}
}

// IsLoaded reports whether id has been loaded.
func (e *Engine) IsLoaded(id ID) bool { return e.loadOf[id] != 0 }

// level returns the number of decisions that stand.
func (e *Engine) level() int32 { return int32(len(e.levels)) }

// decide selects id as a decision.
func (e *Engine) decide(id ID) {
	e.levels = append(e.levels, level{len(e.trail), e.goal, e.todo, len(e.agenda)})
	e.Stats.Decisions++
	e.choose(id, reason{})
}
