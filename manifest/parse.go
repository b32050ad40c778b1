package manifest

import (
	"bytes"
	"errors"
	"io"
	"iter"
)

// Options bound what is read. A nil *Options has the defaults, and so has
// every field that is not positive. Reading stops at a limit, with a [*LimitError].
type Options struct {
	MaxSize    int64 // bytes of a manifest; 0 means 256 MiB
	MaxLine    int   // bytes of an action or comment with its continuations; 0 means 1 MiB
	MaxAttrs   int   // attributes of an action; 0 means 65536
	MaxActions int   // actions of a manifest; 0 means 1048576
	MaxTotal   int   // attributes of all actions of a manifest; 0 means 8388608
	MaxErrors  int   // faults that Parse collects; 0 means 1000
}

const (
	maxSize    = 256 << 20
	maxLine    = 1 << 20
	maxAttrs   = 1 << 16
	maxActions = 1 << 20 // the largest manifests known have 100,000
	maxTotal   = 1 << 23 // those have a million
	maxErrors  = 1000
)

// limits returns the options with the defaults in place.
func (o *Options) limits() Options {
	if o == nil {
		o = new(Options)
	}
	return Options{
		MaxSize:    positive(o.MaxSize, maxSize),
		MaxLine:    positive(o.MaxLine, maxLine),
		MaxAttrs:   positive(o.MaxAttrs, maxAttrs),
		MaxActions: positive(o.MaxActions, maxActions),
		MaxTotal:   positive(o.MaxTotal, maxTotal),
		MaxErrors:  positive(o.MaxErrors, maxErrors),
	}
}

// positive returns n if it is positive, or else the default.
func positive[T int | int64](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// Parse reads a whole manifest with the default limits; name stands in errors.
// It finds all faults: the error is an [ErrorList] in the order of the text, and
// the manifest, never nil, then has the actions that are without fault.
func Parse(name string, src []byte) (*Manifest, error) { return (*Options)(nil).Parse(name, src) }

// Actions reads a manifest action by action with the default limits; name
// stands in errors. A fault is yielded as an [*Error], and reading goes on behind it
// unless the fault is a limit or an error of r. The sequence is for a single use.
//
// Actions that are kept keep the text around them in memory, some 64 KiB.
func Actions(name string, r io.Reader) iter.Seq2[Action, error] {
	return (*Options)(nil).Actions(name, r)
}

// Parse is like the function [Parse], with limits.
func (o *Options) Parse(name string, src []byte) (*Manifest, error) {
	p := newParser(name, o)
	if int64(len(src)) > p.limits.MaxSize {
		return new(Manifest), ErrorList{p.limit("MaxSize", p.limits.MaxSize)}
	}
	lines := min(bytes.Count(src, []byte("\n"))+1, len(src)/32+1, p.limits.MaxActions) // no more than a text of blank lines is worth
	m := &Manifest{src: string(src), actions: make([]Action, 0, lines)}
	var errs ErrorList
	room := p.limits.MaxTotal
	p.begin(m.src, 1)
	for {
		var a Action
		more, err := p.next(&a)
		switch {
		case !more:
			m.read = len(m.actions)
			return m, errs.Err()
		case err == nil && len(m.actions) == p.limits.MaxActions:
			errs = append(errs, p.limit("MaxActions", int64(p.limits.MaxActions)))
		case err == nil && len(a.Attrs) > room:
			errs = append(errs, p.limit("MaxTotal", int64(p.limits.MaxTotal)))
		case err == nil:
			room -= len(a.Attrs)
			m.actions = append(m.actions, a)
		case len(errs) < p.limits.MaxErrors:
			errs = append(errs, err)
		default:
			errs = append(errs, p.limit("MaxErrors", int64(p.limits.MaxErrors)))
		}
	}
}

// Actions is like the function [Actions], with limits. MaxActions, MaxTotal and MaxErrors do not
// apply.
func (o *Options) Actions(name string, r io.Reader) iter.Seq2[Action, error] {
	return func(yield func(Action, error) bool) {
		p := newParser(name, o)
		b := blocks{r: r, limits: p.limits}
		for first := 1; !p.stopped; first = p.lines.next {
			text, err := b.read()
			p.begin(text, first)
			if !p.yieldAll(yield) || err == io.EOF {
				return
			}
			if err != nil {
				yield(Action{}, p.fault(line{last: p.lines.next}, err))
				return
			}
		}
	}
}

// yieldAll yields what the text at hand has; false means to stop.
func (p *parser) yieldAll(yield func(Action, error) bool) bool {
	for {
		var a Action
		more, err := p.next(&a)
		switch {
		case !more:
			return !p.stopped
		case err != nil:
			if !yield(Action{}, err) {
				return false
			}
		case !yield(a, nil):
			return false
		}
	}
}

// A parser makes actions of the logical lines of a text.
type parser struct {
	limits  Options
	file    string
	lines   lines
	scanner scanner
	faulty  bool // an action was
	stopped bool // at a limit
}

// newParser returns a parser that has no text yet.
func newParser(file string, o *Options) *parser {
	p := &parser{limits: o.limits(), file: file}
	p.scanner = scanner{limit: p.limits.MaxAttrs, inLine: true}
	return p
}

// begin gives the parser a text, or the next part of one.
func (p *parser) begin(text string, line int) {
	p.lines = lines{text: text, next: line, most: p.limits.MaxLine}
}

// next reads the next action into a, or finds the next fault. There is neither at
// the end of the text, when more is false.
func (p *parser) next(a *Action) (more bool, err *Error) {
	for !p.stopped {
		l, ok := p.lines.read()
		switch {
		case !ok:
			return false, nil
		case p.lines.pos-l.start > p.limits.MaxLine:
			return true, p.limit("MaxLine", int64(p.limits.MaxLine))
		case l.text == "":
			continue
		case !p.scanner.reset(l.text):
			return true, p.fault(l, p.scanner.err)
		case l.text[0] == '#':
			continue
		case l.open:
			err = p.unfinished(l)
			return err != nil, err
		case !p.scanner.action(a):
			return true, p.fault(l, p.scanner.err)
		}
		a.Pos = l.pos
		return true, nil
	}
	return false, nil
}

// unfinished is the fault of a line that the text ends in. The reference drops such
// a line; it is of interest only where nothing else is wrong with the text.
func (p *parser) unfinished(l line) *Error {
	if p.faulty {
		return nil
	}
	return p.fault(l, &SyntaxError{Fault: FaultUnfinishedLine, Input: l.text, Offset: len(l.text)})
}

// limit stops the parser where it is.
func (p *parser) limit(name string, limit int64) *Error {
	p.stopped = true
	return p.fault(line{last: p.lines.next - 1}, &LimitError{name, limit})
}

// fault makes an error of what is wrong with a line.
func (p *parser) fault(l line, err error) *Error {
	p.faulty = true
	e := &Error{File: p.file, Last: l.last, Action: l.text, Err: err}
	var syn *SyntaxError
	if !errors.As(err, &syn) {
		e.Pos = Position{Line: l.last}
		p.stopped = true
		return e
	}
	e.Pos = p.lines.place(l, max(syn.Offset, 0))
	return e
}
