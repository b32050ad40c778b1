package manifest

import "strconv"

// An AttrError says what is wrong with an attribute of an action.
type AttrError struct {
	Name   string // of the attribute; "" for the whole action
	Value  string // that is wrong; "" if the attribute is missing or its number is wrong
	Reason string // such as "missing", "repeated", "not a number"
	Err    error  // the cause, if there is one to wrap
}

// Error returns the name, the value and the reason, or the cause if there is one
// that says more.
func (e *AttrError) Error() string {
	if e.Name == "" {
		return e.Reason
	}
	s := e.Name
	if e.Value != "" {
		s += "=" + strconv.Quote(shorten(e.Value))
	}
	s += ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// shorten cuts a long value.
func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// Unwrap returns e.Err.
func (e *AttrError) Unwrap() error { return e.Err }
