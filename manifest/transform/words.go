package transform

import (
	"strings"
	"unicode"
)

// cut splits a text at its first blanks. The rest has none before it.
func cut(text string) (word, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	end := strings.IndexFunc(text, unicode.IsSpace)
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeftFunc(text[end:], unicode.IsSpace)
}

// split splits a text into words as a POSIX shell does, and removes quotes and backslashes.
func split(text string) ([]string, error) {
	var words []string
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return words, nil
		}
		word, rest, err := shellWord(text)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		text = rest
	}
}

// shellWord reads the word that a text begins with.
func shellWord(text string) (word, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n':
			return b.String(), text[i:], nil
		case '\\':
			if i++; i == len(text) {
				return "", "", &SyntaxError{Reason: "nothing behind a backslash"}
			}
			b.WriteByte(text[i])
		case '\'', '"':
			n := quoted(&b, text[i+1:], c)
			if n < 0 {
				return "", "", &SyntaxError{Reason: "quoted word without end"}
			}
			i += 1 + n
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", nil
}

// quoted writes what stands before a quote, and returns the offset of that, negative if
// there is none. In double quotes a backslash escapes itself and the quote.
func quoted(b *strings.Builder, text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		if text[i] == quote {
			return i
		}
		if quote == '"' && text[i] == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == quote) {
			i++
		}
		b.WriteByte(text[i])
	}
	return -1
}
