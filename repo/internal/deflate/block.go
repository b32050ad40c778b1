package deflate

import (
	"encoding/binary"
	"io"
	"math/bits"
)

const (
	maxSymbols = 1<<14 - 1 // in a block
	endOfBlock = 256
	lengthBase = 257 // code of the first length
	flushAt    = 1 << 15
)

// A symbol is a literal, or a match if distance is not 0.
type symbol struct{ value, distance uint16 }

// A block collects symbols and writes them with the codes that are shortest.
type block struct {
	out      bitWriter
	symbols  []symbol
	literals tree // and lengths
	distance tree
	codes    tree // of the lengths of codes

	dynamic, fixed int // bits of the block
}

func (b *block) reset(dst io.Writer) {
	b.out = bitWriter{dst: dst, buf: b.out.buf[:0]}
	b.literals.shape, b.distance.shape, b.codes.shape = &literalShape, &distanceShape, &codeShape
	b.begin()
}

// begin forgets the symbols.
func (b *block) begin() {
	b.symbols = b.symbols[:0]
	b.literals.clear()
	b.distance.clear()
	b.codes.clear()
	b.literals.nodes[endOfBlock].count = 1
	b.dynamic, b.fixed = 0, 0
}

// literal adds a byte, and reports whether the block is full.
func (b *block) literal(c byte) bool {
	b.symbols = append(b.symbols, symbol{value: uint16(c)})
	b.literals.nodes[c].count++
	return len(b.symbols) == maxSymbols
}

// match adds a match, and reports whether the block is full.
func (b *block) match(length, distance int) bool {
	b.symbols = append(b.symbols, symbol{uint16(length), uint16(distance)})
	b.literals.nodes[lengthBase+lengthCode(length)].count++
	b.distance.nodes[distanceCode(distance)].count++
	return len(b.symbols) == maxSymbols
}

// lengthCode returns the code of a length, less lengthBase.
func lengthCode(length int) int {
	n := length - minMatch
	switch {
	case length == maxMatch:
		return 28
	case n < 8:
		return n
	}
	size := bits.Len(uint(n)) - 3 // extra bits
	return size*4 + n>>size
}

// distanceCode returns the code of a distance.
func distanceCode(distance int) int {
	n := distance - 1
	if n < 4 {
		return n
	}
	size := bits.Len(uint(n)) - 2
	return size*2 + n>>size
}

// flush writes the block, which raw is if that is still known.
func (b *block) flush(raw []byte, last bool) error {
	b.build(&b.literals)
	b.build(&b.distance)
	kinds := b.buildCodes()
	dynamic, fixed := (b.dynamic+3+7)/8, (b.fixed+3+7)/8
	final := uint64(0)
	if last {
		final = 1
	}
	switch shortest := min(dynamic, fixed); {
	case raw != nil && len(raw)+4 <= shortest:
		b.out.bits(final, 3)
		b.out.align()
		b.out.bits(uint64(len(raw)), 16)
		b.out.bits(uint64(^uint16(len(raw))), 16)
		b.out.align()
		b.out.buf = append(b.out.buf, raw...)
	case fixed == shortest:
		b.out.bits(1<<1|final, 3)
		b.write(&fixedLiterals, &fixedDistances)
	default:
		b.out.bits(2<<1|final, 3)
		b.writeCodes(kinds)
		b.write(&b.literals.codes, &b.distance.codes)
	}
	b.begin()
	if last {
		b.out.align()
	}
	return b.out.flush(last)
}

// write writes the symbols.
func (b *block) write(literals, distances *codes) {
	for _, s := range b.symbols {
		if s.distance == 0 {
			b.out.code(literals[s.value])
			continue
		}
		n := lengthCode(int(s.value))
		b.out.code(literals[lengthBase+n])
		size := literalShape.extra(lengthBase + n)
		b.out.bits(uint64(int(s.value)-minMatch)&(1<<size-1), size)
		n = distanceCode(int(s.distance))
		b.out.code(distances[n])
		size = distanceShape.extra(n)
		b.out.bits(uint64(s.distance-1)&(1<<size-1), size)
	}
	b.out.code(literals[endOfBlock])
}

// A bitWriter writes bits, the lowest first.
type bitWriter struct {
	dst   io.Writer
	buf   []byte
	value uint64
	count int
}

func (w *bitWriter) bits(value uint64, count int) {
	w.value |= value << w.count
	if w.count += count; w.count >= 32 {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(w.value))
		w.value >>= 32
		w.count -= 32
	}
}

func (w *bitWriter) code(c code) { w.bits(uint64(c.bits), int(c.length)) }

// align goes on to the next byte.
func (w *bitWriter) align() {
	for ; w.count > 0; w.count -= 8 {
		w.buf = append(w.buf, byte(w.value))
		w.value >>= 8
	}
	w.count, w.value = 0, 0
}

// flush writes bytes, if there are many or it is the end.
func (w *bitWriter) flush(all bool) error {
	if len(w.buf) < flushAt && !all {
		return nil
	}
	_, err := w.dst.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
