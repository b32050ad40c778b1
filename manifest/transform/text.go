package transform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goips/ips/manifest"
)

// A text is an argument with references to attributes. Those to groups are looked for
// when the others are filled in.
type text struct {
	parts []part
	whole string // as it was written
}

// A part is a reference and the text before it.
type part struct {
	before string
	ref    *reference // nil in a last part
}

// A reference is "%(name;option...)" or "%{name;option...}".
type reference struct {
	written    string // without options
	name       string
	pkg        bool // an attribute of the package
	quote      bool
	hasDefault bool
	otherwise  string // if the attribute is not there
	sep        string
	prefix     string
	suffix     string
}

// newText reads a text, whose references quote values if they do not say otherwise.
func newText(s string, quote bool) (text, error) {
	t := text{whole: s}
	ends := map[byte]int{'(': strings.LastIndexByte(s, ')'), '{': strings.LastIndexByte(s, '}')}
	begin := 0
	for at := 0; at+1 < len(s); {
		if end, ok := ends[s[at+1]]; s[at] != '%' || !ok || end < at {
			at++
			continue
		}
		ref, size, err := newReference(s[at:], quote)
		switch {
		case err != nil:
			return text{}, err
		case size == 0:
			at++
			continue
		}
		t.parts = append(t.parts, part{s[begin:at], ref})
		at += size
		begin = at
	}
	if t.parts != nil {
		t.parts = append(t.parts, part{before: s[begin:]})
	}
	return t, nil
}

// isPlain reports whether the text has no references.
func (t *text) isPlain() bool { return t.parts == nil && !strings.Contains(t.whole, "%<") }

// newReference reads the reference that a text with "%(" or "%{" at its beginning begins
// with, and returns its size, zero if there is none.
func newReference(s string, quote bool) (*reference, int, error) {
	end := ")"
	if s[1] == '{' {
		end = "}"
	}
	name := until(s[2:], ";"+end)
	size := 2 + len(name)
	if name == "" || size == len(s) {
		return nil, 0, nil
	}
	r := &reference{written: s[:size] + end, name: name, pkg: end == "}", quote: quote, sep: " "}
	for s[size] == ';' {
		name, value, n := option(s[size+1:], ";"+end)
		if size += 1 + n; size >= len(s) {
			return nil, 0, nil // no end: not a reference
		}
		if !r.set(name, value) {
			return nil, 0, &SyntaxError{"unknown option in " + r.written, name}
		}
	}
	return r, size + 1, nil
}

// option reads an option of a reference, which one of the characters of stop ends, and
// returns its size.
func option(s, stop string) (name, value string, size int) {
	name = until(s, "="+stop)
	rest, ok := strings.CutPrefix(s[len(name):], "=")
	if !ok {
		return name, "", len(name)
	}
	value, size = optionValue(rest, stop)
	return name, value, len(name) + 1 + size
}

// optionValue reads the value of an option, which may be in quotes.
func optionValue(s, stop string) (value string, size int) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		inside, rest, ok := strings.Cut(s[1:], s[:1])
		if ok && rest != "" && strings.IndexByte(stop, rest[0]) >= 0 {
			return inside, len(inside) + 2
		}
	}
	value = until(s, stop)
	return value, len(value)
}

