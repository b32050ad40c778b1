package solver

import (
	"cmp"
	"slices"

	"github.com/goips/ips/solver/internal/sat"
)

// An index answers questions about a Model backwards.
type index struct {
	users  lists[sat.ID] // by dep that needs something: the versions that have it
	wanted lists[int32]  // by slot: the deps that need something of it
	pins   lists[pin]    // by slot: who incorporates it, rising by the end of pin.by
	edges  lists[edge]   // by slot: what its versions incorporate
	// carriers are the versions that incorporate incorporations, ascending,
	// with the deps by which they do.
	carriers []sat.ID
	reach    []int32 // by slot: how many others its edges lead to
	carried  lists[int32]
	// restricted are the slots with versions that may be no candidates
	// for what they are.
	restricted []sat.Slot
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
	by     sat.Span
	dep    int32
	oldest sat.ID // first id that the dependency admits
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

// buildIndex makes the index from the rest of the model.
func (m *Model) buildIndex() {
	m.users = collect(len(m.deps), func(emit func(int, sat.ID)) {
		for id := range m.fmris {
			for _, d := range m.dependencies(sat.ID(id)) {
				if m.deps[d].kind.needs() {
					emit(int(d), sat.ID(id))
				}
			}
		}
	})
	m.wanted = collect(len(m.names), func(emit func(int, int32)) {
		for i := range m.deps {
			if d := &m.deps[i]; d.kind.needs() {
				for _, t := range m.targetsOf(d) {
					if t.slot != sat.None {
						emit(int(t.slot), int32(i))
					}
				}
			}
		}
	})
	for s, t := range m.special {
		if t&ruled != 0 {
			m.restricted = append(m.restricted, sat.Slot(s))
		}
	}
	m.buildPins()
	m.buildEdges()
	m.buildReach()
	m.buildCarriers()
}

// eachIncorporation calls f for each incorporate dependency on a known name of
// each version, in the order of ids.
func (m *Model) eachIncorporation(f func(id sat.ID, i int32, d *dep)) {
	for id := range sat.ID(m.Len()) {
		if !m.is(id, incorporates) {
			continue
		}
		for _, i := range m.dependencies(id) {
			if d := &m.deps[i]; d.kind == incorporate && d.slot != sat.None {
				f(id, i, d)
			}
		}
	}
}

// buildPins joins neighbouring versions that have a dependency in common.
func (m *Model) buildPins() {
	run := make([]pin, len(m.deps)) // the open run of each dep
	m.pins = collect(len(m.names), func(emit func(int, pin)) {
		clear(run)
		m.eachIncorporation(func(id sat.ID, i int32, d *dep) {
			r := &run[i]
			if r.by.Hi == id && r.by.Hi != 0 && m.slots[r.by.Lo] == m.slots[id] {
				r.by.Hi = id + 1
				return
			}
			if r.by.Hi != 0 {
				emit(int(d.slot), *r)
			}
			*r = pin{sat.Span{Lo: id, Hi: id + 1}, i, d.hull.Lo}
		})
		for i := range run {
			if run[i].by.Hi != 0 {
				emit(int(m.deps[i].slot), run[i])
			}
		}
	})
	for s := range m.names {
		slices.SortFunc(m.pins.of(s), func(a, b pin) int {
			return cmp.Or(cmp.Compare(a.by.Hi, b.by.Hi), cmp.Compare(a.by.Lo, b.by.Lo), cmp.Compare(a.dep, b.dep))
		})
	}
}

// buildEdges finds what the versions of each name incorporate.
func (m *Model) buildEdges() {
	last := make([]sat.ID, len(m.names))
	var touched []sat.Slot
	m.edges = collect(len(m.names), func(emit func(int, edge)) {
		for s := range sat.Slot(len(m.names)) {
			if m.special[s]&incorporates == 0 {
				continue
			}
			touched = touched[:0]
			for id := m.layout.Base[s]; id < m.layout.Base[s+1]; id++ {
				for _, i := range m.dependencies(id) {
					d := &m.deps[i]
					if d.kind != incorporate || d.slot == sat.None {
						continue
					}
					if last[d.slot] == 0 {
						touched = append(touched, d.slot)
					}
					last[d.slot] = id + 1
				}
			}
			for _, t := range touched {
				emit(int(s), edge{t, last[t] - 1})
				last[t] = 0
			}
		}
	})
}

// buildReach counts what can be reached over edges.
func (m *Model) buildReach() {
	m.reach = make([]int32, len(m.names))
	seen := make([]sat.Slot, len(m.names))
	var todo []sat.Slot
	for s := range sat.Slot(len(m.names)) {
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

// buildCarriers finds the incorporations of incorporations.
func (m *Model) buildCarriers() {
	m.carried.start = append(m.carried.start, 0)
	m.eachIncorporation(func(id sat.ID, i int32, d *dep) {
		if m.special[d.slot]&incorporates == 0 {
			return
		}
		if n := len(m.carriers); n == 0 || m.carriers[n-1] != id {
			m.carriers = append(m.carriers, id)
			m.carried.start = append(m.carried.start, 0)
		}
		m.carried.items = append(m.carried.items, i)
		m.carried.start[len(m.carriers)] = int32(len(m.carried.items))
	})
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
