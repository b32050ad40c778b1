package search_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// many returns the packages of an artefact, each several times under other names.
func many(b *testing.B, times int) *publisher {
	p := publishers(b, "repo-single.tar.gz")[0]
	large := &publisher{texts: map[fmri.FMRI][]byte{}}
	for f, text := range p.texts {
		for i := range times {
			large.texts[fmri.MustParse(fmt.Sprintf("pkg:/v%d/%s", i, f.Format(fmri.OmitScheme)))] = text
		}
	}
	return large
}

// nowhere is Files that keeps nothing.
type nowhere struct{}

func (nowhere) Create(string) (io.WriteCloser, error) { return nowhere{}, nil }
func (nowhere) Write(p []byte) (int, error)           { return len(p), nil }
func (nowhere) Close() error                          { return nil }

func BenchmarkBuild(b *testing.B) {
	p := many(b, 50)
	order := p.sorted()
	size := int64(0)
	for _, text := range p.texts {
		size += int64(len(text))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		var builder search.Builder
		for _, f := range order {
			if err := builder.Add(f, p.texts[f]); err != nil {
				b.Fatal(err)
			}
		}
		if err := builder.Write(nowhere{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExact looks up a token in its case.
func BenchmarkExact(b *testing.B) {
	p := many(b, 50)
	var builder search.Builder
	for _, f := range p.sorted() {
		if err := builder.Add(f, p.texts[f]); err != nil {
			b.Fatal(err)
		}
	}
	m := newMemory()
	if err := builder.Write(m); err != nil {
		b.Fatal(err)
	}
	x := openIndex(b, m.files)
	q := search.Packages{Query: search.Term{Token: "20261120T131957Z"}}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range x.Search(b.Context(), q, p.manifests, &search.Options{CaseSensitive: true}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkSearch compares an index with reading all manifests.
func BenchmarkSearch(b *testing.B) {
	p := many(b, 50)
	order := p.sorted()
	var builder search.Builder
	for _, f := range order {
		if err := builder.Add(f, p.texts[f]); err != nil {
			b.Fatal(err)
		}
	}
	m := newMemory()
	if err := builder.Write(m); err != nil {
		b.Fatal(err)
	}
	x := openIndex(b, m.files)
	for _, query := range []string{"system-sage", "*sage*", "<system-sage>", "file:path:*rose*"} {
		q, err := search.ParseQuery(query)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("index/"+query, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range x.Search(b.Context(), q, p.manifests, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run("walk/"+query, func(b *testing.B) {
			b.ReportAllocs()
			packages := p.packages()
			for b.Loop() {
				for _, err := range search.Walk(b.Context(), q, packages, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
