package scan

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A Member is one member of an object: its key, and its value as canonical JSON.
type Member struct{ Key, JSON string }

// Value reads any value and returns it as canonical JSON. It may not be longer than
// a string may.
func (s *Scanner) Value() string {
	s.peek()
	s.stop = s.Offset() + int64(s.limits.String)
	text := s.appendValue(nil)
	s.stop = math.MaxInt64
	return string(text)
}

// appendValue appends the canonical form of the next value. The recursion is
// bounded by the limit of depth.
func (s *Scanner) appendValue(dst []byte) []byte {
	switch b := s.peek(); {
	case s.err != nil:
	case b == '{':
		return AppendMembers(dst, s.members())
	case b == '[':
		sep := byte('[')
		for s.Begin('['); s.More(']'); sep = ',' {
			dst = s.appendValue(append(dst, sep))
		}
		if sep == '[' {
			dst = append(dst, '[')
		}
		return append(dst, ']')
	case b == '"':
		return AppendString(dst, s.Str())
	case b == '-' || '0' <= b && b <= '9':
		return append(dst, s.number()...)
	default:
		return append(dst, s.literal()...)
	}
	return dst
}

// AppendMembers appends an object.
func AppendMembers(dst []byte, members []Member) []byte {
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, m.Key), ':')
		dst = append(dst, m.JSON...)
	}
	return append(dst, '}')
}

// Members reads an object as [Scanner.Value] does and returns its members sorted
// by key.
func (s *Scanner) Members() []Member {
	s.peek()
	s.stop = s.Offset() + int64(s.limits.String)
	members := s.members()
	s.stop = math.MaxInt64
	return members
}

func (s *Scanner) members() []Member {
	var members []Member
	for s.Begin('{'); s.More('}'); {
		key := string(s.Key())
		at := s.start
		members = s.Insert(members, Member{Key: key, JSON: string(s.appendValue(nil))}, at)
	}
	return members
}

// Insert adds a member whose key was read at an offset to a sorted list. It
// refuses a key that is there already.
func (s *Scanner) Insert(members []Member, m Member, at int64) []Member {
	if n := len(members); n == 0 || members[n-1].Key < m.Key {
		return append(members, m)
	}
	i, found := slices.BinarySearchFunc(members, m.Key, compareKey)
	if found {
		s.Fail(at, DuplicateKey(m.Key))
		return members
	}
	return slices.Insert(members, i, m)
}

// InsertValue adds a member whose key was just read, and whose value comes next.
func (s *Scanner) InsertValue(members []Member, key string) []Member {
	at := s.start
	return s.Insert(members, Member{Key: key, JSON: s.Value()}, at)
}

func compareKey(m Member, key string) int { return cmp.Compare(m.Key, key) }

// number reads a number and returns its text.
func (s *Scanner) number() []byte {
	s.peek()
	s.start = s.Offset()
	n := 0
	for {
		for s.pos+n < s.end && numeric(s.buf[s.pos+n]) {
			n++
		}
		if n > s.limits.String {
			s.Fail(s.start, fmt.Errorf("number is longer than %d bytes", s.limits.String))
			return nil
		}
		if s.pos+n < s.end || !s.fill(s.pos) {
			break
		}
	}
	text := s.buf[s.pos : s.pos+n]
	if !validNumber(text) {
		s.Fail(s.start, fmt.Errorf("invalid number %.100q", text))
		return nil
	}
	s.pos += n
	return text
}

func numeric(b byte) bool {
	return '0' <= b && b <= '9' || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E'
}

// validNumber reports whether b is a number as JSON defines it.
func validNumber(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("-"))
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		n := digits(b)
		return n > 0 && n == len(b)
	}
	return len(b) == 0
}

// digits returns how many digits b begins with.
func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// Int reads a number that is an int and not negative.
func (s *Scanner) Int() int {
	text := s.number()
	if s.err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		s.Fail(s.start, fmt.Errorf("%.100q is not a count", text))
		return 0
	}
	return n
}

// Null consumes null if it comes next.
func (s *Scanner) Null() bool { return s.peek() == 'n' && s.literal() != "" }

// literal reads true, false or null.
func (s *Scanner) literal() string {
	s.start = s.Offset()
	for _, word := range []string{"null", "true", "false"} {
		if s.have(len(word)) && string(s.buf[s.pos:s.pos+len(word)]) == word {
			s.pos += len(word)
			return word
		}
	}
	s.unexpected("a value")
	return ""
}
