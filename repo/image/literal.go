package image

import (
	"errors"
	"strings"
)

// Lists in pkg5.image are written in a small part of Python's syntax: strings in
// single or double quotes, lists in brackets and dictionaries of strings in braces.

var errLiteral = errors.New("not a list of strings")

// formatList writes strings as ['a', 'b'].
func formatList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quoteLiteral(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func quoteLiteral(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

// parseList reads ['a', 'b']; the empty text is the empty list.
func parseList(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	l := lexer{rest: text}
	var items []string
	err := l.sequence('[', ']', func() error {
		s, err := l.str()
		items = append(items, s)
		return err
	})
	return items, l.end(err)
}

// parseDicts reads [{'a': 'b'}, ...].
func parseDicts(text string) ([]map[string]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	l := lexer{rest: text}
	var dicts []map[string]string
	err := l.sequence('[', ']', func() error {
		dict := map[string]string{}
		dicts = append(dicts, dict)
		return l.sequence('{', '}', func() error { return l.pair(dict) })
	})
	return dicts, l.end(err)
}

// A lexer takes literals from the front of a text.
type lexer struct{ rest string }

// skip drops blanks, and then c if it is next.
func (l *lexer) skip(c byte) bool {
	l.rest = strings.TrimLeft(l.rest, " \t\n")
	if l.rest == "" || l.rest[0] != c {
		return false
	}
	l.rest = l.rest[1:]
	return true
}

// sequence reads items between brackets, separated by commas; a last comma may follow.
func (l *lexer) sequence(open, closing byte, item func() error) error {
	if !l.skip(open) {
		return errLiteral
	}
	for !l.skip(closing) {
		if err := item(); err != nil {
			return err
		}
		if !l.skip(',') {
			if l.skip(closing) {
				return nil
			}
			return errLiteral
		}
	}
	return nil
}

func (l *lexer) pair(dict map[string]string) error {
	key, err := l.str()
	if err != nil || !l.skip(':') {
		return errLiteral
	}
	dict[key], err = l.str()
	return err
}

// str reads a quoted string, or None as the empty one.
func (l *lexer) str() (string, error) {
	l.rest = strings.TrimLeft(l.rest, " \t\n")
	if rest, ok := strings.CutPrefix(l.rest, "None"); ok {
		l.rest = rest
		return "", nil
	}
	if l.rest == "" || l.rest[0] != '\'' && l.rest[0] != '"' {
		return "", errLiteral
	}
	quote := l.rest[0]
	var s strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == quote:
			l.rest = l.rest[i+1:]
			return s.String(), nil
		case c == '\\' && i+1 < len(l.rest):
			i++
			s.WriteByte(unescape(l.rest[i]))
		default:
			s.WriteByte(c)
		}
	}
	return "", errLiteral
}

// unescape returns the character that a backslash and c stand for.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	return c
}

// end returns err, or an error if something follows the literal.
func (l *lexer) end(err error) error {
	if err == nil && strings.TrimSpace(l.rest) != "" {
		return errLiteral
	}
	return err
}
