package manifest_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/goips/ips/manifest"
)

// measure runs a benchmark over the library and reports the share of one action.
func measure(b *testing.B, run func(src []byte)) {
	size, lines := librarySize(b)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, src := range library() {
			run(src)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/action")
}

// BenchmarkScan is the measure of the others: a loop that finds every newline,
// space and "=".
func BenchmarkScan(b *testing.B) {
	found := 0
	measure(b, func(src []byte) {
		for _, c := range []byte("\n =") {
			for rest := src; ; found++ {
				i := bytes.IndexByte(rest, c)
				if i < 0 {
					break
				}
				rest = rest[i+1:]
			}
		}
	})
	if found == 0 {
		b.Fatal("nothing found")
	}
}

func BenchmarkParse(b *testing.B) {
	measure(b, func(src []byte) {
		if _, err := manifest.Parse("", src); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkActions(b *testing.B) {
	measure(b, func(src []byte) {
		for _, err := range manifest.Actions("", bytes.NewReader(src)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPrint(b *testing.B) {
	measure(b, func(src []byte) {
		b.StopTimer()
		m, err := manifest.Parse("", src)
		b.StartTimer()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Canonical().WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkParseAction(b *testing.B) {
	lines := bytes.Split(bytes.TrimSpace(published(5, 100)), []byte("\n"))
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = string(line)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := manifest.ParseAction(texts[i%len(texts)]); err != nil {
			b.Fatal(err)
		}
	}
}
