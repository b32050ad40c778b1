package fmri

import (
	"log/slog"
	"strings"
)

// An FMRI (fault management resource identifier) names one package, or one version
// of a package, of a publisher or of no particular one.
//
// FMRIs compare with ==, which is identity of their canonical text, and can be
// map keys. Compare is the order of pkg(7), which ignores the build of versions.
// An FMRI is immutable. The zero FMRI is not valid and names nothing.
type FMRI struct {
	publisher, name string
	version         Version
}

// Parse parses an FMRI, ignoring white space at its end. If the version of s has a
// build, or s has no version, Parse does not allocate; the result refers to s. All
// errors are of type *[ParseError].
func Parse(s string) (FMRI, error) { return ParseBuild(s, impliedBuild) }

// ParseBuild is like [Parse] with another build than 5.11 for a version that has
// none. Publishing tools give the version of the system they run on.
func ParseBuild(s string, build Dots) (FMRI, error) {
	s = trimSpace(s)
	var f FMRI
	if at, bad := f.parse(s, string(build)); bad != nil {
		return FMRI{}, bad.in("FMRI", s, at)
	}
	return f, nil
}

// parse parses s into f. A fault lies in the part of s that begins at offset at.
//
// The order of the checks decides which error is reported where there are
// several, and is that of the reference: version before name.
func (f *FMRI) parse(s, build string) (at int, bad *fault) {
	at = lastAt(s)
	head := s
	if at >= 0 {
		head = s[:at]
	}
	p, bad := cutPrefix(head)
	if bad != nil {
		return 0, bad
	}
	if at >= 0 {
		if f.version, bad = parseVersion(s[at+1:], build); bad != nil {
			return at + 1, bad
		}
	}
	f.publisher, f.name = p.publisher, p.name
	if bad = checkName(f.name); bad != nil {
		return len(head) - len(f.name), bad
	}
	if bad = checkOldPublisher(f.publisher); bad != nil {
		return len(head) - len(f.name) - 1 - len(f.publisher), bad
	}
	return 0, nil
}

// A prefixed is what stands before the "@" of an FMRI or a pattern, unchecked.
type prefixed struct {
	publisher, name string
	anchored        bool // there was a prefix
}

// cutPrefix separates the prefix and the publisher of head from its name.
func cutPrefix(head string) (prefixed, *fault) {
	rest := strings.TrimPrefix(head, "pkg:")
	if !strings.HasPrefix(rest, "/") {
		return prefixed{name: head}, nil // a scheme without a slash spoils the name
	}
	rest, ok := strings.CutPrefix(rest[1:], "/")
	if !ok {
		return prefixed{name: rest, anchored: true}, nil
	}
	publisher, name, ok := strings.Cut(rest, "/")
	if !ok {
		return prefixed{}, &fault{BadSyntax, len(head), "missing / after publisher"}
	}
	return prefixed{publisher, name, true}, nil
}

// lastAt returns the index of the last "@" in s, or -1. There is rarely a second one.
func lastAt(s string) int {
	i := strings.IndexByte(s, '@')
	if i >= 0 && strings.IndexByte(s[i+1:], '@') >= 0 {
		i = strings.LastIndexByte(s, '@')
	}
	return i
}

// trimSpace removes white space of ASCII from the end of s.
func trimSpace(s string) string {
	end := len(s)
	for end > 0 && (s[end-1] == ' ' || '\t' <= s[end-1] && s[end-1] <= '\r') {
		end--
	}
	return s[:end]
}

// MustParse is like [Parse] but panics if s is not an FMRI.
// It is meant for constants and tests.
func MustParse(s string) FMRI {
	f, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return f
}

// New returns the FMRI with the given parts. The publisher may be empty for none,
// and v may be the zero Version for none. Errors are of type *[ParseError].
func New(publisher, name string, v Version) (FMRI, error) {
	if publisher != "" {
		if err := CheckPublisher(publisher); err != nil {
			return FMRI{}, err
		}
	}
	if err := CheckName(name); err != nil {
		return FMRI{}, err
	}
	return FMRI{publisher, name, v}, nil
}

// IsValid reports whether f names something, that is, is not the zero FMRI.
func (f FMRI) IsValid() bool { return f.name != "" }

// Publisher returns the publisher, which is empty for no particular one.
func (f FMRI) Publisher() string { return f.publisher }

// Name returns the name of the package, such as "system/library".
func (f FMRI) Name() string { return f.name }

// Version returns the version, which is the zero Version for none.
func (f FMRI) Version() Version { return f.version }

// Stem returns f without a version.
func (f FMRI) Stem() FMRI {
	f.version = Version{}
	return f
}

// WithPublisher returns f with the given publisher, or with none if it is empty. If f
// is the zero FMRI or [CheckPublisher] refuses the publisher, so that there is no
// such FMRI, the result is the zero FMRI.
func (f FMRI) WithPublisher(publisher string) FMRI {
	if !f.IsValid() || publisher != "" && checkPublisher(publisher) != nil {
		return FMRI{}
	}
	f.publisher = publisher
	return f
}

// WithVersion returns f with the given version, or with none if it is the zero
// Version. If f is the zero FMRI, so is the result.
func (f FMRI) WithVersion(v Version) FMRI {
	if !f.IsValid() {
		return FMRI{}
	}
	f.version = v
	return f
}

// Compare orders FMRIs as pkg(7) does: by publisher and name, bytewise, and by
// version (see [Version.Compare]), where an absent part comes first.
func (f FMRI) Compare(g FMRI) int {
	if c := strings.Compare(f.publisher, g.publisher); c != 0 {
		return c
	}
	if c := strings.Compare(f.name, g.name); c != 0 {
		return c
	}
	return f.version.Compare(g.version)
}

// Succeeds reports whether f may stand where at least g is asked for: it has the
// same name, and its version is not older. Publishers do not matter.
func (f FMRI) Succeeds(g FMRI) bool {
	return f.name == g.name && f.version.Compare(g.version) >= 0
}

// AppendText appends the canonical text to b. The error is always nil.
func (f FMRI) AppendText(b []byte) ([]byte, error) { return f.AppendFormat(b, Canonical), nil }

// MarshalText returns the canonical text. The error is always nil.
func (f FMRI) MarshalText() ([]byte, error) { return f.AppendText(nil) }

// UnmarshalText parses text as [Parse] does. The empty text gives the zero FMRI.
func (f *FMRI) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*f = FMRI{}
		return nil
	}
	*f, err = Parse(string(text))
	return err
}

// LogValue returns the canonical text for package slog.
func (f FMRI) LogValue() slog.Value { return slog.StringValue(f.String()) }
