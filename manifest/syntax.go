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

// The faults, by class.
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

// faults holds the class and the words of each fault.
var faults = [...]struct {
	class Class
	text  string
}{
	FaultUnknownType:     {ClassUnknownType, "unknown action type"},
	FaultNoAttributes:    {ClassMalformed, "no attributes"},
	FaultMissingName:     {ClassMalformed, "missing attribute name"},
	FaultQuoteInName:     {ClassMalformed, "quote in attribute name"},
	FaultBlankInName:     {ClassMalformed, "blank in attribute name"},
	FaultMissingValue:    {ClassMalformed, "missing value"},
	FaultUnfinishedQuote: {ClassMalformed, "unfinished quoted value"},
	FaultUnfinishedLine:  {ClassMalformed, "manifest ends inside an action"},
	FaultControl:         {ClassMalformed, "control character"},
	FaultEncoding:        {ClassInvalid, "not UTF-8"},
	FaultPayload:         {ClassInvalid, "action type allows no payload"},
	FaultDataName:        {ClassInvalid, "reserved attribute name"},
	FaultHashMismatch:    {ClassInvalid, "payload and hash attribute differ"},
	FaultSetForm:         {ClassInvalid, "set action without name or value"},
	FaultNoAlgorithm:     {ClassInvalid, "signature action without algorithm"},
	FaultName:            {ClassInvalid, "impossible attribute name"},
	FaultMissingKey:      {ClassMissingKey, "missing key attribute"},
	FaultRepeatedKey:     {ClassRepeatedKey, "repeated attribute"},
	FaultPath:            {ClassPath, "invalid path"},
}

// String describes f in a few words.
func (f Fault) String() string {
	if f == 0 || int(f) >= len(faults) {
		return "Fault(" + strconv.Itoa(int(f)) + ")"
	}
	return faults[f].text
}

// Class returns the group of f.
func (f Fault) Class() Class {
	if int(f) >= len(faults) {
		return 0
	}
	return faults[f].class
}

// A Class is a group of faults, as the reference tells them apart.
type Class uint8

// The classes.
const (
	ClassUnknownType Class = iota + 1
	ClassMalformed
	ClassInvalid
	ClassMissingKey
	ClassRepeatedKey
	ClassPath
)

var classNames = [...]string{
	ClassUnknownType: "unknown type",
	ClassMalformed:   "malformed",
	ClassInvalid:     "invalid",
	ClassMissingKey:  "missing key attribute",
	ClassRepeatedKey: "repeated key attribute",
	ClassPath:        "invalid path",
}

// String names the class.
func (c Class) String() string {
	if c == 0 || int(c) >= len(classNames) {
		return "Class(" + strconv.Itoa(int(c)) + ")"
	}
	return classNames[c]
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
