package fmri

import (
	"log/slog"
	"slices"
	"strings"
)

// A Pattern selects FMRIs. It is what a user types to name packages:
//
//	ssh  network/ssh  pkg:/network/ssh  pkg://openindiana.org/network/ssh@9.*  */ssh*@latest
//
// It has a stem and, after the first "@", a version. A stem with "*" or "?" is
// shell-style and must match the whole name of a package, where "*" stands for any
// text, slashes included, and "?" for any character. A stem with one of the prefixes of
// an FMRI is the whole name. Another stem is the end of a name, from the beginning of a
// segment: "b/c" matches "b/c" and "a/b/c" but not "a/bb/c". A publisher in the prefix
// must be that of the package; wildcards mean nothing there.
//
// The version says what a version must have in the sense of [Auto]: "1.2" is matched
// by 1.2, 1.2.3 and 1.2-4 but not by 1.20. A number may be "*" and stands for any number,
// or if it is the last one of its sequence for any numbers or none: "1.*.3" is matched
// by 1.2.3.4, and "*-1.*" by 1.2-1. A part that is just "*" is matched even by an absent
// one. A timestamp with wildcards, or beside some, is shell-style. The build is ignored.
// No version at all, which may be written "ssh@", is matched by every version, and
// "latest" by the newest version of each package, over all publishers.
//
// The reference compares "1.*" literally, so that it matches nothing.
//
// Patterns compare with ==, which is identity of their canonical text. The
// zero Pattern is not valid and matches nothing.
type Pattern struct {
	publisher, stem string
	version         Version // as written: build may be absent and "*" a number
	mode            mode
}

// A mode is a set of properties of a pattern.
type mode uint8

const (
	exact    mode = 1 << iota // the stem is the whole name
	glob                      // the stem has wildcards
	latest                    // the version is "latest"
	wildcard                  // the version has wildcards
)

// ParsePattern parses a pattern, ignoring white space at its end. It does not
// allocate; the result refers to s. All errors are of type *[ParseError].
func ParsePattern(s string) (Pattern, error) {
	s = trimSpace(s)
	p, at, bad := parsePattern(s)
	if bad != nil {
		return Pattern{}, bad.in("pattern", s, at)
	}
	return p, nil
}

// parsePattern parses s. A fault lies in the part of s that begins at offset at.
func parsePattern(s string) (p Pattern, at int, bad *fault) {
	head, version, _ := strings.Cut(s, "@")
	prefix, bad := cutPrefix(head)
	if bad != nil {
		return p, 0, bad
	}
	p.publisher, p.stem = prefix.publisher, prefix.name
	if bad = p.setVersion(version); bad != nil {
		return p, len(head) + 1, bad
	}
	stemAt := len(head) - len(p.stem)
	if bad = p.setMode(prefix.anchored); bad != nil {
		return p, stemAt, bad
	}
	return p, stemAt - 1 - len(p.publisher), checkPatternPublisher(p.publisher)
}

// setMode finds out what kind of stem the pattern has, and checks it.
func (p *Pattern) setMode(anchored bool) *fault {
	if hasWildcard(p.stem) {
		p.mode |= glob
		return checkGlob(p.stem)
	}
	if anchored {
		p.mode |= exact
	}
	return checkName(p.stem)
}

// setVersion parses the part of a pattern behind the "@".
func (p *Pattern) setVersion(s string) (bad *fault) {
	switch {
	case s == "":
	case s == "latest":
		p.mode |= latest
	case hasWildcard(s):
		p.mode |= wildcard
		p.version, bad = splitVersion(s, true)
	default:
		p.version, bad = splitVersion(s, false)
	}
	return bad
}

func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// checkGlob checks a stem that has wildcards. Its segments may begin and end with
// anything, and be empty.
func checkGlob(stem string) *fault {
	for i := range len(stem) {
		if c := stem[i]; classes[c] == other && c != '/' && c != '*' && c != '?' {
			return &fault{BadName, i, "illegal character in pattern"}
		}
	}
	return nil
}

// checkPatternPublisher checks the publisher of a pattern, which may be empty. It is
// laxer than checkPublisher; the additional ones are those of no package.
func checkPatternPublisher(publisher string) *fault {
	for i := range len(publisher) {
		if c := publisher[i]; classes[c] != alnum && strings.IndexByte("-.:[]_*?", c) < 0 {
			return &fault{BadPublisher, i, "illegal character in publisher"}
		}
	}
	return nil
}

