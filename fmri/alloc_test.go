package fmri_test

import (
	"testing"

	"github.com/goips/ips/fmri"
)

// TestAllocs pins what does not allocate, and what does so once.
func TestAllocs(t *testing.T) {
	const text = "pkg://openindiana.org/system/library@0.5.11,5.11-2024.0.0.21942:20240702T164744Z"
	const next = "pkg://openindiana.org/system/library@0.5.11,5.11-2024.0.0.21950:20240709T081502Z"
	f, g := fmri.MustParse(text), fmri.MustParse(next)
	v, w := f.Version(), g.Version()
	glob := fmri.MustParsePattern("*/lib*@0.*-2024.*")
	suffix := fmri.MustParsePattern("library@0.5.11")
	buffer := make([]byte, 0, 256)
	for _, test := range []struct {
		name string
		want float64
		run  func()
	}{
		{"Parse", 0, func() { fmri.Parse(text) }},
		{"Parse without version", 0, func() { fmri.Parse("web/server") }},
		{"Parse with implied build", 1, func() { fmri.Parse("web/server@1.2-3") }},
		{"ParseVersion", 0, func() { fmri.ParseVersion("1,5.11-2") }},
		{"ParsePattern", 0, func() { fmri.ParsePattern("//p/ssh*@1.*-2") }},
		{"Compare", 0, func() { f.Compare(g) }},
		{"Version.Compare", 0, func() { v.Compare(w) }},
		{"Succeeds", 0, func() { v.Succeeds(w, fmri.Auto) }},
		{"With", 0, func() { _ = f.WithPublisher("p").WithVersion(w).Stem() }},
		{"Matches", 0, func() { glob.Matches(f); suffix.Matches(f) }},
		{"AppendText", 0, func() { f.AppendText(buffer) }},
		{"All", 0, func() {
			for range v.Release().All() {
			}
		}},
		{"String", 1, func() { _ = f.String() }},
		{"Escape", 1, func() { fmri.Escape(f.Name()) }},
		{"Escape nothing", 0, func() { fmri.Escape("kernel") }},
	} {
		if got := testing.AllocsPerRun(100, test.run); got != test.want {
			t.Errorf("%s: %v allocations; want %v", test.name, got, test.want)
		}
	}
}
