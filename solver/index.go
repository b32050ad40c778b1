package solver

import (
	"cmp"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/goips/ips/solver/internal/sat"
)

// Incorporations are who incorporates what, read backwards.
type incorporations struct {
	pins  lists[pin]  // by slot: who incorporates it, rising by the end of pin.by
	edges lists[edge] // by slot: what its versions incorporate
	reach []int32     // by slot: how many others its edges lead to
	// carriers are the versions that incorporate incorporations, ascending,
	// with the dependencies by which they do.
	carriers []sat.ID
	carried  lists[int32]

	oldest []atomic.Pointer[[]sat.ID] // by slot, nil until somebody asks
}

// Lists are one list for each of a number of keys.
type lists[T any] struct {
	start []int32 // by key, and one more
	items []T
}

// of returns the list of key k.
func (l *lists[T]) of(k int) []T { return l.items[l.start[k]:l.start[k+1]] }

// A pin is a run of versions of one name that incorporate a slot by the same
// dependency.
type pin struct {
	by  sat.Span
	dep int32
}

// An edge is a name that some versions of another incorporate.
type edge struct {
	slot sat.Slot
	last sat.ID // the last version that does
}

// collect makes lists for n keys of the items that each calls emit with, in
// that order. It is called twice.
func collect[T any](n int, each func(emit func(key int, item T))) lists[T] {
	l := lists[T]{start: make([]int32, n+1)}
	each(func(key int, _ T) { l.start[key+1]++ })
	for k := range n {
		l.start[k+1] += l.start[k]
	}
	l.items = make([]T, l.start[n])
	next := slices.Clone(l.start)
	each(func(key int, item T) {
		l.items[next[key]] = item
		next[key]++
	})
	return l
}

// findIncorporations works out the incorporations of the model.
func (m *Model) findIncorporations() {
	pins := m.findPins()
	m.pins = collect(len(m.heads), func(emit func(int, pin)) {
		for _, p := range pins {
			emit(int(m.info[p.dep].slot), p)
		}
	})
	for s := range m.heads {
		slices.SortFunc(m.pins.of(s), func(a, b pin) int {
			return cmp.Or(cmp.Compare(a.by.Hi, b.by.Hi), cmp.Compare(a.by.Lo, b.by.Lo), cmp.Compare(a.dep, b.dep))
		})
	}
	m.oldest = make([]atomic.Pointer[[]sat.ID], len(m.heads))
	m.findEdges()
	m.findReach()
	m.findCarriers()
}

// findPins returns all pins. Neighbouring versions that have a dependency in
// common share one.
func (m *Model) findPins() []pin {
	n := 0
	for i := range m.info {
		if m.info[i].kind == incorporate {
			n++
		}
	}
	pins := make([]pin, 0, n+n/4)         // most have one
	open := make([]sat.Span, len(m.info)) // by action: its versions up to now
	for id := range sat.ID(m.Len()) {
		if !m.is(id, incorporates) {
			continue
		}
		for _, n := range m.list(id) {
			by := &open[n]
			switch {
			case m.info[n].kind != incorporate || m.info[n].slot == sat.None || by.Hi == id+1:
				continue
			case by.Hi == id && !by.Empty() && m.slots[by.Lo] == m.slots[id]:
				by.Hi++
				continue
			case !by.Empty():
				pins = append(pins, pin{*by, int32(n)})
			}
			*by = sat.Span{Lo: id, Hi: id + 1}
		}
	}
	for n, by := range open {
		if !by.Empty() {
			pins = append(pins, pin{by, int32(n)})
		}
	}
	return pins
}

// pinning yields those of the ascending ids that incorporate slot s, with the
// dependencies by which they do.
func (m *Model) pinning(s sat.Slot, ids []sat.ID) iter.Seq2[sat.ID, int32] {
	return func(yield func(sat.ID, int32) bool) {
		next := 0
		for _, p := range m.pins.of(int(s)) {
			if next > 0 && ids[next-1] >= p.by.Lo { // overlaps the one before
				next = 0
			}
			for next < len(ids) && ids[next] < p.by.Lo {
				next++
			}
			for k := next; k < len(ids) && ids[k] < p.by.Hi; k++ {
				if !yield(ids[k], p.dep) {
					return
				}
			}
		}
	}
}

