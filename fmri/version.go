package fmri

import (
	"log/slog"
	"math"
	"strings"
	"time"
)

// impliedBuild is the build of a version that does not say.
const impliedBuild = "5.11"

// stampLayout is the form of a timestamp, for package time.
const stampLayout = "20060102T150405Z"

// A Version is release[,build][-branch][:timestamp], such as
// 0.5.11,5.11-2024.0.0.1:20240702T164744Z.
//
// The release is the version of the component, the build that of the operating
// system it was built for, the branch is the packager's, and the timestamp tells
// when the package was published. A missing build reads as 5.11 and is printed.
//
// Versions compare with ==, which is identity of their canonical text, and can be
// map keys. Compare is the order of pkg(7), which ignores the build: 1,5.11 and
// 1,5.12 compare as equal and are not ==. The zero Version is not valid; it
// stands for no version and comes before all others.
type Version struct {
	text string // canonical

	// Where the parts begin in text. The branch and the timestamp are absent if
	// 0. The build is always there, except in the version of a Pattern.
	build, branch, stamp uint16
}

// ParseVersion parses a version. If s is canonical, that is, has a build, it does
// not allocate and the result refers to s. All errors are of type *[ParseError].
func ParseVersion(s string) (Version, error) {
	v, f := parseVersion(s, impliedBuild)
	if f != nil {
		return Version{}, f.in("version", s, 0)
	}
	return v, nil
}

