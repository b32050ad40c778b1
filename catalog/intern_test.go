package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// someActions returns actions of which most occur again and again.
func someActions(n int) []string {
	rng := rand.New(rand.NewPCG(uint64(n), 2))
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("depend fmri=pkg:/x%d@1.%d type=require", rng.IntN(n/8+1), rng.IntN(3))
		switch rng.IntN(1000) {
		case 0:
			list[i] = ""
		case 1:
			list[i] = "set name=pkg.obsolete value=true"
		case 2:
			list[i] = `set name=a value="b c"`
		case 3:
			list[i] = strings.Repeat("long", rng.IntN(textChunk))
		}
	}
	return list
}

// internSlow is the obvious way to intern.
func internSlow(list []string) (ids []uint32, distinct []string) {
	known := map[string]uint32{}
	for _, s := range list {
		id, ok := known[s]
		if !ok {
			id = uint32(len(distinct))
			known[s] = id
			distinct = append(distinct, s)
		}
		ids = append(ids, id)
	}
	return ids, distinct
}

// TestIntern interns strings one by one and in a queue.
func TestIntern(t *testing.T) {
	for _, n := range []int{0, 1, batchSize - 1, batchSize, batchSize + 1, 40000} {
		list := someActions(n)
		want, distinct := internSlow(list)
		in := newInterner(nil)
		q := newInternQueue()
		var got []uint32
		for _, s := range list {
			got = append(got, in.id([]byte(s)))
			q.add([]byte(s))
		}
		queued, ids, err := q.finish()
		if err != nil || !slices.Equal(got, want) || !slices.Equal(ids, want) {
			t.Fatalf("%d strings: other ids, error %v", n, err)
		}
		for _, in := range []*interner{in, queued} {
			checkInterner(t, in, distinct)
		}
		if n == 0 {
			continue
		}
		// One that continues, with everything and something new.
		table := &table{text: in.done(), refs: in.refs, marks: in.marks}
		more := newInterner(table)
		if id := more.id([]byte("new")); id != uint32(len(distinct)) {
			t.Errorf("%d strings: a new one has id %d", n, id)
		}
		for i, s := range list {
			if id := more.id([]byte(s)); id != want[i] {
				t.Fatalf("%d strings: %.20q has id %d, had %d", n, s, id, want[i])
			}
		}
		checkInterner(t, more, append(distinct, "new"))
		checkInterner(t, in, distinct)
	}
}

func checkInterner(t *testing.T, in *interner, want []string) {
	t.Helper()
	if len(in.refs) != len(want) || len(in.marks) != len(want) {
		t.Fatalf("%d strings and %d marks, want %d", len(in.refs), len(in.marks), len(want))
	}
	for id, s := range want {
		if got := in.at(in.refs[id]); got != s || in.marks[id] != markOf(s) {
			t.Fatalf("id %d is %.20q with mark %d, want %.20q", id, got, in.marks[id], s)
		}
	}
}

// TestInternHashes makes all strings have the same hash, which is slow and nothing worse. There
// are too few for the table to grow, which would take the right ones.
func TestInternHashes(t *testing.T) {
	list := someActions(2000)
	want, _ := internSlow(list)
	in := newInterner(nil)
	var b batch
	var got []uint32
	for _, s := range list {
		b.add(7, []byte(s))
		if b.full() {
			got = in.appendIDs(got, &b)
			b.clear()
		}
	}
	if got = in.appendIDs(got, &b); !slices.Equal(got, want) {
		t.Error("other ids")
	}
}

// TestInternQueueEnds finishes a queue twice, as happens after an error.
func TestInternQueueEnds(t *testing.T) {
	q := newInternQueue()
	for range 10 * batchSize {
		q.add([]byte("x"))
	}
	for range 2 {
		if in, ids, err := q.finish(); err != nil || len(in.refs) != 1 || len(ids) != 10*batchSize {
			t.Errorf("%d strings, %d ids, error %v", len(in.refs), len(ids), err)
		}
	}
}

func BenchmarkIntern(b *testing.B) {
	list := someActions(100000)
	b.ReportAllocs()
	for b.Loop() {
		q := newInternQueue()
		for _, s := range list {
			q.add([]byte(s))
		}
		if _, _, err := q.finish(); err != nil {
			b.Fatal(err)
		}
	}
}
