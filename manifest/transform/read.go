package transform

import (
	"errors"
	"strings"

	"github.com/goips/ips/manifest"
)

// A File is a file that a run reads. [Options.ReadFile] reads one as include directives do.
type File struct {
	Name string // in errors, and for %(pkg.manifest.filename)
	Text []byte
}

// Rules are what files of rules and manifests hold: transforms, and the lines that they
// apply to. The zero Rules have neither. Several goroutines may use them.
type Rules struct {
	opts  Options
	rules []*rule
	files []fileLines
}

// A fileLines is what a file puts into the output.
type fileLines struct {
	end   Place // its last line
	lines []inputLine
}

// An inputLine is a line as it was read.
type inputLine struct {
	place  Place
	text   string           // without prefix
	prefix string           // "$(name)" before an action
	action *manifest.Action // nil for a blank line, a comment, a kept directive
}

// Parse reads files one after the other, and what they include. It finds all that is
// wrong with them, macros and actions too: the error is an [ErrorList].
func Parse(files []File, opts *Options) (*Rules, error) {
	r := reader{rules: &Rules{opts: opts.limits()}}
	r.macros = newMacros(r.rules.opts)
	for _, f := range files {
		if r.stopped {
			break
		}
		r.lines = nil
		r.place = Place{File: f.Name}
		r.file(string(f.Text))
		r.rules.files = append(r.rules.files, fileLines{r.place, r.lines})
	}
	if r.errs != nil {
		return nil, r.errs
	}
	return r.rules, nil
}

// A reader reads files.
type reader struct {
	rules   *Rules
	macros  macros
	lines   []inputLine
	place   Place
	size    int64 // of what was read
	count   int   // of physical lines
	depth   int   // of includes
	errs    ErrorList
	stopped bool // by a limit
}

// fault records an error. Limits end it all.
func (r *reader) fault(text string, err error) {
	var limit *LimitError
	r.stopped = r.stopped || errors.As(err, &limit) || len(r.errs) >= maxErrors
	r.errs = append(r.errs, &Error{Place: r.place, Text: text, Err: err})
}

// exceeded records that a limit is.
func (r *reader) exceeded(what, limit string, most int64) {
	r.fault("", &LimitError{what, limit, most})
}

// file reads the lines of a text.
func (r *reader) file(text string) {
	if r.size += int64(len(text)); r.size > r.rules.opts.MaxSize {
		r.exceeded("files", "MaxSize", r.rules.opts.MaxSize)
	}
	var joined strings.Builder
	for text != "" && !r.stopped {
		var physical string
		physical, text, _ = strings.Cut(text, "\n")
		physical = strings.TrimSpace(physical)
		r.place.Line++
		if r.count++; r.count > r.rules.opts.MaxLines {
			r.exceeded("files", "MaxLines", int64(r.rules.opts.MaxLines))
			return
		}
		if physical == "" {
			r.put(inputLine{})
			continue
		}
		if joined.Len()+len(physical) > r.rules.opts.MaxLine {
			r.exceeded("line", "MaxLine", int64(r.rules.opts.MaxLine))
			return
		}
		part, more := strings.CutSuffix(physical, `\`)
		joined.WriteString(part)
		if !more {
			r.line(joined.String())
			joined.Reset()
		}
	}
	if joined.Len() > 0 && !r.stopped {
		r.fault(joined.String(), &SyntaxError{Reason: "the file ends inside a line"})
	}
}

// put adds a line of input.
func (r *reader) put(l inputLine) {
	l.place = r.place
	r.lines = append(r.lines, l)
}

// line reads a line that is joined.
func (r *reader) line(text string) {
	expanded, err := r.macros.expand(text)
	if err == nil {
		text = strings.TrimSpace(expanded)
		err = checkText(text)
	}
	switch {
	case err != nil:
	case text == "":
		return
	case text[0] == '<' && text[len(text)-1] == '>':
		err = r.directive(text)
	case text[0] == '#', text[0] == '<':
		r.put(inputLine{text: text})
		err = checkEnd(text)
	default:
		err = r.action(text)
	}
	if err != nil {
		r.fault(text, err)
	}
}

// checkEnd refuses a line that the next one would be joined to.
func checkEnd(text string) error {
	if strings.HasSuffix(text, `\`) {
		return &SyntaxError{Reason: "line would continue on the next"}
	}
	return nil
}

// directive follows an include, or takes in a transform.
func (r *reader) directive(text string) error {
	body := text[1 : len(text)-1]
	if name, ok := strings.CutPrefix(body, "include"); ok {
		if r.rules.opts.KeepIncludes {
			r.put(inputLine{text: text})
			return nil
		}
		return r.include(strings.Trim(strings.TrimSpace(name), `"`))
	}
	body, ok := strings.CutPrefix(body, "transform")
	if !ok {
		return &SyntaxError{"unknown directive", text}
	}
	rule, err := newRule(body, r.rules.opts.MaxTime)
	if err != nil {
		return err
	}
	rule.place, rule.line = r.place, text
	r.rules.rules = append(r.rules.rules, rule)
	return nil
}

// include reads a file in the place of a directive.
func (r *reader) include(name string) error {
	if name == "" {
		return &SyntaxError{Reason: "include without file"}
	}
	if r.depth == r.rules.opts.MaxDepth {
		return &LimitError{"files that include files", "MaxDepth", int64(r.rules.opts.MaxDepth)}
	}
	text, err := r.rules.opts.ReadFile(name)
	if err != nil {
		return err
	}
	back := r.place
	r.place = Place{File: name}
	r.depth++
	r.file(string(text))
	r.depth--
	r.place = back
	return nil
}

// action takes in an action, which may have a macro that is not defined before it.
func (r *reader) action(text string) error {
	l := inputLine{text: text}
	if strings.HasPrefix(text, "$(") {
		end := strings.IndexByte(text, ')')
		if end < 0 {
			return &SyntaxError{Reason: "macro without closing parenthesis"}
		}
		l.prefix, l.text = text[:end+1], strings.TrimSpace(text[end+1:])
	}
	a, err := manifest.ParseAction(l.text)
	l.action = &a
	r.put(l)
	return err
}
