package deflate

import "math/bits"

const (
	maxLiterals  = 286
	maxDistances = 30
	maxCodes     = 19
	heapSize     = 2*maxLiterals + 1

	repeatCode  = 16 // repeats a length 3 to 6 times
	zerosCode   = 17 // 3 to 10 zeros
	manyZeros   = 18 // 11 to 138 zeros
	shortRepeat = 10
)

// A code is how a symbol is written, its first bit lowest.
type code struct {
	bits   uint16
	length uint8
}

type codes [maxLiterals + 2]code

// A shape is what is fixed about the codes of an alphabet.
type shape struct {
	size  int // of the alphabet
	limit int // bits of the longest code
	fixed *codes
	extra func(symbol int) int // bits behind a code
}

var (
	literalShape  = shape{maxLiterals, 15, &fixedLiterals, extraOfLength}
	distanceShape = shape{maxDistances, 15, &fixedDistances, extraOfDistance}
	codeShape     = shape{maxCodes, 7, nil, extraOfCode}
)

func extraOfLength(s int) int {
	if n := s - lengthBase; n >= 8 && n < 28 {
		return n/4 - 1
	}
	return 0
}

func extraOfDistance(s int) int { return max(s/2-1, 0) }

func extraOfCode(s int) int {
	switch s {
	case repeatCode:
		return 2
	case zerosCode:
		return 3
	case manyZeros:
		return 7
	}
	return 0
}

var fixedLiterals = func() (c codes) {
	var lengths [len(c)]uint8
	for s := range lengths {
		switch {
		case s < 144 || s >= 280:
			lengths[s] = 8
		case s < 256:
			lengths[s] = 9
		default:
			lengths[s] = 7
		}
	}
	assign(&c, lengths[:])
	return c
}()

var fixedDistances = func() (c codes) {
	for s := range maxDistances {
		c[s] = code{bits.Reverse16(uint16(s)) >> 11, 5}
	}
	return c
}()

// assign gives symbols with the given lengths of codes their codes.
func assign(c *codes, lengths []uint8) {
	var count, next [16]uint16
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	for n := 1; n < len(next); n++ {
		next[n] = (next[n-1] + count[n-1]) << 1
	}
	for s, n := range lengths {
		if c[s] = (code{}); n != 0 {
			c[s] = code{bits.Reverse16(next[n]) >> (16 - n), n}
			next[n]++
		}
	}
}

// A node is a symbol, or joins two nodes.
type node struct {
	count  int
	parent int
	depth  uint8
	length uint8 // of the code
}

// A tree makes the codes of an alphabet from how often its symbols occur.
type tree struct {
	*shape
	codes codes
	nodes [heapSize]node
	max   int // last symbol that occurs

	heap  [heapSize]int // of nodes, the rarest at 1
	count int           // in the heap
	order []int         // all nodes, parents first
}

// clear forgets what occurred.
func (t *tree) clear() { clear(t.nodes[:]) }

// less reports whether a node is joined before another.
func (t *tree) less(a, b int) bool {
	x, y := &t.nodes[a], &t.nodes[b]
	return x.count < y.count || x.count == y.count && x.depth <= y.depth
}

// down moves the node at k to its place in the heap.
func (t *tree) down(k int) {
	v := t.heap[k]
	for j := 2 * k; j <= t.count; j = 2 * k {
		if j < t.count && t.less(t.heap[j+1], t.heap[j]) {
			j++
		}
		if t.less(v, t.heap[j]) {
			break
		}
		t.heap[k] = t.heap[j]
		k = j
	}
	t.heap[k] = v
}

// fill puts all that occurs into the heap. There are always two symbols: those
// that are added count nothing, which forced says.
func (t *tree) fill() (forced []int) {
	t.count, t.max = 0, -1
	for s := range t.size {
		if t.nodes[s].count > 0 {
			t.count++
			t.heap[t.count], t.max = s, s
		}
	}
	for t.count < 2 {
		s := 0
		if t.max < 2 {
			t.max++
			s = t.max
		}
		t.nodes[s].count = 1
		t.count++
		t.heap[t.count] = s
		forced = append(forced, s)
	}
	for k := t.count / 2; k >= 1; k-- {
		t.down(k)
	}
	return forced
}

