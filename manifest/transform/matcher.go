package transform

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// A matcher matches the beginning of values. Most rules are for few actions, so there are
// quick ways to find that a value does not match.
type matcher struct {
	re       *regexp.Regexp // anchored
	looks    []look
	prefix   string   // with which all that matches begins
	literals []string // that all that matches has, in this order
	suffix   string   // with which values end that match
	whole    bool     // the prefix is the whole expression
}

// A look is what must or must not match at one end of a value: a look-ahead at its
// beginning or a look-behind at its end.
type look struct {
	re   *regexp.Regexp
	want bool
}

// maxLooks is how often one expression may look around. More are not supported.
const maxLooks = 20

func newMatcher(pattern string) (matcher, error) {
	m := matcher{}
	body, err := m.takeLooks(pattern)
	if err != nil {
		return matcher{}, err
	}
	re, expr, err := compile(body)
	if err != nil {
		return matcher{}, err
	}
	m.prefix, m.whole = re.LiteralPrefix()
	m.whole = m.whole && m.looks == nil
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err == nil {
		m.literals = literals(tree, nil)
		m.suffix = suffix(tree)
		m.re, err = regexp.Compile(`\A(?:` + expr + `)`)
	}
	if err != nil {
		return matcher{}, &PatternError{pattern, err}
	}
	return m, nil
}

// matches reports whether the beginning of a value matches.
func (m *matcher) matches(value string) bool {
	if !strings.HasPrefix(value, m.prefix) || !strings.HasSuffix(value, m.suffix) {
		return false
	}
	rest := value
	for _, l := range m.literals {
		at := strings.Index(rest, l)
		if at < 0 {
			return false
		}
		rest = rest[at+len(l):]
	}
	return m.whole || m.slow(value)
}

// slow is matches without short cuts.
func (m *matcher) slow(value string) bool {
	for _, l := range m.looks {
		if l.re.MatchString(value) != l.want {
			return false
		}
	}
	return m.re.MatchString(value)
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

// takeLooks takes look-ahead from the beginning of an expression and look-behind from
// before the "$" at its end, and returns what is left. In these places, which RE2 does not
// need to know, they can be had.
func (m *matcher) takeLooks(pattern string) (string, error) {
	if _, alternatives := outline(pattern); alternatives {
		return pattern, nil
	}
	rest, err := m.takeAhead(strings.TrimPrefix(pattern, "^"))
	if m.looks == nil {
		rest = pattern
	}
	if body, ok := strings.CutSuffix(rest, "$"); ok && err == nil {
		body, err = m.takeBehind(body)
		rest = body + "$"
	}
	return rest, err
}

// takeAhead takes look-ahead from the beginning.
func (m *matcher) takeAhead(pattern string) (string, error) {
	for len(m.looks) < maxLooks && (strings.HasPrefix(pattern, "(?=") || strings.HasPrefix(pattern, "(?!")) {
		groups, _ := outline(pattern)
		if groups == nil {
			break
		}
		end := groups[0].closed
		if err := m.take(pattern[3:end], pattern[2] == '=', `\A(?:%s)`); err != nil {
			return "", err
		}
		pattern = pattern[end+1:]
	}
	return pattern, nil
}

// takeBehind takes look-behind from the end.
func (m *matcher) takeBehind(pattern string) (string, error) {
	for len(m.looks) < maxLooks && strings.HasSuffix(pattern, ")") {
		groups, _ := outline(pattern)
		if groups == nil {
			break
		}
		last := groups[len(groups)-1]
		group := pattern[last.open:]
		if last.closed != len(pattern)-1 || !strings.HasPrefix(group, "(?<=") && !strings.HasPrefix(group, "(?<!") {
			break
		}
		if err := m.take(group[4:len(group)-1], group[3] == '=', `(?:%s)\z`); err != nil {
			return "", err
		}
		pattern = pattern[:last.open]
	}
	return pattern, nil
}

// take makes a look of the inside of a group.
func (m *matcher) take(inside string, want bool, form string) error {
	re, expr, err := compile(inside)
	if err != nil {
		return err
	}
	if re.NumSubexp() > 0 {
		return &PatternError{inside, fmt.Errorf("groups that look around: %w", errors.ErrUnsupported)}
	}
	if re, err = regexp.Compile(fmt.Sprintf(form, expr)); err != nil {
		return &PatternError{inside, err}
	}
	m.looks = append(m.looks, look{re, want})
	return nil
}

// A groupAt is where a group begins and ends.
type groupAt struct{ open, closed int }

// outline finds the groups of an expression that lie in no others, and whether it has
// alternatives beside them. It does not mind faults.
func outline(pattern string) (groups []groupAt, alternatives bool) {
	depth, open := 0, 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '[':
			i = setEnd(pattern, i)
		case '(':
			if depth == 0 {
				open = i
			}
			depth++
		case ')':
			if depth--; depth == 0 {
				groups = append(groups, groupAt{open, i})
			}
		case '|':
			alternatives = alternatives || depth == 0
		}
	}
	return groups, alternatives
}

// setEnd returns the offset of the end of the set that begins at one.
func setEnd(pattern string, i int) int {
	i++
	if i < len(pattern) && pattern[i] == '^' {
		i++
	}
	for first := i; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\':
			i++
		case pattern[i] == ']' && i > first:
			return i
		}
	}
	return i
}
