package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestText builds texts and compares them with one long string.
func TestText(t *testing.T) {
	sizes := map[string][]int{
		"nothing":              {},
		"empty strings":        {0, 0, 0},
		"a chunk":              {textChunk, 0, 3},
		"a chunk in two":       {textChunk - 5, 5, 0, 5},
		"across the end":       {textChunk - 1, 2, 0, 1},
		"longer than a chunk":  {10, textChunk + 1, 10},
		"longer than several":  {10, 5*textChunk + 17, 0, textChunk, 1},
		"ends with a long one": {3, 4 * textChunk},
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 40000 {
		sizes["many"] = append(sizes["many"], rng.IntN(60))
	}
	for name, list := range sizes {
		var b textBuilder
		var long strings.Builder
		refs := fill(&b, &long, list)
		checkText(t, name, b.done(), long.String(), refs)
		checkText(t, name+", as one string", newText(long.String()), long.String(), refs)

		var c textBuilder // one that continues it
		c.extend(b.done())
		before := long.String()
		more := append(refs, fill(&c, &long, []int{7, textChunk, 0, 9})...)
		checkText(t, name+", continued", c.done(), long.String(), more)
		checkText(t, name+", afterwards", b.text, before, refs)
	}
}

// fill adds strings of some sizes to a text, and to a string.
func fill(b *textBuilder, long *strings.Builder, sizes []int) (refs []ref) {
	for i, n := range sizes {
		s := strings.Repeat(fmt.Sprintf("%d-", i), n/2+1)[:n]
		long.WriteString(s)
		if i%2 == 0 {
			refs = append(refs, b.addString(s))
		} else {
			refs = append(refs, b.add([]byte(s)))
		}
	}
	return refs
}

// checkText compares a text with a string of all.
func checkText(t *testing.T, name string, got text, want string, refs []ref) {
	t.Helper()
	for _, r := range refs {
		if s := want[r.off:][:r.n]; got.at(r) != s {
			t.Fatalf("%s: %.20q at %d, want %.20q", name, got.at(r), r.off, s)
		}
	}
	var all strings.Builder
	for s := range got.chunks() {
		if len(s) > textChunk {
			t.Errorf("%s: a chunk of %d bytes", name, len(s))
		}
		all.WriteString(s)
	}
	if all.String() != want {
		t.Errorf("%s: %d bytes in chunks, want %d", name, all.Len(), len(want))
	}
}

// TestTextMemory adds the longest strings there are: none may be kept more than once.
func TestTextMemory(t *testing.T) {
	var b textBuilder
	long := make([]byte, 4<<20)
	n := testing.AllocsPerRun(1, func() { b = textBuilder{}; b.add(long) })
	if n > 16 {
		t.Errorf("%v allocations for one string", n)
	}
	if b.last.Cap() > 2*textChunk {
		t.Errorf("the last chunk has room for %d bytes", b.last.Cap())
	}
}

func TestDoubled(t *testing.T) {
	var list []int
	grown := 0
	for i := range 100000 {
		before := cap(list)
		if list = append(doubled(list), i); cap(list) != before {
			grown++
		}
	}
	if grown > 20 {
		t.Errorf("grew %d times", grown)
	}
	got := trimmed(list[:50000])
	if cap(got) > 51000 || len(got) != 50000 || got[49999] != 49999 {
		t.Errorf("trimmed to %d of %d", len(got), cap(got))
	}
	if full := trimmed(got); &full[0] != &got[0] {
		t.Error("copied what has no room to lose")
	}
}
