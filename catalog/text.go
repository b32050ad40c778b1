package catalog

import (
	"iter"
	"math"
	"slices"
	"strings"
)

// A ref locates a string in a text. It is free of pointers, so that millions of
// them cost the garbage collector nothing.
type ref struct{ off, n uint32 }

// A text holds strings one after another, in chunks: the one at i begins at offset
// i*textChunk. It reaches to the end of the last string that begins in it, or farther;
// what it has beyond its size the next one has, too. Thus a text grows without being
// copied, and shares its chunks with the catalogs that are derived from its own.
type text []string

const textChunk = 256 << 10

// newText returns a text with the strings in s.
func newText(s string) text {
	t := make(text, 0, len(s)/textChunk+1)
	for len(s) >= textChunk {
		t = append(t, s)
		s = s[textChunk:]
	}
	return append(t, s)
}

// at returns the string at r, without a copy.
func (t text) at(r ref) string { return t[r.off/textChunk][r.off%textChunk:][:r.n] }

// chunks returns the text piece by piece.
func (t text) chunks() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range t {
			if !yield(s[:min(len(s), textChunk)]) {
				return
			}
		}
	}
}

// A textBuilder appends to a text. What at returns stays valid when more is added.
type textBuilder struct {
	text
	last strings.Builder // what the last chunk is a view of
}

// extend makes b, which must be new, begin with t.
func (b *textBuilder) extend(t text) {
	b.text = slices.Clone(t)
	if n := len(t); n > 0 {
		b.last.WriteString(t[n-1])
	}
}

func (b *textBuilder) len() int { return max(0, len(b.text)-1)*textChunk + b.last.Len() }

// room reports whether n more bytes can be addressed.
func (b *textBuilder) room(n int) bool { return b.len()+n <= math.MaxUint32 }

// add appends a string and returns its place.
func (b *textBuilder) add(s []byte) ref {
	r := ref{uint32(b.len()), uint32(len(s))}
	b.last.Write(s)
	b.view()
	return r
}

func (b *textBuilder) addString(s string) ref {
	r := ref{uint32(b.len()), uint32(len(s))}
	b.last.WriteString(s)
	b.view()
	return r
}

// view makes what was added visible, and begins another chunk when one is full.
func (b *textBuilder) view() {
	s := b.last.String()
	b.text = append(b.text[:max(0, len(b.text)-1)], s)
	if len(s) < textChunk {
		return
	}
	for len(s) >= textChunk {
		s = s[textChunk:]
		b.text = append(b.text, s)
	}
	b.last.Reset()
	b.last.Grow(textChunk + textChunk/64)
	b.last.WriteString(s)
	b.text[len(b.text)-1] = b.last.String()
}

// done returns what was built, without the slack of growing.
func (b *textBuilder) done() text {
	if n := len(b.text); n > 0 && b.last.Cap() > b.last.Len()+b.last.Len()/16 {
		b.text[n-1] = strings.Clone(b.text[n-1])
	}
	return b.text
}

// doubled returns a list with room for one more. Of a large one, append alone would make
// five copies until it has its size.
func doubled[E any](list []E) []E {
	if len(list) < cap(list) {
		return list
	}
	return slices.Grow(list, len(list)+1)
}

// trimmed returns a list without the room that growing has left.
func trimmed[E any](list []E) []E {
	if cap(list) > len(list)+len(list)/16 {
		return slices.Clone(list)
	}
	return list
}
