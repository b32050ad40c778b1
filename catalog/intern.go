package catalog

import (
	"errors"
	"hash/maphash"
	"slices"
	"sync"
)

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
func newInterner(t *table) *interner {
	in := &interner{seed: maphash.MakeSeed()}
	if t != nil {
		in.extend(t.text)
		in.refs, in.marks = slices.Clip(t.refs), slices.Clip(t.marks)
	}
	in.grow()
	return in
}

// id returns the id of a string, which it adds if it is new.
func (in *interner) id(s []byte) uint32 { return in.find(maphash.Bytes(in.seed, s), s) }

// find is id for a string whose hash is known.
func (in *interner) find(h uint64, s []byte) uint32 {
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
	in.refs = append(doubled(in.refs), in.add(s))
	in.marks = append(doubled(in.marks), markOf(in.at(in.refs[id])))
	in.slots[i] = h>>32<<32 | uint64(id+1)
	if len(in.refs) > len(in.slots)/4*3 {
		in.grow()
	}
	return id
}

// grow makes the table at least twice as large as it has strings.
func (in *interner) grow() {
	size := 1024
	for size < 2*len(in.refs) {
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

// A batch is some strings whose ids are not known yet. A large interner is all over the
// memory: to find one string means to wait three times for it, and to find many in passes
// takes hardly longer, since the processor waits for several at the same time.
type batch struct {
	text   []byte
	ends   []uint32 // of each string in text
	hashes []uint64
	ids    []uint32 // one more than the likely id of each string, or 0
	refs   []ref    // of the strings with these ids
}

const (
	batchSize = 1024
	batches   = 3 // in a queue
)

func (b *batch) add(h uint64, s []byte) {
	b.text = append(b.text, s...)
	b.ends = append(b.ends, uint32(len(b.text)))
	b.hashes = append(b.hashes, h)
}

func (b *batch) full() bool { return len(b.ends) == batchSize || len(b.text) >= textChunk }

func (b *batch) clear() {
	b.text, b.ends, b.hashes, b.ids, b.refs = b.text[:0], b.ends[:0], b.hashes[:0], b.ids[:0], b.refs[:0]
}

// appendIDs appends the ids of the strings of a batch, as if they were looked up one by one.
func (in *interner) appendIDs(ids []uint32, b *batch) []uint32 {
	for _, h := range b.hashes {
		b.ids = append(b.ids, in.likely(h))
	}
	for _, id := range b.ids {
		var r ref
		if id > 0 {
			r = in.refs[id-1]
		}
		b.refs = append(b.refs, r)
	}
	start := uint32(0)
	for i, id := range b.ids {
		s := b.text[start:b.ends[i]]
		if id > 0 && in.at(b.refs[i]) == string(s) {
			ids = append(doubled(ids), id-1)
		} else {
			ids = append(doubled(ids), in.find(b.hashes[i], s))
		}
		start = b.ends[i]
	}
	return ids
}

// likely returns one more than the id of the string that has a hash, most likely, or 0.
func (in *interner) likely(h uint64) uint32 {
	mask := uint64(len(in.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if slot := in.slots[i]; slot == 0 || slot>>32 == h>>32 {
			return uint32(slot)
		}
	}
}

// An internQueue interns strings in a goroutine of its own, while more are added. It must be
// finished.
type internQueue struct {
	interner   *interner
	ids        []uint32 // by string, in the order of adding
	err        error
	batch      *batch
	full, free chan *batch
	done       sync.WaitGroup
}

func newInternQueue() *internQueue {
	q := &internQueue{
		interner: newInterner(nil), batch: &batch{},
		full: make(chan *batch, batches), free: make(chan *batch, batches),
	}
	for range batches - 1 {
		q.free <- &batch{}
	}
	q.done.Go(q.run)
	return q
}

// run is the goroutine.
func (q *internQueue) run() {
	for b := range q.full {
		if !q.interner.room(len(b.text)) {
			q.err = errors.New("distinct strings take more than 4 GiB")
		}
		if q.err == nil {
			q.ids = q.interner.appendIDs(q.ids, b)
		}
		b.clear()
		q.free <- b
	}
}

// add adds a string.
func (q *internQueue) add(s []byte) {
	if q.batch.full() {
		q.full <- q.batch
		q.batch = <-q.free
	}
	q.batch.add(maphash.Bytes(q.interner.seed, s), s)
}

// finish ends the goroutine. It returns the ids of all strings in the order of adding.
func (q *internQueue) finish() (*interner, []uint32, error) {
	if q.batch != nil {
		q.full <- q.batch
		q.batch = nil
		close(q.full)
	}
	q.done.Wait()
	return q.interner, q.ids, q.err
}
