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

// A PatternError is a regular expression that is none, or one that this package does
// not support; that one matches errors.ErrUnsupported.
type PatternError struct {
	Pattern string // as it was written
	Err     error
}

// Error returns the pattern and what is wrong with it.
func (e *PatternError) Error() string {
	return fmt.Sprintf("regular expression %s: %v", strconv.Quote(e.Pattern), e.Err)
}

// Unwrap returns e.Err.
func (e *PatternError) Unwrap() error { return e.Err }

// compile returns the Go expression for one in Python's syntax, and that as it was
// translated.
func compile(pattern string) (*regexp.Regexp, string, error) {
	t := translator{in: pattern}
	if err := t.translate(); err != nil {
		return nil, "", &PatternError{pattern, err}
	}
	expr := t.out.String()
	re, err := regexp.Compile(expr)
	if err != nil {
		var syn *syntax.Error
		if errors.As(err, &syn) {
			err = errors.New(syn.Code.String())
		}
		return nil, "", &PatternError{pattern, err}
	}
	return re, expr, nil
}

// A translator writes an expression of Python in the syntax of Go.
type translator struct {
	in  string
	pos int
	out strings.Builder
}

// classes are the escapes for classes of characters, which are Unicode's in Python,
// alone and in a set. Some cannot be written in a set of Go.
var classes = map[byte]struct{ alone, inSet string }{
	'd': {`\p{Nd}`, `\p{Nd}`},
	'D': {`\P{Nd}`, `\P{Nd}`},
	'w': {`[\p{L}_\p{N}]`, `\p{L}_\p{N}`},
	'W': {`[^\p{L}_\p{N}]`, `\W`},
	's': {`[\s\v\x1c-\x1f\x{85}\p{Z}]`, `\s\v\x1c-\x1f\x{85}\p{Z}`},
	'S': {`[^\s\v\x1c-\x1f\x{85}\p{Z}]`, `\S`},
}

// unsupported are the beginnings of groups that RE2 does not have.
var unsupported = []struct{ prefix, what string }{
	{"(?=", "look-ahead"},
	{"(?!", "look-ahead"},
	{"(?<=", "look-behind"},
	{"(?<!", "look-behind"},
	{"(?>", "atomic group"},
	{"(?(", "condition"},
	{"(?P=", "reference to a group"},
}

