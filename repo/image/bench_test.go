package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// The package of the benchmarks: as many files as a small system, of text that
// compresses about as well as programs do.
const (
	benchFiles = 2000
	benchSize  = 20000
)

type benchFile struct{ name, content string }

func benchContent() []benchFile {
	r := rand.New(rand.NewPCG(1, 2))
	var words [512]string
	for i := range words {
		words[i] = fmt.Sprintf("%x ", r.Uint32())
	}
	files := make([]benchFile, benchFiles)
	for i := range files {
		var s strings.Builder
		for s.Len() < benchSize {
			s.WriteString(words[r.IntN(len(words))])
		}
		files[i] = benchFile{fmt.Sprintf("usr/lib/d%02d/file%04d", i%50, i), s.String()[:benchSize]}
	}
	return files
}

func benchShelf(b *testing.B, files []benchFile, version string) *shelf {
	s := newShelf()
	var text strings.Builder
	fmt.Fprintf(&text, "set name=pkg.fmri value=pkg://p/big@%s-0\n", version)
	contents := map[string]string{}
	for i, f := range files {
		word := fmt.Sprintf("f%d", i)
		contents[word] = f.content
		fmt.Fprintf(&text, "file %s path=%s mode=0644 owner=root group=bin\n", word, f.name)
	}
	s.publish(b, text.String(), contents)
	return s
}

var benchPattern = []fmri.Pattern{fmri.MustParsePattern("big")}

// BenchmarkInstall installs from memory to disk, durably.
func BenchmarkInstall(b *testing.B) {
	s := benchShelf(b, benchContent(), "1")
	b.SetBytes(benchFiles * benchSize)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		i := s.create(b, b.TempDir())
		i.hooks.volatile = false
		p, err := i.Plan(b.Context(), solver.Request{Patterns: benchPattern})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := i.Execute(b.Context(), p.Plan); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		i.Close()
		os.RemoveAll(i.Root())
		b.StartTimer()
	}
}

// BenchmarkUntar is what to compare it with: the same files out of a compressed tar.
func BenchmarkUntar(b *testing.B) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	for _, f := range benchContent() {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: benchSize}); err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(benchFiles * benchSize)
	b.ReportAllocs()
	for b.Loop() {
		dir := b.TempDir()
		if err := untar(dir, bytes.NewReader(archive.Bytes())); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		os.RemoveAll(dir)
		b.StartTimer()
	}
}

func untar(dir string, src io.Reader) error {
	z, err := gzip.NewReader(src)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if err := errors.Join(err, f.Close(), os.Chmod(name, h.FileInfo().Mode())); err != nil {
			return err
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = syncAll(d)
	return err
}

// BenchmarkPlan plans the same installation.
func BenchmarkPlan(b *testing.B) {
	s := benchShelf(b, benchContent(), "1")
	i := s.create(b, b.TempDir())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Plan(b.Context(), solver.Request{Patterns: benchPattern}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify compares the files with their hashes.
func BenchmarkVerify(b *testing.B) {
	s := benchShelf(b, benchContent(), "1")
	i := s.create(b, b.TempDir())
	if _, err := carryOut(b.Context(), i, solver.Request{Patterns: benchPattern}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(benchFiles * benchSize)
	b.ReportAllocs()
	for b.Loop() {
		for f, err := range i.Verify(b.Context(), nil) {
			b.Fatal(f, err)
		}
	}
}
