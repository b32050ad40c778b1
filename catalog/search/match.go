package search

import (
	"slices"
	"strings"

	"github.com/goips/ips/manifest"
)

var setKind = manifest.KindSet.String()

// A matcher says which tokens are sought where.
type matcher struct {
	token  *pattern
	pkg    *pattern // nil: any
	action string   // "": any
	key    string   // "": any
}

// matcher returns what a term asks for. Packages match whatever the case.
func (e *evaluator) matcher(t Term) *matcher {
	m := &matcher{token: compile(t.Token, e.fold), action: t.Action, key: t.Key}
	if t.Package != "" {
		m.pkg = compile(t.Package, true)
	}
	return m
}

func (m *matcher) allows(pkg string) bool  { return m.pkg == nil || m.pkg.match(pkg) }
func (m *matcher) isKind(kind string) bool { return m.action == "" || m.action == kind }
func (m *matcher) isKey(key string) bool   { return m.key == "" || m.key == key }

// isToken reports whether a token matches. A pattern of nothing but wildcards
// matches everything, however many characters it asks for.
func (m *matcher) isToken(token string) bool { return m.token.isAll || m.token.match(token) }

// scope reports whether a place is where the matcher looks.
func (m *matcher) scope(p *place) bool {
	return m.isKind(p.Kind) && m.isKey(p.Key) && m.allows(packageName(p.FMRI))
}

// A filter reports whether a place that has been found, with its line, is one that
// another query finds, too.
type filter func(p *place) bool

// filter returns the filter of the right side of an AND.
func (e *evaluator) filter(q Query) filter {
	switch q := q.(type) {
	case And:
		left, right := e.filter(q.Left), e.filter(q.Right)
		return func(p *place) bool { return left(p) && right(p) }
	case Or:
		left, right := e.filter(q.Left), e.filter(q.Right)
		return func(p *place) bool { return left(p) || right(p) }
	case Phrase:
		m, text := e.matcher(Term{Scope: q.Scope}), e.contains(q.Text)
		return func(p *place) bool { return m.scope(p) && text(p.Line) }
	case Term:
		m := e.matcher(q)
		return func(p *place) bool { return m.scope(p) && m.hasToken(p.Line) }
	}
	return func(*place) bool { return false }
}

// hasToken reports whether any token of an action matches.
func (m *matcher) hasToken(line string) bool {
	_, tokens, err := lineTokens(nil, line)
	return err == nil && slices.ContainsFunc(tokens, func(t Token) bool { return m.isToken(t.Text) })
}

// contains returns a function that looks for a text in a line.
func (e *evaluator) contains(text string) func(line string) bool {
	if !e.fold {
		return func(line string) bool { return strings.Contains(line, text) }
	}
	lower := strings.ToLower(text)
	return func(line string) bool { return strings.Contains(strings.ToLower(line), lower) }
}

// firstWord returns the first word of a phrase, and whether there are more.
func firstWord(phrase string) (word string, isLonger bool) {
	word, _, isLonger = strings.Cut(phrase, " ")
	return word, isLonger
}
