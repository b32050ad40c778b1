package fmri_test

import (
	"testing"

	"github.com/goips/ips/fmri"
)

const (
	benchText = "pkg://openindiana.org/system/library@0.5.11,5.11-2024.0.0.21942:20240702T164744Z"
	nextText  = "pkg://openindiana.org/system/library@0.5.11,5.11-2024.0.0.21950:20240709T081502Z"
)

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		if _, err := fmri.Parse(benchText); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseScan is what the benchmark of Parse would cost if it looked at
// each byte once and did nothing else.
func BenchmarkParseScan(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		n := 0
		for i := range len(benchText) {
			if benchText[i] <= '9' {
				n++
			}
		}
		if n == 0 {
			b.Fatal("no digits")
		}
	}
}

func BenchmarkParseVersion(b *testing.B) {
	text := fmri.MustParse(benchText).Version().String()
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := fmri.ParseVersion(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseImpliedBuild(b *testing.B) {
	const text = "pkg:/system/library@0.5.11-2024.0.0.21942"
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := fmri.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompare compares versions that differ early, late, and only in time.
func BenchmarkCompare(b *testing.B) {
	for _, bench := range []struct{ name, a, b string }{
		{"Release", "1.19.3,5.11-2024.0.0.21942:20240702T164744Z", "1.20.1,5.11-2024.0.0.21942:20240702T164744Z"},
		{"Branch", "0.5.11,5.11-2024.0.0.21942:20240702T164744Z", "0.5.11,5.11-2024.0.0.21950:20240709T081502Z"},
		{"Time", "0.5.11,5.11-2024.0.0.21942:20240702T164744Z", "0.5.11,5.11-2024.0.0.21942:20240702T170000Z"},
		{"Equal", "0.5.11,5.11-2024.0.0.21942:20240702T164744Z", "0.5.11,5.11-2024.0.0.21942:20240702T164744Z"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			v, w := fmri.MustParseVersion(bench.a), fmri.MustParseVersion(bench.b)
			b.ReportAllocs()
			for b.Loop() {
				if v.Compare(w) > 0 {
					b.Fatal("wrong order")
				}
			}
		})
	}
}

func BenchmarkCompareFMRI(b *testing.B) {
	f, g := fmri.MustParse(benchText), fmri.MustParse(nextText)
	b.ReportAllocs()
	for b.Loop() {
		if f.Compare(g) >= 0 {
			b.Fatal("wrong order")
		}
	}
}

func BenchmarkString(b *testing.B) {
	f := fmri.MustParse(benchText)
	b.ReportAllocs()
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		_ = f.String()
	}
}

func BenchmarkEscape(b *testing.B) {
	f := fmri.MustParse(benchText)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.DirPath(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatches(b *testing.B) {
	f := fmri.MustParse(benchText)
	for _, text := range []string{"library", "pkg://openindiana.org/system/library@0.5.11-2024", "*/lib*@0.*-2024.*"} {
		p := fmri.MustParsePattern(text)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !p.Matches(f) {
					b.Fatal("no match")
				}
			}
		})
	}
}
