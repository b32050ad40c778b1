package manifest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A glob is a shell pattern for a whole text: "*" is any text, "?" any character, and
// [...] one character of a set, which may have ranges and is, behind "!", those that are
// not in it. A bracket that is not closed is an ordinary character. There is no
// escaping. It is what the reference's language calls fnmatch.
type glob struct {
	text   string
	prefix string // what every match begins with
	suffix string // what every match ends in
	runes  []rune
}

func compileGlob(text string) glob {
	first := strings.IndexAny(text, "*?[")
	if first < 0 {
		first = len(text)
	}
	last := strings.LastIndexAny(text, "*?[]")
	return glob{text, text[:first], text[last+1:], []rune(text)}
}

// match reports whether s matches. It does not allocate, and takes time in proportion to
// the product of the lengths at worst.
func (g *glob) match(s string) bool {
	if !strings.HasPrefix(s, g.prefix) || !strings.HasSuffix(s, g.suffix) {
		return false
	}
	p, star, retry := g.runes, []rune(nil), ""
	for {
		switch {
		case len(p) > 0 && p[0] == '*':
			p = p[1:]
			star, retry = p, s
			if len(p) == 0 {
				return true
			}
			continue
		case len(p) == 0 && s == "":
			return true
		}
		if used, size := matchOne(p, s); used > 0 {
			p, s = p[used:], s[size:]
			continue
		}
		if star == nil || retry == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(retry)
		retry = retry[size:]
		p, s = star, retry
	}
}

// matchOne matches the first character of s. It returns how many elements of the
// pattern and bytes of s that takes, zero if there is no match.
func matchOne(p []rune, s string) (used, size int) {
	if len(p) == 0 || s == "" {
		return 0, 0
	}
	r, size := utf8.DecodeRuneInString(s)
	switch set := bracketed(p); {
	case set != nil:
		if !inSet(set, r) {
			return 0, 0
		}
		return len(set) + 2, size
	case p[0] == '?' || p[0] == r:
		return 1, size
	}
	return 0, 0
}

// bracketed returns what is between the brackets that p begins with, nil if it does not
// begin with a set. A "]" that comes first is an element of the set.
func bracketed(p []rune) []rune {
	if p[0] != '[' {
		return nil
	}
	first := 1
	if first < len(p) && p[first] == '!' {
		first++
	}
	if first+1 > len(p) {
		return nil
	}
	end := slices.Index(p[min(first+1, len(p)):], ']')
	if end < 0 {
		return nil
	}
	return p[1 : first+1+end]
}

// inSet reports whether r is in a set, which may begin with "!".
func inSet(set []rune, r rune) bool {
	if set[0] == '!' && len(set) > 1 {
		return !inRanges(set[1:], r)
	}
	return inRanges(set, r)
}

// inRanges reports whether r is one of the elements or in one of the ranges of set. A "-"
// that comes first or last is an element.
func inRanges(set []rune, r rune) bool {
	for len(set) > 0 {
		if len(set) >= 3 && set[1] == '-' {
			if set[0] <= r && r <= set[2] {
				return true
			}
			set = set[3:]
			continue
		}
		if set[0] == r {
			return true
		}
		set = set[1:]
	}
	return false
}