// MustParseVersion is like [ParseVersion] but panics if s is not a version.
// It is meant for constants and tests.
func MustParseVersion(s string) Version {
	v, err := ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

// parseVersion parses s, adding build to a version that has none.
func parseVersion(s, build string) (Version, *fault) {
	v, f := splitVersion(s, false)
	if f != nil || v.build != 0 {
		return v, f
	}
	if end, f := scanDots(build, 0, false); f != nil || end < len(build) {
		return v, &fault{BadVersion, 0, "implied build is not a dot sequence"}
	}
	if len(s)+len(",")+len(build) > math.MaxUint16 {
		return v, &fault{BadVersion, 0, tooLong}
	}
	return v.insertBuild(build), nil
}

const tooLong = "version is longer than 65535 bytes"

// splitVersion scans s and notes where its parts begin. A wild version is one of a
// pattern: it may have "*" for a number and any timestamp.
func splitVersion(s string, wild bool) (v Version, f *fault) {
	if s == "" {
		return v, &fault{BadVersion, 0, "empty version"}
	}
	if len(s) > math.MaxUint16 {
		return v, &fault{BadVersion, 0, tooLong}
	}
	v.text = s
	i, f := scanDots(s, 0, wild)
	if f == nil && i < len(s) && s[i] == ',' {
		v.build = uint16(i + 1)
		i, f = scanDots(s, i+1, wild)
	}
	if f == nil && i < len(s) && s[i] == '-' {
		v.branch = uint16(i + 1)
		i, f = scanDots(s, i+1, wild)
	}
	if f == nil && i < len(s) && s[i] == ':' {
		v.stamp = uint16(i + 1)
		i, f = scanStamp(s, i+1, wild)
	}
	if f == nil && i < len(s) {
		f = &fault{BadVersion, i, "unexpected character in version"}
	}
	return v, f
}

// insertBuild returns v, which has no build, with one.
func (v Version) insertBuild(build string) Version {
	n := len(v.text)
	if v.stamp != 0 {
		n = int(v.stamp) - 1
	}
	if v.branch != 0 {
		n = int(v.branch) - 1
	}
	v.text = v.text[:n] + "," + build + v.text[n:]
	v.build = uint16(n + 1)
	if v.branch != 0 {
		v.branch += uint16(1 + len(build))
	}
	if v.stamp != 0 {
		v.stamp += uint16(1 + len(build))
	}
	return v
}

// scanStamp returns the end of the timestamp that begins at s[i].
func scanStamp(s string, i int, wild bool) (end int, f *fault) {
	if wild {
		return scanWildStamp(s, i)
	}
	if n := stampPrefix(s[i:]); n < len(stampForm) {
		return i, &fault{BadVersion, i + n, "timestamp is not YYYYMMDDThhmmssZ"}
	}
	if !isDate(s[i:i+8]) || s[i+9:i+11] > "23" || s[i+11] > '5' || s[i+13] > '5' {
		return i, &fault{BadVersion, i, "timestamp is no date and time of the calendar"}
	}
	return i + len(stampForm), nil
}

// stampForm is the form of a timestamp; 0 is any digit.
const stampForm = "00000000T000000Z"

// stampPrefix returns how many bytes of s begin a text of the form of a timestamp.
func stampPrefix(s string) int {
	if len(s) >= len(stampForm) && s[8] == 'T' && s[15] == 'Z' &&
		areDigits(load(s[:8])) && areDigits(load(s[8:16])&0x00ffffffffffff00|'0'|'0'<<56) {
		return len(stampForm)
	}
	n := 0
	for n < min(len(s), len(stampForm)) && (s[n] == stampForm[n] || stampForm[n] == '0' && isDigit(s[n])) {
		n++
	}
	return n
}

// scanWildStamp is scanStamp for a pattern: any printable text but the marks of the
// parts before it. One that is no timestamp with or without wildcards just matches none.
func scanWildStamp(s string, start int) (end int, f *fault) {
	end = start
	for end < len(s) && '!' <= s[end] && s[end] <= '~' && s[end] != ',' && s[end] != '-' {
		end++
	}
	if end == start {
		return end, &fault{BadVersion, end, "timestamp expected"}
	}
	return end, nil
}

// isDate reports whether the eight digits YYYYMMDD name a day of the years 1 to 9999.
func isDate(s string) bool {
	year := int(s[0]-'0')*1000 + int(s[1]-'0')*100 + number(s[2:4])
	month, day := number(s[4:6]), number(s[6:8])
	switch {
	case year == 0 || month == 0 || month > 12 || day == 0:
		return false
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return day <= 29
	case month == 2:
		return day <= 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return day <= 30
	}
	return day <= 31
}

// number returns the value of two digits.
func number(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// IsValid reports whether v is a version, that is, not the zero Version.
func (v Version) IsValid() bool { return v.text != "" }

// Release returns the version of the component.
func (v Version) Release() Dots {
	if v.build != 0 {
		return Dots(v.text[:v.build-1])
	}
	return Dots(v.text[:v.buildEnd()])
}

// Build returns the version of the system that the package was built for.
func (v Version) Build() Dots { return Dots(v.text[v.build:v.buildEnd()]) }

// Branch returns the packager's version, which is empty if absent.
func (v Version) Branch() Dots {
	if v.branch == 0 {
		return ""
	}
	return Dots(v.text[v.branch:v.branchEnd()])
}

// Timestamp returns the time of publication as YYYYMMDDThhmmssZ, which is empty
// if absent.
func (v Version) Timestamp() string {
	if v.stamp == 0 {
		return ""
	}
	return v.text[v.stamp:]
}

// Time returns the time of publication in UTC, and whether the version has one.
func (v Version) Time() (t time.Time, ok bool) {
	t, err := time.Parse(stampLayout, v.Timestamp())
	return t, err == nil
}

// WithTime returns v with the time of publication t, in whole seconds of UTC. If v
// is the zero Version or the year of t is not one of 1 to 9999, the result is the
// zero Version.
func (v Version) WithTime(t time.Time) Version {
	t = t.UTC()
	if !v.IsValid() || t.Year() < 1 || t.Year() > 9999 {
		return Version{}
	}
	w, _ := parseVersion(v.text[:v.branchEnd()]+":"+t.Format(stampLayout), "")
	return w
}

// buildEnd returns the end of the build in text.
func (v Version) buildEnd() int {
	if v.branch != 0 {
		return int(v.branch) - 1
	}
	return v.branchEnd()
}

// branchEnd returns the end of the branch in text, or of the build if there is
// no branch.
func (v Version) branchEnd() int {
	if v.stamp != 0 {
		return int(v.stamp) - 1
	}
	return len(v.text)
}

// Compare orders versions as pkg(7) does: by release, then branch, then timestamp,
// an absent one first. The build is ignored. The zero Version comes first.
func (v Version) Compare(w Version) int {
	same := commonPrefix(v.text, w.text)
	if v.stamp != 0 && v.stamp == w.stamp && same >= int(v.stamp) {
		return strings.Compare(v.text[same:], w.text[same:])
	}
	if c := v.Release().compareFrom(w.Release(), same); c != 0 {
		return c
	}
	inBranch := max(0, same-int(v.branch)) // if the texts agree so far, both branches begin there
	if c := v.Branch().compareFrom(w.Branch(), inBranch); c != 0 {
		return c
	}
	return strings.Compare(v.Timestamp(), w.Timestamp())
}

// String returns the canonical text release,build[-branch][:timestamp].
func (v Version) String() string { return v.text }

// Short returns the text that is shown to people: release[-branch].
func (v Version) Short() string { return string(v.appendFormat(nil, Short)) }

// AppendText appends the canonical text to b. The error is always nil.
func (v Version) AppendText(b []byte) ([]byte, error) { return append(b, v.text...), nil }

// MarshalText returns the canonical text. The error is always nil.
func (v Version) MarshalText() ([]byte, error) { return v.AppendText(nil) }

// UnmarshalText parses text as [ParseVersion] does. The empty text gives the zero
// Version.
func (v *Version) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	*v, err = ParseVersion(string(text))
	return err
}

// LogValue returns the canonical text for package slog.
func (v Version) LogValue() slog.Value { return slog.StringValue(v.text) }
