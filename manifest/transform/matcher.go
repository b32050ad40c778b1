package transform

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// A matcher matches the beginning of values. Most rules are for few actions, so there are
// quick ways to find that a value does not match.
type matcher struct {
	expr     *expression
	re       *regexp.Regexp // easy, anchored
	prefix   string         // with which all that matches begins
	literals []string       // that all that matches has, in this order
	suffix   string         // with which values end that match
	whole    bool           // the prefix is the whole expression
}

func newMatcher(pattern string, limit time.Duration) (matcher, error) {
	e, err := compile(pattern, limit)
	if err != nil || e.easy == nil {
		return matcher{expr: e}, err
	}
	m := matcher{expr: e, literals: literals(e.tree, nil), suffix: suffix(e.tree)}
	m.prefix, m.whole = e.easy.LiteralPrefix()
	if m.re, err = regexp.Compile(`\A(?:` + e.text + `)`); err != nil {
		return matcher{}, &PatternError{pattern, err}
	}
	return m, nil
}

// matches reports whether the beginning of a value matches.
func (m *matcher) matches(value string) (bool, error) {
	if !m.expr.isEasy(value) {
		return m.slow(value)
	}
	if !strings.HasPrefix(value, m.prefix) || !strings.HasSuffix(value, m.suffix) {
		return false, nil
	}
	rest := value
	for _, l := range m.literals {
		at := strings.Index(rest, l)
		if at < 0 {
			return false, nil
		}
		rest = rest[at+len(l):]
	}
	return m.whole || m.re.MatchString(value), nil
}

// slow is matches without short cuts.
func (m *matcher) slow(value string) (bool, error) {
	found, err := m.submatches(value)
	return found != nil, err
}

// submatches returns the match of the beginning of a value, as FindStringSubmatchIndex
// does.
func (m *matcher) submatches(value string) ([]int, error) {
	if m.expr.isEasy(value) {
		return m.re.FindStringSubmatchIndex(value), nil
	}
	r := newRunes(value)
	found, err := m.expr.find(m.expr.anchored, r, 0)
	return r.bytes(found), err
}

// literals adds the texts that are in all that matches, in their order.
func literals(re *syntax.Regexp, found []string) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			found = append(found, string(re.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus, syntax.OpConcat:
		for _, sub := range re.Sub {
			found = literals(sub, found)
		}
	}
	return found
}

// suffix returns the text with which a value must end to match, "" if there is none.
func suffix(re *syntax.Regexp) string {
	n := len(re.Sub)
	if re.Op != syntax.OpConcat || n < 2 || re.Sub[n-1].Op != syntax.OpEndText {
		return ""
	}
	last := re.Sub[n-2]
	if last.Op != syntax.OpLiteral || last.Flags&syntax.FoldCase != 0 {
		return ""
	}
	return string(last.Rune)
}
