package transform_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/manifest/transform"
)

// large returns a manifest of n actions as a package has them: nearly all are files.
func large(n int) *manifest.Manifest {
	var b strings.Builder
	b.WriteString("set name=pkg.fmri value=pkg://test.org/large@1.0,5.11-1:20250101T000000Z\n")
	for i := 1; i < n; i++ {
		switch i % 10 {
		case 0:
			fmt.Fprintf(&b, "dir group=bin mode=0755 owner=root path=usr/lib/large/%d\n", i)
		case 1:
			fmt.Fprintf(&b, "link path=usr/lib/lib%d.so target=lib%d.so.1\n", i, i)
		default:
			fmt.Fprintf(&b, "file %040x chash=%040x group=bin mode=0444 owner=root path=usr/lib/large/%d/file%d.py pkg.csize=%d pkg.size=%d\n", i, i, i/10*10, i, i, 2*i)
		}
	}
	return manifesttest.MustParse(b.String())
}

// fifty returns rules such as distributions have: most apply to little.
func fifty() string {
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "<transform file path=usr/share/doc%d/.+ -> set facet.doc true>\n", i)
		fmt.Fprintf(&b, "<transform file path=.+/file%d0+\\.py$ -> add tag %%(path)>\n", i)
		fmt.Fprintf(&b, "<transform dir link path=usr/lib/(.*)%d$ -> set z %%<1>>\n", i)
		fmt.Fprintf(&b, "<transform set name=com\\.x%d -> edit value (.) \\1>\n", i)
		fmt.Fprintf(&b, "<transform file path=usr/lib/large/%d/ -> edit path ^usr opt>\n", i*100)
	}
	return b.String()
}

// BenchmarkApply applies 50 rules to 5,000 actions.
func BenchmarkApply(b *testing.B) {
	r := parse(b, fifty(), nil)
	m := large(5000)
	b.ReportAllocs()
	for b.Loop() {
		out, err := r.Apply("large", m)
		if err != nil {
			b.Fatal(err)
		}
		if changed, err := out.Manifest(); err != nil || changed == m {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(m.Len()*50), "ns/rule+action")
}

// BenchmarkNothing applies rules that change nothing: the floor of BenchmarkApply.
func BenchmarkNothing(b *testing.B) {
	r := parse(b, "<transform user -> drop>", nil)
	m := large(5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Apply("large", m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRun reads and runs the text that BenchmarkApply has as values.
func BenchmarkRun(b *testing.B) {
	files := []transform.File{{"fifty.mog", []byte(fifty())}, {"large.p5m", large(5000).Text()}}
	b.SetBytes(int64(len(files[1].Text)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := transform.Parse(files, nil)
		if err != nil {
			b.Fatal(err)
		}
		out, err := r.Run()
		if err != nil || len(out.Text()) == 0 {
			b.Fatal(err)
		}
	}
}
