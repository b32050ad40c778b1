package transform

import (
	"errors"
	"slices"
	"strconv"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Run applies the rules to all lines of the files they were read from, as pkgmogrify
// does. The error is an [*Error], or an [*ExitError] if a rule ends the run.
func (r *Rules) Run() (*Output, error) {
	w := newWork(r)
	if err := w.files(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// Apply applies the rules to the actions of a manifest, as Run would if the manifest
// were the last of its files; the name stands in errors and for
// %(pkg.manifest.filename). Macros are left alone, and so is the manifest.
func (r *Rules) Apply(name string, m *manifest.Manifest) (*Output, error) {
	w := newWork(r)
	if err := w.files(); err != nil {
		return nil, err
	}
	w.out.origin = m
	for _, l := range w.out.Lines {
		w.out.changed = w.out.changed || !l.isComment()
	}
	w.out.Lines = slices.Grow(w.out.Lines, m.Len())
	w.place.File = name
	for a := range m.All() {
		w.place.Line = a.Pos.Line
		if err := w.input(&a, ""); err != nil {
			return nil, err
		}
	}
	if err := w.endFile(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// A work is a run.
type work struct {
	opts  Options
	rules *Rules
	out   *Output

	pkg      manifest.Attrs  // attributes of the package that the file has set so far
	isNamed  bool            // pkg.fmri among them
	seen     map[string]bool // emitted lines
	finders  map[*edit]*finder
	applied  int   // how often all rules were applied to a subject
	made     int64 // bytes
	comments []Line

	place   Place
	prefix  string
	rule    *rule
	subject *subject
	queue   []emission // for the subject
}

// An emission is what a rule emits.
type emission struct {
	line Line
	rule *rule
}

func newWork(r *Rules) *work {
	return &work{
		opts: r.opts.limits(), rules: r, out: &Output{},
		seen: map[string]bool{}, finders: map[*edit]*finder{},
	}
}

// files applies the rules to the lines of the files.
func (w *work) files() error {
	for _, f := range w.rules.files {
		for i := range f.lines {
			l := &f.lines[i]
			w.place = l.place
			if l.action == nil {
				w.out.Lines = append(w.out.Lines, Line{Place: l.place, Text: l.text})
			} else if err := w.input(l.action, l.prefix); err != nil {
				return err
			}
		}
		w.place = f.end
		if err := w.endFile(); err != nil {
			return err
		}
	}
	return nil
}

// input applies the rules to an action of the input.
func (w *work) input(a *manifest.Action, prefix string) error {
	w.collect(a)
	w.prefix = prefix
	return w.tree(&subject{action: *a})
}

// collect takes in what a set action says about the package.
func (w *work) collect(a *manifest.Action) {
	if a.Kind != manifest.KindSet {
		return
	}
	name, _ := a.Key()
	for value := range a.Attrs.Values("value") {
		w.pkg = append(w.pkg, manifest.Attr{Name: name, Value: value})
	}
	if name != "pkg.fmri" {
		return
	}
	w.isNamed = true
	value, _ := a.Attrs.Get("value")
	if f, err := fmri.Parse(value); err == nil {
		w.pkg = w.pkg.With("pkg.fmri.name", f.Name())
	}
}

// endFile applies the rules to the package, if the file has one, and forgets it.
func (w *work) endFile() error {
	s := &subject{action: manifest.Action{Attrs: w.pkg}}
	isNamed := w.isNamed
	w.prefix, w.isNamed = "", false
	var err error
	if isNamed {
		err = w.tree(s)
	}
	w.pkg = nil
	return err
}

// tree applies the rules to a subject and to what is emitted for it.
func (w *work) tree(s *subject) error {
	start := len(w.out.Lines)
	w.rule = nil
	if err := w.apply(s, 0); err != nil {
		return w.wrap(err)
	}
	if w.comments != nil {
		w.out.Lines = slices.Insert(w.out.Lines, start, w.comments...)
		w.comments = nil
	}
	return nil
}

// wrap says where an error occurred.
func (w *work) wrap(err error) error {
	var exit *ExitError
	if errors.As(err, &exit) {
		return err
	}
	e := &Error{Place: w.place, Err: err}
	if w.rule != nil {
		e.Rule, e.Text = w.rule.place, w.rule.line
	}
	return e
}

// apply applies the rules to a subject, and to what is emitted for it.
func (w *work) apply(s *subject, depth int) error {
	if depth > w.opts.MaxDepth {
		return &LimitError{"actions emitted for emitted actions", "MaxDepth", int64(w.opts.MaxDepth)}
	}
	if w.applied++; w.applied > w.opts.MaxLines {
		return &LimitError{"actions", "MaxLines", int64(w.opts.MaxLines)}
	}
	emitted, err := w.transform(s)
	if err != nil {
		return err
	}
	if s.action.Kind == 0 {
		w.pkg = s.action.Attrs
	} else if w.out.changed = w.out.changed || s.changed || s.dropped; !s.dropped {
		w.put(Line{Place: w.place, Prefix: w.prefix, Action: s.action, edited: s.edited}, depth > 0)
	}
	for _, e := range emitted {
		if w.rule = e.rule; e.line.isComment() {
			e.line.Prefix = w.prefix
			w.put(e.line, true)
			continue
		}
		w.out.changed = true
		if err := w.apply(&subject{action: e.line.Action}, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// put adds a line to the output, unless it was emitted already.
func (w *work) put(l Line, emitted bool) {
	if emitted {
		text := l.String()
		if w.seen[text] {
			return
		}
		w.seen[text] = true
	}
	w.out.Lines = append(w.out.Lines, l)
}

// transform applies the rules to a subject and returns what they emit.
func (w *work) transform(s *subject) ([]emission, error) {
	w.subject, w.queue = s, nil
	w.comment("#  Action: " + w.described(s))
	for _, w.rule = range w.rules.rules {
		if ok, err := w.rule.appliesTo(s); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		before := w.described(s)
		if err := w.rule.op.apply(w); err != nil {
			return nil, err
		}
		if after := w.described(s); after != before {
			w.comment("# Applied: " + w.rule.line + " (file " + w.rule.place.File + " line " + strconv.Itoa(w.rule.place.Line) + ")")
			w.comment("#  Result: " + after)
		}
		if s.dropped {
			break
		}
	}
	return w.queue, nil
}

// described returns a subject as comments have it, if there are comments.
func (w *work) described(s *subject) string {
	switch {
	case !w.opts.Verbose:
		return ""
	case s.dropped:
		return "None"
	case s.action.Kind == 0:
		return packageKind + attrsText(s.action.Attrs)
	}
	return editedText(s.action, s.edited)
}

// comment adds a comment, if there are to be any.
func (w *work) comment(text string) {
	if w.opts.Verbose {
		w.comments = append(w.comments, Line{Place: w.place, Text: text})
	}
}
