package fmri_test

import (
	"cmp"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goips/ips/fmri"
)

// This file has a second implementation of the package, which is slow and obvious:
// regular expressions, big numbers, package time. The fuzz targets compare the
// two.

var (
	slowName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]*(/[A-Za-z0-9][A-Za-z0-9_.+-]*)*$`)
	slowPublisher = regexp.MustCompile(`^(_PRE_)?([A-Za-z0-9-][A-Za-z0-9.-]*|\[[0-9a-fA-F:.]+\])$`)
	slowDots      = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$`)
	slowWildDots  = regexp.MustCompile(`^(\*|0|[1-9][0-9]*)(\.(\*|0|[1-9][0-9]*))*$`)
	slowStamp     = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z$`)
	slowLaxPub    = regexp.MustCompile(`^[A-Za-z0-9.:\[\]_*?-]*$`)
	slowLaxStamp  = regexp.MustCompile(`^[!-+./-~]*$`)
	slowGlob      = regexp.MustCompile(`^[A-Za-z0-9_.+*?/-]+$`)
)

// A slowVersion has the parts of a version as text. Absent ones are empty.
type slowVersion struct {
	release, build, branch, stamp string
}

// slowSplit cuts a version at the first ":", the first "-" before it and the first ","
// before that. It reports false if a part is present and empty, or too long.
func slowSplit(s string) (v slowVersion, ok bool) {
	var colon, dash, comma bool
	v.release, v.stamp, colon = strings.Cut(s, ":")
	v.release, v.branch, dash = strings.Cut(v.release, "-")
	v.release, v.build, comma = strings.Cut(v.release, ",")
	empty := v.release == "" || comma && v.build == "" || dash && v.branch == "" || colon && v.stamp == ""
	return v, !empty && len(s) <= 65535
}

// slowParseVersion parses a version and gives it a build.
func slowParseVersion(s, build string) (v slowVersion, ok bool) {
	v, ok = slowSplit(s)
	if v.build == "" {
		v.build = build
	}
	return v, ok && v.valid() && slowDots.MatchString(v.build) && len(v.String()) <= 65535
}

// valid reports whether the parts that v has are what they should be.
func (v slowVersion) valid() bool {
	return slowDots.MatchString(v.release) && (v.build == "" || slowDots.MatchString(v.build)) &&
		(v.branch == "" || slowDots.MatchString(v.branch)) && (v.stamp == "" || slowTime(v.stamp))
}

// slowTime reports whether s is a timestamp.
func slowTime(s string) bool {
	t, err := time.Parse("20060102T150405Z", s)
	return err == nil && slowStamp.MatchString(s) && t.Year() > 0
}

func (v slowVersion) String() string {
	s := v.release
	for _, part := range []struct{ mark, text string }{{",", v.build}, {"-", v.branch}, {":", v.stamp}} {
		if part.text != "" {
			s += part.mark + part.text
		}
	}
	return s
}

// numbers returns the numbers of a dot sequence.
func numbers(dots string) (list []*big.Int) {
	if dots == "" {
		return nil
	}
	for number := range strings.SplitSeq(dots, ".") {
		n, _ := new(big.Int).SetString(number, 10)
		list = append(list, n)
	}
	return list
}

func slowCompareDots(d, e string) int {
	return slices.CompareFunc(numbers(d), numbers(e), (*big.Int).Cmp)
}

func slowCompare(v, w slowVersion) int {
	return cmp.Or(
		slowCompareDots(v.release, w.release),
		slowCompareDots(v.branch, w.branch),
		strings.Compare(v.stamp, w.stamp))
}

// slowPrefix reports whether d begins with the numbers of p.
func slowPrefix(d, p string) bool {
	dn, pn := numbers(d), numbers(p)
	return len(dn) >= len(pn) && slowCompareNumbers(dn[:len(pn)], pn) == 0
}

func slowCompareNumbers(d, e []*big.Int) int { return slices.CompareFunc(d, e, (*big.Int).Cmp) }

// slowAgree reports whether d and e have n numbers and agree in them.
func slowAgree(d, e string, n int) bool {
	dn, en := numbers(d), numbers(e)
	return len(dn) >= n && len(en) >= n && slowCompareNumbers(dn[:n], en[:n]) == 0
}

func slowSucceeds(v, w slowVersion, c fmri.Constraint) bool {
	switch c {
	case fmri.None:
		return slowCompare(v, w) > 0
	case fmri.Auto:
		return slowPrefix(v.release, w.release) && slowPrefix(v.branch, w.branch) && (w.stamp == "" || v.stamp == w.stamp)
	case fmri.Release:
		return slowPrefix(v.release, w.release)
	case fmri.ReleaseMajor:
		return slowAgree(v.release, w.release, 1)
	case fmri.ReleaseMinor:
		return slowAgree(v.release, w.release, 2)
	case fmri.Branch:
		return w.branch != "" && slowPrefix(v.branch, w.branch)
	case fmri.BranchMajor:
		return slowAgree(v.branch, w.branch, 1)
	case fmri.BranchMinor:
		return slowAgree(v.branch, w.branch, 2)
	}
	return false
}

// A slowFMRI has the parts of an FMRI as text.
type slowFMRI struct {
	publisher, name string
	version         slowVersion
}

// slowParse parses an FMRI in the order in which the reference does. The kind is 0 if
// there is no error.
func slowParse(s string) (f slowFMRI, kind fmri.ErrorKind) {
	s = strings.TrimRight(s, " \t\n\v\f\r")
	head, version := s, ""
	at := strings.LastIndex(s, "@")
	if at >= 0 {
		head, version = s[:at], s[at+1:]
	}
	publisher, name, _, ok := slowPrefixed(head)
	if !ok {
		return f, fmri.BadSyntax
	}
	f = slowFMRI{publisher: publisher, name: name}
	if at >= 0 {
		if f.version, ok = slowParseVersion(version, "5.11"); !ok {
			return f, fmri.BadVersion
		}
	}
	switch {
	case name == "":
		return f, fmri.BadSyntax
	case !slowName.MatchString(name):
		return f, fmri.BadName
	case publisher != "" && !slowPublisher.MatchString(publisher):
		return f, fmri.BadPublisher
	}
	return f, 0
}

// slowPrefixed tries the prefixes one after the other.
func slowPrefixed(head string) (publisher, name string, anchored, ok bool) {
	for _, prefix := range []string{"pkg://", "pkg:/", "//", "/"} {
		rest, found := strings.CutPrefix(head, prefix)
		if !found {
			continue
		}
		if !strings.HasSuffix(prefix, "//") {
			return "", rest, true, true
		}
		publisher, name, ok = strings.Cut(rest, "/")
		return publisher, name, true, ok
	}
	return "", head, false, true
}

func (f slowFMRI) String() string {
	s := "pkg:/" + f.name
	if f.publisher != "" && !strings.HasPrefix(f.publisher, "_PRE") {
		s = "pkg://" + f.publisher + "/" + f.name
	}
	if f.version.release != "" {
		s += "@" + f.version.String()
	}
	return s
}

func (f slowFMRI) compare(g slowFMRI) int {
	return cmp.Or(strings.Compare(f.publisher, g.publisher), strings.Compare(f.name, g.name), slowCompare(f.version, g.version))
}

// A slowPattern has the parts of a pattern as text.
type slowPattern struct {
	publisher, stem string
	anchored        bool
	version         string
	parts           slowVersion
}

func slowParsePattern(s string) (p slowPattern, ok bool) {
	s = strings.TrimRight(s, " \t\n\v\f\r")
	head, version, _ := strings.Cut(s, "@")
	if p.publisher, p.stem, p.anchored, ok = slowPrefixed(head); !ok {
		return p, false
	}
	expr := slowName
	if strings.ContainsAny(p.stem, "*?") {
		expr = slowGlob
	}
	if !expr.MatchString(p.stem) || !slowLaxPub.MatchString(p.publisher) {
		return p, false
	}
	p.version = version
	switch {
	case version == "" || version == "latest":
		return p, true
	case !strings.ContainsAny(version, "*?"):
		p.parts, ok = slowSplit(version)
		return p, ok && p.parts.valid()
	}
	p.parts, ok = slowSplit(version)
	return p, ok && slowWildDots.MatchString(p.parts.release) && slowLaxStamp.MatchString(p.parts.stamp) &&
		(p.parts.build == "" || slowWildDots.MatchString(p.parts.build)) &&
		(p.parts.branch == "" || slowWildDots.MatchString(p.parts.branch))
}

// matches reports whether p matches f; "latest" matches all versions.
func (p slowPattern) matches(f slowFMRI) bool {
	if p.publisher != "" && p.publisher != f.publisher {
		return false
	}
	switch {
	case strings.ContainsAny(p.stem, "*?"):
		if !slowShell(p.stem, f.name) {
			return false
		}
	case p.anchored && p.stem != f.name:
		return false
	case !strings.HasSuffix("/"+f.name, "/"+p.stem):
		return false
	}
	if p.version == "" || p.version == "latest" {
		return true
	}
	if !strings.ContainsAny(p.version, "*?") {
		return slowSucceeds(f.version, p.parts, fmri.Auto)
	}
	return slowWildMatch(p.parts.release, f.version.release) && slowWildMatch(p.parts.branch, f.version.branch) &&
		(p.parts.stamp == "" || slowShell(p.parts.stamp, f.version.stamp))
}

// slowWildMatch matches a dot sequence, each number with a dot behind it, against an
// expression: "*" in the middle is a number, at the end any numbers.
func slowWildMatch(p, dots string) bool {
	if p == "" || p == "*" {
		return true
	}
	expr := regexp.QuoteMeta(p + ".")
	if stem, ok := strings.CutSuffix(p, ".*"); ok {
		expr = regexp.QuoteMeta(stem + ".")
	}
	expr = strings.ReplaceAll(expr, `\*`, `[0-9]+`)
	return regexp.MustCompile(`^` + expr).MatchString(dots + ".")
}

// slowShell matches all of s against a shell-style pattern.
func slowShell(p, s string) bool {
	expr := strings.NewReplacer(`\*`, `(?s:.*)`, `\?`, `(?s:.)`).Replace(regexp.QuoteMeta(p))
	return regexp.MustCompile(`^` + expr + `$`).MatchString(s)
}
