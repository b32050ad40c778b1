package archive_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/goips/ips/archive"
)

// dirNames returns the names of the files in a directory.
func dirNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// create returns a Writer of a file with one package.
func create(t *testing.T, name string, s shelf) *archive.WriteCloser {
	t.Helper()
	w, err := archive.Create(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, m := s.pack(t, "pkg://p/a@1", "content")
	if err := w.Add(f, m, s.open); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.p5p")
	w := create(t, name, shelf{})
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if names := dirNames(t, dir); len(names) != 1 || names[0] != "x.p5p" {
		t.Errorf("files: %v", names)
	}
	a, err := archive.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages(t, &a.Reader)) != 1 {
		t.Error("no package")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("abort after close: %v", err)
	}
	if _, err := archive.Create(name, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := archive.Create(filepath.Join(dir, "none", "x.p5p"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v", err)
	}
	for _, name := range []string{dir, dir + "/", dir + "/.", dir + "/..", ".", ""} {
		if w, err := archive.Create(name, nil); err == nil {
			t.Errorf("%q, which is a directory or nothing, was created: %v", name, w.Abort())
		}
	}
}

// TestCreateFails: what was not written completely leaves nothing.
func TestCreateFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.p5p")
	s := shelf{}
	w := create(t, name, s)
	clear(s)
	if err := w.Close(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing payload: %v", err)
	}
	if err := create(t, name, shelf{}).Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	if names := dirNames(t, dir); len(names) > 0 {
		t.Errorf("files: %v", names)
	}
	late := create(t, name, shelf{})
	if err := os.WriteFile(name, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("too late: %v", err)
	}
	if names := dirNames(t, dir); len(names) != 1 {
		t.Errorf("files: %v", names)
	}
	if src, err := os.ReadFile(name); string(src) != "first" || err != nil {
		t.Errorf("overwritten: %q, %v", src, err)
	}
}

// TestCreateLeftovers: what a killed program left goes, and nothing else.
func TestCreateLeftovers(t *testing.T) {
	dir := t.TempDir()
	keep := []string{".x.p5p", ".x.p5p.part-", ".x.p5p.part-7.part-8", ".x.p5p.part-7x", ".y.p5p.part-7", "x.p5p.part-7"}
	for _, name := range append([]string{".x.p5p.part-7", ".x.p5p.part-123"}, keep...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := create(t, filepath.Join(dir, "x.p5p"), shelf{}).Close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"x.p5p": true}
	for _, name := range keep {
		want[name] = true
	}
	for _, name := range dirNames(t, dir) {
		if !want[name] {
			t.Errorf("%s is left", name)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is gone", name)
	}
}

// TestCreateRace: of several that write one archive at once exactly one succeeds, and
// what it wrote is whole.
func TestCreateRace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.p5p")
	var writers []*archive.WriteCloser
	for range 8 {
		writers = append(writers, create(t, name, shelf{}))
	}
	errs := make([]error, len(writers))
	var group sync.WaitGroup
	for i, w := range writers {
		group.Go(func() { errs[i] = w.Close() })
	}
	group.Wait()
	succeeded := 0
	for _, err := range errs {
		switch {
		case err == nil:
			succeeded++
		case !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist):
			t.Error(err)
		}
	}
	if succeeded != 1 {
		t.Errorf("%d of them succeeded", succeeded)
	}
	if names := dirNames(t, dir); len(names) != 1 {
		t.Errorf("files: %v", names)
	}
	a, err := archive.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, f := range packages(t, &a.Reader) {
		checkPackage(t, &a.Reader, f)
	}
}