func (t *translator) translate() error {
	for t.pos < len(t.in) {
		var err error
		switch t.in[t.pos] {
		case '\\':
			err = t.escape(false)
		case '[':
			err = t.set()
		case '(':
			err = t.group()
		case '{':
			err = t.repeat()
		default:
			t.copy(1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copy copies the next n bytes.
func (t *translator) copy(n int) {
	t.out.WriteString(t.in[t.pos : t.pos+n])
	t.pos += n
}

// replace writes text for the next n bytes.
func (t *translator) replace(n int, text string) {
	t.out.WriteString(text)
	t.pos += n
}

// escape translates a backslash and what follows, in a set or outside.
func (t *translator) escape(inSet bool) error {
	if t.pos+1 == len(t.in) {
		return errors.New("backslash at the end")
	}
	c := t.in[t.pos+1]
	if class, ok := classes[c]; ok {
		if inSet {
			t.replace(2, class.inSet)
		} else {
			t.replace(2, class.alone)
		}
		return nil
	}
	switch {
	case strings.IndexByte("afnrtv", c) >= 0:
		t.copy(2)
	case c == 'b' && inSet:
		t.replace(2, `\x08`)
	case strings.IndexByte("AbB", c) >= 0 && !inSet:
		t.copy(2)
	case (c == 'Z' || c == 'z') && !inSet:
		t.replace(2, `\z`)
	case c == 'x' || c == 'u' || c == 'U':
		return t.hex(map[byte]int{'x': 2, 'u': 4, 'U': 8}[c])
	case '0' <= c && c <= '9':
		return t.octal(inSet)
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return fmt.Errorf(`unknown escape \%c`, c)
	case c >= utf8.RuneSelf:
		t.pos++ // no need for it, and Go would mind
	default:
		t.copy(2)
	}
	return nil
}

// hex translates an escape with so many digits.
func (t *translator) hex(digits int) error {
	rest := t.in[t.pos+2:]
	if len(rest) < digits {
		return fmt.Errorf("incomplete escape %s", t.in[t.pos:])
	}
	n, err := strconv.ParseUint(rest[:digits], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return fmt.Errorf("bad escape %s", t.in[t.pos:t.pos+2+digits])
	}
	t.replace(2+digits, fmt.Sprintf(`\x{%x}`, n))
	return nil
}

// octal translates an escape with digits, if it is not a reference to a group.
func (t *translator) octal(inSet bool) error {
	n, size, ok := octalEscape(t.in[t.pos+1:])
	switch {
	case !ok && !inSet:
		return fmt.Errorf("reference to a group: %w", errors.ErrUnsupported)
	case size == 0, n > 0o377:
		return errors.New("bad escape with digits")
	}
	t.replace(1+size, fmt.Sprintf(`\x{%x}`, n))
	return nil
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

// set translates a set of characters.
func (t *translator) set() error {
	t.copy(1)
	if strings.HasPrefix(t.in[t.pos:], "^") {
		t.copy(1)
	}
	for first := true; t.pos < len(t.in); first = false {
		switch t.in[t.pos] {
		case ']':
			if !first {
				t.copy(1)
				return nil
			}
			t.replace(1, `\]`)
		case '[': // begins a named class in Go
			t.replace(1, `\[`)
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			t.copy(1)
		}
	}
	return errors.New("set without end")
}

// group translates the beginning of a group, and a whole comment.
func (t *translator) group() error {
	rest := t.in[t.pos:]
	switch {
	case !strings.HasPrefix(rest, "(?"), strings.HasPrefix(rest, "(?:"), strings.HasPrefix(rest, "(?P<"):
		t.copy(1)
		if strings.HasPrefix(rest, "(?") {
			t.copy(2)
		}
		return nil
	case strings.HasPrefix(rest, "(?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return errors.New("comment without end")
		}
		t.pos += end + 1
		return nil
	}
	for _, u := range unsupported {
		if strings.HasPrefix(rest, u.prefix) {
			return fmt.Errorf("%s: %w", u.what, errors.ErrUnsupported)
		}
	}
	return t.flags()
}

// flags translates "(?flags)" and the beginning of "(?flags:...)". The flag u is the
// default.
func (t *translator) flags() error {
	end := strings.IndexAny(t.in[t.pos:], ":)")
	if end < 0 {
		return errors.New("group without end")
	}
	flags := t.in[t.pos+2 : t.pos+end]
	if strings.Trim(flags, "aiLmsux-") != "" || flags == "" {
		return fmt.Errorf("unknown group (?%s", flags)
	}
	if strings.ContainsAny(flags, "aLx") {
		return fmt.Errorf("flags %s: %w", flags, errors.ErrUnsupported)
	}
	flags = strings.ReplaceAll(flags, "u", "")
	if closed := t.in[t.pos+end] == ')'; flags == "" && closed {
		t.replace(end+1, "")
		return nil
	}
	t.replace(end, "(?"+flags)
	t.copy(1)
	return nil
}

// repeat translates the beginning of a repetition. "{,n}" is none in Go, which does not
// repeat more than 1000 times either.
func (t *translator) repeat() error {
	body, _, ok := strings.Cut(t.in[t.pos+1:], "}")
	if !ok || strings.Trim(body, "0123456789,") != "" || strings.Count(body, ",") > 1 {
		t.copy(1)
		return nil
	}
	for count := range strings.SplitSeq(body, ",") {
		if n, err := strconv.Atoi("0" + count); err != nil || n > 1000 {
			return fmt.Errorf("more than 1000 repetitions: %w", errors.ErrUnsupported)
		}
	}
	t.copy(1)
	if strings.HasPrefix(body, ",") {
		t.out.WriteByte('0')
	}
	return nil
}
