package solver

import (
	"context"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// improve completes the selection in the engine, which is the best by levels A
// to C, to one that is best by level D, too: it drops what nothing needs, and
// goes on to a better selection as long as there is one.
func (w *work) improve(ctx context.Context) ([]sat.ID, error) {
	x, err := w.prune(ctx, w.newIDs())
	if err != nil {
		return nil, err
	}
	seen := [][]sat.ID{x}
	for {
		y, err := w.better(ctx, x, seen)
		if err != nil {
			return nil, err
		}
		if y == nil {
			return w.withFixed(x), nil
		}
		x = y
		seen = append(seen, x)
	}
}

// decided returns the slots of which something is selected. The result is good
// until the next call.
func (w *work) decided() []sat.Slot {
	w.problem.mem.scratch = w.main.eng.Decided(w.problem.mem.scratch[:0])
	return w.problem.mem.scratch
}

// isNewSlot reports whether the name of slot s is neither installed nor proposed.
func (p *problem) isNewSlot(s sat.Slot) bool {
	return p.slots[s].proposal == 0 && p.staysIn(s) == sat.None
}

// newIDs returns the selected ids of new names, ascending.
func (w *work) newIDs() []sat.ID {
	decided := w.decided()
	ids := w.problem.mem.ids.list(len(decided))
	for _, s := range decided {
		if int(s) < len(w.problem.m.heads) && w.problem.isNewSlot(s) {
			ids = append(ids, w.main.eng.Selected(s))
		}
	}
	slices.Sort(ids)
	return ids
}

// withFixed returns the whole selection whose new ids are x, ascending.
func (w *work) withFixed(x []sat.ID) []sat.ID {
	decided := w.decided()
	ids := append(w.problem.mem.ids.list(len(x)+len(decided)), x...)
	for _, s := range decided {
		if int(s) < len(w.problem.m.heads) && !w.problem.isNewSlot(s) {
			ids = append(ids, w.main.eng.Selected(s))
		}
	}
	slices.Sort(ids)
	return ids
}

// better returns a selection of new ids that is better than x: one that can
// spare nothing, has no older version of what is in x and a newer one of
// something. It returns nil if there is none but those seen.
//
// A search finds a newer version as easily where nothing would need it any
// more. Each time it does, the next search must not select the spared ids
// without somebody who needs them.
func (w *work) better(ctx context.Context, x []sat.ID, seen [][]sat.ID) ([]sat.ID, error) {
	q := quest{problem: w.problem, work: w, x: x, newer: w.problem.newerThan(x)}
	for tries := 0; len(q.newer) > 0 && tries < maxTries; tries++ {
		y, err := q.search(ctx)
		if err != nil || y == nil {
			return nil, err
		}
		z, err := w.prune(ctx, y)
		if err != nil {
			return nil, err
		}
		if w.problem.isNewer(z, x) && !slices.ContainsFunc(seen, func(s []sat.ID) bool { return slices.Equal(s, z) }) {
			return z, nil
		}
		q.tried = append(q.tried, z)
		for _, id := range y {
			if _, found := slices.BinarySearch(z, id); !found {
				q.spared = append(q.spared, id)
			}
		}
	}
	return nil, nil
}

// maxTries bounds the search for a better selection.
const maxTries = 1000

// A quest is a search for a selection of new ids better than x.
type quest struct {
	problem *problem
	work    *work
	x       []sat.ID
	newer   []sat.Span // the ids preferred to those in x
	tried   [][]sat.ID // selections that are not better; all of none is wanted
	spared  []sat.ID   // must not be selected unless something needs them
}

// newerThan returns the versions that are preferred to those in x.
func (p *problem) newerThan(x []sat.ID) []sat.Span {
	spans := p.mem.spans.list(2 * len(x))
	for _, id := range x {
		spans = p.appendPreferred(spans, id)
	}
	return spans
}

// appendPreferred appends the ids that are preferred to id, of its name: those
// newer, and those as new of a publisher that ranks before.
func (p *problem) appendPreferred(spans []sat.Span, id sat.ID) []sat.Span {
	last := p.m.lastEqual(id)
	if hi := p.m.layout.Base[p.m.slotAt(id)+1]; last+1 < hi {
		spans = append(spans, sat.Span{Lo: last + 1, Hi: hi})
	}
	for i := p.m.firstEqual(id); i <= last; i++ {
		if p.prefers(i, id) {
			spans = append(spans, sat.Span{Lo: i, Hi: i + 1})
		}
	}
	return spans
}

// prefers reports whether id a is preferred to b, of the same name.
func (p *problem) prefers(a, b sat.ID) bool {
	if fa, fb := p.m.firstEqual(a), p.m.firstEqual(b); fa != fb {
		return fa > fb
	}
	return p.rank(a) < p.rank(b)
}

// keepFrom lets only id and what is preferred to it be selected of its name.
func (w *work) keepFrom(id sat.ID) {
	e := w.main.eng
	first := w.problem.m.firstEqual(id)
	e.Narrow(w.problem.m.slotAt(id), sat.Span{Lo: first, Hi: w.problem.m.layout.Base[w.problem.m.slotAt(id)+1]})
	for i := first; i <= w.problem.m.lastEqual(id); i++ {
		if w.problem.prefers(id, i) {
			e.Exclude(i)
		}
	}
}

// search returns a selection with no older version of what is in x and one of
// newer, or nil.
func (q *quest) search(ctx context.Context) ([]sat.ID, error) {
	e := q.work.main.eng
	e.BackToGoals()
	scope := e.Push()
	defer e.Pop(scope)
	for _, id := range q.x {
		q.work.keepFrom(id)
	}
	reasons := make([][]sat.Span, len(q.spared))
	for i, id := range q.spared {
		reasons[i] = q.reasons(id)
	}
	wish := e.Extra()
	e.Define(wish, func() {
		e.Require(wish, sat.Span{}, q.newer, 0)
		for i, id := range q.spared {
			e.Require(wish, sat.Span{Lo: id, Hi: id + 1}, reasons[i], 0)
		}
	})
	e.Assume(wish)
	for _, t := range q.tried {
		e.Forbid(t)
	}
	ok, err := e.Search(ctx)
	if !ok {
		return nil, err
	}
	return q.work.newIDs(), nil
}

// reasons returns extra ids each of which stands for one dependency that needs
// id: somebody has it, and nothing else that would do is selected.
func (q *quest) reasons(id sat.ID) []sat.Span {
	var set []sat.Span
	own := q.problem.m.slotAt(id)
	needs := q.problem.m.needs()
	for _, i := range needs.wanted.of(int(own)) {
		d := q.problem.m.dep(i)
		admitted := d.set
		if !inSpans(admitted, id) || !q.problem.relevant.counts(i) {
			continue
		}
		var users []sat.Span
		for _, u := range needs.users.of(int(i)) {
			if q.problem.m.slotAt(u) != own {
				users = append(users, sat.Span{Lo: u, Hi: u + 1})
			}
		}
		if len(users) == 0 {
			continue
		}
		e := q.work.main.eng
		why := e.Extra()
		e.Define(why, func() {
			e.Require(why, sat.Span{}, users, 0)
			if d.kind == conditional {
				e.Require(why, sat.Span{}, d.cond, 0)
			}
			for _, a := range admitted {
				if s := q.problem.m.slotAt(a.Lo); s != own {
					e.Open(s)
					e.Limit(why, s, a, true, 0)
				}
			}
		})
		set = append(set, sat.Span{Lo: why, Hi: why + 1})
	}
	return set
}

// isNewer reports whether y has a newer version than x of a name they share,
// and no older one.
func (p *problem) isNewer(y, x []sat.ID) bool {
	newer := false
	for _, id := range x {
		other := p.m.find(y, p.m.slotAt(id))
		switch {
		case other == sat.None || other == id:
		case p.prefers(other, id):
			newer = true
		default:
			return false
		}
	}
	return newer
}
