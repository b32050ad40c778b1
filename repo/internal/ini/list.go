package ini

import (
	"fmt"
	"io/fs"
	"strings"
)

// FormatList writes strings as Python does: ['a', "it's"].
func FormatList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func quote(s string) string {
	s = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s)
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
}

// A valueError says that a value is not what it should be. It matches fs.ErrInvalid.
type valueError string

func (e valueError) Error() string { return string(e) }

func (valueError) Unwrap() error { return fs.ErrInvalid }

// ParseList reads a list of strings. Anything else is an error that matches
// fs.ErrInvalid.
func ParseList(text string) ([]string, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "[")
	items := []string{}
	for ok {
		rest = strings.TrimSpace(rest)
		if rest == "]" {
			return items, nil
		}
		var item string
		item, rest, ok = cutString(rest)
		items = append(items, item)
		if after, comma := strings.CutPrefix(strings.TrimSpace(rest), ","); comma {
			rest = after
		} else if strings.TrimSpace(rest) != "]" {
			break
		}
	}
	return nil, valueError(fmt.Sprintf("%q is not a list of strings", text))
}

// cutString takes a quoted string from the front of a text.
func cutString(text string) (s, rest string, ok bool) {
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return "", text, false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(unescape(text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", text, false
}

// unescape returns the character that a backslash and c stand for.
func unescape(c byte) byte {
	if i := strings.IndexByte("ntr", c); i >= 0 {
		return "\n\t\r"[i]
	}
	return c
}
