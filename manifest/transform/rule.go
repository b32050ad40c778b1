package transform

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/manifest"
)

// A rule is a transform: what it applies to, and what it does.
type rule struct {
	place   Place
	line    string // as it was written
	typed   bool   // applies to the kinds only
	kinds   uint32 // bits of kinds, the lowest for the package
	clauses []clause
	op      operation
}

// A clause is an attribute all of whose values must match.
type clause struct {
	name string
	matcher
}

// packageKind is the type of the action that stands for the package.
const packageKind = "pkg"

// newRule reads the text between "<transform" and ">".
func newRule(body string, limit time.Duration) (*rule, error) {
	head, tail, ok := strings.Cut(body, "->")
	if !ok {
		return nil, &SyntaxError{Reason: "transform without ->"}
	}
	r := &rule{}
	var attrs []string
	for _, word := range strings.Fields(head) {
		if strings.Contains(word, "=") {
			attrs = append(attrs, word)
			continue
		}
		r.typed = true
		if kind, ok := manifest.ParseKind(word); ok || word == packageKind {
			r.kinds |= 1 << kind
		}
	}
	err := r.match(attrs, limit)
	if err == nil {
		r.op, err = newOperation(tail, limit)
	}
	return r, err
}

// match reads the attributes that must match.
func (r *rule) match(words []string, limit time.Duration) error {
	if words == nil {
		return nil
	}
	clauses := strings.Join(words, " ")
	a, err := manifest.ParseAction(manifest.KindUnknown.String() + " " + clauses)
	var syn *manifest.SyntaxError
	if errors.As(err, &syn) {
		return &manifest.SyntaxError{Fault: syn.Fault, Name: syn.Name, Input: clauses, Offset: -1}
	}
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, x := range a.Attrs {
		if seen[x.Name] {
			return &SyntaxError{"attribute matched twice:", x.Name}
		}
		seen[x.Name] = true
		m, err := newMatcher(x.Value, limit)
		if err != nil {
			return err
		}
		r.clauses = append(r.clauses, clause{x.Name, m})
	}
	return nil
}

// appliesTo reports whether a rule is for a subject.
func (r *rule) appliesTo(s *subject) (bool, error) {
	if r.typed && r.kinds&(1<<s.action.Kind) == 0 {
		return false, nil
	}
	for i := range r.clauses {
		if ok, err := r.clauses[i].allMatch(s.action.Attrs); !ok {
			return false, err
		}
	}
	return true, nil
}

// allMatch reports whether the attribute is there and all its values match.
func (c *clause) allMatch(attrs manifest.Attrs) (bool, error) {
	found := false
	for i := range attrs {
		if attrs[i].Name != c.name {
			continue
		}
		if ok, err := c.matches(attrs[i].Value); !ok {
			return false, err
		}
		found = true
	}
	return found, nil
}

// newOperation reads what follows the arrow.
func newOperation(body string, limit time.Duration) (operation, error) {
	name, rest := cut(body)
	switch name {
	case "add", "set", "default":
		return newChange(name, rest)
	case "delete":
		return newRemoval(rest, limit)
	case "edit":
		return newEdit(rest, limit)
	case "drop", "abort":
		if rest != "" {
			return nil, &SyntaxError{name + " takes no arguments, not", rest}
		}
		if name == "drop" {
			return drop{}, nil
		}
		return &exit{abort: true}, nil
	case "emit":
		t, err := newText(rest, true)
		return &emit{t}, err
	case "print":
		t, err := newText(rest, true)
		return &printing{t}, err
	case "exit":
		return newExit(rest)
	case "":
		return nil, &SyntaxError{Reason: "transform without operation"}
	}
	return nil, &SyntaxError{"unknown operation", name}
}

// arguments splits the arguments of an operation and checks their number.
func arguments(name, text string, least, most int) ([]string, error) {
	words, err := split(text)
	if err == nil && (len(words) < least || len(words) > most) {
		return nil, &SyntaxError{"wrong number of arguments for", name}
	}
	return words, err
}

func newChange(name, rest string) (operation, error) {
	words, err := arguments(name, rest, 2, 2)
	if err != nil {
		return nil, err
	}
	attr, err := newText(words[0], false)
	value, err2 := newText(words[1], false)
	return &change{name, attr, value}, errors.Join(err, err2)
}

func newRemoval(rest string, limit time.Duration) (operation, error) {
	words, err := arguments("delete", rest, 2, 2)
	if err != nil {
		return nil, err
	}
	f, err := newFinder(words[1], limit)
	return &removal{words[0], f}, err
}

func newEdit(rest string, limit time.Duration) (operation, error) {
	words, err := arguments("edit", rest, 2, 3)
	if err != nil {
		return nil, err
	}
	if len(words) == 2 {
		words = append(words, "")
	}
	attr, err := newText(words[0], false)
	pattern, err2 := newText(words[1], false)
	by, err3 := newText(words[2], false)
	e := &edit{attr: attr, pattern: pattern, by: by}
	if err := errors.Join(err, err2, err3); err != nil || !pattern.isPlain() {
		return e, err
	}
	if e.finder, err = newFinder(pattern.whole, limit); err != nil || !by.isPlain() {
		return e, err
	}
	e.replacement, err = newReplacement(by.whole, e.finder.expr)
	return e, err
}

func newExit(rest string) (operation, error) {
	word, message := cut(rest)
	e := &exit{}
	if word != "" {
		code, err := strconv.Atoi(word)
		if err != nil {
			return nil, &SyntaxError{"exit with a status that is no number:", word}
		}
		e.code = code
	}
	t, err := newText(message, true)
	e.message = t
	return e, err
}
