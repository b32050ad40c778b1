package transform

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goips/ips/manifest"
)

// An operation is what a rule does to the subject at work.
type operation interface {
	apply(w *work) error
}

// A subject is what rules are applied to: an action, or what stands for the package, which
// has no kind.
type subject struct {
	action  manifest.Action
	changed bool
	dropped bool
	edited  []string // attributes, sorted
}

// kindName returns the type of the action.
func (s *subject) kindName() string {
	if s.action.Kind == 0 {
		return packageKind
	}
	return s.action.Kind.String()
}

// setAttrs gives the action other attributes.
func (s *subject) setAttrs(attrs manifest.Attrs) {
	s.action.Attrs, s.changed = attrs, true
}

// edit notes that an attribute was edited, or set anew since.
func (s *subject) edit(name string, edited bool) {
	i, found := slices.BinarySearch(s.edited, name)
	switch {
	case edited && !found && s.action.Attrs.Has(name):
		s.edited = slices.Insert(s.edited, i, name)
	case !edited && found:
		s.edited = slices.Delete(s.edited, i, i+1)
	}
}

// A change is the operation add, set or default.
type change struct {
	how         string
	name, value text
}

func (c *change) apply(w *work) error {
	name, err := w.expand(&c.name)
	if err != nil {
		return err
	}
	s := w.subject
	attrs := s.action.Attrs
	old, has := attrs.Get(name)
	if has && c.how == "default" {
		return nil // and what the value refers to need not be there
	}
	value, err := w.expand(&c.value)
	if err != nil {
		return err
	}
	switch {
	case c.how != "set":
		s.setAttrs(append(attrs[:len(attrs):len(attrs)], manifest.Attr{Name: name, Value: value}))
	case name == "action.hash":
		s.setHash(value)
		return checkAttr("payload", value)
	case old != value || attrs.Count(name) != 1:
		s.setAttrs(attrs.With(name, value))
	}
	s.edit(name, false)
	return checkAttr(name, value)
}

// setHash sets the payload of an action that may have one.
func (s *subject) setHash(hash string) {
	if s.action.Kind.HasPayload() && s.action.Hash != hash {
		s.action.Hash, s.changed = hash, true
	}
}

// checkAttr refuses what cannot stand in a line of a manifest.
func checkAttr(name, value string) error {
	if _, err := manifest.NewAction(manifest.KindUnknown, "", manifest.Attr{Name: name, Value: value}); err != nil {
		return err
	}
	return checkText(value)
}

// checkText refuses the characters that a line of a manifest must not have.
func checkText(s string) error {
	for i, r := range s {
		switch {
		case ' ' <= r && r <= '~', r == '\t':
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return &manifest.SyntaxError{Fault: manifest.FaultControl, Input: s, Offset: i}
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			return &manifest.SyntaxError{Fault: manifest.FaultEncoding, Input: s, Offset: i}
		}
	}
	return nil
}

// A removal is the operation delete.
type removal struct {
	name string
	*finder
}

func (r *removal) apply(w *work) error {
	return w.mapValues(r.name, func(value string) (string, bool, error) {
		found, err := r.expr.isIn(value)
		return value, !found, err
	})
}

// mapValues replaces the values of an attribute by what f returns, or removes those for
// which that is false.
func (w *work) mapValues(name string, f func(string) (string, bool, error)) error {
	s := w.subject
	var values []string
	same := true
	for value := range s.action.Attrs.Values(name) {
		now, keep, err := f(value)
		if err != nil {
			return err
		}
		same = same && keep && now == value
		if keep {
			values = append(values, now)
		}
	}
	if !same {
		s.setAttrs(s.action.Attrs.With(name, values...))
	}
	return nil
}

// An edit is the operation of that name. The finder and the replacement are nil if
// their texts have references.
type edit struct {
	attr, pattern, by text
	finder            *finder
	replacement       replacement
}

func (e *edit) apply(w *work) error {
	name, err := w.expand(&e.attr)
	if err != nil {
		return err
	}
	f, r, err := e.prepare(w)
	if err != nil {
		return err
	}
	w.subject.edit(name, true)
	return w.mapValues(name, func(value string) (string, bool, error) {
		now, ok, err := f.replace(value, r, w.opts.MaxLine)
		if err != nil {
			return "", false, err
		}
		if !ok {
			return "", false, &LimitError{"value made by edit", "MaxLine", int64(w.opts.MaxLine)}
		}
		if now == value {
			return value, true, nil
		}
		if err = checkAttr(name, now); err == nil {
			err = w.spend(now)
		}
		return now, true, err
	})
}

// prepare returns the finder and the replacement for the subject at work.
func (e *edit) prepare(w *work) (*finder, replacement, error) {
	if e.finder != nil && e.by.isPlain() {
		return e.finder, e.replacement, nil
	}
	pattern, err := w.expand(&e.pattern)
	if err != nil {
		return nil, nil, err
	}
	by, err := w.expand(&e.by)
	if err != nil {
		return nil, nil, err
	}
	f := e.finder
	if f == nil {
		if f, err = w.finder(e, pattern); err != nil {
			return nil, nil, err
		}
	}
	r, err := newReplacement(by, f.expr)
	return f, r, err
}

// finder returns a finder for a pattern. It keeps the last one of each rule.
func (w *work) finder(e *edit, pattern string) (*finder, error) {
	if f := w.finders[e]; f != nil && f.expr.pattern == pattern {
		return f, nil
	}
	f, err := newFinder(pattern, w.opts.MaxTime)
	if err == nil {
		w.finders[e] = f
	}
	return f, err
}

// A drop is the operation of that name.
type drop struct{}

func (drop) apply(w *work) error {
	w.subject.dropped = true
	return nil
}

// An emit is the operation of that name.
type emit struct{ text }

func (e *emit) apply(w *work) error {
	s, err := w.expand(&e.text)
	if err == nil {
		err = checkText(s)
	}
	if err != nil {
		return err
	}
	s = strings.TrimSpace(s)
	if s == "" || s[0] == '#' {
		w.queue = append(w.queue, emission{Line{Place: w.place, Text: s}, w.rule})
		return checkEnd(s)
	}
	a, err := manifest.ParseAction(s)
	w.queue = append(w.queue, emission{Line{Place: w.place, Action: a}, w.rule})
	return errors.Join(err, w.spend(s))
}

// A printing is the operation print.
type printing struct{ text }

func (p *printing) apply(w *work) error {
	s, err := w.expand(&p.text)
	if err != nil {
		return err
	}
	if len(w.out.Printed) >= w.opts.MaxLines {
		return &LimitError{"lines printed", "MaxLines", int64(w.opts.MaxLines)}
	}
	w.out.Printed = append(w.out.Printed, s)
	return nil
}

// An exit is the operation exit or abort.
type exit struct {
	code    int
	message text
	abort   bool
}

func (e *exit) apply(w *work) error {
	message, err := w.expand(&e.message)
	if err != nil {
		return err
	}
	return &ExitError{Place: w.place, Rule: w.rule.place, Code: e.code, Message: message, Abort: e.abort}
}