// until returns what stands before the first of some characters, or all.
func until(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

// set sets an option and reports whether there is one of this name.
func (r *reference) set(name, value string) bool {
	switch name {
	case "notfound":
		r.otherwise, r.hasDefault = value, true
	case "sep":
		r.sep = value
	case "prefix":
		r.prefix = value
	case "suffix":
		r.suffix = value
	case "quote":
		r.quote = true
	case "noquote":
		r.quote = false
	default:
		return false
	}
	return true
}

// expand fills in the references of a text.
func (w *work) expand(t *text) (string, error) {
	if t.isPlain() {
		return t.whole, nil
	}
	s := t.whole
	if t.parts != nil {
		b := builder{limit: w.opts.MaxLine}
		for _, p := range t.parts {
			b.add(p.before)
			if err := w.fill(&b, p.ref); err != nil {
				return "", err
			}
		}
		s = b.String()
	}
	s, err := w.expandGroups(s)
	if err != nil {
		return "", err
	}
	return s, w.spend(s)
}

// A builder builds a text up to a limit.
type builder struct {
	strings.Builder
	limit int
}

// add writes a text, unless there is too much already.
func (b *builder) add(s string) {
	if b.Len() <= b.limit {
		b.WriteString(s)
	}
}

// spend counts the bytes of a text that a rule made.
func (w *work) spend(s string) error {
	if len(s) > w.opts.MaxLine {
		return &LimitError{"text made by rules", "MaxLine", int64(w.opts.MaxLine)}
	}
	if w.made += int64(len(s)); w.made > w.opts.MaxSize {
		return &LimitError{"text made by rules", "MaxSize", w.opts.MaxSize}
	}
	return nil
}

// fill writes the values that a reference stands for.
func (w *work) fill(b *builder, r *reference) error {
	if r == nil {
		return nil
	}
	n := 0
	write := func(value string) bool {
		if n++; n > 1 {
			b.add(r.sep)
		}
		b.add(r.prefix)
		if r.quote {
			value = quote(value)
		}
		b.add(value)
		b.add(r.suffix)
		return b.Len() <= b.limit
	}
	w.values(r, write)
	switch {
	case n > 0:
	case !r.hasDefault:
		return &ReferenceError{r.written, "no such attribute"}
	default:
		write(r.otherwise)
	}
	return nil
}

// values calls yield with each value that a reference stands for, until it is false.
func (w *work) values(r *reference, yield func(string) bool) {
	a := &w.subject.action
	switch {
	case r.pkg && a.Kind == 0:
		a.Attrs.Values(r.name)(yield)
	case r.pkg:
		w.pkg.Values(r.name)(yield)
	case r.name == "action.name":
		yield(w.subject.kindName())
	case r.name == "action.hash":
		if a.Hash != "" {
			yield(a.Hash)
		}
	case r.name == "action.key":
		if key := a.Kind.KeyAttr(); key != "" {
			a.Attrs.Values(key)(yield)
		}
	case r.name == "pkg.manifest.filename":
		yield(w.place.File)
	case r.name == "pkg.manifest.lineno":
		yield(strconv.Itoa(w.place.Line))
	default:
		a.Attrs.Values(r.name)(yield)
	}
}

// expandGroups fills in "%<n>" by what the n-th group of the rule's expressions matched.
func (w *work) expandGroups(s string) (string, error) {
	begin := strings.Index(s, "%<")
	if begin < 0 {
		return s, nil
	}
	b := builder{limit: w.opts.MaxLine}
	var groups []captured
	for ; begin >= 0; begin = strings.Index(s, "%<") {
		digits := strings.TrimLeft(s[begin+2:], "0123456789")
		size := len(s) - begin - len(digits)
		if size == 2 || digits == "" || digits[0] != '>' {
			b.add(s[:begin+2])
			s = s[begin+2:]
			continue
		}
		if groups == nil {
			var err error
			if groups, err = w.groups(); err != nil {
				return "", err
			}
		}
		value, err := group(groups, s[begin+2:begin+size])
		if err != nil {
			return "", err
		}
		b.add(s[:begin])
		b.add(value)
		s = s[begin+size+1:]
	}
	b.add(s)
	return b.String(), nil
}

// A captured is what a group of an expression matched, if it took part.
type captured struct {
	text string
	ok   bool
}

// group returns the group that digits name.
func group(groups []captured, digits string) (string, error) {
	n, err := strconv.Atoi(digits)
	if last := min(len(groups), 9); err != nil || n == 0 || n > last {
		return "", &ReferenceError{"%<" + digits + ">", fmt.Sprintf("no such group, the last is %d", last)}
	}
	if !groups[n-1].ok {
		return "", &ReferenceError{"%<" + digits + ">", "the group matched nothing"}
	}
	return groups[n-1].text, nil
}

// groups returns what the groups of the rule's expressions match, in the order in which
// they are written; those of an attribute with several values once for each value.
func (w *work) groups() ([]captured, error) {
	groups := []captured{}
	for i := range w.rule.clauses {
		c := &w.rule.clauses[i]
		for value := range w.subject.action.Attrs.Values(c.name) {
			m, err := c.submatches(value)
			if err != nil {
				return nil, err
			}
			for g := 2; g < len(m); g += 2 {
				if m[g] < 0 {
					groups = append(groups, captured{})
				} else {
					groups = append(groups, captured{value[m[g]:m[g+1]], true})
				}
			}
		}
	}
	return groups, nil
}

// quote returns a value as it stands in the text of an action.
func quote(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\"'") {
		return value
	}
	// Of one attribute out of several with its name, "$(" alone is no reason for quotes.
	const name, second = "a", "."
	a := manifest.Action{Kind: manifest.KindUnknown, Attrs: manifest.Attrs{{Name: name, Value: value}, {Name: name, Value: second}}}
	s := strings.TrimPrefix(a.String(), a.Kind.String()+" "+name+"=")
	return strings.TrimSuffix(s, " "+name+"="+second)
}
