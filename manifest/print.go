package manifest

import (
	"cmp"
	"strings"
)

// A style is a way to print an action.
type style uint8

const (
	// canonical reads back as the same action.
	canonical style = iota
	// inLine is canonical and does not end in a backslash, which would
	// continue a line of a manifest.
	inLine
	// reference is canonical except that it is the reference's text even where
	// that does not read back. It is what signatures cover.
	reference
)

// String returns the canonical text of a. For an action that
// [Action.AppendText] refuses it is a description.
func (a Action) String() string { return string(a.appendTo(nil, canonical)) }

// AppendText appends the canonical text of a, which reads back as an
// action equal to [NewAction] of a. It refuses what NewAction refuses.
func (a Action) AppendText(b []byte) ([]byte, error) {
	a, err := a.normal()
	if err != nil {
		return b, err
	}
	return a.appendTo(b, canonical), nil
}

// MarshalText returns the canonical text of a, as [Action.AppendText] does.
func (a Action) MarshalText() ([]byte, error) { return a.AppendText(nil) }

// UnmarshalText reads an action as [ParseAction] does.
func (a *Action) UnmarshalText(text []byte) error {
	b, err := ParseAction(string(text))
	if err != nil {
		return err
	}
	*a = b
	return nil
}

// appendTo appends the text of a, which must have passed check.
func (a Action) appendTo(b []byte, s style) []byte {
	b = append(b, a.Kind.String()...)
	attrs := a.Attrs
	switch hash := a.printedHash(s); {
	case hash == "":
	case isHashWord(hash, s):
		b = append(b, ' ')
		b = append(b, hash...)
	default:
		attrs = append(attrs[:len(attrs):len(attrs)], Attr{"hash", hash})
	}
	if len(attrs) == 0 && s != reference {
		return append(b, ' ') // without a blank there is no action
	}
	return appendAttrs(b, attrs.sorted(), s)
}

// printedHash returns the payload to be printed. The reference prints none that
// is empty, which reads back as NOHASH.
func (a Action) printedHash(s style) string {
	if a.Hash == "" && s != reference && a.Kind.info().noHash {
		return NoHash
	}
	return a.Hash
}

// isHashWord reports whether a payload can stand behind the type. The reference
// puts one with an apostrophe or a tab there too, which does not read back.
func isHashWord(hash string, s style) bool {
	if s == reference {
		return !strings.ContainsAny(hash, "= \"")
	}
	return !strings.ContainsAny(hash, "= \t\n\"'")
}

// appendAttrs appends attributes that are sorted by name.
func appendAttrs(b []byte, attrs Attrs, s style) []byte {
	for i := range attrs {
		name, value := attrs[i].Name, attrs[i].Value
		last, single := i+1 == len(attrs), attrs.isSingle(i)
		if single && name == "mode" {
			value = octalMode(value, s)
		}
		b = append(b, ' ')
		b = append(b, name...)
		b = append(b, '=')
		if last && s == inLine && strings.HasSuffix(value, `\`) {
			return appendQuoted(b, value, cmp.Or(quoteFor(value, single, s), '"'), s)
		}
		b = appendValue(b, value, single, s)
	}
	return b
}

// octalMode returns a mode as it is written: without the "o" of "0o755". One that
// would begin with "0o" even then is kept, as it would lose that when it is read back.
func octalMode(mode string, s style) string {
	rest, ok := strings.CutPrefix(mode, "0o")
	if !ok || s != reference && strings.HasPrefix(rest, "o") {
		return mode
	}
	return "0" + rest
}

// appendValue appends a value with the quotes it needs.
func appendValue(b []byte, v string, single bool, s style) []byte {
	if quote := quoteFor(v, single, s); quote != 0 {
		return appendQuoted(b, v, quote, s)
	}
	return append(b, v...)
}

// quoteFor returns the quote that a value needs, 0 for none. A value that is the
// only one of its name needs one for "$(" too.
func quoteFor(v string, single bool, s style) byte {
	if v != "" && wordEnd(v) == len(v) {
		return 0
	}
	double, apostrophe := strings.IndexByte(v, '"') >= 0, strings.IndexByte(v, '\'') >= 0
	switch {
	case double && !apostrophe:
		return '\''
	case double, apostrophe, v == "", strings.IndexByte(v, ' ') >= 0:
		return '"'
	case single && strings.Contains(v, "$("), s != reference && strings.ContainsAny(v, "\t\n"):
		return '"'
	}
	return 0
}

// appendQuoted appends v in quotes. A backslash is doubled where it would
// else escape what follows; the reference forgets to.
func appendQuoted(b []byte, v string, quote byte, s style) []byte {
	b = append(b, quote)
	for i := range len(v) {
		c := v[i]
		if c == quote || c == '\\' && s != reference && escapesNext(v[i+1:], quote) {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, quote)
}

// escapesNext reports whether a backslash before rest and the closing quote would
// be taken for an escape.
func escapesNext(rest string, quote byte) bool {
	return rest == "" || rest[0] == '\\' || rest[0] == quote
}
