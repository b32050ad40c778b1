package fmri

import (
	"cmp"
	"iter"
	"strings"
)

// Dots is a dot sequence in canonical form, such as "5.11": numbers in decimal
// without leading zeros, of any size, joined by dots. The empty Dots is absent.
//
// Its methods are meant for what [ParseDots] or a [Version] returned. Given other
// text they do not panic, and their results mean nothing.
type Dots string

// ParseDots parses a dot sequence. It does not allocate.
func ParseDots(s string) (Dots, error) {
	end, f := scanDots(s, 0, false)
	if f == nil && end < len(s) {
		f = &fault{BadVersion, end, "digit or dot expected"}
	}
	if f != nil {
		return "", f.in("dot sequence", s, 0)
	}
	return Dots(s), nil
}

// scanDots returns the end of the dot sequence that begins at s[i]. A wild one may
// have "*" for a number.
func scanDots(s string, i int, wild bool) (end int, f *fault) {
	for {
		start := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if wild && i == start && i < len(s) && s[i] == '*' {
			i++
		}
		if i == start {
			return i, &fault{BadVersion, i, "number expected"}
		}
		if s[start] == '0' && i > start+1 {
			return i, &fault{BadVersion, start, "leading zero"}
		}
		if i == len(s) || s[i] != '.' {
			return i, nil
		}
		i++
	}
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// Compare orders d and e number by number. A sequence comes after its proper
// prefixes: absent < 1 < 1.0 < 1.0.1 < 1.9 < 1.10.
func (d Dots) Compare(e Dots) int { return d.compareFrom(e, 0) }

// compareFrom is Compare for sequences that are known to agree in the bytes before
// the given offset, or as many as they have.
func (d Dots) compareFrom(e Dots, offset int) int {
	n := min(len(d), len(e))
	i := min(offset, n)
	for i < n && d[i] == e[i] {
		i++
	}
	if i == len(d) && i == len(e) {
		return 0
	}
	// As no number has leading zeros, of two numbers that differ from i on the one
	// with more digits is greater, and if they have as many, the one with the
	// greater digit at i. A sequence that ends at i has no digits left.
	j := i
	for j < n && isDigit(d[j]) && isDigit(e[j]) {
		j++
	}
	switch {
	case j < len(d) && isDigit(d[j]):
		return +1
	case j < len(e) && isDigit(e[j]):
		return -1
	case i == n:
		return cmp.Compare(len(d), len(e))
	}
	return cmp.Compare(d[i], e[i])
}

// commonPrefix returns the number of bytes up to which a and b agree. Versions that
// are compared agree in most of them, so it looks at eight at a time.
func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for i+8 <= len(a) && i+8 <= len(b) && load(a[i:i+8]) == load(b[i:i+8]) {
		i += 8
	}
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

// load returns the first eight bytes of s as a number. The compiler makes it a
// single instruction.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// areDigits reports whether the eight bytes of x are digits: what has 3 for its upper half
// and still has when 6 is added to it.
func areDigits(x uint64) bool {
	const ones, upper = 0x0101010101010101, 0xf0f0f0f0f0f0f0f0
	return x&upper == 0x30*ones && (x+6*ones)&upper == 0x30*ones
}

// HasPrefix reports whether the first numbers of d are the numbers of p.
// So 1.4.3 has the prefixes 1.4 and 1.4.3 but not 1.4.30 or 1.4.3.0. Every
// sequence has the absent one as a prefix.
func (d Dots) HasPrefix(p Dots) bool {
	return strings.HasPrefix(string(d), string(p)) &&
		(len(d) == len(p) || p == "" || d[len(p)] == '.')
}

// head returns the first n numbers of d, and whether there are as many.
func (d Dots) head(n int) (Dots, bool) {
	for i := range len(d) {
		if d[i] != '.' {
			continue
		}
		if n--; n == 0 {
			return d[:i], true
		}
	}
	return d, d != "" && n == 1
}

// agree reports whether both sequences have n numbers and the first n are equal.
func agree(d, e Dots, n int) bool {
	dn, ok1 := d.head(n)
	en, ok2 := e.head(n)
	return ok1 && ok2 && dn == en
}

// All returns the numbers of d in decimal.
func (d Dots) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest, more := string(d), d != ""; more; {
			var number string
			number, rest, more = strings.Cut(rest, ".")
			if !yield(number) {
				return
			}
		}
	}
}
