package transform

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// errHard says that Go has nothing like a part of an expression.
var errHard = errors.New("only regexp2 has it")

// maxTranslated is how long a translated expression may be.
const maxTranslated = 1 << 18

// maxFolded is how many characters are looked at for others that are the same: all that
// there are, some times.
const maxFolded = 16 << 20

// maxNested is how deep groups may lie in each other.
const maxNested = 1000

// A translator writes an expression of Python in the syntax of Go or of regexp2, with
// nothing that depends on flags: what they mean is written out.
type translator struct {
	in   string
	pos  int
	out  []byte
	hard bool // for regexp2

	flags  flags
	open   []openGroup
	last   operand
	atom   int // offset in out of what a repetition would repeat
	begun  bool
	groups int
	names  map[string]int
	closed map[int]bool
	refs   []int // groups that conditions name
	folded int   // characters in ranges whose case does not matter
	words  bool
	ends   bool
}

// flags are those that change what parts mean.
type flags struct{ ascii, fold, multi, all, verbose bool }

// An operand is what stands before a repetition.
type operand int

const (
	noOperand operand = iota // the beginning, or what matches a place, as "^" does
	anAtom
	aRepetition
)

// An openGroup is a group without its end so far.
type openGroup struct {
	at       int   // offset in out
	number   int   // 0 for one that does not capture
	flags    flags // around it
	branches int   // how many a condition may still have; negative for other groups
}

// translate translates a pattern. Of one that is refused the translator is there too, but
// has no output.
func translate(pattern string, hard bool) (*translator, error) {
	t := &translator{in: pattern, hard: hard, names: map[string]int{}, closed: map[int]bool{}}
	err := t.run()
	if err == nil && len(t.open) > 0 {
		err = errors.New("group without end")
	}
	for _, n := range t.refs {
		if err == nil && n > t.groups {
			err = fmt.Errorf("no group %d", n)
		}
	}
	if err != nil {
		t.out = nil
	}
	return t, err
}

func (t *translator) run() error {
	if !utf8.ValidString(t.in) {
		return errors.New("not UTF-8")
	}
	for t.pos < len(t.in) {
		if len(t.out) > maxTranslated {
			return fmt.Errorf("more than %d bytes when written out", maxTranslated)
		}
		if t.flags.verbose && t.skipBlank() {
			continue
		}
		if err := t.next(); err != nil {
			return err
		}
	}
	return nil
}

// skipBlank passes a blank or a comment of an expression with the flag x.
func (t *translator) skipBlank() bool {
	c := t.in[t.pos]
	if c == '#' {
		end := strings.IndexByte(t.in[t.pos:], '\n')
		if end < 0 {
			end = len(t.in) - t.pos - 1
		}
		t.pos += end + 1
		return true
	}
	if strings.IndexByte(" \t\n\r\v\f", c) < 0 {
		return false
	}
	t.pos++
	return true
}

// next translates one part.
func (t *translator) next() error {
	switch c := t.in[t.pos]; c {
	case '\\':
		return t.escape()
	case '[':
		return t.set()
	case '(':
		return t.group()
	case ')':
		return t.close()
	case '|':
		return t.alternative()
	case '*', '+', '?':
		t.pos++
		return t.repeat(string(c))
	case '{':
		return t.counted()
	case '^', '$':
		t.pos++
		t.place(c)
		return nil
	case '.':
		t.pos++
		t.write(map[bool]string{true: `[\s\S]`, false: `[^\n]`}[t.flags.all])
		return nil
	}
	r, size := utf8.DecodeRuneInString(t.in[t.pos:])
	t.pos += size
	t.char(r)
	return nil
}

// write writes what a repetition can repeat.
func (t *translator) write(text string) {
	t.begin()
	t.out = append(t.out, text...)
}

// begin begins what a repetition can repeat.
func (t *translator) begin() {
	t.atom, t.last, t.begun = len(t.out), anAtom, true
}

// char writes a character that stands for itself.
func (t *translator) char(r rune) {
	same := t.flags.same(r)
	if len(same) == 1 {
		t.write(quoteRune(r))
		return
	}
	s := charset{}
	for _, r := range same {
		s.ranges = append(s.ranges, r, r)
	}
	t.write(s.String())
}

