package search

import (
	"bytes"
	"strconv"
	"strings"
)

// Dictionary is the file without which there is no index: it goes first and comes last.
const Dictionary = "main_dict.ascii.v2"

// The files of an index. Besides, there is one named atPrefix and a kind, and one
// named stPrefix and a key, for each of those that occur.
const (
	dictName    = Dictionary
	tokensName  = "token_byte_offset.v1"
	packsName   = "manf_list.v1"
	fullName    = "full_fmri_list"
	offsetsName = "fmri_offsets.v1"
	addName     = "fast_add.v1"
	removeName  = "fast_remove.v1"
	hashName    = "full_fmri_list.hash" // in images

	atPrefix = "__at_"
	stPrefix = "__st_"
)

// versioned lists the files that every index has, all with the same version in
// their first line.
var versioned = [...]string{dictName, tokensName, packsName, fullName, offsetsName, addName, removeName}

const versionHead = "VERSION: "

// header returns the first line of a file.
func header(version int) string { return versionHead + strconv.Itoa(version) + "\n" }

// parseHeader reads the version in the first line of text.
func parseHeader(text []byte) (version, size int, ok bool) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 || !bytes.HasPrefix(text, []byte(versionHead)) {
		return 0, 0, false
	}
	n, err := strconv.ParseInt(string(text[len(versionHead):end]), 10, 32)
	return int(n), end + 1, err == nil && n >= 0
}

const upperHex = "0123456789ABCDEF"

// plain marks the bytes that stand for themselves in the dictionary. Unlike a
// path element, of which fmri.Escape makes one, this has slashes.
var plain = func() (set [256]bool) {
	const others = "_.-~/"
	for c := range set {
		set[c] = c-'0' < 10 && c >= '0' || c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80 || strings.IndexByte(others, byte(c)) >= 0
	}
	return set
}()

// appendEscaped appends s with all but plain bytes percent-encoded.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; plain[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// Escape returns s as the dictionary and the search protocol have it: all bytes
// but letters, digits and "_.-~/" percent-encoded.
func Escape(s string) string {
	return string(appendEscaped(make([]byte, 0, len(s)+8), s))
}

// appendUnescaped appends s without percent-encoding. A percent sign that begins
// no code stands for itself.
func appendUnescaped(b, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if hi, lo := hexValue(s[i+1]), hexValue(s[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		b = append(b, c)
	}
	return b
}

// unescape returns s without percent-encoding.
func unescape(s []byte) []byte {
	if bytes.IndexByte(s, '%') < 0 {
		return s
	}
	return appendUnescaped(make([]byte, 0, len(s)), s)
}

// hexValue returns the value of a hexadecimal digit, -1 if c is none.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// separators are the bytes that a line of the dictionary is divided by. The name
// of a set action may have them where the reference does not foresee it; there
// they are percent-encoded, which changes no other name.
const separators = " !@#,%/\n"

// appendKey appends a key as it stands in the dictionary and in names of files.
func appendKey(b []byte, key string) []byte {
	if !strings.ContainsAny(key, separators) {
		return append(b, key...)
	}
	for i := range len(key) {
		if c := key[i]; strings.IndexByte(separators, c) < 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// appendGroup appends the part of a dictionary line that says where a token is
// from: kind!key@value.
func appendGroup(b []byte, kind string, t *Token) []byte {
	b = append(append(b, kind...), '!')
	b = append(appendKey(b, t.Key), '@')
	return appendEscaped(b, t.Value)
}
