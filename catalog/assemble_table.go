package catalog

import (
	"math"
	"slices"
)

// A tableBuilder makes the table of one part.
type tableBuilder struct {
	table
	part   Part
	trunk  *table              // whose actions begin ours; nil if there is none
	in     *interner           // nil as long as there are no other actions
	remaps map[*table][]uint32 // what actions of other tables are here: id+1, or 0 if not known yet
	err    error
}

// intern returns the interner, which from now on holds the actions.
func (b *tableBuilder) intern() *interner {
	if b.in == nil {
		b.in = newInterner(b.trunk)
	}
	return b.in
}

// pad ends the lists of all versions below n.
func (b *tableBuilder) pad(n int) {
	for len(b.first) < n+1 {
		b.first = append(b.first, uint32(len(b.ids)))
	}
}

// run adds the lists lo <= id < hi of another table to versions that begin at at.
func (b *tableBuilder) run(t *table, lo, hi, at int) {
	b.pad(at)
	if !b.room(int(t.first[hi] - t.first[lo])) {
		return
	}
	start := uint32(len(b.ids)) - t.first[lo]
	b.copyIDs(t, t.ids[t.first[lo]:t.first[hi]])
	for _, end := range t.first[lo+1 : hi+1] {
		b.first = append(b.first, start+end)
	}
	for _, o := range t.odd[t.searchOdd(lo):t.searchOdd(hi)] {
		o.version = uint32(int(o.version) - lo + at)
		b.odd = append(b.odd, o)
	}
}

// room reports whether n more actions can be addressed.
func (b *tableBuilder) room(n int) bool {
	if len(b.ids)+n > math.MaxInt32 {
		b.err = errFull
	}
	return b.err == nil
}

// copyIDs adds actions of another table.
func (b *tableBuilder) copyIDs(t *table, ids []uint32) {
	if t == b.trunk {
		b.ids = append(b.ids, ids...)
		return
	}
	remap, ok := b.remaps[t]
	if !ok {
		if b.remaps == nil {
			b.remaps = map[*table][]uint32{}
		}
		remap = make([]uint32, t.Len())
		b.remaps[t] = remap
	}
	for _, id := range ids {
		if remap[id] == 0 {
			remap[id] = b.action(t.Text(id)) + 1
		}
		b.ids = append(b.ids, remap[id]-1)
	}
}

// action returns the id of an action.
func (b *tableBuilder) action(text string) uint32 {
	in := b.intern()
	if !in.room(len(text)) {
		b.err = errFull
		return 0
	}
	return in.id([]byte(text))
}

// add adds a list for the version at and returns the marks of its actions.
func (b *tableBuilder) add(l *list, at int) mark {
	b.pad(at)
	if !b.room(len(l.actions)) {
		return 0
	}
	var marks mark
	for _, text := range l.actions {
		id := b.action(text)
		b.ids = append(b.ids, id)
		marks |= b.in.marks[id]
	}
	b.pad(at + 1)
	if l.unusual() {
		o := l.oddity
		o.version = uint32(at)
		b.odd = append(b.odd, o)
	}
	return marks
}

// finish returns the table of n versions.
func (b *tableBuilder) finish(n int) *table {
	b.pad(n)
	t := b.table
	if b.in != nil {
		t.text, t.refs, t.marks = b.in.done(), b.in.refs, b.in.marks
	}
	t.ids = slices.Clip(t.ids)
	return &t
}
