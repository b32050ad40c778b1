package transform

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goips/ips/internal/reason"
)

// A charset is a set of characters.
type charset struct {
	negated bool
	ranges  []rune   // pairs of a first and a last
	classes []string // as they stand between brackets
	others  []string // classes of which it has all characters that they do not have
}

// String returns the set as both syntaxes have it, but for a negated one with others:
// only regexp2 has that.
func (s *charset) String() string {
	var b strings.Builder
	for i := 0; i < len(s.ranges); i += 2 {
		b.WriteString(quoteRune(s.ranges[i]))
		if s.ranges[i] != s.ranges[i+1] {
			b.WriteString("-" + quoteRune(s.ranges[i+1]))
		}
	}
	b.WriteString(strings.Join(s.classes, ""))
	sets := make([]string, 0, 1+len(s.others))
	if b.Len() > 0 {
		sets = append(sets, "["+b.String()+"]")
	}
	for _, o := range s.others {
		sets = append(sets, "[^"+o+"]")
	}
	all := strings.Join(sets, "|")
	switch {
	case s.negated && s.others == nil:
		return "[^" + all[1:]
	case s.negated:
		return "(?:(?!" + all + `)[\s\S])`
	case len(sets) == 1:
		return all
	}
	return "(?:" + all + ")"
}

// class returns what a class of Python has, which are Unicode's without the flag a, as it
// stands between brackets.
func (f flags) class(c byte) string {
	switch {
	case c == 'd' && f.ascii:
		return `0-9`
	case c == 'd':
		return `\p{Nd}`
	case c == 'w' && f.ascii:
		return `0-9A-Za-z_`
	case c == 'w':
		return `\p{L}\p{N}_`
	case f.ascii:
		return "\t-\r "
	}
	return "\t-\r\x1c-\x20\u0085" + `\p{Z}`
}

// add adds a class with a name in either case.
func (s *charset) add(f flags, name byte) {
	if class := f.class(name | 0x20); name >= 'a' {
		s.classes = append(s.classes, class)
	} else {
		s.others = append(s.others, class)
	}
}

// isClass reports whether an escape stands for a class.
func isClass(c byte) bool { return strings.IndexByte("dDsSwW", c) >= 0 }

// folds are the characters that Python takes for the same in another case and Unicode's
// simple folding does not.
var folds = [][]rune{{'i', 'I', 'İ', 'ı'}, {0x390, 0x1fd3}, {0x3b0, 0x1fe3}, {0xfb05, 0xfb06}}

// same returns a character and those that are the same under the flags.
func (f flags) same(r rune) []rune {
	all := []rune{r}
	if !f.fold || f.ascii && r >= utf8.RuneSelf {
		return all
	}
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		if !f.ascii || next < utf8.RuneSelf {
			all = append(all, next)
		}
	}
	for _, fold := range folds {
		if !f.ascii && strings.ContainsRune(string(fold), r) {
			return fold
		}
	}
	return all
}

// addRange adds the characters from one to another, and those that are the same.
func (s *charset) addRange(f flags, from, to rune) {
	s.ranges = append(s.ranges, from, to)
	if !f.fold {
		return
	}
	if from == to {
		for _, r := range f.same(from) {
			s.ranges = append(s.ranges, r, r)
		}
		return
	}
	if f.ascii {
		for r := from; r <= min(to, unicode.MaxASCII); r++ {
			for _, other := range f.same(r) {
				s.ranges = append(s.ranges, other, other)
			}
		}
		return
	}
	// Go's package folds a range faster than character by character.
	tree, err := syntax.Parse(fmt.Sprintf(`(?i:[\x{%x}-\x{%x}])`, from, to), syntax.Perl)
	if err == nil && tree.Op == syntax.OpCharClass {
		s.ranges = append(s.ranges, tree.Rune...)
	}
	for _, fold := range folds {
		for _, r := range fold {
			if from <= r && r <= to {
				for _, other := range fold {
					s.ranges = append(s.ranges, other, other)
				}
			}
		}
	}
}

// set translates a set of characters.
func (t *translator) set() error {
	t.pos++
	s := charset{}
	if strings.HasPrefix(t.in[t.pos:], "^") {
		s.negated = true
		t.pos++
	}
	for first := true; t.pos < len(t.in); first = false {
		if t.in[t.pos] == ']' && !first {
			t.pos++
			if !t.hard && s.negated && s.others != nil {
				return errHard
			}
			t.write(s.String())
			return nil
		}
		if err := t.item(&s); err != nil {
			return err
		}
	}
	return errors.New("set without end")
}

