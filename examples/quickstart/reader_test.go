package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// read has testdata/second_reader.py read a repository or an archive, and returns what
// it says.
func read(t *testing.T, args ...string) (string, error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	args = append([]string{filepath.Join("testdata", "second_reader.py")}, args...)
	said, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
	return string(said), err
}

// TestSecondReader gives what the tour has written to a reader that shares nothing with
// the library and stands on the modules that the reference stands on.
func TestSecondReader(t *testing.T) {
	dir := t.TempDir()
	take(t, "-dir", dir, "-package", "unicode/utf8")
	for _, c := range []struct{ kind, name, want string }{
		{"repository", filepath.Join(dir, "repo"), "quickstart.example 6 versions, "},
		{"archive", filepath.Join(dir, "closure.p5p"), "2 versions, "},
		// What the reference has written, to see that the reader asks for no more.
		{"archive", filepath.Join("..", "..", "archive", "testdata", "two-publishers.p5p"), "11 versions, 44 payloads"},
	} {
		said, err := read(t, c.kind, c.name)
		if err != nil || !strings.HasPrefix(said, c.want) {
			t.Errorf("%s %s: %q, %v; want %q", c.kind, filepath.Base(c.name), said, err, c.want)
		}
	}
}

// TestSecondReaderFinds checks that the reader can say no: of each file in the catalog
// that has another byte, and of an archive that is too short.
func TestSecondReaderFinds(t *testing.T) {
	dir := t.TempDir()
	take(t, "-dir", dir, "-package", "unicode/utf8")
	archive := filepath.Join(dir, "closure.p5p")
	files, err := filepath.Glob(filepath.Join(dir, "repo", "publisher", "*", "catalog", "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files in the catalog, %v", len(files), err)
	}
	for _, name := range append(files, archive) {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		broken := append([]byte(nil), whole...)
		broken[len(broken)/2] ^= 1
		kind, top := "repository", filepath.Join(dir, "repo")
		if name == archive {
			kind, top, broken = "archive", archive, whole[:len(whole)-512]
		}
		if err := os.WriteFile(name, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if said, err := read(t, kind, top); err == nil {
			t.Errorf("%s is broken, and the reader says %q", filepath.Base(name), said)
		}
		if err := os.WriteFile(name, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
