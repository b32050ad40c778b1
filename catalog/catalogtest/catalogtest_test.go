package catalogtest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/catalog/upkeep"
)

const universe = `lib/ssl@1.0.2-5
lib/ssl@3.0 obsolete
web/server@1.0
	require lib/ssl@1
	optional lib/zlib
web/server@2.0:20200102T030405Z
	depend fmri=lib/ssl@1 type=require variant.arch=sparc
	require-any lib/ssl@2 lib/tls
	conditional lib/zlib lib/zlib-server
	set name=pkg.depend.install-hold value=core
	variant.arch i386 sparc
	summary A "server" of pages
	set name=pkg.summary value="blank at the end "
//zzz/lib/tls@1 renamed
	require lib/ssl@1
`

func TestRoundTrip(t *testing.T) {
	c, err := catalogtest.Parse(universe)
	if err != nil {
		t.Fatal(err)
	}
	// The catalog is in order of publishers; "test" comes before "zzz".
	if diff := cmp.Diff(universe, catalogtest.Format(c)); diff != "" {
		t.Error(diff)
	}
	again := catalogtest.MustParse("# comment\n\n" + catalogtest.Format(c))
	for ch := range catalog.Diff(c, again) {
		t.Error(ch)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		universe string
		line     int
		want     string
	}{
		{"\n\trequire x", 2, "before any package"},
		{"a@1\nb", 2, "version"},
		{"a@1\na@1", 2, "there already"},
		{"a@1 old", 1, "neither obsolete nor renamed"},
		{"a@1..2", 1, "number expected"},
		{"a@1\n\tconditional x", 2, "conditional needs other operands"},
		{"a@1\n\trequire", 2, "require needs other operands"},
		{"a@1\n\tnonsense", 2, "no attributes"},
	}
	for _, tt := range tests {
		_, err := catalogtest.Parse(tt.universe)
		var bad *catalogtest.Error
		if !errors.As(err, &bad) || bad.Line != tt.line || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got error %v", tt.universe, err)
		}
	}
}

func TestMustParse(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("does not panic")
		}
	}()
	catalogtest.MustParse("\tx")
}

func TestGenerate(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 1000, 3000} {
		o := &catalogtest.Options{Versions: n, Seed: 7}
		c, err := catalogtest.Generate(o)
		if err != nil {
			t.Fatal(err)
		}
		if c.Len() != n {
			t.Errorf("%d versions, want %d", c.Len(), n)
		}
		d, err := catalogtest.Generate(o)
		if err != nil {
			t.Fatal(err)
		}
		if state(t, c) != state(t, d) {
			t.Error("two runs differ")
		}
		o.Seed++
		if e, err := catalogtest.Generate(o); err != nil || n > 2 && state(t, e) == state(t, c) {
			t.Errorf("another seed makes the same, or error %v", err)
		}
	}
}

// TestRealistic holds a generated catalog to the figures of a real one.
func TestRealistic(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 12000})
	if err != nil {
		t.Fatal(err)
	}
	s, err := upkeep.Measure(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	dependency := s.Parts[slices.IndexFunc(s.Parts, func(p upkeep.PartSize) bool { return p.Part == catalog.Dependency })]
	if perStem := s.Versions / s.Packages; perStem < 5 || perStem > 12 {
		t.Errorf("%d versions of each package", perStem)
	}
	if s.Obsolete*100 < s.Versions || s.Renamed == 0 {
		t.Errorf("%d obsolete, %d renamed of %d", s.Obsolete, s.Renamed, s.Versions)
	}
	if bytes := int(dependency.Bytes) / s.Versions; bytes < 700 || bytes > 2500 {
		t.Errorf("%d bytes of dependencies for each version", bytes)
	}
	if dependency.Distinct*3 > dependency.Actions {
		t.Errorf("%d of %d actions are different", dependency.Distinct, dependency.Actions)
	}
}

func TestPackagesStops(t *testing.T) {
	n := 0
	for f := range catalogtest.Packages(&catalogtest.Options{Publisher: "p", Start: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}) {
		if got, _ := f.Version().Time(); f.Publisher() != "p" || got.Year() != 2020 {
			t.Errorf("got %s", f)
		}
		if n++; n == 5 {
			break
		}
	}
}

func ExampleParse() {
	c, err := catalogtest.Parse(`
web/server@1.0
	require lib/ssl@3
lib/ssl@3.1
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for p := range c.All() {
		fmt.Println(p)
	}
	// Output:
	// pkg://test/lib/ssl@3.1,5.11
	// pkg://test/web/server@1.0,5.11
}

func state(t *testing.T, c *catalog.Catalog) upkeep.State {
	t.Helper()
	a, err := c.Attrs()
	if err != nil {
		t.Fatal(err)
	}
	return upkeep.StateOf(a)
}
