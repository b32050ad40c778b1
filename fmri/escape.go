package fmri

import (
	"strconv"
	"strings"
)

// Names and versions become names of files and elements of URL paths, where "/"
// would separate and ":" or "," may not be welcome. So every byte that is not
// unreserved in RFC 3986 is written as a percent sign and two upper-case hex
// digits. The result is one path element on every system, and each text has
// exactly one escaped form.

const upperHex = "0123456789ABCDEF"

// unreserved reports whether c stands for itself in escaped text.
func unreserved(c byte) bool {
	return classes[c] == alnum || c == '_' || c == '.' || c == '-' || c == '~'
}

// Escape returns s, a name or a version, as one element of a path or URL:
// "web/server" becomes "web%2Fserver". If there is nothing to escape, it returns
// s itself.
func Escape(s string) string {
	n := 0
	for i := range len(s) {
		if !unreserved(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}

// Unescape reverses [Escape]. It also accepts lower-case hex digits and reserved
// characters that stand for themselves, as other programs' URLs may have them. Errors
// are of type *[ParseError].
func Unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		c, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
		if err != nil || len(s) < i+3 {
			f := fault{BadSyntax, i, "percent sign without two hex digits"}
			return "", f.in("escaped text", s, 0)
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

// DirPath returns the path at which a repository keeps the manifest of f below
// its directory of manifests: the escaped name, a slash, and the escaped version.
// It has no publisher. The error is [ErrNoVersion] if f has no version.
func (f FMRI) DirPath() (string, error) { return f.path("/") }

// URLPath returns the path element that names f in a URL: the escaped name, "@",
// and the escaped version. It has no publisher. The error is [ErrNoVersion] if f
// has no version.
func (f FMRI) URLPath() (string, error) { return f.path("@") }

func (f FMRI) path(separator string) (string, error) {
	if !f.version.IsValid() {
		return "", ErrNoVersion
	}
	return Escape(f.name) + separator + Escape(f.version.text), nil
}

// ParsePath returns the FMRI of the given publisher, which may be empty, that the
// output of [FMRI.DirPath] or [FMRI.URLPath] names. Path elements in other
// than canonical form, such as "%61" or a version without a build, are read too.
func ParsePath(publisher, path string) (FMRI, error) {
	i := strings.IndexAny(path, "/@")
	if i < 0 {
		return FMRI{}, ErrNoVersion
	}
	name, err := Unescape(path[:i])
	if err != nil {
		return FMRI{}, err
	}
	text, err := Unescape(path[i+1:])
	if err != nil {
		return FMRI{}, err
	}
	v, err := ParseVersion(text)
	if err != nil {
		return FMRI{}, err
	}
	return New(publisher, name, v)
}
