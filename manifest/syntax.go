package manifest

import "strconv"

// A SyntaxError says where and why a text is not an action, or why an action
// cannot be written as text.
type SyntaxError struct {
	Fault  Fault
	Name   string // attribute or action type concerned, may be empty
	Input  string // the text; the canonical text of an action that was built
	Offset int    // byte offset into Input, len(Input) for its end, -1 for the whole
}

// Error returns the fault with the name and the offset if they are known.
func (e *SyntaxError) Error() string {
	if e.Offset < 0 {
		return e.reason()
	}
	return e.reason() + " at offset " + strconv.Itoa(e.Offset)
}

// reason is the fault with the name.
func (e *SyntaxError) reason() string {
	if e.Name == "" {
		return e.Fault.String()
	}
	return e.Fault.String() + " " + strconv.Quote(e.Name)
}

// A Fault is a reason why a text is not an action.
type Fault uint8

// The faults. The zero Fault is none.
const (
	FaultUnknownType     Fault = iota + 1 // the first word is no kind
	FaultNoAttributes                     // no blank in the whole text
	FaultMissingName                      // a word begins with "="
	FaultQuoteInName                      // a quote before "="
	FaultBlankInName                      // a word without "=" that is not the payload
	FaultMissingValue                     // nothing behind "=", or a last word without "="
	FaultUnfinishedQuote                  // the text ends inside quotes
	FaultUnfinishedLine                   // the manifest ends behind a continuation
	FaultControl                          // a control character
	FaultEncoding                         // not UTF-8
	FaultPayload                          // a payload where the kind has none
	FaultDataName                         // the reserved name "data"
	FaultHashMismatch                     // the payload and hash= differ
	FaultSetForm                          // set without name or value, and not the short form
	FaultNoAlgorithm                      // a signature without algorithm
	FaultName                             // an attribute name that no text can express
	FaultMissingKey                       // the key attribute is absent
	FaultRepeatedKey                      // the key attribute occurs more than once
	FaultPath                             // a path that is empty, only slashes, or repeated
)

// faults holds the words of each fault.
var faults = [...]string{
	FaultUnknownType:     "unknown action type",
	FaultNoAttributes:    "no attributes",
	FaultMissingName:     "missing attribute name",
	FaultQuoteInName:     "quote in attribute name",
	FaultBlankInName:     "blank in attribute name",
	FaultMissingValue:    "missing value",
	FaultUnfinishedQuote: "unfinished quoted value",
	FaultUnfinishedLine:  "manifest ends inside an action",
	FaultControl:         "control character",
	FaultEncoding:        "not UTF-8",
	FaultPayload:         "action type allows no payload",
	FaultDataName:        "reserved attribute name",
	FaultHashMismatch:    "payload and hash attribute differ",
	FaultSetForm:         "set action without name or value",
	FaultNoAlgorithm:     "signature action without algorithm",
	FaultName:            "impossible attribute name",
	FaultMissingKey:      "missing key attribute",
	FaultRepeatedKey:     "repeated attribute",
	FaultPath:            "invalid path",
}

// String describes f in a few words.
func (f Fault) String() string {
	if f == 0 || int(f) >= len(faults) {
		return "Fault(" + strconv.Itoa(int(f)) + ")"
	}
	return faults[f]
}

// A LimitError says which limit of [Options] a manifest exceeds.
type LimitError struct {
	Limit string // the field of Options
	Max   int64  // its value
}

// Error names the limit.
func (e *LimitError) Error() string {
	return "manifest exceeds " + e.Limit + " of " + strconv.FormatInt(e.Max, 10)
}