// oldestOf returns of each pin of slot s the first id that it admits. It may be
// called by several goroutines.
//
// This is what an update asks of all that incorporations say of what is
// installed, so it does without the compiled dependencies.
func (m *Model) oldestOf(s sat.Slot) []sat.ID {
	if list := m.oldest[s].Load(); list != nil {
		return *list
	}
	var r depReader
	var set []sat.Span
	pins := m.pins.of(int(s))
	list := make([]sat.ID, len(pins))
	for k, p := range pins {
		if d, err := r.read(m.text(p.dep)); err == nil {
			set = m.appendMatching(set[:0], s, d.fmris[0].Version())
		}
		list[k] = m.hull(s, set).Lo
	}
	m.oldest[s].Store(&list)
	return list
}

// findEdges joins the pins of each pair of names.
func (m *Model) findEdges() {
	m.edges = collect(len(m.heads), func(emit func(int, edge)) {
		for s := range sat.Slot(len(m.heads)) {
			pins := m.pins.of(int(s))
			for k, p := range pins {
				by := m.slots[p.by.Lo]
				if k+1 == len(pins) || m.slots[pins[k+1].by.Lo] != by {
					emit(int(by), edge{s, p.by.Hi - 1})
				}
			}
		}
	})
}

// findReach counts what can be reached over edges.
func (m *Model) findReach() {
	m.reach = make([]int32, len(m.heads))
	seen := make([]sat.Slot, len(m.heads))
	var todo []sat.Slot
	for s := range sat.Slot(len(m.heads)) {
		seen[s] = s + 1
		todo = append(todo[:0], s)
		for len(todo) > 0 {
			t := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, e := range m.edges.of(int(t)) {
				if seen[e.slot] != s+1 {
					seen[e.slot] = s + 1
					m.reach[s]++
					todo = append(todo, e.slot)
				}
			}
		}
	}
}

// findCarriers finds the incorporations of incorporations.
func (m *Model) findCarriers() {
	var all []use
	for s := range m.heads {
		if m.special[s]&incorporates == 0 {
			continue
		}
		for _, p := range m.pins.of(s) {
			for id := p.by.Lo; id < p.by.Hi; id++ {
				all = append(all, use{id, p.dep})
			}
		}
	}
	slices.SortFunc(all, func(a, b use) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.dep, b.dep)) })
	m.carried.start = append(m.carried.start, 0)
	for _, u := range all {
		if n := len(m.carriers); n == 0 || m.carriers[n-1] != u.id {
			m.carriers = append(m.carriers, u.id)
			m.carried.start = append(m.carried.start, 0)
		}
		m.carried.items = append(m.carried.items, u.dep)
		m.carried.start[len(m.carriers)] = int32(len(m.carried.items))
	}
}

// carries returns the dependencies by which id incorporates names that have
// incorporations of their own.
func (m *Model) carries(id sat.ID) []int32 {
	k, ok := slices.BinarySearch(m.carriers, id)
	if !ok {
		return nil
	}
	return m.carried.of(k)
}

// Needs are who needs what, read backwards.
type needs struct {
	users  lists[sat.ID] // by dependency: the versions that have it
	wanted lists[int32]  // by slot: the dependencies that need something of it
}

// findNeeds works out the needs of the model.
func (m *Model) findNeeds() *needs {
	return &needs{
		users: collect(len(m.info), func(emit func(int, sat.ID)) {
			for id := range sat.ID(m.Len()) {
				for i := range m.dependencies(id, needKinds) {
					emit(int(i), id)
				}
			}
		}),
		wanted: collect(len(m.heads), func(emit func(int, int32)) {
			for i := range int32(len(m.info)) {
				m.eachNeeded(i, func(s sat.Slot) { emit(int(s), i) })
			}
		}),
	}
}

// eachNeeded calls f for each slot that dependency i needs something of.
func (m *Model) eachNeeded(i int32, f func(sat.Slot)) {
	switch a := &m.info[i]; {
	case !a.kind.needs():
	case a.several:
		for _, t := range m.dep(i).targets {
			if t.slot != sat.None {
				f(t.slot)
			}
		}
	case a.slot != sat.None:
		f(a.slot)
	}
}
