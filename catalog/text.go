package catalog

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// A ref locates a string in a text. It is free of pointers, so that millions of
// them cost the garbage collector nothing.
type ref struct{ off, n uint32 }

// A text holds strings one after another. The head may be shared with the catalog
// that this one was derived from.
type text struct{ head, tail string }

// at returns the string at r, without a copy.
func (t *text) at(r ref) string {
	off := int(r.off)
	if off < len(t.head) {
		return t.head[off:][:r.n]
	}
	return t.tail[off-len(t.head):][:r.n]
}

// A textBuilder appends to a text.
type textBuilder struct {
	head string
	tail strings.Builder
}

// extend makes b, which must be new, begin with t. It shares the head, and the tail too
// once that has become large.
func (b *textBuilder) extend(t text) {
	b.head = t.head
	if len(t.tail) > len(t.head)/2 {
		b.head += t.tail
	} else {
		b.tail.WriteString(t.tail)
	}
}

// room reports whether n more bytes can be addressed.
func (b *textBuilder) room(n int) bool { return len(b.head)+b.tail.Len()+n <= math.MaxUint32 }

// add appends a string and returns its place.
func (b *textBuilder) add(s []byte) ref {
	r := ref{uint32(len(b.head) + b.tail.Len()), uint32(len(s))}
	b.tail.Write(s)
	return r
}

func (b *textBuilder) addString(s string) ref {
	r := ref{uint32(len(b.head) + b.tail.Len()), uint32(len(s))}
	b.tail.WriteString(s)
	return r
}

// at returns the string at r. The result stays valid when more is added.
func (b *textBuilder) at(r ref) string {
	t := text{b.head, b.tail.String()}
	return t.at(r)
}

// text returns what was built, without the slack of growing.
func (b *textBuilder) text() text {
	tail := b.tail.String()
	if b.tail.Cap() > len(tail)+len(tail)/16 {
		tail = strings.Clone(tail)
	}
	return text{b.head, tail}
}

// An interner gives every distinct string a dense id. It is a hash table of ids
// without pointers over the strings' own text.
type interner struct {
	textBuilder
	refs  []ref
	marks []mark
	slots []uint64 // low half: id+1, 0 if free; high half: hash
	seed  maphash.Seed
}

// newInterner continues the strings of t, or begins without any if t is nil.
func newInterner(t *Table) *interner {
	in := &interner{seed: maphash.MakeSeed()}
	if t != nil {
		in.extend(t.text)
		in.refs, in.marks = slices.Clip(t.refs), slices.Clip(t.marks)
	}
	in.grow()
	return in
}

// id returns the id of a string, which it adds if it is new.
func (in *interner) id(s []byte) uint32 {
	h := maphash.Bytes(in.seed, s)
	mask := uint64(len(in.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		slot := in.slots[i]
		if slot == 0 {
			return in.insert(i, h, s)
		}
		if slot>>32 == h>>32 {
			if id := uint32(slot) - 1; in.at(in.refs[id]) == string(s) {
				return id
			}
		}
	}
}

// insert adds a new string, to be found at slot i.
func (in *interner) insert(i, h uint64, s []byte) uint32 {
	id := uint32(len(in.refs))
	in.refs = append(in.refs, in.add(s))
	in.marks = append(in.marks, markOf(in.at(in.refs[id])))
	in.slots[i] = h>>32<<32 | uint64(id+1)
	if len(in.refs) > len(in.slots)/2 {
		in.grow()
	}
	return id
}

// grow makes the table at least four times as large as it has strings.
func (in *interner) grow() {
	size := 1024
	for size < 4*len(in.refs) {
		size *= 2
	}
	in.slots = make([]uint64, size)
	mask := uint64(size - 1)
	for id, r := range in.refs {
		h := maphash.String(in.seed, in.at(r))
		i := h & mask
		for in.slots[i] != 0 {
			i = (i + 1) & mask
		}
		in.slots[i] = h>>32<<32 | uint64(id+1)
	}
}
