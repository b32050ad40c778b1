package fmri

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoVersion is the error of operations that need a version where there is none.
var ErrNoVersion = errors.New("FMRI has no version")

// An ErrorKind is the class of a [ParseError].
type ErrorKind uint8

const (
	// BadSyntax: the frame of the text is broken, such as a missing name.
	BadSyntax ErrorKind = iota + 1
	// BadName: the text has a name, which breaks the rules.
	BadName
	// BadVersion: the text has a version, which breaks the rules.
	BadVersion
	// BadPublisher: the text has a publisher, which breaks the rules.
	BadPublisher
)

// String returns the name that pkg(7) tools know the class by, such as
// "BAD_VERSION". Their list has no class for publishers.
func (k ErrorKind) String() string {
	switch k {
	case BadSyntax:
		return "SYNTAX_ERROR"
	case BadName:
		return "BAD_PACKAGENAME"
	case BadVersion:
		return "BAD_VERSION"
	case BadPublisher:
		return "BAD_PUBLISHER"
	}
	return fmt.Sprintf("ErrorKind(%d)", k)
}

// A ParseError says where in Input the text stopped being what it should be.
type ParseError struct {
	Kind   ErrorKind // the class of rule that was broken
	What   string    // what was being parsed: "FMRI", "version", "pattern", …
	Input  string    // the whole text; an FMRI or pattern without white space at its end
	Offset int       // byte offset into Input of the first offending byte; at most len(Input)
	Reason string    // what is wrong there, such as "leading zero"
}

// Error describes the error in one line.
func (e *ParseError) Error() string {
	return fmt.Sprintf("invalid %s %q: %s at offset %d", e.What, e.Input, e.Reason, e.Offset)
}

// Caret shows the error in two lines without a final newline: the input, and
// below it a caret under the offending byte, followed by the reason.
//
//	pkg:/web/server@2.04
//	                  ^ leading zero
//
// Control characters of the input are shown as dots.
func (e *ParseError) Caret() string {
	column := 0
	for i := range e.Input {
		if i < e.Offset {
			column++
		}
	}
	return strings.Map(printable, e.Input) + "\n" + strings.Repeat(" ", column) + "^ " + e.Reason
}

// printable maps control characters to dots.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '.'
	}
	return r
}

// A fault is what the scanners know of an error: where and what, but not yet in
// which text.
type fault struct {
	kind   ErrorKind
	offset int
	reason string
}

// in places the fault, found in a part of input that begins at base.
func (f *fault) in(what, input string, base int) *ParseError {
	return &ParseError{Kind: f.kind, What: what, Input: input, Offset: base + f.offset, Reason: f.reason}
}
