package transform

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A Place is a line of a file. The zero Place is nowhere.
type Place struct {
	File string
	Line int // 1-based; the last of lines that are joined
}

// String returns "file:line", or "file" if there is no line.
func (p Place) String() string {
	if p.Line <= 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// An Error says what is wrong with a line, or why a rule cannot be applied to it.
type Error struct {
	Place        // of the line
	Rule  Place  // of the rule, if one was being applied
	Text  string // the line, joined and with its macros; may be empty
	Err   error  // a *SyntaxError, *PatternError, *ReferenceError, *LimitError, *manifest.SyntaxError, *fs.PathError, ...
}

// Error returns "file:line: reason", with the rule if there is one.
func (e *Error) Error() string {
	if e.Rule == (Place{}) {
		return fmt.Sprintf("%v: %v", e.Place, e.Err)
	}
	return fmt.Sprintf("%v: rule at %v: %v", e.Place, e.Rule, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// An ErrorList holds what is wrong with the files, in the order in which they were read.
type ErrorList []*Error

// Error returns all errors, each on a line.
func (l ErrorList) Error() string { return errors.Join(l.Unwrap()...).Error() }

// Unwrap returns the errors.
func (l ErrorList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// A SyntaxError is a directive or a macro that breaks the grammar.
type SyntaxError struct {
	Reason string
	Word   string // what the reason is about, may be empty
}

// Error returns the reason and the word.
func (e *SyntaxError) Error() string {
	if e.Word == "" {
		return e.Reason
	}
	return e.Reason + " " + strconv.Quote(e.Word)
}

// A ReferenceError is a reference to what is not there: an attribute, a package
// attribute or a group.
type ReferenceError struct {
	Ref    string // as it is written, without options: "%(path)", "%<3>"
	Reason string
}

// Error returns the reference and the reason.
func (e *ReferenceError) Error() string { return e.Ref + ": " + e.Reason }

// A LimitError says which limit of [Options] is exceeded, and by what.
type LimitError struct {
	What  string
	Limit string // the field of Options
	Max   int64  // its value; a MaxTime is in nanoseconds
}

// Error names the limit. What exceeds MaxDepth is most often a rule that emits what it
// applies to, or a file that includes itself.
func (e *LimitError) Error() string {
	if e.Limit == "MaxTime" {
		return fmt.Sprintf("%s: more than %s of %v; there may be too many ways to match", e.What, e.Limit, time.Duration(e.Max))
	}
	return fmt.Sprintf("%s: more than %s of %d", e.What, e.Limit, e.Max)
}

// An ExitError is the order of a rule to end the run: of its operation exit or abort.
// What the run would have put out is to be thrown away.
type ExitError struct {
	Place          // of the line
	Rule    Place  // of the rule
	Code    int    // exit status; 0 for abort
	Message string // for the user, may be empty
	Abort   bool   // the operation was abort
}

// Error returns the message or, if there is none, what the rule did.
func (e *ExitError) Error() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Abort:
		return fmt.Sprintf("%v: rule at %v: abort", e.Place, e.Rule)
	}
	return fmt.Sprintf("%v: rule at %v: exit %d", e.Place, e.Rule, e.Code)
}
