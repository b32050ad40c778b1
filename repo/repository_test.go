package repo_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// aDay is what the clock shows in tests.
var aDay = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

func testOptions() *repo.Options { return &repo.Options{Now: func() time.Time { return aDay }} }

func create(t testing.TB, s store.Store) *repo.Repository {
	t.Helper()
	r, err := repo.Create(t.Context(), s, repo.Config{DefaultPublisher: "test.org"}, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fileAction returns an action for a file with some content.
func fileAction(content string) manifest.Action {
	path := strings.NewReplacer(" ", "_", "/", "_", ":", "_").Replace(content)
	return manifest.MustParseAction("file path=opt/" + path[:min(len(path), 60)] + " mode=0444 owner=root group=bin")
}

var signatureAction = manifest.MustParseAction("signature algorithm=sha256 value=00")

// publish publishes a package with one file for each content.
func publish(t testing.TB, sink repo.Sink, name string, contents ...string) fmri.FMRI {
	t.Helper()
	tx, err := sink.Begin(t.Context(), fmri.MustParse(name))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contents {
		if err := tx.Add(t.Context(), fileAction(c), strings.NewReader(c)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// list returns the names in a publisher's catalog.
func list(t testing.TB, s repo.Source, publisher string) []string {
	t.Helper()
	c, err := s.Catalog(t.Context(), publisher)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for p := range c.All() {
		names = append(names, p.FMRI().String())
	}
	return names
}

func TestPublish(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	f := publish(t, r, "tool@1.0", "hello", "world")
	want := "pkg://test.org/tool@1.0,5.11:20260102T030405Z"
	if f.String() != want {
		t.Errorf("published as %s, want %s", f, want)
	}
	if diff := cmp.Diff([]string{want}, list(t, r, "test.org")); diff != "" {
		t.Error(diff)
	}
	again, err := repo.Open(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{want}, list(t, again, "test.org")); diff != "" {
		t.Error(diff)
	}
	m, err := again.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for a := range m.Kind(manifest.KindFile) {
		p, err := a.Payload()
		if err != nil {
			t.Fatal(err)
		}
		rc, err := again.Payload(t.Context(), "test.org", p.Name())
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p.Verify(rc))
		rc.Close()
		path, _ := a.Attrs.Get("path")
		if err != nil || "opt/"+string(content) != path {
			t.Errorf("%s has content %q, %v", path, content, err)
		}
	}
	if _, err := r.Begin(t.Context(), f); !errors.Is(err, fs.ErrExist) {
		t.Errorf("publishing again: %v", err)
	}
	var names []string
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	slices.Sort(names)
	t.Log(strings.Join(names, "\n"))
	t.Log(string(m.Text()))
}

func TestRemove(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	a := publish(t, r, "a@1.0", "shared", "own")
	b := publish(t, r, "b@1.0", "shared")
	if _, err := r.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{b.String()}, list(t, r, "test.org")); diff != "" {
		t.Error(diff)
	}
	n := 0
	for range s.List(t.Context(), "publisher/test.org/file/") {
		n++
	}
	if n != 1 {
		t.Errorf("%d payloads are left, want 1", n)
	}
	if _, err := r.Remove(t.Context(), a); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing again: %v", err)
	}
}

// TestIndex reads a catalog that is large enough for an index, and changes it.
func TestIndex(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	batch, err := r.NewBatch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1200 {
		publish(t, batch, fmt.Sprintf("p%d@1", i))
	}
	if err := batch.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	index := read(t, s, "publisher/test.org/tmp/ips.index")
	if got := len(listAll(t, open(t, s))); got != 1200 {
		t.Errorf("%d packages are listed", got)
	}
	f := publish(t, open(t, s), "last@1", "content")
	for _, text := range []string{read(t, s, "publisher/test.org/tmp/ips.index"), index, "no index"} {
		if err := s.Put(t.Context(), "publisher/test.org/tmp/ips.index", strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		r := open(t, s)
		if got := listAll(t, r); len(got) != 1201 || !slices.Contains(got, f.String()) {
			t.Errorf("%d packages are listed", len(got))
		}
		if found := check(t, r); len(found) > 0 {
			t.Errorf("found %d faults, such as %+v", len(found), found[0])
		}
	}
}

// errOf returns the error of a call whose result does not matter.
func errOf[T any](_ T, err error) error { return err }
