package manifest

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// An Action is one logical line of a manifest: something a package delivers,
// requires or says about itself. The zero Action is invalid.
//
// An Action is plain data. What [ParseAction] and [NewAction] return keeps the
// rules of the package comment; one that was changed passes through
// [NewAction] again, or is checked by [Manifest.Add]. The strings of an action that
// was read share memory with the text around it.
type Action struct {
	Kind  Kind
	Hash  string   // payload: a hash or, before publication, a path; "" if none
	Attrs Attrs    // in written order
	Pos   Position // where it was read; takes no part in comparisons
}

// ParseAction reads one action, without leading blanks or line continuations.
// The error is a [*SyntaxError] or a [*LimitError].
func ParseAction(text string) (Action, error) {
	var a Action
	s := scanner{limit: maxAttrs}
	if !s.reset(text) || !s.action(&a) {
		return Action{}, s.err
	}
	return a, nil
}

// MustParseAction is like [ParseAction] but panics on error. It is for texts
// known when the program is written.
func MustParseAction(text string) Action {
	a, err := ParseAction(text)
	if err != nil {
		panic("manifest: " + strconv.Quote(text) + ": " + err.Error())
	}
	return a
}

// NewAction builds an action as if its text had been read: a set may have the
// short form, slashes before a path go, and what cannot be written is refused
// with a [*SyntaxError]. The attributes are copied.
func NewAction(k Kind, hash string, attrs ...Attr) (Action, error) {
	return Action{Kind: k, Hash: hash, Attrs: attrs}.normal()
}

// normal returns a as it would be read, with attributes of its own.
func (a Action) normal() (Action, error) {
	fault, name := a.check()
	if fault == 0 {
		slab := slab{free: slices.Grow(Attrs(nil), len(a.Attrs)+2)}
		attrs := append(slab.take(math.MaxInt), a.Attrs...)
		if a.Attrs, fault, name = construct(a.Kind, attrs, &slab); fault == 0 {
			if a.Hash == "" && a.Kind.info().noHash {
				a.Hash = NoHash
			}
			return a, nil
		}
	}
	return Action{}, &SyntaxError{Fault: fault, Name: name, Input: a.String(), Offset: -1}
}

// check looks at what the scanner makes sure of: that the parts can be written.
func (a Action) check() (Fault, string) {
	switch {
	case !a.Kind.IsValid():
		return FaultUnknownType, a.Kind.String()
	case a.Hash != "" && !a.Kind.HasPayload():
		return FaultPayload, a.Kind.String()
	}
	if fault, _ := badCharacter(a.Hash, false); fault != 0 {
		return fault, "hash"
	}
	for _, x := range a.Attrs {
		if fault := checkAttr(x); fault != 0 {
			return fault, x.Name
		}
	}
	return 0, ""
}

func checkAttr(x Attr) Fault {
	switch x.Name {
	case "":
		return FaultMissingName
	case "hash":
		return FaultName
	case "data":
		return FaultDataName
	}
	for i := range len(x.Name) {
		if classes[x.Name[i]] != 0 {
			return FaultName
		}
	}
	if isPlain(x.Name) && isPlain(x.Value) {
		return 0
	}
	fault, _ := badCharacter(x.Name, false)
	if fault == 0 {
		fault, _ = badCharacter(x.Value, false)
	}
	return fault
}

// Key returns the value of the key attribute of a's kind, the first one where
// it repeats; ok is false if there is none.
func (a Action) Key() (key string, ok bool) {
	name := a.Kind.KeyAttr()
	if name == "" {
		return "", false
	}
	return a.Attrs.Get(name)
}

// Equal reports whether a and b have the same canonical text: the same kind and
// payload, and the same values for each name in the same order. The order of
// names does not matter, nor does it how an octal mode is written.
func (a Action) Equal(b Action) bool {
	if a.Kind != b.Kind || len(a.Attrs) != len(b.Attrs) {
		return false
	}
	if a.Hash == b.Hash && slices.Equal(a.Attrs, b.Attrs) {
		return true
	}
	return a.String() == b.String()
}

// Compare orders actions as a sorted manifest lists them: by kind; directories
// and hard links by path, users and groups by number, drivers by name with clone first.
// All others of one kind compare equal, as do those without a number to each other;
// [slices.SortStableFunc] leaves them in their order.
func (a Action) Compare(b Action) int {
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	switch a.Kind {
	case KindDir, KindHardlink:
		return compareAttr(a, b, "path")
	case KindUser:
		return cmp.Compare(number(a, "uid"), number(b, "uid"))
	case KindGroup:
		return cmp.Compare(number(a, "gid"), number(b, "gid"))
	case KindDriver:
		return compareDrivers(a, b)
	}
	return 0
}

func compareAttr(a, b Action, name string) int {
	x, _ := a.Attrs.Get(name)
	y, _ := b.Attrs.Get(name)
	return strings.Compare(x, y)
}

func compareDrivers(a, b Action) int {
	x, _ := a.Attrs.Get("name")
	y, _ := b.Attrs.Get("name")
	switch {
	case x == y:
		return 0
	case x == "clone":
		return -1
	case y == "clone":
		return 1
	}
	return strings.Compare(x, y)
}

// number returns a user or group id. Without one an action sorts as the reference
// sorts it, behind those of the system.
func number(a Action, name string) int64 {
	const none = 1024
	text, ok := a.Attrs.Get(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return none
	}
	return n
}
