package manifest

import (
	"math"
	"slices"
)

// A slab hands out room for attributes from chunks, so that an action needs
// no allocation of its own. The zero slab is ready for use.
type slab struct {
	free  Attrs // empty, with the room left in the chunk
	chunk int   // size of the next chunk
}

// Chunks begin small, for a lone action, and double.
const (
	firstChunk = 16
	lastChunk  = 1024
)

// take returns an empty list with room for at most limit attributes.
func (s *slab) take(limit int) Attrs { return s.free[:0:min(cap(s.free), limit)] }

// grow moves a list that was taken to a chunk with more room.
func (s *slab) grow(a Attrs, limit int) Attrs {
	s.chunk = min(max(2*s.chunk, firstChunk), lastChunk)
	s.free = make(Attrs, 0, max(s.chunk, 2*len(a)))
	return append(s.take(limit), a...)
}

// insert puts an attribute into a list that was taken.
func (s *slab) insert(a Attrs, at int, x Attr) Attrs {
	if len(a) == cap(a) {
		a = s.grow(a, math.MaxInt)
	}
	return slices.Insert(a, at, x)
}

// keep makes a list that was taken the caller's own.
func (s *slab) keep(a Attrs) Attrs {
	if cap(a) == 0 {
		return nil
	}
	s.free = s.free[len(a):len(a):cap(s.free)]
	return a[:len(a):len(a)]
}
