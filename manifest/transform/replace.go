package transform

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A finder finds all places in a value that match.
type finder struct {
	expr   *expression
	behind *regexp.Regexp // a character, and a match behind it; nil if none is empty
	lazy   bool           // a match of nothing may hide another at its place, so regexp2 is asked
}

func newFinder(pattern string, limit time.Duration) (*finder, error) {
	e, err := compile(pattern, limit)
	if err != nil || e.easy == nil || !canBeEmpty(e.tree) {
		return &finder{expr: e}, err
	}
	if prefersNothing(e.tree) {
		return &finder{expr: e, lazy: true}, nil
	}
	behind, err := regexp.Compile(`\A(?s:.)(?:` + e.text + `)`)
	if err != nil {
		return nil, &PatternError{pattern, err}
	}
	return &finder{expr: e, behind: behind}, nil
}

// prefersNothing reports whether an expression may match nothing where it could match
// something.
func prefersNothing(re *syntax.Regexp) bool {
	if re.Op == syntax.OpAlternate || re.Flags&syntax.NonGreedy != 0 {
		return true
	}
	return slices.ContainsFunc(re.Sub, prefersNothing)
}

// canBeEmpty reports whether an expression may match nothing.
func canBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpRepeat:
		return re.Min == 0 || canBeEmpty(re.Sub[0])
	case syntax.OpCapture, syntax.OpPlus:
		return canBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !canBeEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if canBeEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true
}

// all returns the matches in a value, as FindAllStringSubmatchIndex does and with the
// empty ones that follow another directly, which count in Python.
func (f *finder) all(value string) ([][]int, error) {
	if f.lazy || !f.expr.isEasy(value) {
		return f.allHard(value)
	}
	found := f.expr.easy.FindAllStringSubmatchIndex(value, -1)
	if f.behind == nil {
		return found, nil
	}
	var all [][]int
	for i, m := range found {
		all = append(all, m)
		if m[0] == m[1] || i+1 < len(found) && found[i+1][0] == m[1] {
			continue
		}
		if empty := f.at(value, m[1]); empty != nil {
			all = append(all, empty)
		}
	}
	return all, nil
}

// allHard is all with regexp2. Behind a match of nothing is either one of something, or
// one further on. The limit is one of all of them.
func (f *finder) allHard(text string) ([][]int, error) {
	var all [][]int
	value, start := newRunes(text), time.Now()
	for from, wasEmpty := 0, false; ; {
		m, err := f.after(value, from, wasEmpty)
		if err == nil && time.Since(start) > f.expr.limit {
			err = f.expr.tookLong()
		}
		if m == nil || err != nil {
			return all, err
		}
		from, wasEmpty = m[1], m[0] == m[1]
		all = append(all, value.bytes(m))
	}
}

// after returns the next match at a place or behind it.
func (f *finder) after(value *runes, from int, wasEmpty bool) ([]int, error) {
	if !wasEmpty {
		return f.expr.find(f.expr.searcher, value, from)
	}
	m, err := f.expr.find(f.expr.advance, value, from)
	if m != nil || err != nil || from == len(value.all) {
		return m, err
	}
	return f.expr.find(f.expr.searcher, value, from+1)
}

// at returns the match at an offset, which is not the first of the value.
func (f *finder) at(value string, offset int) []int {
	_, size := utf8.DecodeLastRuneInString(value[:offset])
	from := offset - size
	m := f.behind.FindStringSubmatchIndex(value[from:])
	if m == nil {
		return nil
	}
	for i := range m {
		if m[i] >= 0 {
			m[i] += from
		}
	}
	m[0] = offset
	return m
}

// A replacement is what takes the place of a match.
type replacement []piece

// A piece is a text, or a group if there is no text.
type piece struct {
	text  string
	group int
}

// newReplacement reads a replacement in Python's syntax, with "\1" for a group.
func newReplacement(text string, of *expression) (replacement, error) {
	var r replacement
	for text != "" {
		at := strings.IndexByte(text, '\\')
		if at < 0 {
			return append(r, piece{text: text}), nil
		}
		if at > 0 {
			r = append(r, piece{text: text[:at]})
		}
		p, size, err := escaped(text[at+1:], of)
		if err != nil {
			return nil, err
		}
		if p.group > of.groups {
			return nil, &ReferenceError{fmt.Sprintf(`\%d`, p.group), "no such group in " + of.pattern}
		}
		r = append(r, p)
		text = text[at+1+size:]
	}
	return r, nil
}

// escapes are the characters that an escape in a replacement stands for.
var escapes = map[byte]string{
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\\': `\`,
}

// escaped reads what follows a backslash, and returns its size.
func escaped(text string, of *expression) (piece, int, error) {
	if text == "" {
		return piece{}, 0, errors.New("replacement ends in a backslash")
	}
	c := text[0]
	if s, ok := escapes[c]; ok {
		return piece{text: s}, 1, nil
	}
	switch {
	case c == 'g':
		return groupName(text, of)
	case '0' <= c && c <= '9':
		return groupNumber(text)
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return piece{}, 0, fmt.Errorf(`unknown escape \%c in the replacement`, c)
	}
	return piece{text: `\`}, 0, nil
}

// groupName reads "g<name>".
func groupName(text string, of *expression) (piece, int, error) {
	end := strings.IndexByte(text, '>')
	if !strings.HasPrefix(text, "g<") || end < 0 {
		return piece{}, 0, errors.New(`\g without <group> in the replacement`)
	}
	name := text[2:end]
	group, known := of.names[name]
	if n, err := strconv.Atoi(name); err == nil {
		group, known = n, n >= 0
	}
	if !known {
		return piece{}, 0, &ReferenceError{`\g<` + name + ">", "no such group in " + of.pattern}
	}
	return piece{group: group}, end + 1, nil
}

// groupNumber reads the digits of a group, or of an octal escape.
func groupNumber(text string) (piece, int, error) {
	value, size, ok := octalEscape(text)
	if ok && value > 0o377 {
		return piece{}, 0, errors.New("octal escape too large in the replacement")
	}
	if ok {
		return piece{text: string(value)}, size, nil
	}
	size = 1
	if len(text) > 1 && '0' <= text[1] && text[1] <= '9' {
		size = 2
	}
	group, err := strconv.Atoi(text[:size])
	return piece{group: group}, size, err
}

// replace returns the value with all matches replaced, or false if that is longer than
// the limit.
func (f *finder) replace(value string, r replacement, limit int) (string, bool, error) {
	all, err := f.all(value)
	if all == nil || err != nil {
		return value, true, err
	}
	var b strings.Builder
	last := 0
	for _, m := range all {
		b.WriteString(value[last:m[0]])
		last = m[1]
		for _, p := range r {
			if b.Len() > limit {
				return "", false, nil
			}
			b.WriteString(p.of(value, m))
		}
	}
	b.WriteString(value[last:])
	return b.String(), b.Len() <= limit, nil
}

// of returns what a piece is for a match in a value. A group without part in the match
// is empty.
func (p piece) of(value string, match []int) string {
	from, to := match[2*p.group], match[2*p.group+1]
	if p.text != "" || from < 0 {
		return p.text
	}
	return value[from:to]
}
