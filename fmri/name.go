package fmri

import "strings"

// CheckName reports what is wrong with the name of a package as a *[ParseError], or
// nil. The grammar is in the package documentation.
func CheckName(name string) error {
	if f := checkName(name); f != nil {
		return f.in("package name", name, 0)
	}
	return nil
}

func checkName(name string) *fault {
	if name == "" {
		return &fault{BadSyntax, 0, "missing package name"}
	}
	first := true // of a segment
	for i := range len(name) {
		switch class := classes[name[i]]; {
		case class == alnum:
			first = false
		case name[i] == '/' && !first:
			first = true
		case class == other || first:
			return &fault{BadName, i, badNameReason(name, i)}
		}
	}
	if first {
		return &fault{BadName, len(name), "empty segment in package name"}
	}
	return nil
}

// badNameReason says why name[i] may not stand where it stands.
func badNameReason(name string, i int) string {
	switch {
	case name[i] == '/':
		return "empty segment in package name"
	case classes[name[i]] == punct:
		return "segment of package name begins with neither letter nor digit"
	}
	return "illegal character in package name"
}

// A class says where a byte may stand in the segment of a name.
type class uint8

const (
	other class = iota // nowhere
	punct              // after the first byte
	alnum              // anywhere
)

// classes has the class of every byte.
var classes = [256]class{
	'_': punct, '-': punct, '.': punct, '+': punct,
	'0': alnum, '1': alnum, '2': alnum, '3': alnum, '4': alnum, '5': alnum, '6': alnum, '7': alnum, '8': alnum, '9': alnum,
	'A': alnum, 'B': alnum, 'C': alnum, 'D': alnum, 'E': alnum, 'F': alnum, 'G': alnum, 'H': alnum, 'I': alnum,
	'J': alnum, 'K': alnum, 'L': alnum, 'M': alnum, 'N': alnum, 'O': alnum, 'P': alnum, 'Q': alnum, 'R': alnum,
	'S': alnum, 'T': alnum, 'U': alnum, 'V': alnum, 'W': alnum, 'X': alnum, 'Y': alnum, 'Z': alnum,
	'a': alnum, 'b': alnum, 'c': alnum, 'd': alnum, 'e': alnum, 'f': alnum, 'g': alnum, 'h': alnum, 'i': alnum,
	'j': alnum, 'k': alnum, 'l': alnum, 'm': alnum, 'n': alnum, 'o': alnum, 'p': alnum, 'q': alnum, 'r': alnum,
	's': alnum, 't': alnum, 'u': alnum, 'v': alnum, 'w': alnum, 'x': alnum, 'y': alnum, 'z': alnum,
}

// CheckPublisher reports what is wrong with the prefix of a publisher, such as
// "openindiana.org", as a *[ParseError], or nil. It is letters, digits, "-" and
// "." and does not begin with a dot, or is an IPv6 address in brackets (hexadecimal digits,
// ":" and ".", not looked at any closer).
func CheckPublisher(publisher string) error {
	if f := checkPublisher(publisher); f != nil {
		return f.in("publisher", publisher, 0)
	}
	return nil
}

func checkPublisher(publisher string) *fault {
	if publisher == "" {
		return &fault{BadPublisher, 0, "empty publisher"}
	}
	if publisher[0] == '[' {
		return checkBracketed(publisher)
	}
	for i := range len(publisher) {
		switch c := publisher[i]; {
		case classes[c] == alnum || c == '-':
		case c == '.' && i > 0:
		case c == '.':
			return &fault{BadPublisher, i, "publisher begins with a dot"}
		default:
			return &fault{BadPublisher, i, "illegal character in publisher"}
		}
	}
	return nil
}

// checkBracketed checks a publisher that begins with a bracket.
func checkBracketed(publisher string) *fault {
	const address = "0123456789abcdefABCDEF:."
	body := strings.TrimLeft(publisher[1:], address)
	switch at := len(publisher) - len(body); {
	case body != "]":
		return &fault{BadPublisher, at, "publisher is no address in brackets"}
	case at == 1:
		return &fault{BadPublisher, at, "empty address"}
	}
	return nil
}

// oldPrefix begins the publisher of an FMRI in old images if it was the preferred
// publisher: pkg://_PRE_opensolaris.org/SUNWcs.
const oldPrefix = "_PRE_"

// checkOldPublisher checks the publisher of an FMRI, which may be empty and may
// have the old prefix.
func checkOldPublisher(publisher string) *fault {
	if publisher == "" {
		return nil
	}
	bare := strings.TrimPrefix(publisher, oldPrefix)
	f := checkPublisher(bare)
	if f != nil {
		f.offset += len(publisher) - len(bare)
	}
	return f
}
