package manifest

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Position is a place in a manifest.
type Position struct {
	Line, Col int // 1-based, Col counts bytes; zero means unknown
}

// IsValid reports whether the line is known.
func (p Position) IsValid() bool { return p.Line > 0 }

// String returns "line:col", "line" without a column, "-" without a line.
func (p Position) String() string {
	switch {
	case p.Line <= 0:
		return "-"
	case p.Col <= 0:
		return strconv.Itoa(p.Line)
	}
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// An Error is a fault with its place.
type Error struct {
	File   string   // name given to the parser, may be empty
	Pos    Position // of the fault
	Last   int      // last line of the action, the one the reference names; zero if unknown
	Action string   // text of the action, continuations joined; may be empty
	Err    error    // what is wrong, often a *SyntaxError or a *LimitError
}

// Error returns "file:line:col: reason" without the parts that are unknown.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		b.WriteByte(':')
	}
	if e.Pos.IsValid() {
		b.WriteString(e.Pos.String())
		b.WriteByte(':')
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.reason())
	return b.String()
}

// reason is the text of e.Err without the offset that e.Pos says better.
func (e *Error) reason() string {
	var syn *SyntaxError
	if e.Pos.IsValid() && errors.As(e.Err, &syn) && error(syn) == e.Err {
		return syn.reason()
	}
	return e.Err.Error()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// An ErrorList holds the faults of one manifest in the order of the text.
type ErrorList []*Error

// Error returns the first fault and the number of the others.
func (l ErrorList) Error() string {
	switch len(l) {
	case 0:
		return "no errors"
	case 1:
		return l[0].Error()
	}
	return fmt.Sprintf("%v (and %d more errors)", l[0], len(l)-1)
}

// Unwrap returns the faults, for [errors.Is] and [errors.As].
func (l ErrorList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// Err returns l as an error, nil if it is empty.
func (l ErrorList) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// PrintError writes err to w for a person to read: each fault of an
// [ErrorList] on a line, then the text of the action, if there is one, and a
// caret under the place, if there is one.
func PrintError(w io.Writer, err error) error {
	var list ErrorList
	if !errors.As(err, &list) {
		return printFault(w, err)
	}
	for _, e := range list {
		if err := printFault(w, e); err != nil {
			return err
		}
	}
	return nil
}

func printFault(w io.Writer, err error) error {
	_, err = fmt.Fprintf(w, "%v\n%s", err, excerpt(err))
	return err
}

// excerpt returns the lines that show the place of a fault.
func excerpt(err error) string {
	var syn *SyntaxError
	if errors.As(err, &syn) && syn.Offset >= 0 && syn.Offset <= len(syn.Input) {
		before, after := around(syn.Input, syn.Offset)
		return "\t" + before + after + "\n\t" + strings.Map(blank, before) + "^\n"
	}
	var e *Error
	if errors.As(err, &e) && e.Action != "" {
		_, text := around(e.Action, 0)
		return "\t" + text + "\n"
	}
	return ""
}

// around returns the text on both sides of an offset, cut to fit a terminal
// and without what could confuse one.
func around(text string, offset int) (before, after string) {
	const width = 60
	before, after = text[:offset], text[offset:]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ = strings.Cut(after, "\n")
	if cut := len(before) - width; cut > 0 {
		for cut < len(before) && !utf8.RuneStart(before[cut]) {
			cut++
		}
		before = "..." + before[cut:]
	}
	if cut := width; cut < len(after) {
		for cut > 0 && !utf8.RuneStart(after[cut]) {
			cut--
		}
		after = after[:cut]
	}
	return strings.Map(visible, before), strings.Map(visible, after)
}

// visible replaces what is not to be printed. Invalid bytes come in as U+FFFD.
func visible(r rune) rune {
	if r == '\t' || unicode.IsPrint(r) {
		return r
	}
	return utf8.RuneError
}

// blank maps a character to one that is as wide and white.
func blank(r rune) rune {
	if r == '\t' {
		return r
	}
	return ' '
}
