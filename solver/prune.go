package solver

import (
	"context"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// prune returns a smallest part of the new ids x that meets all constraints
// together with what is decided for other names.
func (w *work) prune(ctx context.Context, x []sat.ID) ([]sat.ID, error) {
	if len(x) == 0 {
		return x, nil
	}
	if y, ok := w.closure(x); ok {
		return y, nil
	}
	for len(x) > 0 {
		y, found, err := w.part(ctx, x)
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
		x = y
	}
	return x, nil
}

// closure returns those of x that are needed, one by one, by what is decided
// and by each other: there is no smaller part of x that would do. It fails where
// that cannot be seen.
//
// Where something can be had from several of x it takes the first, and then looks
// whether it could do without: what the first needs may include the second.
func (w *work) closure(x []sat.ID) (needed []sat.ID, ok bool) {
	if len(w.grouping.unmet) > 0 {
		return nil, false
	}
	c := &w.closing
	needed = c.close(w, x)
	if len(c.chosen) == 0 {
		return needed, true
	}
	if less := slices.DeleteFunc(w.problem.mem.ids.clone(needed), c.isSpare); len(less) < len(needed) {
		if y := c.close(w, less); c.isForced() {
			return y, true
		}
	}
	return c.close(w, needed), c.isForced()
}

// close returns those of x that are kept if of every choice one is.
func (c *closing) close(w *work, x []sat.ID) (needed []sat.ID) {
	c.begin(w, x)
	c.followAll()
	for k := 0; k < len(c.choices); k++ {
		if set := c.choices[k]; !c.has(set) {
			c.chosen = append(c.chosen, choice{c.first(set), set})
			c.keep(c.first(set))
			c.followAll()
		}
	}
	needed = w.problem.mem.ids.list(len(x))
	for _, id := range x {
		if c.state[w.problem.m.slotAt(id)] == kept {
			needed = append(needed, id)
		}
	}
	return needed
}

// isForced reports whether everything that was kept last had to be, and is enough.
func (c *closing) isForced() bool { return len(c.chosen) == 0 && !c.broken }

// isSpare reports whether id was chosen, and something else that was kept would
// do instead.
func (c *closing) isSpare(id sat.ID) bool {
	return slices.ContainsFunc(c.chosen, func(ch choice) bool {
		return ch.id == id && slices.ContainsFunc(ch.set, func(q sat.Span) bool {
			s := c.problem.m.slotAt(q.Lo)
			return c.state[s] == kept && c.id[s] != id && q.Contains(c.id[s])
		})
	})
}

// first returns the first id of set that is selected.
func (c *closing) first(set []sat.Span) sat.ID {
	for _, q := range set {
		if s := c.problem.m.slotAt(q.Lo); c.state[s] != out && q.Contains(c.id[s]) {
			return c.id[s]
		}
	}
	return sat.None
}

func (c *closing) keep(id sat.ID) {
	c.state[c.problem.m.slotAt(id)] = kept
	c.todo = append(c.todo, id)
}

// followAll follows all that is to be followed.
func (c *closing) followAll() {
	for len(c.todo) > 0 {
		id := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		c.follow(id)
	}
}

// A closing is the memory of [work.closure].
type closing struct {
	problem *problem
	work    *work
	state   []closeState // by slot
	id      []sat.ID     // by slot, where state is not out
	touched []sat.Slot
	todo    []sat.ID     // kept, to be followed
	choices [][]sat.Span // what may be had from several of x
	chosen  []choice     // what was taken of those
	broken  bool         // something cannot be had from x
	waiting []waitingDep // conditionals whose condition is not kept
}

// A choice is what was taken of a set.
type choice struct {
	id  sat.ID
	set []sat.Span
}

// A closeState is what is known about a slot.
type closeState uint8

const (
	out   closeState = iota // nothing of it is selected
	spare                   // selected, perhaps without need
	kept                    // selected and needed
)

// A waitingDep is a conditional that counts once slot is kept.
type waitingDep struct {
	slot sat.Slot
	dep  int32
}

// begin enters what is decided, and x.
func (c *closing) begin(w *work, x []sat.ID) {
	c.problem, c.work = w.problem, w
	if c.state == nil {
		c.state = make([]closeState, len(w.problem.m.heads))
		c.id = make([]sat.ID, len(w.problem.m.heads))
	}
	for _, s := range c.touched {
		c.state[s] = out
	}
	c.touched, c.todo, c.choices, c.waiting = c.touched[:0], c.todo[:0], c.choices[:0], c.waiting[:0]
	c.chosen, c.broken = c.chosen[:0], false
	for _, id := range x {
		c.enter(id, spare)
	}
	for _, s := range w.decided() {
		if int(s) < len(w.problem.m.heads) && !w.problem.isNewSlot(s) {
			c.enter(w.main.eng.Selected(s), kept)
			c.todo = append(c.todo, w.main.eng.Selected(s))
		}
	}
}

func (c *closing) enter(id sat.ID, st closeState) {
	s := c.problem.m.slotAt(id)
	c.state[s], c.id[s] = st, id
	c.touched = append(c.touched, s)
}

// follow keeps what id needs.
func (c *closing) follow(id sat.ID) {
	for i := range c.problem.m.dependencies(id, needKinds) {
		if !c.problem.relevant.counts(i) {
			continue
		}
		d := c.problem.m.dep(i)
		switch d.kind {
		case conditional:
			c.when(i, d)
		case group, groupAny:
			if c.work.grouping.groups[groupUse{id, i}] != blocked {
				c.need(c.problem.groupSet(d))
			}
		default:
			c.need(d.set)
		}
	}
	own := c.problem.m.slotAt(id)
	for k := range c.waiting {
		if w := c.waiting[k]; w.slot == own {
			c.need(c.problem.m.dep(w.dep).set)
		}
	}
}

// when follows the conditional d, number i, if its condition is kept, or
// leaves it waiting if that is spare.
func (c *closing) when(i int32, d *dep) {
	for _, q := range d.cond {
		s := c.problem.m.slotAt(q.Lo)
		if c.state[s] == out || !q.Contains(c.id[s]) {
			continue
		}
		if c.state[s] == kept {
			c.need(d.set)
		} else {
			c.waiting = append(c.waiting, waitingDep{s, i})
		}
	}
}

// need keeps what of set is selected, if that is just one.
func (c *closing) need(set []sat.Span) {
	if len(set) == 0 || c.has(set) {
		return
	}
	only := sat.ID(sat.None)
	for _, q := range set {
		s := c.problem.m.slotAt(q.Lo)
		if c.state[s] != spare || !q.Contains(c.id[s]) || c.id[s] == only {
			continue
		}
		if only != sat.None {
			c.choices = append(c.choices, set)
			return
		}
		only = c.id[s]
	}
	if only == sat.None {
		c.broken = true
		return
	}
	c.keep(only)
}

// has reports whether something of set is kept.
func (c *closing) has(set []sat.Span) bool {
	return slices.ContainsFunc(set, func(q sat.Span) bool {
		s := c.problem.m.slotAt(q.Lo)
		return c.state[s] == kept && q.Contains(c.id[s])
	})
}

// part returns a part of x, less than the whole, that meets all constraints,
// if there is one.
func (w *work) part(ctx context.Context, x []sat.ID) (y []sat.ID, found bool, err error) {
	e := w.main.eng
	e.BackToGoals()
	scope := e.Push()
	defer e.Pop(scope)
	for _, s := range e.Opened() {
		if !w.problem.isNewSlot(s) {
			continue
		}
		span := sat.Span{Lo: w.problem.m.layout.Base[s], Hi: w.problem.m.layout.Base[s]}
		if id := w.problem.m.find(x, s); id != sat.None {
			span = sat.Span{Lo: id, Hi: id + 1}
		}
		e.Narrow(s, span)
	}
	e.Forbid(x)
	found, err = e.Search(ctx)
	return w.newIDs(), found, err
}
