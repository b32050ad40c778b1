package transform

import (
	"strings"

	"github.com/goips/ips/manifest"
)

// An Output is what a run puts out.
type Output struct {
	Lines   []Line   // in order
	Printed []string // by the operation print, each a line

	origin  *manifest.Manifest // what Apply was given
	changed bool
}

// A Line is an action, or a text without one: a comment, a blank line, or a directive
// that was kept.
type Line struct {
	Place  Place           // of the line of input that it comes from
	Prefix string          // a macro without definition before the action, "$(name)"
	Text   string          // if there is no action
	Action manifest.Action // its kind is invalid if there is none

	edited []string // attributes of the action that edit was applied to, sorted
}

// String returns the line as it is written, the action in canonical form.
func (l Line) String() string {
	if !l.Action.Kind.IsValid() {
		return l.Prefix + l.Text
	}
	return l.Prefix + editedText(l.Action, l.edited)
}

// isComment reports whether the line says nothing: it is blank or a comment.
func (l Line) isComment() bool {
	text := l.Prefix + l.Text
	return !l.Action.Kind.IsValid() && (text == "" || text[0] == '#')
}

// Text returns the lines as pkgmogrify writes them.
func (o *Output) Text() []byte {
	var b []byte
	for _, l := range o.Lines {
		b = append(b, l.String()...)
		b = append(b, '\n')
	}
	return b
}

// Manifest returns a manifest of the actions, in canonical form and without comments. If
// the rules did not change or add any, it is the one that [Rules.Apply] was given. An
// action that no manifest can have, such as a file that lost its path or has a macro before
// it, is an [*Error].
func (o *Output) Manifest() (*manifest.Manifest, error) {
	if o.origin != nil && !o.changed {
		return o.origin, nil
	}
	m := new(manifest.Manifest)
	for _, l := range o.Lines {
		if l.isComment() {
			continue
		}
		if err := l.addTo(m); err != nil {
			return nil, &Error{Place: l.Place, Text: l.String(), Err: err}
		}
	}
	return m.Canonical(), nil
}

// addTo adds an action to a manifest. A set without name or value could be one in the
// short form, which means something else.
func (l Line) addTo(m *manifest.Manifest) error {
	a := l.Action
	switch {
	case l.Prefix != "" || l.Text != "":
		return &SyntaxError{Reason: "line is no action"}
	case a.Kind == manifest.KindSet && (!a.Attrs.Has("name") || !a.Attrs.Has("value")):
		return &manifest.SyntaxError{Fault: manifest.FaultSetForm, Input: a.String(), Offset: -1}
	}
	return m.Add(a)
}

// actionText returns the canonical text of an action as it stands in a line. It need not
// be complete.
func actionText(a manifest.Action) string {
	text := a.String()
	if !strings.HasSuffix(text, `\`) {
		return text
	}
	plain := attrsString(a.Attrs)
	return strings.TrimSuffix(text, plain) + attrsText(a.Attrs)
}

// editedText is actionText of an action of which attributes were edited. To the reference
// their values are lists then, even of one, in which "$(" is no reason for quotes. So each
// gets a second value to be printed, which is taken out again.
func editedText(a manifest.Action, edited []string) string {
	const second = "\x00" // which no value has
	listed := a
	for _, name := range edited {
		if v, _ := a.Attrs.Get(name); a.Attrs.Count(name) == 1 && strings.Contains(v, "$(") {
			listed.Attrs = listed.Attrs.With(name, v, second)
		}
	}
	text := listed.String()
	for _, name := range edited {
		text = strings.Replace(text, " "+name+"="+second, "", 1)
	}
	if strings.HasSuffix(text, `\`) { // the line would continue
		return actionText(a)
	}
	return text
}

// attrsString returns attributes with a blank before each.
func attrsString(attrs manifest.Attrs) string {
	a := manifest.Action{Kind: manifest.KindUnknown, Attrs: attrs}
	return strings.TrimPrefix(a.String(), a.Kind.String())
}

// attrsText returns attributes as attrsString does, the last so that no line continues.
func attrsText(attrs manifest.Attrs) string {
	a := manifest.Action{Kind: manifest.KindUnknown, Attrs: attrs}
	m := new(manifest.Manifest)
	if err := m.Add(a); err != nil {
		return attrsString(attrs) // which rules are kept from making
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(m.Text()), a.Kind.String()), "\n")
}
