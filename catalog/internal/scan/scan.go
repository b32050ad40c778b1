// Package scan reads JSON as a stream, for decoders that know the shape of what
// they read. It keeps a window of the text, never the text, and what it returns
// refers to that window: it is valid until the next call.
//
// A Scanner has a sticky error: after the first one every method returns a zero
// value and More returns false, so that a decoder's loops end by themselves and
// the error is looked at once.
//
// It accepts the JSON of RFC 8259 without exceptions, refuses what is not UTF-8 and
// half surrogate pairs, and notes whether the text is canonical: compact, keys sorted
// at every level, everything outside ASCII escaped with lower-case digits, and
// a newline at the end.
package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"

	"github.com/goips/ips/internal/reason"
)

// Limits bound what a text may ask for.
type Limits struct {
	String int   // bytes in a string or number
	Depth  int   // nesting
	Size   int64 // bytes in the text
}

const maxWindow = 64 << 10

// A Scanner reads one JSON text.
type Scanner struct {
	// Trailer is a key that may come after any other.
	Trailer string

	r      io.Reader
	limits Limits
	buf    []byte // the window is buf[:end]
	pos    int    // of the next byte in buf
	end    int
	base   int64 // offset of buf[0] in the text
	start  int64 // offset of the last token
	member int64 // offset of the end of the value before the last member
	stop   int64 // offset at which an unknown value is too long
	depth  int
	fresh  bool     // just after an opening bracket
	keys   [][]byte // by depth: the last key and a newline, or nothing
	loose  bool     // the text is not canonical
	rerr   error
	err    error
	tmp    []byte // decoded strings
	plain  bool   // the last string was not decoded
}

