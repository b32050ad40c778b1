package fmri_test

import (
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
)

// TestPatternText pins the canonical text, which is what == compares.
func TestPatternText(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"ssh", "ssh"},
		{"ssh@ ", "ssh"},
		{"/network/ssh", "pkg:/network/ssh"},
		{"pkg:///ssh", "pkg:/ssh"},
		{"//p/ssh@1", "pkg://p/ssh@1"},
		{"pkg:/ssh*", "ssh*"},
		{"//p/*@latest", "pkg://p/*@latest"},
		{"pkg:////*", "pkg:////*"},
		{"a//*b-", "a//*b-"},
		{"ssh@1.*.3,*-*:2024*", "ssh@1.*.3,*-*:2024*"},
		{"ssh@*:no(time)@all:!", "ssh@*:no(time)@all:!"},
	} {
		p, err := fmri.ParsePattern(test.in)
		if err != nil || p.String() != test.want {
			t.Errorf("ParsePattern(%q) = %q, %v; want %q", test.in, p, err, test.want)
			continue
		}
		if q, err := fmri.ParsePattern(test.want); err != nil || q != p {
			t.Errorf("%q reads back as %#v, %v; want %#v", test.want, q, err, p)
		}
	}
}

func TestPatternParts(t *testing.T) {
	type parts struct {
		publisher, name            string
		exact, glob, latest, bound bool
	}
	for in, want := range map[string]parts{
		"b/c":            {name: "b/c"},
		"b/c@latest":     {name: "b/c", latest: true},
		"pkg:/b/c@1":     {name: "b/c", exact: true, bound: true},
		"//p/c":          {name: "c", publisher: "p", exact: true},
		"//p/?@*-1":      {name: "?", publisher: "p", glob: true, bound: true},
		"pkg:/*/c@1.2-*": {name: "*/c", glob: true, bound: true},
	} {
		p := fmri.MustParsePattern(in)
		got := parts{p.Publisher(), p.Name(), p.IsExact(), p.IsGlob(), p.IsLatest(), p.HasVersion()}
		if got != want {
			t.Errorf("%s: %+v; want %+v", in, got, want)
		}
	}
}

func TestPatternError(t *testing.T) {
	for _, test := range []struct {
		in     string
		kind   fmri.ErrorKind
		offset int
	}{
		{"", fmri.BadSyntax, 0},
		{"@1", fmri.BadSyntax, 0},
		{"//p", fmri.BadSyntax, 3},
		{"//p/@latest", fmri.BadSyntax, 4},
		{"[ab]", fmri.BadName, 0},
		{"pkg:/a[b]*", fmri.BadName, 6},
		{"a//b", fmri.BadName, 2},
		{"a@b@*", fmri.BadVersion, 2},
		{"a@1.2*", fmri.BadVersion, 5},
		{"a@1.?", fmri.BadVersion, 4},
		{"a@-*", fmri.BadVersion, 2},
		{"a@*:", fmri.BadVersion, 4},
		{"a@*:\xff", fmri.BadVersion, 4},
		{"a@*:2024 07", fmri.BadVersion, 8},
		{"a@*:2024-07", fmri.BadVersion, 8},
		{"a@*:2024,07", fmri.BadVersion, 8},
		{"a@latest-1", fmri.BadVersion, 2},
		{"a@*,", fmri.BadVersion, 4},
		{"//p q/*", fmri.BadPublisher, 3},
	} {
		_, err := fmri.ParsePattern(test.in)
		e, ok := err.(*fmri.ParseError)
		if !ok || e.Kind != test.kind || e.Offset != test.offset || e.What != "pattern" {
			t.Errorf("ParsePattern(%q): %#v; want %v at %d", test.in, err, test.kind, test.offset)
		}
	}
}

// TestPatternVersions pins what wildcards in versions mean; the vectors have more of
// the rest.
func TestPatternVersions(t *testing.T) {
	for _, test := range []struct {
		pattern, version string
		want             bool
	}{
		{"1.*", "1", true}, {"1.*", "1.2.3-4", true}, {"1.*", "10", false}, {"1.*", "2.1", false},
		{"*.2", "1.2.3", true}, {"*.2", "1", false}, {"*.*", "1", true},
		{"1.*.3", "1.2.3.4", true}, {"1.*.3", "1.2", false}, {"1.*.*.4", "1.2.3.4", true}, {"1.*.*.4", "1.2.4", false},
		{"*-*", "1", true}, {"*-*.1", "1", false}, {"*-4.*", "1", false}, {"*-4.*", "1-4", true},
		{"*,5.12", "1,5.11", true}, {"*,*.9", "1", true},
		{"*:*", "1", true}, {"*:2024*", "1:20240702T164744Z", true}, {"*:2024*", "1:20230702T164744Z", false},
		{"*:2024*", "1", false}, {"*:????07*", "1:20240702T164744Z", true}, {"*:bogus", "1:20240702T164744Z", false},
		{"1.*:20240702T164744Z", "1.5:20240702T164744Z", true},
	} {
		p := fmri.MustParsePattern("a@" + test.pattern)
		if got := p.MatchesVersion(fmri.MustParseVersion(test.version)); got != test.want {
			t.Errorf("%s matches %s: %t", test.pattern, test.version, got)
		}
	}
}

// TestGlobBacktracking: a pattern made to try every way of spreading its stars
// ends; trying them all would not.
func TestGlobBacktracking(t *testing.T) {
	p := fmri.MustParsePattern(strings.Repeat("*a", 1000) + "*b")
	if p.MatchesName(strings.Repeat("a", 10000)) {
		t.Error("match")
	}
}

func TestSelectLatest(t *testing.T) {
	var list []fmri.FMRI
	for _, s := range []string{"//p/a@1", "//p/a@2", "//q/a@2,5.12", "//q/a@1.9", "//p/x/a@1", "//p/b"} {
		list = append(list, fmri.MustParse(s))
	}
	var got []string
	for _, f := range fmri.MustParsePattern("*@latest").Select(list) {
		got = append(got, f.Format(fmri.OmitScheme|fmri.OmitBuild))
	}
	if s := strings.Join(got, " "); s != "p/a@2 q/a@2 p/x/a@1 p/b" {
		t.Error(s)
	}
}
