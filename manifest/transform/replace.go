package transform

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A finder finds all places in a value that match.
type finder struct {
	pattern string
	re      *regexp.Regexp
	behind  *regexp.Regexp // a character, and a match behind it; nil if none is empty
}

func newFinder(pattern string) (*finder, error) {
	re, expr, err := compile(pattern)
	if err != nil {
		return nil, err
	}
	f := &finder{pattern: pattern, re: re}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err == nil && canBeEmpty(tree) {
		f.behind, err = regexp.Compile(`\A(?s:.)(?:` + expr + `)`)
	}
	if err != nil {
		return nil, &PatternError{pattern, err}
	}
	return f, nil
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
func (f *finder) all(value string) [][]int {
	found := f.re.FindAllStringSubmatchIndex(value, -1)
	if f.behind == nil {
		return found
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
	return all
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
func newReplacement(text string, re *regexp.Regexp) (replacement, error) {
	var r replacement
	for text != "" {
		at := strings.IndexByte(text, '\\')
		if at < 0 {
			return append(r, piece{text: text}), nil
		}
		if at > 0 {
			r = append(r, piece{text: text[:at]})
		}
		p, size, err := escaped(text[at+1:], re)
		if err != nil {
			return nil, err
		}
		if p.group > re.NumSubexp() {
			return nil, &ReferenceError{fmt.Sprintf(`\%d`, p.group), "no such group in " + re.String()}
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
func escaped(text string, re *regexp.Regexp) (piece, int, error) {
	if text == "" {
		return piece{}, 0, errors.New("replacement ends in a backslash")
	}
	c := text[0]
	if s, ok := escapes[c]; ok {
		return piece{text: s}, 1, nil
	}
	switch {
	case c == 'g':
		return groupName(text, re)
	case '0' <= c && c <= '9':
		return groupNumber(text)
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return piece{}, 0, fmt.Errorf(`unknown escape \%c in the replacement`, c)
	}
	return piece{text: `\`}, 0, nil
}

// groupName reads "g<name>".
func groupName(text string, re *regexp.Regexp) (piece, int, error) {
	end := strings.IndexByte(text, '>')
	if !strings.HasPrefix(text, "g<") || end < 0 {
		return piece{}, 0, errors.New(`\g without <group> in the replacement`)
	}
	name := text[2:end]
	group, err := strconv.Atoi(name)
	if err != nil {
		group = re.SubexpIndex(name)
	}
	if group < 0 || name == "" {
		return piece{}, 0, &ReferenceError{`\g<` + name + ">", "no such group in " + re.String()}
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
func (f *finder) replace(value string, r replacement, limit int) (string, bool) {
	all := f.all(value)
	if all == nil {
		return value, true
	}
	var b strings.Builder
	last := 0
	for _, m := range all {
		b.WriteString(value[last:m[0]])
		last = m[1]
		for _, p := range r {
			if b.Len() > limit {
				return "", false
			}
			b.WriteString(p.of(value, m))
		}
	}
	b.WriteString(value[last:])
	return b.String(), b.Len() <= limit
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
