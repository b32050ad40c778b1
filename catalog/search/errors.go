package search

import (
	"fmt"
	"io/fs"
	"strings"
)

// A FormatError reports a file of an index that is not as it ought to be.
type FormatError struct {
	File string
	Line int // 1-based; zero if not known
	Err  error
}

func (e *FormatError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

// Unwrap returns e.Err.
func (e *FormatError) Unwrap() error { return e.Err }

// An InconsistentError reports files that do not belong together: somebody is
// writing the index, or was interrupted. Such an index is as good as none, and the
// error matches fs.ErrNotExist.
type InconsistentError struct {
	File    string // the first that is missing or of another version
	Version int    // its version; zero if it is missing
	Want    int    // the version of the others; zero if that is not known
}

func (e *InconsistentError) Error() string {
	if e.Version == 0 {
		return fmt.Sprintf("inconsistent index: no %s", e.File)
	}
	return fmt.Sprintf("inconsistent index: %s has version %d, others %d", e.File, e.Version, e.Want)
}

// Unwrap returns fs.ErrNotExist.
func (e *InconsistentError) Unwrap() error { return fs.ErrNotExist }

// A LimitError reports input that is larger than it may be.
type LimitError struct {
	What  string
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s of more than %d bytes", e.What, e.Limit)
}

// A QueryFault is the class of a QueryError.
type QueryFault uint8

const (
	FaultLexical QueryFault = iota + 1 // a character that nothing begins with
	FaultParse                         // what follows does not fit
	FaultMixed                         // AND or OR of actions and packages
	FaultTooLong                       // more than a query may have
)

// String names the class, such as "mixed-types".
func (f QueryFault) String() string {
	switch f {
	case FaultLexical:
		return "lexical"
	case FaultParse:
		return "parse"
	case FaultMixed:
		return "mixed-types"
	case FaultTooLong:
		return "too-long"
	}
	return fmt.Sprintf("QueryFault(%d)", f)
}

// A QueryError says where a query stopped being one.
type QueryError struct {
	Fault  QueryFault
	Query  string // the whole text
	Offset int    // byte offset of the fault; at most len(Query)
	Token  string // what is there; "" at the end
	Reason string
}

// Error describes the error in one line.
func (e *QueryError) Error() string {
	return fmt.Sprintf("invalid query %q: %s at offset %d", shorten(e.Query), e.Reason, e.Offset)
}

// shorten cuts what is too long for a message.
func shorten(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// Caret shows the error in two lines without a final newline: the query, and below it
// a caret under the offending byte, followed by the reason.
//
//	ssh AND
//	       ^ a word is missing
//
// Control characters of the query are shown as dots.
func (e *QueryError) Caret() string {
	column := 0
	for i := range e.Query {
		if i < e.Offset {
			column++
		}
	}
	return strings.Map(visible, e.Query) + "\n" + strings.Repeat(" ", column) + "^ " + e.Reason
}

// visible maps control characters to dots.
func visible(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '.'
	}
	return r
}
