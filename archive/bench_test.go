package archive_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/manifest"
)

// generate writes an archive with so many packages of so many files to out.
func generate(b *testing.B, out io.Writer, packages, files int) shelf {
	b.Helper()
	s := shelf{}
	w := archive.NewWriter(out, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range packages {
		var contents []string
		for range files {
			content := make([]byte, 1000+random.IntN(6000))
			for j := range content {
				content[j] = "etaoinshrdlu \n"[random.IntN(14)]
			}
			contents = append(contents, string(content))
		}
		text := fmt.Sprintf("pkg://example.org/group%d/package%d@1.%d-2024.0:20240702T164744Z", i%17, i, i%5)
		f, m := s.pack(b, text, contents...)
		for _, more := range []string{
			"set name=pkg.summary value=\"Package that is generated\"",
			"set name=pkg.description value=\"A package that is generated to find out how long it takes to list it\"",
			"set name=info.classification value=\"org.opensolaris.category.2008:Applications/Office\"",
			"set name=variant.arch value=i386 value=sparc",
			"depend fmri=pkg:/system/library@0.5.11-2024.0 type=require",
			"depend fmri=pkg:/library/zlib@1.3-2024.0 type=require",
			"license NOHASH license=CDDL",
		} {
			if err := m.Add(manifest.MustParseAction(more)); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Add(f, m, s.open); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkList opens an archive of 2,001 packages in a file and lists them: from the
// index alone, and by the catalog that is generated from the manifests.
func BenchmarkList(b *testing.B) {
	name := filepath.Join(b.TempDir(), "x.p5p")
	out, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	generate(b, out, 2001, 5)
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	list := func(b *testing.B, count func(*archive.Reader) int) {
		b.ReportAllocs()
		for b.Loop() {
			a, err := archive.Open(b.Context(), name)
			if err != nil {
				b.Fatal(err)
			}
			if n := count(&a.Reader); n != 2001 {
				b.Fatal(n)
			}
			if err := a.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("Names", func(b *testing.B) {
		list(b, func(a *archive.Reader) int {
			n := 0
			for _, err := range a.Packages("example.org") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			return n
		})
	})
	b.Run("Catalog", func(b *testing.B) {
		list(b, func(a *archive.Reader) int {
			c, err := a.Catalog(b.Context(), "example.org")
			if err != nil {
				b.Fatal(err)
			}
			return c.Len()
		})
	})
}

// BenchmarkWrite writes 20 packages with 10,000 files, and for comparison what it cannot
// do without: a tar of the same bytes, and verifying them.
func BenchmarkWrite(b *testing.B) {
	var whole bytes.Buffer
	s := generate(b, &whole, 20, 500)
	a := newReader(b, whole.Bytes())
	list := packages(b, a)
	var payloads []manifest.Payload
	for _, f := range list {
		m, err := a.Manifest(b.Context(), f)
		if err != nil {
			b.Fatal(err)
		}
		payloads = append(payloads, allPayloads(b, m)...)
	}
	b.Run("Archive", func(b *testing.B) {
		b.SetBytes(int64(whole.Len()))
		b.ReportAllocs()
		for b.Loop() {
			w := archive.NewWriter(io.Discard, nil)
			for _, f := range list {
				m, err := a.Manifest(b.Context(), f)
				if err != nil {
					b.Fatal(err)
				}
				if err := w.Add(f, m, s.open); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Tar", func(b *testing.B) {
		b.SetBytes(int64(whole.Len()))
		for b.Loop() {
			w := tar.NewWriter(io.Discard)
			for name, stored := range s {
				if err := w.WriteHeader(&tar.Header{Name: name.Hex(), Size: int64(len(stored)), Mode: 0o644}); err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(stored); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Verify", func(b *testing.B) {
		b.SetBytes(int64(whole.Len()))
		var content manifest.PayloadReader
		for b.Loop() {
			for _, p := range payloads {
				content.Reset(p, bytes.NewReader(s[p.Name()]))
				if _, err := content.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