// item reads a character, a class or a range of a set.
func (t *translator) item(s *charset) error {
	from, class, err := t.member()
	if err != nil {
		return err
	}
	rest := t.in[t.pos:]
	isRange := len(rest) > 1 && rest[0] == '-' && rest[1] != ']'
	switch {
	case isRange:
		t.pos++
		to, class2, err := t.member()
		if err == nil && (class != 0 || class2 != 0 || to < from) {
			err = errors.New("range of characters that is none")
		}
		if t.flags.fold {
			t.folded += int(to - from)
		}
		if t.folded > maxFolded {
			err = errors.New("too many characters in ranges with the flag i")
		}
		if err != nil {
			return err
		}
		s.addRange(t.flags, from, to)
	case class != 0:
		s.add(t.flags, class)
	default:
		s.addRange(t.flags, from, from)
	}
	return nil
}

// member reads a character of a set or, if its name is not 0, a class.
func (t *translator) member() (r rune, class byte, err error) {
	r, size := utf8.DecodeRuneInString(t.in[t.pos:])
	if r != '\\' {
		t.pos += size
		return r, 0, nil
	}
	if t.pos+1 == len(t.in) {
		return 0, 0, errors.New("backslash at the end")
	}
	c := t.in[t.pos+1]
	switch {
	case isClass(c):
		t.pos += 2
		return 0, c, nil
	case c == 'b':
		t.pos += 2
		return '\b', 0, nil
	}
	r, size, err = escapedRune(t.in[t.pos+1:])
	t.pos += 1 + size
	return r, 0, err
}

// escape translates a backslash and what follows, outside of sets.
func (t *translator) escape() error {
	rest := t.in[t.pos+1:]
	if rest == "" {
		return errors.New("backslash at the end")
	}
	switch c := rest[0]; {
	case isClass(c):
		s := charset{}
		s.add(t.flags, c)
		t.pos += 2
		t.write(s.String())
		return nil
	case strings.IndexByte("AbBZ", c) >= 0:
		t.pos += 2
		t.place(c)
		return nil
	case '1' <= c && c <= '9':
		if _, _, ok := octalEscape(rest); !ok {
			return t.numbered(rest)
		}
	}
	r, size, err := escapedRune(rest)
	if err != nil {
		return err
	}
	t.pos += 1 + size
	t.char(r)
	return nil
}

// numbered translates a reference to a group by one digit or two.
func (t *translator) numbered(digits string) error {
	size := 1
	if len(digits) > 1 && '0' <= digits[1] && digits[1] <= '9' {
		size = 2
	}
	n, err := strconv.Atoi(digits[:size])
	if err != nil {
		return err
	}
	return t.reference(n, 1+size)
}

// controls are the characters that have a letter.
var controls = map[byte]rune{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// escapedRune reads the character that stands behind a backslash.
func escapedRune(text string) (r rune, size int, err error) {
	c := text[0]
	if r, ok := controls[c]; ok {
		return r, 1, nil
	}
	switch {
	case c == 'x' || c == 'u' || c == 'U':
		return hexEscape(text, map[byte]int{'x': 2, 'u': 4, 'U': 8}[c])
	case '0' <= c && c <= '9':
		n, size, ok := octalEscape(text)
		if !ok || n > 0o377 {
			return 0, 0, errors.New("bad escape with digits")
		}
		return n, size, nil
	case c == 'N':
		return 0, 0, reason.New(errors.ErrUnsupported, `\N{...} is not supported: write the character, or \u and its code`)
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return 0, 0, fmt.Errorf(`unknown escape \%c`, c)
	}
	r, size = utf8.DecodeRuneInString(text)
	return r, size, nil
}

// hexEscape reads a letter and so many digits.
func hexEscape(text string, digits int) (rune, int, error) {
	if len(text) <= digits {
		return 0, 0, fmt.Errorf(`incomplete escape \%s`, text)
	}
	n, err := strconv.ParseUint(text[1:1+digits], 16, 32)
	if err != nil || n > unicode.MaxRune {
		return 0, 0, fmt.Errorf(`bad escape \%s`, text[:1+digits])
	}
	return rune(n), 1 + digits, nil
}

// octalEscape reads the digits of an octal escape: three, or up to three that begin
// with zero.
func octalEscape(text string) (value rune, size int, ok bool) {
	for size < min(3, len(text)) && '0' <= text[size] && text[size] <= '7' {
		value = value*8 + rune(text[size]-'0')
		size++
	}
	return value, size, size == 3 || size > 0 && text[0] == '0'
}
