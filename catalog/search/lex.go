package search

import (
	"regexp"
	"strings"
)

// A lexeme is a piece of a query.
type lexeme struct {
	kind  lexKind
	text  string
	start int
}

type lexKind uint8

const (
	lexEnd   lexKind = iota
	lexOpen          // p<
	lexClose         // >
	lexField         // pkg:action:key:token
	lexWord
	lexAnd
	lexOr
	lexQuote  // ' or "
	lexLparen // (
	lexRparen // )
)

// The white space of the reference's language: that of Unicode, and the separators
// of ASCII.
const (
	space    = `\t-\r\x1c- \x{85}\x{a0}\p{Z}`
	notSpace = `[^` + space + `]*`
)

var openRule = regexp.MustCompile(`^([pP]([kK]([gG][sS]?)?)?)?<`)

// rules says what is tried at each place, in this order. Alternatives are those of
// Perl: the first that matches is taken, the longest way.
var rules = [...]struct {
	kind lexKind
	re   *regexp.Regexp
}{
	{lexOpen, openRule},
	{lexClose, regexp.MustCompile(`^>`)},
	{lexField, regexp.MustCompile(`^([^'"(` + space + `]` + notSpace + `)?:([^('"` + space + `]` + notSpace + `[^)'">` + space + `]|[^()'">` + space + `])?`)},
	{lexWord, regexp.MustCompile(`^([^('"` + space + `]` + notSpace + `[^)'">` + space + `]|[^()'"` + space + `])`)},
	{lexQuote, regexp.MustCompile(`^['"]`)},
	{lexLparen, regexp.MustCompile(`^\(`)},
	{lexRparen, regexp.MustCompile(`^\)`)},
}

// lex divides a query into pieces. A single space is the only thing between them.
func lex(query string) ([]lexeme, error) {
	var list []lexeme
	for at := 0; at < len(query); {
		if query[at] == ' ' {
			at++
			continue
		}
		l := lexAt(query, at)
		if l.kind == lexEnd {
			return nil, &QueryError{Fault: FaultLexical, Query: query, Offset: at, Token: query[at : at+1], Reason: "nothing begins with this"}
		}
		list = append(list, l)
		at += len(l.text)
	}
	return append(list, lexeme{start: len(query)}), nil
}

// lexAt returns the piece at an offset.
func lexAt(query string, at int) lexeme {
	for _, rule := range rules {
		loc := rule.re.FindStringIndex(query[at:])
		if loc == nil {
			continue
		}
		l := lexeme{rule.kind, query[at : at+loc[1]], at}
		switch {
		case l.kind == lexWord && l.text == "AND":
			l.kind = lexAnd
		case l.kind == lexWord && l.text == "OR":
			l.kind = lexOr
		}
		return l
	}
	return lexeme{}
}

// fields divides the text of a field into scope and token. A colon behind a
// backslash is an ordinary one.
func fields(text string) (Scope, string) {
	var parts []string
	for rest, more := text, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ":")
		for more && strings.HasSuffix(part, `\`) {
			var next string
			next, rest, more = strings.Cut(rest, ":")
			part = part[:len(part)-1] + ":" + next
		}
		parts = append(parts, part)
	}
	var last [4]string
	for i := range min(len(parts), 4) {
		if part := parts[len(parts)-1-i]; part != "*" || i == 0 {
			last[3-i] = part
		}
	}
	return Scope{wildEnd(last[0]), last[1], last[2]}, last[3]
}

// wildEnd makes a pattern one for what begins with it.
func wildEnd(pattern string) string {
	if pattern == "" || strings.HasSuffix(pattern, "*") {
		return pattern
	}
	return pattern + "*"
}
