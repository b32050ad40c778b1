package scan

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// decode reads the rest of a string that has an escape or a character outside ASCII
// at i, and begins at start.
func (s *Scanner) decode(start, i int) []byte {
	s.plain = false
	s.tmp = append(s.tmp[:0], s.buf[start:i]...)
	s.pos = i
	for s.err == nil && len(s.tmp) <= s.limits.String {
		n := plain(s.buf[s.pos:s.end])
		s.tmp = append(s.tmp, s.buf[s.pos:s.pos+n]...)
		s.pos += n
		if !s.have(1) {
			s.unexpected("the end of a string")
			return nil
		}
		switch b := s.buf[s.pos]; {
		case b == '"':
			s.pos++
			return s.checkLen(s.tmp)
		case b == '\\':
			s.escape()
		case b >= utf8.RuneSelf:
			s.raw()
		case b < ' ':
			s.failf("control character %q in a string", b)
		}
	}
	return s.checkLen(s.tmp)
}

// have makes sure that n bytes are in the window, if the text has them.
func (s *Scanner) have(n int) bool {
	for s.end-s.pos < n {
		if !s.fill(s.pos) {
			return false
		}
	}
	return true
}

// raw decodes one character that is not escaped.
func (s *Scanner) raw() {
	s.have(utf8.UTFMax)
	r, n := utf8.DecodeRune(s.buf[s.pos:s.end])
	if r == utf8.RuneError && n <= 1 {
		s.failf("invalid UTF-8")
		return
	}
	s.loose = true
	s.tmp = append(s.tmp, s.buf[s.pos:s.pos+n]...)
	s.pos += n
}

// escape decodes one escaped character.
func (s *Scanner) escape() {
	if !s.have(2) {
		s.pos = s.end
		s.unexpected("the rest of an escape")
		return
	}
	if c := s.buf[s.pos+1]; c != 'u' {
		b := unescape(c)
		if b == 0 {
			s.failf("invalid escape \\%c", c)
			return
		}
		s.loose = s.loose || b == '/'
		s.tmp = append(s.tmp, b)
		s.pos += 2
		return
	}
	r, n := s.unicode()
	if s.err != nil {
		return
	}
	at := len(s.tmp)
	s.tmp = utf8.AppendRune(s.tmp, r)
	var canonical [2 * len(`\u0000`)]byte
	if !bytes.Equal(appendEscaped(canonical[:0], s.tmp[at:]), s.buf[s.pos:s.pos+n]) {
		s.loose = true
	}
	s.pos += n
}

// unescape returns what the character after a backslash stands for, or 0.
func unescape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unicode returns the character of one \u escape, or of two that are a surrogate
// pair, and the length of the escape. It does not consume it.
func (s *Scanner) unicode() (rune, int) {
	const one = len(`\u0000`)
	r, ok := s.hex(0)
	if !ok {
		s.failf("invalid \\u escape")
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, one
	}
	if low, ok := s.hex(one); ok {
		if r := utf16.DecodeRune(r, low); r != utf8.RuneError {
			return r, 2 * one
		}
	}
	s.failf("half of a surrogate pair")
	return 0, 0
}

// hex decodes the \u escape that begins skip bytes after the next one.
func (s *Scanner) hex(skip int) (rune, bool) {
	if !s.have(skip + 6) {
		return 0, false
	}
	b := s.buf[s.pos+skip:]
	if b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// AppendString appends the canonical JSON form of a string, which must be UTF-8.
func AppendString[T []byte | string](dst []byte, text T) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, text)
	return append(dst, '"')
}

// appendEscaped appends the inside of a canonical JSON string.
func appendEscaped[T []byte | string](dst []byte, text T) []byte {
	done := 0
	for i := 0; i < len(text); {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		dst = append(dst, text[done:i]...)
		n := 1
		if b < utf8.RuneSelf {
			dst = appendControl(dst, b)
		} else {
			var r rune
			r, n = utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
			dst = appendRune(dst, r)
		}
		i += n
		done = i
	}
	return append(dst, text[done:]...)
}

// appendControl appends the escape of a control character, quote or backslash.
func appendControl(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return fmt.Appendf(dst, "\\u%04x", b)
}

// appendRune appends the escape of a character outside ASCII.
func appendRune(dst []byte, r rune) []byte {
	if r < 1<<16 {
		return fmt.Appendf(dst, "\\u%04x", r)
	}
	high, low := utf16.EncodeRune(r)
	return fmt.Appendf(dst, "\\u%04x\\u%04x", high, low)
}