// An Error says at which byte of a text it is wrong.
type Error struct {
	Offset int64
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("offset %d: %v", e.Offset, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// New returns a Scanner for the text of r, which is of about the given size.
func New(r io.Reader, size int, limits Limits) *Scanner {
	return &Scanner{r: r, limits: limits, stop: math.MaxInt64, buf: make([]byte, min(size, maxWindow))}
}

// NewBytes returns a Scanner for text in memory.
func NewBytes(src []byte, limits Limits) *Scanner {
	s := &Scanner{limits: limits, stop: math.MaxInt64, buf: src, end: len(src), rerr: io.EOF}
	if int64(len(src)) > limits.Size {
		s.Fail(0, s.tooLong())
	}
	return s
}

// Err returns the first error, of type *Error if it concerns the text.
func (s *Scanner) Err() error { return s.err }

// Offset returns the offset of the next byte.
func (s *Scanner) Offset() int64 { return s.base + int64(s.pos) }

// Start returns the offset of the last string, number or bracket read.
func (s *Scanner) Start() int64 { return s.start }

// Member returns the offset at which the last member or element begins, counting
// the comma before it.
func (s *Scanner) Member() int64 { return s.member }

// Canonical reports whether all that was read so far is canonical.
func (s *Scanner) Canonical() bool { return !s.loose }

// Loosen notes that the text is not canonical for a reason the caller knows, such
// as the order of keys.
func (s *Scanner) Loosen() { s.loose = true }

// Fail records an error at an offset, unless there is one already.
func (s *Scanner) Fail(offset int64, err error) {
	if s.err == nil {
		s.err = &Error{Offset: offset, Err: err}
	}
}

// failf records an error at the next byte.
func (s *Scanner) failf(format string, args ...any) {
	s.Fail(s.Offset(), fmt.Errorf(format, args...))
}

func (s *Scanner) tooLong() error {
	return fmt.Errorf("text is longer than %d bytes", s.limits.Size)
}

// fill drops what is before keep, which becomes 0, and reads more.
// It returns false if there is no more.
func (s *Scanner) fill(keep int) bool {
	if s.err != nil || s.rerr != nil {
		return s.noMore()
	}
	copy(s.buf, s.buf[keep:s.end])
	s.base += int64(keep)
	s.end -= keep
	s.pos -= keep
	if s.end == len(s.buf) {
		s.buf = slices.Grow(s.buf, max(512, len(s.buf)))
		s.buf = s.buf[:cap(s.buf)]
	}
	var n int
	for n == 0 && s.rerr == nil {
		n, s.rerr = s.r.Read(s.buf[s.end:])
	}
	s.end += n
	if s.base+int64(s.end) > s.limits.Size {
		s.Fail(s.limits.Size, s.tooLong())
		return false
	}
	return n > 0 || s.noMore()
}

// noMore keeps the error of reading, if it is one, and returns false.
func (s *Scanner) noMore() bool {
	if s.err == nil && !errors.Is(s.rerr, io.EOF) {
		s.err = s.rerr
	}
	return false
}

// peek returns the next byte that is not white space, or 0 at the end.
func (s *Scanner) peek() byte {
	if s.pos < s.end && s.buf[s.pos] > ' ' && s.err == nil {
		return s.buf[s.pos]
	}
	return s.peekFar()
}

// peekFar is peek where there may be white space, or nothing in the window.
func (s *Scanner) peekFar() byte {
	for s.err == nil {
		for s.pos < s.end {
			b := s.buf[s.pos]
			if b > ' ' || b != ' ' && b != '\n' && b != '\t' && b != '\r' {
				return b
			}
			s.loose = true
			s.pos++
		}
		if !s.fill(s.pos) {
			break
		}
	}
	return 0
}

// Peek returns the next byte that is not white space, which tells the kind of the
// value that follows, or 0 at the end.
func (s *Scanner) Peek() byte { return s.peek() }

// take consumes b, or fails.
func (s *Scanner) take(b byte) bool {
	if s.peek() == b && s.err == nil && s.pos < s.end {
		s.start = s.Offset()
		s.pos++
		return true
	}
	s.unexpected(string(rune(b)))
	return false
}

// unexpected fails because want does not come next.
func (s *Scanner) unexpected(want string) {
	switch {
	case s.err != nil:
	case s.pos >= s.end:
		s.Fail(s.Offset(), reason.Truncated("the file ends where "+want+" should be"))
	default:
		s.failf("found %q, want %s", s.buf[s.pos], want)
	}
}

// Begin consumes the bracket that opens an object or array:
//
//	for s.Begin('{'); s.More('}'); {
//		key := s.Key()
//		...
//	}
func (s *Scanner) Begin(open byte) {
	if !s.take(open) {
		return
	}
	s.fresh = true
	if s.depth++; s.depth > s.limits.Depth {
		s.Fail(s.start, fmt.Errorf("nested deeper than %d", s.limits.Depth))
		return
	}
	if s.depth > len(s.keys) {
		s.keys = append(s.keys, nil)
	}
	s.keys[s.depth-1] = s.keys[s.depth-1][:0]
}

// More reports whether another member or element follows. It consumes the comma
// before it, or the closing bracket.
func (s *Scanner) More(closing byte) bool {
	fresh := s.fresh
	s.fresh = false
	s.member = s.Offset()
	if !fresh && s.nextString() && s.member <= s.stop {
		s.start = s.member
		s.pos++
		return true
	}
	b := s.peek()
	switch {
	case s.member > s.stop:
		s.failf("value is longer than %d bytes", s.limits.String)
		return false
	case s.err != nil:
		return false
	case b == closing:
		s.pos++
		s.depth--
		return false
	case fresh:
		return true
	case !s.take(','):
		return false
	case s.peek() == closing:
		s.failf("found %q after a comma", closing)
		return false
	}
	return s.err == nil
}

// nextString reports whether a comma and a string come next, as they mostly do.
func (s *Scanner) nextString() bool {
	return s.pos+1 < s.end && s.buf[s.pos] == ',' && s.buf[s.pos+1] == '"' && s.err == nil
}

// Key reads the key of a member and the colon after it. It refuses a key that is the
// same as the one before it; keys that are in order are thus all different.
func (s *Scanner) Key() []byte {
	key := s.Str()
	if s.err != nil {
		return nil
	}
	s.checkOrder(key)
	if s.pos < s.end && s.buf[s.pos] == ':' {
		s.pos++
		return key
	}
	start := s.start
	s.tmp = append(s.tmp[:0], key...) // looking further may move the window
	if !s.take(':') {
		return nil
	}
	s.start = start
	return s.tmp
}

// checkOrder compares a key with the one before it.
func (s *Scanner) checkOrder(key []byte) {
	last := &s.keys[s.depth-1]
	if n := len(*last); n > 0 {
		switch c := bytes.Compare((*last)[:n-1], key); {
		case c == 0:
			s.Fail(s.start, DuplicateKey(key))
		case c > 0 && string(key) != s.Trailer:
			s.loose = true
		}
	}
	*last = append(append((*last)[:0], key...), '\n')
}

// DuplicateKey returns the error for a key that an object has twice.
func DuplicateKey[T []byte | string](key T) error { return fmt.Errorf("duplicate key %.100q", key) }

// Str reads a string.
func (s *Scanner) Str() []byte {
	if !s.take('"') {
		return nil
	}
	s.plain = true
	start, i := s.pos, s.pos
	for {
		i += plain(s.buf[i:s.end])
		if i < s.end && s.buf[i] == '"' {
			s.pos = i + 1
			return s.checkLen(s.buf[start:i])
		}
		if i < s.end {
			return s.decode(start, i)
		}
		if i-start > s.limits.String {
			return s.checkLen(s.buf[start:i])
		}
		s.pos = i
		if !s.fill(start) {
			s.unexpected("the end of a string")
			return nil
		}
		start, i = 0, s.pos
	}
}

// Plain reports whether the last string read stands for itself: it has no escapes and is ASCII.
func (s *Scanner) Plain() bool { return s.plain }

// checkLen refuses a string that is too long.
func (s *Scanner) checkLen(b []byte) []byte {
	if len(b) > s.limits.String {
		s.Fail(s.start, fmt.Errorf("string is longer than %d bytes", s.limits.String))
		return nil
	}
	return b
}

// Skip consumes the string with this very text if it comes next in canonical form
// and lies in the window. The text must not need escapes.
func Skip[T []byte | string](s *Scanner, text T) bool {
	rest := s.buf[s.pos:s.end]
	n := len(text)
	if s.err != nil || len(rest) < n+2 || rest[n+1] != '"' || rest[0] != '"' || string(rest[1:n+1]) != string(text) {
		return false
	}
	s.start = s.Offset()
	s.pos += n + 2
	return true
}

// End checks that nothing follows, save for one newline, and reports whether the
// whole text was canonical.
func (s *Scanner) End() bool {
	newline := false
	if s.err == nil && (s.pos < s.end || s.fill(s.pos)) && s.buf[s.pos] == '\n' {
		s.pos++
		newline = true
	}
	if b := s.peek(); s.err == nil && s.pos < s.end {
		s.failf("found %q after the end", b)
	}
	return newline && s.err == nil && !s.loose
}

// plain returns how many bytes at the beginning of b stand for themselves in a
// string and are ASCII.
func plain(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^'"'*ones, x^'\\'*ones
		// A byte's high bit gets set if the byte is special; borrows only
		// disturb bytes above the first special one.
		if m := ((quote - ones) | (slash - ones) | (x - ' '*ones) | x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			break
		}
	}
	return i
}

// Plain reports whether a string stands for itself in canonical JSON.
func Plain[T []byte | string](s T) bool { return plain([]byte(s)) == len(s) }
