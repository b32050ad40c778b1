package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pattern matches whole texts: "*" is any text, "?" any character, [...] one of a
// set, with ranges, and [!...] one that is not in the set. A bracket that is not
// closed is an ordinary character, and so is a "]" at the beginning of a set. Where
// case does not matter, characters and sets are those of both cases.
type pattern struct {
	elems []elem
	fold  bool
	plain string // the text itself, if there is nothing special in it
	isAll bool   // nothing but "*" and "?"
}

type elem struct {
	kind elemKind
	r    rune // of elemRune, folded where case does not matter
	set  []runeRange
	not  bool
}

type elemKind uint8

const (
	elemRune elemKind = iota
	elemAny
	elemStar
	elemSet
)

type runeRange struct{ lo, hi rune }

func compile(text string, fold bool) *pattern {
	p := &pattern{fold: fold, isAll: strings.Trim(text, "*?") == ""}
	if !strings.ContainsAny(text, "*?[") {
		p.plain = text
	}
	for rest := []rune(text); len(rest) > 0; {
		e, n := nextElem(rest)
		if e.kind == elemRune && fold {
			e.r = foldRune(e.r)
		}
		if last := len(p.elems) - 1; e.kind != elemStar || last < 0 || p.elems[last].kind != elemStar {
			p.elems = append(p.elems, e)
		}
		rest = rest[n:]
	}
	return p
}

// nextElem returns the first element of a pattern and its length.
func nextElem(p []rune) (elem, int) {
	switch p[0] {
	case '*':
		return elem{kind: elemStar}, 1
	case '?':
		return elem{kind: elemAny}, 1
	case '[':
		if e, n := setElem(p); n > 0 {
			return e, n
		}
	}
	return elem{kind: elemRune, r: p[0]}, 1
}

// setElem reads a set; n is zero if it is not closed.
func setElem(p []rune) (e elem, n int) {
	e.kind = elemSet
	i := 1
	if i < len(p) && p[i] == '!' {
		e.not = true
		i++
	}
	for first := i; i < len(p); i++ {
		switch {
		case p[i] == ']' && i > first:
			return e, i + 1
		case i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']':
			e.set = append(e.set, runeRange{p[i], p[i+2]})
			i += 2
		default:
			e.set = append(e.set, runeRange{p[i], p[i]})
		}
	}
	return elem{}, 0
}

// foldRune returns the same rune for all cases of a letter.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
		least = min(least, s)
	}
	if 'A' <= least && least <= 'Z' { // the Kelvin sign
		least += 'a' - 'A'
	}
	return least
}

// match reports whether all of s matches. It does not allocate.
func (p *pattern) match(s string) bool { return match(p, s) }

// match is pattern.match for tokens as they come from files, too.
func match[T string | []byte](p *pattern, s T) bool {
	star, retry := -1, s // the elements behind the last star, and where they were tried
	at := 0
	for {
		switch {
		case at < len(p.elems) && p.elems[at].kind == elemStar:
			at++
			star, retry = at, s
			if at == len(p.elems) {
				return true
			}
			continue
		case at == len(p.elems) && len(s) == 0:
			return true
		}
		if at < len(p.elems) && len(s) > 0 {
			r, n := firstRune(s)
			if p.one(&p.elems[at], r) {
				at++
				s = s[n:]
				continue
			}
		}
		if star < 0 || len(retry) == 0 {
			return false
		}
		_, n := firstRune(retry)
		retry = retry[n:]
		at, s = star, retry
	}
}

// firstRune returns the first character and its length.
func firstRune[T string | []byte](s T) (rune, int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// one reports whether a character matches an element.
func (p *pattern) one(e *elem, r rune) bool {
	switch e.kind {
	case elemRune:
		return r == e.r || p.fold && foldRune(r) == e.r
	case elemSet:
		return p.inSet(e, r) != e.not
	}
	return true
}

// inSet reports whether a character is in a set, in any case if that is asked for.
func (p *pattern) inSet(e *elem, r rune) bool {
	first := r
	for {
		for _, x := range e.set {
			if x.lo <= r && r <= x.hi {
				return true
			}
		}
		if r = unicode.SimpleFold(r); r == first || !p.fold {
			return false
		}
	}
}
