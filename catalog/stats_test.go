package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/fmri"
)

// TestStats compares what Stats counts with the files, and what removing packages would save
// with what it saves.
func TestStats(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 2000})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Stats(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	text := files(t, c)
	var total int64
	for _, p := range s.Parts {
		if p.Bytes != int64(len(text[string(p.Part)])) {
			t.Errorf("%s has %d bytes, not %d", p.Part, len(text[string(p.Part)]), p.Bytes)
		}
		if n := strings.Count(text[string(p.Part)], `"version":`); n != p.Entries {
			t.Errorf("%s has %d entries, not %d", p.Part, n, p.Entries)
		}
		total += p.Bytes
	}
	var stems, entries int64
	for _, z := range s.Stems {
		stems += z.Bytes
	}
	for _, z := range s.Largest {
		entries += z.Bytes
	}
	if s.Bytes != total || stems != entries || len(s.Largest) != c.Len() || stems > total || stems < total*9/10 {
		t.Errorf("parts %d, said %d; stems %d, entries %d", total, s.Bytes, stems, entries)
	}
	if !slices.IsSortedFunc(s.Stems, func(a, b catalog.StemSize) int { return int(b.Bytes - a.Bytes) }) {
		t.Error("the largest stems do not come first")
	}
	top, err := c.Stats(3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(top.Stems, s.Stems[:3]) || !slices.Equal(top.Largest, s.Largest[:3]) || len(top.Actions) != 3 {
		t.Error("the three largest are not the first three")
	}
}

func TestRetention(t *testing.T) {
	const universe = `
entire@1
	incorporate inc@1
entire@2
	incorporate inc@2
inc@1
	incorporate a@1
inc@2
	incorporate a@2
	incorporate gone@1
a@1.0
a@1.1
a@2.0
a@2.1
a@3.0
gone@1.0:20100101T000000Z
gone@2.0:20150101T000000Z obsolete
back@1.0:20100101T000000Z obsolete
back@2.0:20150101T000000Z
late@1.0:20100101T000000Z
late@2.0:20250101T000000Z obsolete
any@1
	incorporate gone
	require late@1.0
	incorporate ring@1
ring@1
	incorporate any@1
`
	before := at("2020-01-01 00:00:00")
	entire, anyOne := []fmri.Pattern{fmri.MustParsePattern("entire")}, []fmri.Pattern{fmri.MustParsePattern("any")}
	tests := []struct {
		name string
		rule catalog.Retention
		want string // what goes
	}{
		{"zero", catalog.Retention{}, ""},
		{"newest", catalog.Retention{Newest: 1}, "a@1.0 a@1.1 a@2.0 a@2.1 back@1.0 entire@1 gone@1.0 inc@1 late@1.0"},
		{"newest two", catalog.Retention{Newest: 2}, "a@1.0 a@1.1 a@2.0"},
		{"obsolete", catalog.Retention{ObsoleteBefore: before}, "back@1.0 gone@1.0 gone@2.0"},
		{"incorporated", catalog.Retention{Newest: 1, Incorporations: entire}, "a@1.0 a@1.1 a@2.0 back@1.0 entire@1 inc@1 late@1.0"},
		{"incorporated by all", catalog.Retention{Newest: 1, Incorporations: entire, Keep: func(p catalog.Package) bool { return p.Name() == "entire" }},
			"a@1.0 a@2.0 back@1.0 late@1.0"},
		{"obsolete, but not earlier", catalog.Retention{ObsoleteBefore: at("2015-01-01 00:00:00")}, "back@1.0"},
		{"incorporated in any version", catalog.Retention{ObsoleteBefore: before, Incorporations: anyOne}, "back@1.0 gone@1.0"},
		{"required by what is kept", catalog.Retention{Newest: 1, Incorporations: anyOne}, "a@1.0 a@1.1 a@2.0 a@2.1 back@1.0 entire@1 gone@1.0 inc@1 late@1.0"},
		{"kept", catalog.Retention{Newest: 1, Keep: func(p catalog.Package) bool { return p.Name() != "a" }}, "a@1.0 a@1.1 a@2.0 a@2.1"},
	}
	c := catalogtest.MustParse(universe)
	for _, tt := range tests {
		thin, err := c.Thin(&tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range thin.Removed {
			name, _, _ := strings.Cut(strings.TrimPrefix(p.String(), "pkg://test/"), ",")
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		b := &catalog.Builder{Base: c}
		n, err := b.Thin(&tt.rule)
		if err != nil || n != len(names) {
			t.Errorf("%s: removed %d, error %v", tt.name, n, err)
		}
		out := build(t, b)
		if out.Len() != c.Len()-n {
			t.Errorf("%s: %d versions are left", tt.name, out.Len())
		}
		read(t, asFS(t, out), nil)
	}
}

// TestRetentionPublishers keeps what an incorporation names, whoever publishes it.
func TestRetentionPublishers(t *testing.T) {
	b := &catalog.Builder{Now: at("2020-01-01 00:00:00")}
	add(t, b, []string{"pkg://p/entire@1", "depend fmri=a@1 type=incorporate"},
		[]string{"pkg://p/a@1.0"}, []string{"pkg://p/a@1.1"}, []string{"pkg://p/a@2"}, []string{"pkg://q/a@1.0"}, []string{"pkg://q/a@1.2"}, []string{"pkg://q/a@3"})
	thin, err := build(t, b).Thin(&catalog.Retention{Newest: 1, Incorporations: []fmri.Pattern{fmri.MustParsePattern("entire")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(thin.Removed); got != "[pkg://p/a@1.0,5.11 pkg://q/a@1.0,5.11]" || thin.Actions != 0 {
		t.Errorf("removes %s, %d actions", got, thin.Actions)
	}
	if n, err := new(catalog.Builder).Thin(&catalog.Retention{Newest: 1}); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
}

// TestThinSaves compares the saving that is promised with that of the files.
func TestThinSaves(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 3000})
	if err != nil {
		t.Fatal(err)
	}
	rule := &catalog.Retention{Newest: 3}
	thin, err := c.Thin(rule)
	if err != nil {
		t.Fatal(err)
	}
	b := &catalog.Builder{Base: c}
	if _, err := b.Thin(rule); err != nil {
		t.Fatal(err)
	}
	size := func(c *catalog.Catalog) (n int64) {
		for name, text := range files(t, c) {
			if name != "catalog.attrs" {
				n += int64(len(text))
			}
		}
		return n
	}
	thinner := build(t, b)
	before, after := size(c), size(thinner)
	actions := func(c *catalog.Catalog) (n int) {
		for p := range c.All() {
			for _, part := range c.Parts() {
				for range p.Texts(part) {
					n++
				}
			}
		}
		return n
	}
	if want := actions(c) - actions(thinner); thin.Actions != want {
		t.Errorf("promised %d actions, saved %d", thin.Actions, want)
	}
	// A comma may be counted too much for each stem and part.
	if diff := thin.Bytes - (before - after); diff < -100 || diff > 3*int64(c.Len()) {
		t.Errorf("promised %d, saved %d", thin.Bytes, before-after)
	}
}

func TestV0(t *testing.T) {
	const text = "S Last-Modified: 2026-11-20T12:02:19.809448+00:00\nS prefix: CRSV\nS npkgs: 3\n" +
		"V pkg:/app/hello@1.0,5.11-2024.0.0.0:20261120T120218Z\nC pkg app/hello 1.1,5.11-1\nR old new\nX y\n\nV pkg://q/x@1\n"
	c, err := catalog.ParseV0(strings.NewReader(text), "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pkg://p/app/hello@1.0,5.11-2024.0.0.0:20261120T120218Z", "pkg://p/app/hello@1.1,5.11-1", "pkg://q/x@1,5.11"}
	if got := fmris(c); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if !c.Modified().Equal(at("2026-11-20 12:02:19.809448")) || !c.Created().IsZero() {
		t.Errorf("created %s, modified %s", c.Created(), c.Modified())
	}
	if got := files(t, c)["catalog.attrs"]; !strings.Contains(got, `"created":null`) || !strings.Contains(got, `"version":0`) {
		t.Errorf("attributes %s", got)
	}
	same(t, c, read(t, asFS(t, c), nil))
	attrs, list, _ := strings.Cut(text, "V ")
	d, err := catalog.ReadV0(files2fs(map[string]string{"attrs": attrs, "catalog": "V " + list}), "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, d)
	for text, want := range map[string]string{
		"S npkgs: 1\n": "npkgs is 1, but there are 0", "S npkgs: x\n": "not a count", "V x\n": "without a version",
		"V pkg:/a@1\nV pkg:/a@1\n": "exist", "S Last-Modified: never\n": "invalid time", "V pkg:/a@01\n": "offset",
	} {
		_, err := catalog.ParseV0(strings.NewReader(text), "p", nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v", text, err)
			continue
		}
		checkParsed(t, []byte(text), err)
	}
}
