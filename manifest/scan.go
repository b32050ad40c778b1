package manifest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A scanner reads the texts of actions. The methods that can meet a fault leave
// it in s.err and return false. A scanner reads many actions, so it has their
// attributes from a slab.
type scanner struct {
	limit  int  // of attributes
	inLine bool // of a manifest
	slab   slab

	text    string
	pos     int
	plain   bool // text is printable ASCII: the only blank is the space
	kind    Kind
	hashes  uint8  // which payloads were given
	hash    string // payload behind the type
	hashKey string // value of hash=
	attrs   Attrs
	quoted  int // 1 + offset of the first word that begins with a quote
	err     error
}

// The places of a payload.
const (
	hashWord = 1 << iota // behind the type
	hashAttr             // hash=
)

// Classes of bytes as the grammar sees them; the zero class is ordinary.
const (
	classBlank = iota + 1
	classQuote
	classEqual
)

var classes = [256]uint8{
	' ': classBlank, '\t': classBlank, '\n': classBlank,
	'"': classQuote, '\'': classQuote,
	'=': classEqual,
}

// reset gives the scanner a text and checks its characters.
func (s *scanner) reset(text string) bool {
	s.text, s.pos, s.err = text, 0, nil
	s.hash, s.hashes, s.quoted = "", 0, 0
	s.plain = isPlain(text)
	return s.plain || s.characters()
}

// action reads the text into a.
func (s *scanner) action(a *Action) bool {
	s.attrs = s.slab.take(s.limit)
	if !s.typeWord() || !s.words() {
		return false
	}
	if fault, name := s.construct(); fault != 0 {
		return s.fail(fault, -1, name)
	}
	if s.quoted > 0 {
		return s.fail(FaultQuoteInName, s.quoted-1, "")
	}
	if s.hashes == 0 && s.kind.info().noHash {
		s.hash = NoHash
	}
	a.Kind, a.Hash, a.Attrs = s.kind, s.hash, s.slab.keep(s.attrs)
	return true
}

// construct brings the attributes into the form in which actions keep them.
func (s *scanner) construct() (fault Fault, name string) {
	s.attrs, fault, name = construct(s.kind, s.attrs, &s.slab)
	if s.inLine && fault == 0 {
		s.attrs = modernise(s.kind, s.attrs, &s.slab)
	}
	return fault, name
}

// fail records a fault.
func (s *scanner) fail(f Fault, offset int, name string) bool {
	s.err = &SyntaxError{Fault: f, Name: name, Input: s.text, Offset: offset}
	return false
}

// characters refuses the characters that the text must not have.
func (s *scanner) characters() bool {
	if f, at := badCharacter(s.text, s.inLine); f != 0 {
		return s.fail(f, at, "")
	}
	return true
}

// badCharacter finds the first character that no action may have: a control
// character but tab and newline, or what is not UTF-8. A line of a manifest has
// none of those that the reference ends lines at either.
func badCharacter(text string, inLine bool) (f Fault, offset int) {
	for i, r := range text {
		switch {
		case r >= ' ' && r <= '~', r == '\t':
		case r == '\n', r == '\u2028', r == '\u2029':
			if inLine {
				return FaultControl, i
			}
		case unicode.IsControl(r):
			return FaultControl, i
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			return FaultEncoding, i
		}
	}
	return 0, 0
}

// typeWord reads the first word.
func (s *scanner) typeWord() bool {
	end := s.blank(0)
	if end == len(s.text) {
		return s.fail(FaultNoAttributes, end, "")
	}
	s.pos = end
	word := s.text[:end]
	if s.kind != 0 && word == s.kind.info().name { // most actions are of the kind of the last
		return true
	}
	kind, ok := ParseKind(word)
	if !ok {
		return s.fail(FaultUnknownType, 0, word)
	}
	s.kind = kind
	return true
}

// blank returns the offset of the first blank at or behind from.
func (s *scanner) blank(from int) int {
	rest := s.text[from:]
	i := -1
	if s.plain {
		i = strings.IndexByte(rest, ' ')
	} else {
		i = strings.IndexAny(rest, " \t\n")
	}
	if i < 0 {
		return len(s.text)
	}
	return from + i
}

func (s *scanner) skipBlanks() {
	for s.pos < len(s.text) && classes[s.text[s.pos]] == classBlank {
		s.pos++
	}
}

// words reads what follows the type.
func (s *scanner) words() bool {
	for s.skipBlanks(); s.pos < len(s.text); s.skipBlanks() {
		if !s.word() {
			return false
		}
		if s.plain {
			s.bareAttributes()
		}
	}
	switch s.hashes {
	case hashAttr:
		s.hash = s.hashKey
	case hashAttr | hashWord:
		if s.hash != s.hashKey {
			return s.fail(FaultHashMismatch, -1, "")
		}
	}
	return true
}

