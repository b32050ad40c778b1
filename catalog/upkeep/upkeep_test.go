package upkeep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/stretchr/testify/require"
)

// TestStats compares what Stats counts with the files, and what removing packages would save
// with what it saves.
func TestStats(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 2000})
	if err != nil {
		t.Fatal(err)
	}
	s, err := upkeep.Measure(c, 1<<20)
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
	if !slices.IsSortedFunc(s.Stems, func(a, b upkeep.StemSize) int { return int(b.Bytes - a.Bytes) }) {
		t.Error("the largest stems do not come first")
	}
	top, err := upkeep.Measure(c, 3)
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
	before := day(2020)
	entire, anyOne := []fmri.Pattern{fmri.MustParsePattern("entire")}, []fmri.Pattern{fmri.MustParsePattern("any")}
	tests := []struct {
		name string
		rule upkeep.Retention
		want string // what goes
	}{
		{"zero", upkeep.Retention{}, ""},
		{"newest", upkeep.Retention{Newest: 1}, "a@1.0 a@1.1 a@2.0 a@2.1 back@1.0 entire@1 gone@1.0 inc@1 late@1.0"},
		{"newest two", upkeep.Retention{Newest: 2}, "a@1.0 a@1.1 a@2.0"},
		{"obsolete", upkeep.Retention{ObsoleteBefore: before}, "back@1.0 gone@1.0 gone@2.0"},
		{"incorporated", upkeep.Retention{Newest: 1, Incorporations: entire}, "a@1.0 a@1.1 a@2.0 back@1.0 entire@1 inc@1 late@1.0"},
		{"incorporated by all", upkeep.Retention{Newest: 1, Incorporations: entire, Keep: func(p catalog.Package) bool { return p.Name() == "entire" }},
			"a@1.0 a@2.0 back@1.0 late@1.0"},
		{"obsolete, but not earlier", upkeep.Retention{ObsoleteBefore: day(2015)}, "back@1.0"},
		{"incorporated in any version", upkeep.Retention{ObsoleteBefore: before, Incorporations: anyOne}, "back@1.0 gone@1.0"},
		{"required by what is kept", upkeep.Retention{Newest: 1, Incorporations: anyOne}, "a@1.0 a@1.1 a@2.0 a@2.1 back@1.0 entire@1 gone@1.0 inc@1 late@1.0"},
		{"kept", upkeep.Retention{Newest: 1, Keep: func(p catalog.Package) bool { return p.Name() != "a" }}, "a@1.0 a@1.1 a@2.0 a@2.1"},
	}
	c := catalogtest.MustParse(universe)
	for _, tt := range tests {
		thin, err := upkeep.Thin(c, &tt.rule)
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
		if out := without(t, c, thin.Removed); out.Len() != c.Len()-len(names) {
			t.Errorf("%s: %d versions are left", tt.name, out.Len())
		}
	}
}

// TestRetentionPublishers keeps what an incorporation names, whoever publishes it.
func TestRetentionPublishers(t *testing.T) {
	c := catalogtest.MustParse(`
pkg://p/entire@1
	incorporate a@1
pkg://p/a@1.0
pkg://p/a@1.1
pkg://p/a@2
pkg://q/a@1.0
pkg://q/a@1.2
pkg://q/a@3
`)
	thin, err := upkeep.Thin(c, &upkeep.Retention{Newest: 1, Incorporations: []fmri.Pattern{fmri.MustParsePattern("entire")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(thin.Removed); got != "[pkg://p/a@1.0,5.11 pkg://q/a@1.0,5.11]" || thin.Actions != 0 {
		t.Errorf("removes %s, %d actions", got, thin.Actions)
	}
	nothing, err := upkeep.Thin(new(catalog.Catalog), &upkeep.Retention{Newest: 1})
	require.NoError(t, err)
	require.Empty(t, nothing.Removed)
}

// TestThinSaves compares the saving that is promised with that of the files.
func TestThinSaves(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 3000})
	if err != nil {
		t.Fatal(err)
	}
	rule := &upkeep.Retention{Newest: 3}
	thin, err := upkeep.Thin(c, rule)
	if err != nil {
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
	thinner := without(t, c, thin.Removed)
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

// without returns a catalog with some packages removed.
func without(t *testing.T, c *catalog.Catalog, removed []catalog.Package) *catalog.Catalog {
	t.Helper()
	b := &catalog.Builder{Base: c}
	for _, p := range removed {
		require.NoError(t, b.Remove(p.FMRI()))
	}
	out, err := b.Build()
	require.NoError(t, err)
	return out
}

// files returns the content of the files of a catalog.
func files(t *testing.T, c *catalog.Catalog) map[string]string {
	t.Helper()
	out := map[string]string{}
	for f := range c.Files() {
		var text strings.Builder
		_, err := f.WriteTo(&text)
		require.NoError(t, err)
		out[f.Name] = text.String()
	}
	return out
}

// day returns the first day of a year.
func day(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
