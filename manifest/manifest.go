package manifest

import (
	"crypto/sha1" //nolint:gosec // catalogs know manifests by it
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A Manifest is the list of actions of one package. It keeps the text it was
// read from and prints that back. The zero Manifest is empty and ready for use.
//
// Several goroutines may use a manifest that none of them adds to.
type Manifest struct {
	src     string // text of actions[:read]
	read    int
	actions []Action
}

// All yields the actions in order. Their attributes must not be changed.
func (m *Manifest) All() iter.Seq[Action] { return slices.Values(m.actions) }

// Kind yields the actions of one kind in order.
func (m *Manifest) Kind(k Kind) iter.Seq[Action] {
	return func(yield func(Action) bool) {
		for i := range m.actions {
			if m.actions[i].Kind == k && !yield(m.actions[i]) {
				return
			}
		}
	}
}

// Len returns the number of actions.
func (m *Manifest) Len() int { return len(m.actions) }

// Attribute returns the last set action for a name, which is the one that counts.
func (m *Manifest) Attribute(name string) (Action, bool) {
	for _, a := range slices.Backward(m.actions) {
		if key, ok := a.Key(); ok && a.Kind == KindSet && key == name {
			return a, true
		}
	}
	return Action{}, false
}

// FMRI returns the name of the package, the value of the last set action for
// pkg.fmri, or for fmri, as it was called in ancient times. It is false
// if there is none or its value is not an FMRI.
func (m *Manifest) FMRI() (fmri.FMRI, bool) {
	for _, a := range slices.Backward(m.actions) {
		if key, _ := a.Key(); a.Kind == KindSet && (key == "pkg.fmri" || key == "fmri") {
			value, _ := a.Attrs.Get("value")
			f, err := fmri.Parse(value)
			return f, err == nil
		}
	}
	return fmri.FMRI{}, false
}

// Add appends actions, each as [NewAction] makes it. If one cannot be written as
// a line of a manifest that reads back equal, Add appends none of them and returns an
// [*Error]: what NewAction refuses, and line ends within an action.
func (m *Manifest) Add(actions ...Action) error {
	added := make([]Action, len(actions))
	for i, a := range actions {
		a, err := a.line()
		if err != nil {
			return &Error{Action: actions[i].String(), Err: err}
		}
		added[i] = a
	}
	m.actions = append(m.actions, added...)
	return nil
}

// line returns a as it would be read from a line of a manifest.
func (a Action) line() (Action, error) {
	a, err := a.normal()
	if err != nil {
		return a, err
	}
	text := a.String()
	if fault, at := badCharacter(text, true); fault != 0 {
		return a, &SyntaxError{Fault: fault, Input: text, Offset: at}
	}
	return a, nil
}

// Text returns the manifest as it is stored: the text it was read from, byte
// for byte, then a canonical line for each action added since.
func (m *Manifest) Text() []byte {
	b := []byte(m.src)
	if len(m.actions) == m.read {
		return b
	}
	return appendLines(append(b, m.seam()...), m.actions[m.read:])
}

// seam is what must stand between the text and lines that follow it: the end of
// its last line, and one more if that is a comment that would continue.
func (m *Manifest) seam() string {
	last, ended := strings.CutSuffix(m.src, "\n")
	seam := ""
	if !ended && last != "" {
		seam = "\n"
	}
	if strings.HasSuffix(strings.TrimSuffix(last, "\r"), `\`) {
		seam += "\n"
	}
	return seam
}

// appendLines appends a line for each action.
func appendLines(b []byte, actions []Action) []byte {
	for i := range actions {
		b = actions[i].appendTo(b, inLine)
		b = append(b, '\n')
	}
	return b
}

// WriteTo writes [Manifest.Text] to w.
func (m *Manifest) WriteTo(w io.Writer) (int64, error) {
	if len(m.actions) == m.read {
		n, err := io.WriteString(w, m.src)
		return int64(n), err
	}
	n, err := w.Write(m.Text())
	return int64(n), err
}

// Canonical returns a manifest of the same actions in the same order whose text
// is canonical: one action a line, without comments.
func (m *Manifest) Canonical() *Manifest { return rewrite(slices.Clone(m.actions), len(m.src)) }

// Sorted returns a manifest of the same actions, sorted with [Action.Compare],
// whose text is canonical. Actions that compare equal keep their order.
func (m *Manifest) Sorted() *Manifest {
	return rewrite(slices.SortedStableFunc(m.All(), Action.Compare), len(m.src))
}

// rewrite makes a manifest of actions, whose text it writes. The size is a guess.
func rewrite(actions []Action, size int) *Manifest {
	var text strings.Builder
	text.Grow(size)
	var line []byte
	for i := range actions {
		line = appendLines(line[:0], actions[i:i+1])
		text.Write(line)
		actions[i].Pos = Position{i + 1, 1}
	}
	return &Manifest{src: text.String(), read: len(actions), actions: actions}
}

// SHA1 returns the SHA-1 of the text, by which catalogs know a manifest.
func (m *Manifest) SHA1() [sha1.Size]byte { return sha1.Sum(m.Text()) }
