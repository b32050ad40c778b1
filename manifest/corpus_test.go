package manifest_test

import (
	"archive/tar"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/goips/ips/manifest"
)

// corpus yields the manifests of OpenIndiana by name, none without the corpus.
func corpus(t testing.TB) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		dir := os.Getenv("IPS_CORPUS")
		if dir == "" {
			t.Log("IPS_CORPUS is not set")
			return
		}
		f, err := os.Open(filepath.Join(dir, "manifests", "openindiana.tar.zst"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for files := tar.NewReader(z); ; {
			h, err := files.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			src, err := io.ReadAll(files)
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg && !yield(h.Name, src) {
				return
			}
		}
	}
}

// TestCorpus parses the manifests of OpenIndiana. They are source texts for
// pkgmogrify, so many have lines that are no actions; those are refused with their
// place, and the rest must survive.
func TestCorpus(t *testing.T) {
	var whole, refused, actions, faults, size int
	reasons := map[manifest.Fault]int{}
	for name, src := range corpus(t) {
		m, err := manifest.Parse(name, src)
		if string(m.Text()) != string(src) {
			t.Errorf("%s: text changed", name)
		}
		size += len(src)
		actions += m.Len()
		whole++
		var list manifest.ErrorList
		if errors.As(err, &list) {
			whole--
			refused++
			faults += len(list)
		}
		for _, e := range list {
			reasons[syntaxError(t, e).Fault]++
			if e.File != name || !e.Pos.IsValid() || e.Pos.Col == 0 {
				t.Errorf("%v: place is missing", e)
			}
		}
		checkCanonical(t, name, m)
	}
	t.Logf("%d manifests (%d bytes, %d actions) read, %d with all their lines, %d with %d lines refused: %v", whole+refused, size, actions, whole, refused, faults, reasons)
}

// checkCanonical checks that the canonical text of m reads back equal.
func checkCanonical(t *testing.T, name string, m *manifest.Manifest) {
	t.Helper()
	back, err := manifest.Parse(name, m.Canonical().Text())
	if err != nil || back.Len() != m.Len() {
		t.Fatalf("%s: canonical text has %d actions of %d: %v", name, back.Len(), m.Len(), err)
	}
	if diff := cmp.Diff(canonicalTexts(m), canonicalTexts(back)); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", name, diff)
	}
}
