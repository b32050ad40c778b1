// Package deflate writes the DEFLATE streams that zlib writes, byte for byte.
//
// RFC 1951 says how a stream is read, not how one is made: two encoders seldom agree.
// The digests of stored payloads that manifests have are those of one encoder's streams,
// so whoever wants the same digests must take the same decisions. These are those of zlib
// at level 9, with its default window (32 KiB), memory level (8) and strategy, for input
// that comes in one piece:
//
//   - Strings of three bytes are found by a hash of 15 bits, the latest first, up to 4096
//     of them and 32,506 bytes back; a fourth as many behind a match of 32 bytes. The
//     first byte of the window, which slides by its half, is never found.
//   - A match waits for the next byte: if a longer one begins there, a literal takes its
//     place. A match of three bytes from more than 4096 back is none.
//   - 16,383 literals and matches make a block, which is written in the shortest of three
//     ways: as it is, with the fixed codes, with codes of its own. Equal ways are taken
//     in that order.
//
// The decisions have been the same since version 1.2.5 of zlib. Its relatives zlib-ng
// and libdeflate take others.
package deflate

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

const (
	windowSize   = 1 << 15
	windowMask   = windowSize - 1
	minMatch     = 3
	maxMatch     = 258
	minLookahead = maxMatch + minMatch + 1   // needed to decide on a match
	maxDistance  = windowSize - minLookahead // of a match
	tooFar       = 4096                      // for a match of minMatch bytes
	goodMatch    = 32                        // behind which less is searched
	maxChain     = 4096                      // strings that are compared
	hashSize     = 1 << 15
)

// A Writer compresses what is written to it. It needs some 350 KiB, however much that is.
type Writer struct {
	block block
	err   error

	buf        [2*windowSize + maxMatch + 8]byte // what was written last, and zeros
	end        int                               // of what was written, in buf
	pos        int                               // what comes next, in buf
	blockStart int                               // where the block begins in buf, negative if that is gone
	head       [hashSize]uint16                  // latest place of strings by hash; 0 is none
	prev       [windowSize]uint16                // place before, by place

	length, start int  // of the match at pos
	literal       bool // the byte before pos waits for what comes
}

// NewWriter returns a Writer to dst.
func NewWriter(dst io.Writer) *Writer {
	w := new(Writer)
	w.Reset(dst)
	return w
}

// Reset makes w a new Writer to dst.
func (w *Writer) Reset(dst io.Writer) {
	w.block.reset(dst)
	clear(w.buf[:])
	clear(w.head[:])
	w.err, w.literal = nil, false
	w.end, w.pos, w.blockStart, w.start = 0, 0, 0, 0
	w.length = minMatch - 1
}

var errClosed = errors.New("deflate: written to after the end")

// Write compresses p. It writes whole blocks only.
func (w *Writer) Write(p []byte) (int, error) {
	written := 0
	for w.err == nil && len(p) > 0 {
		n := copy(w.buf[w.end:2*windowSize], p)
		w.end, written, p = w.end+n, written+n, p[n:]
		if w.end < 2*windowSize {
			break
		}
		for w.err == nil && w.end-w.pos >= minLookahead {
			w.step()
		}
		w.slide()
	}
	return written, w.err
}

// Close writes what is left.
func (w *Writer) Close() error {
	for w.err == nil && w.pos < w.end {
		if w.end-w.pos < minLookahead {
			w.slide()
		}
		w.step()
	}
	if w.err == nil && w.literal {
		w.block.literal(w.buf[w.pos-1])
	}
	if w.err == nil {
		w.flush(true)
	}
	if err := w.err; err != nil {
		return err
	}
	w.err = errClosed
	return nil
}

// slide drops the older half of buf when no match can begin in it any more.
func (w *Writer) slide() {
	if w.pos < windowSize+maxDistance {
		return
	}
	copy(w.buf[:windowSize], w.buf[windowSize:2*windowSize])
	clear(w.buf[windowSize : 2*windowSize])
	w.end -= windowSize
	w.pos -= windowSize
	w.start -= windowSize
	w.blockStart -= windowSize
	age(w.head[:])
	age(w.prev[:])
}

// age moves places by half of buf. Those in the older half are none.
func age(places []uint16) {
	for i, p := range places {
		places[i] = max(p, windowSize) - windowSize
	}
}

// step decides what becomes of the byte before pos, and goes on by one byte or a match.
func (w *Writer) step() {
	candidate := 0
	if w.end-w.pos >= minMatch {
		candidate = w.insert(w.pos)
	}
	length, start := w.length, w.start
	w.length = minMatch - 1
	if candidate != 0 && length < maxMatch && w.pos-candidate <= maxDistance {
		w.length = w.longest(candidate, length)
		if w.length == minMatch && w.pos-w.start > tooFar {
			w.length = minMatch - 1
		}
	}
	switch {
	case length >= minMatch && w.length <= length:
		w.match(length, start)
	case w.literal:
		if w.block.literal(w.buf[w.pos-1]) {
			w.flush(false)
		}
		w.pos++
	default:
		w.literal = true
		w.pos++
	}
}

// match writes the match that began before pos, and goes to its end.
func (w *Writer) match(length, start int) {
	full := w.block.match(length, w.pos-1-start)
	last := w.end - minMatch
	for range length - 2 {
		if w.pos++; w.pos <= last {
			w.insert(w.pos)
		}
	}
	w.literal, w.length = false, minMatch-1
	w.pos++
	if full {
		w.flush(false)
	}
}

// flush writes the block.
func (w *Writer) flush(last bool) {
	var raw []byte
	if w.blockStart >= 0 {
		raw = w.buf[w.blockStart:w.pos]
	}
	w.err = w.block.flush(raw, last)
	w.blockStart = w.pos
}

// insert notes the string at a place, and returns the place of the last one with its hash.
func (w *Writer) insert(at int) int {
	b := w.buf[at : at+minMatch : at+minMatch]
	h := (uint(b[0])<<10 ^ uint(b[1])<<5 ^ uint(b[2])) & (hashSize - 1)
	before := w.head[h]
	w.prev[at&windowMask] = before
	w.head[h] = uint16(at)
	return int(before)
}

// longest looks for a match of pos that is longer than best, notes where it starts, and
// returns its length, or best.
func (w *Writer) longest(candidate, best int) int {
	chain, limit := maxChain, max(w.pos-maxDistance, 0)
	if best >= goodMatch {
		chain /= 4
	}
	left := w.end - w.pos
	nice := min(maxMatch, left)
	here := w.buf[w.pos : w.pos+maxMatch+1]
	// The last two bytes of what would be longer fail most often.
	tail := binary.LittleEndian.Uint16(here[best-1:])
	for {
		there := w.buf[candidate : candidate+maxMatch+1]
		if binary.LittleEndian.Uint16(there[best-1:]) == tail && there[0] == here[0] && there[1] == here[1] {
			if n := common(here, there); n > best {
				w.start, best = candidate, n
				if n >= nice {
					break
				}
				tail = binary.LittleEndian.Uint16(here[best-1:])
			}
		}
		candidate = int(w.prev[candidate&windowMask])
		if chain--; candidate <= limit || chain == 0 {
			break
		}
	}
	return min(best, left)
}

// common returns how many bytes are the same, up to maxMatch.
func common(a, b []byte) int {
	a, b = a[:maxMatch], b[:maxMatch]
	n := 0
	for ; n+8 <= maxMatch; n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < maxMatch && a[n] == b[n] {
		n++
	}
	return n
}