// bareAttributes reads attributes as long as they are of the usual kind: nothing
// special about the name, the value bare, one space between them, room in the list.
func (s *scanner) bareAttributes() {
	s.skipBlanks()
	rest, attrs := s.text[s.pos:], s.attrs
	for len(rest) > 0 && len(attrs) < cap(attrs) {
		n := wordEnd(rest)
		if n == 0 || n+1 >= len(rest) || rest[n] != '=' || rest[n+1] <= '\'' {
			break
		}
		name, value := rest[:n], rest[n+1:]
		if name == "hash" || name == "data" {
			break
		}
		if end := strings.IndexByte(value, ' '); end >= 0 {
			value, rest = value[:end], value[end+1:]
		} else {
			rest = ""
		}
		attrs = append(attrs, Attr{name, value})
	}
	s.attrs = attrs
	s.pos = len(s.text) - len(rest)
}

// word reads a payload or an attribute. Its first character may be a quote
// without harm here: the reference does not look at it, and what else is
// wrong with the action comes first.
func (s *scanner) word() bool {
	start := s.pos
	end := start
	if classes[s.text[end]] == classQuote {
		if s.quoted == 0 {
			s.quoted = start + 1
		}
		end++
	}
	for end += wordEnd(s.text[end:]); end < len(s.text) && classes[s.text[end]] == 0; {
		end += 1 + wordEnd(s.text[end+1:])
	}
	name := s.text[start:end]
	if end == len(s.text) {
		return s.fail(FaultMissingValue, end, name)
	}
	switch classes[s.text[end]] {
	case classQuote:
		return s.fail(FaultQuoteInName, end, "")
	case classBlank:
		s.pos = end
		return s.payload(name)
	}
	s.pos = end + 1
	return s.attribute(name)
}

// payload takes a word without "=".
func (s *scanner) payload(word string) bool {
	if s.hashes != 0 || len(s.attrs) > 0 {
		return s.fail(FaultBlankInName, s.pos, "")
	}
	if !s.kind.HasPayload() {
		return s.fail(FaultPayload, s.pos-len(word), s.kind.String())
	}
	s.hash, s.hashes = word, hashWord
	return true
}

// attribute reads the value that belongs to name.
func (s *scanner) attribute(name string) bool {
	switch name {
	case "":
		return s.fail(FaultMissingName, s.pos-1, "")
	case "data":
		return s.fail(FaultDataName, s.pos-len("data="), "data")
	case "hash":
		return s.hashAttribute()
	}
	value, ok := s.value(name)
	if !ok {
		return false
	}
	if len(s.attrs) == cap(s.attrs) {
		if len(s.attrs) >= s.limit {
			s.err = &LimitError{"MaxAttrs", int64(s.limit)}
			return false
		}
		s.attrs = s.slab.grow(s.attrs, s.limit)
	}
	s.attrs = append(s.attrs, Attr{name, value})
	return true
}

// hashAttribute reads the value of hash=, which is the payload and no attribute.
func (s *scanner) hashAttribute() bool {
	if !s.kind.HasPayload() {
		return s.fail(FaultPayload, s.pos-len("hash="), s.kind.String())
	}
	value, ok := s.value("hash")
	s.hashKey = value
	s.hashes |= hashAttr
	return ok
}

// value reads a bare or quoted value.
func (s *scanner) value(name string) (string, bool) {
	start := s.pos
	if start == len(s.text) {
		return "", s.fail(FaultMissingValue, start, name)
	}
	switch classes[s.text[start]] {
	case classBlank:
		return "", s.fail(FaultMissingValue, start, name)
	case classQuote:
		return s.quotes(name)
	}
	s.pos = s.blank(start)
	return s.text[start:s.pos], true
}

// quotes reads quoted strings that follow each other, which are one value.
// For the name hash the last of them counts.
func (s *scanner) quotes(name string) (string, bool) {
	value, ok := s.quote(name)
	if !ok || !s.anotherQuote() {
		return value, ok
	}
	var joined strings.Builder
	joined.WriteString(value)
	for more := true; more; more = s.anotherQuote() {
		if value, ok = s.quote(name); !ok {
			return "", false
		}
		joined.WriteString(value)
	}
	if name == "hash" {
		return value, true
	}
	return joined.String(), true
}

// anotherQuote skips blanks if a quote follows them.
func (s *scanner) anotherQuote() bool {
	start := s.pos
	s.skipBlanks()
	if s.pos < len(s.text) && classes[s.text[s.pos]] == classQuote {
		return true
	}
	s.pos = start
	return false
}

// quote reads one quoted string.
func (s *scanner) quote(name string) (string, bool) {
	quote := s.text[s.pos]
	start := s.pos + 1
	end, escapes := closingQuote(s.text, start, quote)
	if end >= len(s.text) || s.text[end] != quote {
		return "", s.fail(FaultUnfinishedQuote, end, name)
	}
	s.pos = end + 1
	if !escapes {
		return s.text[start:end], true
	}
	return unescape(s.text[start:end], quote), true
}

// closingQuote returns the offset of the quote that ends the string from start
// on, and whether there are escapes before it. Without one it is that of a last
// backslash or the end of the text.
func closingQuote(text string, start int, quote byte) (end int, escapes bool) {
	for i := start; i < len(text); i++ {
		switch text[i] {
		case quote:
			return i, escapes
		case '\\':
			if i+1 == len(text) {
				return i, escapes
			}
			if c := text[i+1]; c == '\\' || c == quote {
				escapes = true
				i++
			}
		}
	}
	return len(text), escapes
}

// unescape removes each backslash before a backslash or the quote.
func unescape(s string, quote byte) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == quote) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