// join joins the two rarest nodes until one is left.
func (t *tree) join() {
	var reversed [heapSize]int
	n := 0
	for next := t.size; t.count >= 2; next++ {
		a := t.heap[1]
		t.heap[1] = t.heap[t.count]
		t.count--
		t.down(1)
		b := t.heap[1]
		reversed[n], reversed[n+1] = a, b
		n += 2
		x, y := &t.nodes[a], &t.nodes[b]
		t.nodes[next] = node{count: x.count + y.count, depth: max(x.depth, y.depth) + 1}
		x.parent, y.parent = next, next
		t.heap[1] = next
		t.down(1)
	}
	t.order = append(t.order[:0], t.heap[1])
	for n--; n >= 0; n-- {
		t.order = append(t.order, reversed[n])
	}
}

// measure gives symbols the lengths of their codes, and shortens those that are too long
// at the cost of others.
func (t *tree) measure() {
	var count [16]int
	tooLong := 0
	t.nodes[t.order[0]].length = 0
	for _, n := range t.order[1:] {
		length := int(t.nodes[t.nodes[n].parent].length) + 1
		if length > t.limit {
			length = t.limit
			tooLong++
		}
		t.nodes[n].length = uint8(length)
		if n <= t.max {
			count[length]++
		}
	}
	if tooLong == 0 {
		return
	}
	for ; tooLong > 0; tooLong -= 2 {
		n := t.limit - 1
		for count[n] == 0 {
			n--
		}
		count[n]--
		count[n+1] += 2
		count[t.limit]--
	}
	// The rarest get the longest again.
	at := len(t.order)
	for length := t.limit; length > 0; length-- {
		for left := count[length]; left > 0; {
			at--
			if n := t.order[at]; n <= t.max {
				t.nodes[n].length = uint8(length)
				left--
			}
		}
	}
}

// build makes the codes of a tree and adds what its symbols need.
func (b *block) build(t *tree) {
	forced := t.fill()
	t.join()
	t.measure()
	var lengths [maxLiterals]uint8
	for s := range t.max + 1 {
		lengths[s] = t.nodes[s].length
	}
	assign(&t.codes, lengths[:t.size])
	for _, s := range forced { // which do not occur
		t.nodes[s].count = 0
	}
	for s := range t.max + 1 {
		n := t.nodes[s].count
		b.dynamic += n * (int(lengths[s]) + t.extra(s))
		if t.fixed != nil {
			b.fixed += n * (int(t.fixed[s].length) + t.extra(s))
		}
	}
}

// A run is a code for lengths of codes, and the bits behind it.
type run struct{ code, extra int }

// runs calls f for the lengths of codes of a tree, as they are written.
func (t *tree) runs(f func(run)) {
	before := -1
	for s := 0; s <= t.max; {
		length, count, most := int(t.codes[s].length), 1, 7
		switch {
		case length == 0:
			most = 138
		case length == before:
			most = 6
		}
		for count < most && s+count <= t.max && int(t.codes[s+count].length) == length {
			count++
		}
		s += count
		switch {
		case length == 0 && count > shortRepeat:
			f(run{manyZeros, count - 11})
		case length == 0 && count >= 3:
			f(run{zerosCode, count - 3})
		case length == before && count >= 3:
			f(run{repeatCode, count - 3})
		case length != 0 && length != before && count >= 4:
			f(run{code: length})
			f(run{repeatCode, count - 4})
		default:
			for range count {
				f(run{code: length})
			}
		}
		before = length
	}
}

// written is the order in which the lengths of codes for lengths are written.
var written = [maxCodes]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// buildCodes makes the codes for lengths, and returns how many are written.
func (b *block) buildCodes() int {
	add := func(r run) { b.codes.nodes[r.code].count++ }
	b.literals.runs(add)
	b.distance.runs(add)
	b.build(&b.codes)
	n := maxCodes
	for n > 4 && b.codes.codes[written[n-1]].length == 0 {
		n--
	}
	b.dynamic += 3*n + 5 + 5 + 4
	return n
}

// writeCodes writes the codes of the block, so many of those for lengths.
func (b *block) writeCodes(n int) {
	b.out.bits(uint64(b.literals.max+1-lengthBase), 5)
	b.out.bits(uint64(b.distance.max), 5)
	b.out.bits(uint64(n-4), 4)
	for _, s := range written[:n] {
		b.out.bits(uint64(b.codes.codes[s].length), 3)
	}
	write := func(r run) {
		b.out.code(b.codes.codes[r.code])
		b.out.bits(uint64(r.extra), extraOfCode(r.code))
	}
	b.literals.runs(write)
	b.distance.runs(write)
}