// ParsePatterns reads the operands of a command line. The first that is not a pattern
// ends it.
func ParsePatterns(texts ...string) ([]Pattern, error) {
	var all []Pattern
	for _, text := range texts {
		p, err := ParsePattern(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// MustParsePattern is like [ParsePattern] but panics if s is not a pattern.
// It is meant for constants and tests.
func MustParsePattern(s string) Pattern {
	p, err := ParsePattern(s)
	if err != nil {
		panic(err)
	}
	return p
}

// Exactly returns the pattern that is the canonical text of f: the whole name,
// the publisher if f has one, and what its version has in the sense of [Auto].
func Exactly(f FMRI) Pattern {
	if !f.IsValid() {
		return Pattern{}
	}
	return Pattern{f.publisher, f.name, f.version, exact}
}

// IsValid reports whether p is a pattern, that is, not the zero Pattern.
func (p Pattern) IsValid() bool { return p.stem != "" }

// Publisher returns the publisher that packages must have, which is empty if any
// will do.
func (p Pattern) Publisher() string { return p.publisher }

// Name returns the stem: a name, the end of one, or one with wildcards.
func (p Pattern) Name() string { return p.stem }

// IsExact reports whether the stem is a whole name, so that a lookup can stand for
// a search.
func (p Pattern) IsExact() bool { return p.mode&exact != 0 }

// IsGlob reports whether the stem has wildcards.
func (p Pattern) IsGlob() bool { return p.mode&glob != 0 }

// HasVersion reports whether some versions do not match.
func (p Pattern) HasVersion() bool { return p.version.IsValid() }

// IsLatest reports whether the version is "latest". Then all versions match, and
// whoever knows them keeps the newest of each package, as [Pattern.Select] does.
func (p Pattern) IsLatest() bool { return p.mode&latest != 0 }

// Matches reports whether publisher, name and version of f match, where "latest"
// matches every version.
func (p Pattern) Matches(f FMRI) bool {
	return (p.publisher == "" || p.publisher == f.publisher) &&
		p.MatchesName(f.name) && p.MatchesVersion(f.version)
}

// MatchesName reports whether the name of a package matches the stem.
func (p Pattern) MatchesName(name string) bool {
	switch {
	case !p.IsValid():
		return false
	case p.IsExact():
		return name == p.stem
	case p.IsGlob():
		return matchGlob(p.stem, name)
	}
	rest, ok := strings.CutSuffix(name, p.stem)
	return ok && (rest == "" || rest[len(rest)-1] == '/')
}

// MatchesVersion reports whether v matches the version of the pattern, where
// "latest" matches every version.
func (p Pattern) MatchesVersion(v Version) bool {
	switch {
	case !p.IsValid():
		return false
	case p.mode&wildcard == 0:
		return v.Succeeds(p.version, Auto)
	}
	return matchDots(p.version.Release(), v.Release()) && matchDots(p.version.Branch(), v.Branch()) &&
		(p.version.stamp == 0 || matchGlob(p.version.Timestamp(), v.Timestamp()))
}

// Select returns those of fmris that p matches, in their order. If p asks for the
// latest, these are the newest version of each name, more than one if several
// publishers have it.
func (p Pattern) Select(fmris []FMRI) []FMRI {
	var selected []FMRI
	newest := map[string]Version{}
	for _, f := range fmris {
		if !p.Matches(f) {
			continue
		}
		selected = append(selected, f)
		if f.version.Compare(newest[f.name]) > 0 {
			newest[f.name] = f.version
		}
	}
	if !p.IsLatest() {
		return selected
	}
	return slices.DeleteFunc(selected, func(f FMRI) bool {
		return f.version.Compare(newest[f.name]) < 0
	})
}

// matchDots reports whether the sequence d begins with the numbers of p, where "*" is
// any number, and the last "*" also any numbers or none. A missing p, or one that is
// just "*", is matched by everything.
func matchDots(p, d Dots) bool {
	for p != "" && p != "*" {
		var want, have string
		want, p = p.cut()
		have, d = d.cut()
		if have == "" || want != "*" && want != have {
			return false
		}
	}
	return true
}

// cut returns the first number of d and the sequence of the others.
func (d Dots) cut() (first string, rest Dots) {
	if i := strings.IndexByte(string(d), '.'); i >= 0 {
		return string(d[:i]), d[i+1:]
	}
	return string(d), ""
}

// matchGlob reports whether all of s matches p, in which "*" stands for any text and
// "?" for any byte.
func matchGlob(p, s string) bool {
	star, tail := -1, 0 // the last star in p, and where what follows it is tried in s
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, tail = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0: // let the star swallow one byte more
			tail++
			i, j = star+1, tail
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}

// String returns the canonical text: the stem, prefixed with "pkg://", publisher and "/" if
// there is a publisher, or with "pkg:/" if the stem is a whole name, and "@" and the
// version as it was written if there is one. [ParsePattern] reads it back.
func (p Pattern) String() string {
	b, _ := p.AppendText(nil)
	return string(b)
}

// AppendText appends the canonical text to b. The error is always nil.
func (p Pattern) AppendText(b []byte) ([]byte, error) {
	switch {
	case p.publisher != "" || strings.HasPrefix(p.stem, "/"):
		b = append(append(append(b, "pkg://"...), p.publisher...), '/')
	case p.IsExact():
		b = append(b, "pkg:/"...)
	}
	b = append(b, p.stem...)
	switch {
	case p.IsLatest():
		b = append(b, "@latest"...)
	case p.HasVersion():
		b = append(append(b, '@'), p.version.text...)
	}
	return b, nil
}

// MarshalText returns the canonical text. The error is always nil.
func (p Pattern) MarshalText() ([]byte, error) { return p.AppendText(nil) }

// UnmarshalText parses text as [ParsePattern] does. The empty text gives the zero
// Pattern.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*p = Pattern{}
		return nil
	}
	*p, err = ParsePattern(string(text))
	return err
}

// LogValue returns the canonical text for package slog.
func (p Pattern) LogValue() slog.Value { return slog.StringValue(p.String()) }