// quoteRune returns a character as it stands for itself in both syntaxes.
func quoteRune(r rune) string {
	if strings.ContainsRune(`\.+*?()|[]{}^$-`, r) {
		return `\` + string(r)
	}
	return string(r)
}

// place writes what matches a place, for the character that Python has for it: "Z" for
// "\Z".
func (t *translator) place(c byte) {
	t.write(t.placeText(c))
	t.last = noOperand
}

func (t *translator) placeText(c byte) string {
	switch {
	case c == 'A', c == '^' && !t.flags.multi:
		return `\A`
	case c == 'Z':
		return `\z`
	case c == 'b', c == 'B':
		return t.edge(c)
	case !t.hard && c == '$' && !t.flags.multi:
		t.ends = true
		return `\z`
	case !t.hard:
		return `(?m:` + string(c) + `)`
	case c == '^':
		return `(?<![^\n])`
	case t.flags.multi:
		return `(?![^\n])`
	}
	return `(?=\n?\z)`
}

// edge returns "\b" or "\B". In Python neither is in a value of nothing.
func (t *translator) edge(c byte) string {
	if t.words = true; !t.hard {
		return `\` + string(c)
	}
	w := "[" + t.flags.class('w') + "]"
	if c == 'b' {
		return `(?:(?<=` + w + `)(?!` + w + `)|(?<!` + w + `)(?=` + w + `))`
	}
	return `(?:(?<=` + w + `)(?=` + w + `)|(?<!` + w + `)(?!` + w + `)(?:(?<=[\s\S])|(?=[\s\S])))`
}

// alternative translates "|".
func (t *translator) alternative() error {
	if n := len(t.open); n > 0 {
		if t.open[n-1].branches == 0 {
			return errors.New("condition with more than two branches")
		}
		t.open[n-1].branches--
	}
	t.pos++
	t.write("|")
	t.last = noOperand
	return nil
}

// repeat writes a repetition, whose sign was read, with what follows that.
func (t *translator) repeat(sign string) error {
	switch t.last {
	case noOperand:
		return errors.New("nothing to repeat")
	case aRepetition:
		return errors.New("repetition of a repetition")
	}
	t.last = aRepetition
	switch rest := t.in[t.pos:]; {
	case strings.HasPrefix(rest, "?"):
		t.pos++
		t.out = append(t.out, sign+"?"...)
	case !strings.HasPrefix(rest, "+"):
		t.out = append(t.out, sign...)
	case !t.hard:
		return errHard
	default: // possessive, and so is each round of it in Python
		t.pos++
		t.out = slices.Insert(t.out, t.atom, []byte("(?>(?>")...)
		t.out = append(t.out, ")"+sign+")"...)
	}
	return nil
}

// maxCount is the most that a repetition counts: no value is longer.
const maxCount = 1 << 30

// counted translates a repetition in braces. Braces with something else are characters.
func (t *translator) counted() error {
	rest := t.in[t.pos+1:]
	body := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789,"))]
	least, most, isRange := strings.Cut(body, ",")
	if body == "" || strings.Contains(most, ",") || !strings.HasPrefix(rest[len(body):], "}") {
		t.pos++
		t.char('{')
		return nil
	}
	t.pos += len(body) + 2
	low, high := count(least, 0), count(most, maxCount)
	if !isRange {
		high = low
	}
	if low > high {
		return errors.New("repetition with more at least than at most")
	}
	if !t.hard && (low > 1000 || high > 1000 && most+least != least) {
		return errHard
	}
	sign := fmt.Sprintf("{%d,%d}", low, high)
	if isRange && most == "" {
		sign = fmt.Sprintf("{%d,}", low)
	}
	return t.repeat(sign)
}

// count reads a number, which is another if it is not there.
func count(digits string, otherwise int) int {
	if digits == "" {
		return otherwise
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return maxCount
	}
	return min(n, maxCount)
}

// close translates ")".
func (t *translator) close() error {
	n := len(t.open)
	if n == 0 {
		return errors.New("end of a group that did not begin")
	}
	g := t.open[n-1]
	t.open = slices.Delete(t.open, n-1, n)
	t.closed[g.number] = true
	t.flags = g.flags
	t.pos++
	if g.branches == 1 {
		t.out = append(t.out, '|') // without a second branch regexp2 would not match at all
	}
	t.out = append(t.out, ')')
	t.atom, t.last = g.at, anAtom
	return nil
}

// push opens a group with a beginning of so many bytes, that is written so.
func (t *translator) push(size int, text string, g openGroup) error {
	if len(t.open) == maxNested {
		return fmt.Errorf("more than %d groups in each other", maxNested)
	}
	t.pos += size
	t.write(text)
	t.last = noOperand
	g.at, g.flags = t.atom, t.flags
	t.open = append(t.open, g)
	return nil
}

// group translates the beginning of a group, and what only looks like a group.
func (t *translator) group() error {
	rest := t.in[t.pos:]
	switch {
	case !strings.HasPrefix(rest, "(?"):
		t.groups++
		return t.push(1, "(", openGroup{number: t.groups, branches: -1})
	case strings.HasPrefix(rest, "(?:"):
		return t.push(3, "(?:", openGroup{branches: -1})
	case strings.HasPrefix(rest, "(?P"):
		return t.named()
	case strings.HasPrefix(rest, "(?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return errors.New("comment without end")
		}
		t.pos += end + 1
		return nil
	case strings.HasPrefix(rest, "(?("):
		return t.condition()
	}
	for _, begin := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?>"} {
		if strings.HasPrefix(rest, begin) {
			if !t.hard {
				return errHard
			}
			return t.push(len(begin), begin, openGroup{branches: -1})
		}
	}
	return t.inlineFlags()
}

// named translates "(?P<name>" and "(?P=name)".
func (t *translator) named() error {
	rest := t.in[t.pos+len("(?P"):]
	sign, ends := byte(0), byte(')')
	if rest != "" {
		sign = rest[0]
	}
	if sign == '<' {
		ends = '>'
	}
	end := strings.IndexByte(rest, ends)
	if sign != '<' && sign != '=' || end < 0 {
		return errors.New("group with (?P that is neither (?P<name>...) nor (?P=name)")
	}
	name, size := rest[1:end], len("(?P")+end+1
	n, known := t.names[name]
	if sign == '=' {
		if !known {
			return fmt.Errorf("no group %s", strconv.Quote(name))
		}
		return t.reference(n, size)
	}
	if known || !isName(name) {
		return fmt.Errorf("name of a group that is none or there twice: %s", strconv.Quote(name))
	}
	t.groups++
	t.names[name] = t.groups
	return t.push(size, "(", openGroup{number: t.groups, branches: -1})
}

// isName reports whether a group may be named so.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.In(r, unicode.N, unicode.M)) {
			return false
		}
	}
	return s != ""
}

// reference writes what a group matched, for so many bytes.
func (t *translator) reference(n, size int) error {
	if n < 1 || n > t.groups {
		return fmt.Errorf("no group %d", n)
	}
	if !t.closed[n] {
		return fmt.Errorf("reference to group %d within it", n)
	}
	if !t.hard {
		return errHard
	}
	t.pos += size
	form := `\k<%d>`
	if t.flags.fold {
		form = `(?i:\k<%d>)`
	}
	t.write(fmt.Sprintf(form, n))
	return nil
}

// condition translates "(?(group)".
func (t *translator) condition() error {
	name, _, ok := strings.Cut(t.in[t.pos+3:], ")")
	n, known := t.names[name]
	if !known {
		var err error
		if n, err = strconv.Atoi(name); err != nil || n < 1 || !ok {
			return fmt.Errorf("condition with no group %s", strconv.Quote(name))
		}
	}
	if !t.hard {
		return errHard
	}
	t.refs = append(t.refs, n)
	return t.push(len(name)+4, fmt.Sprintf("(?(%d)", n), openGroup{branches: 1})
}

// inlineFlags translates "(?flags)", which stands at the beginning only, and the beginning
// of "(?flags:...)".
func (t *translator) inlineFlags() error {
	end := strings.IndexAny(t.in[t.pos:], ":)")
	if end < 0 {
		return errors.New("group without end")
	}
	text := t.in[t.pos+2 : t.pos+end]
	on, off, minus := strings.Cut(text, "-")
	closed := t.in[t.pos+end] == ')'
	switch {
	case strings.Trim(on, "aimsux") != "" || strings.Trim(off, "imsx") != "" || minus && (off == "" || closed) || text == "":
		return fmt.Errorf("unknown group (?%s", text)
	case strings.ContainsAny(on, "a") && strings.ContainsAny(on, "u"), strings.ContainsAny(on, off) && off != "":
		return fmt.Errorf("flags that exclude each other: %s", text)
	case closed && t.begun:
		return errors.New("flags of the whole that do not stand at its beginning")
	case closed:
		t.pos += end + 1
		t.flags.turn(on, true)
		return nil
	}
	err := t.push(end+1, "(?:", openGroup{branches: -1})
	t.flags.turn(on, true)
	t.flags.turn(off, false)
	return err
}

// turn turns flags on or off.
func (f *flags) turn(letters string, on bool) {
	for _, c := range letters {
		switch c {
		case 'a':
			f.ascii = true
		case 'u':
			f.ascii = false
		case 'i':
			f.fold = on
		case 'm':
			f.multi = on
		case 's':
			f.all = on
		case 'x':
			f.verbose = on
		}
	}
}
