package repo_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

func parse(t testing.TB, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("test.p5m", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// shape returns the actions of a package without what depends on the compressor.
func shape(t testing.TB, r *repo.Repository, f fmri.FMRI) string {
	t.Helper()
	m, err := r.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for a := range m.All() {
		for _, name := range []string{"chash", "pkg.csize", "pkg.content-hash"} {
			a.Attrs = a.Attrs.With(name)
		}
		fmt.Fprintln(&b, a)
	}
	return b.String()
}

func TestPublishManifest(t *testing.T) {
	r := create(t, store.Memory())
	first := fstest.MapFS{"opt/a": {Data: []byte("a of the first")}}
	second := fstest.MapFS{
		"opt/a": {Data: []byte("a of the second")},
		"sea":   {Data: []byte("c"), ModTime: time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)},
		"opt":   {Mode: fs.ModeDir | 0o755},
	}
	m := parse(t, `set name=pkg.fmri value=mixed@1.0,5.11-0:20200101T000000Z
set name=pkg.summary value="Mixed goods"
file NOHASH path=opt/a mode=0444 owner=root group=bin pkg.size=99 pkg.content-hash=file:sha256:00
file sea path=opt/c.pyc mode=0444 owner=root group=bin
dir path=opt mode=0755 owner=root group=sys
`)
	opts := &repo.PublishOptions{Content: repo.Proto(first, second), Timestamps: []string{"*.pyc"}}
	done, err := repo.Publish(t.Context(), r, m, opts)
	if err != nil {
		t.Fatal(err)
	}
	f := done.FMRI
	want := `set name=pkg.fmri value=pkg://test.org/mixed@1.0,5.11-0:20260102T030405Z
set name=pkg.summary value="Mixed goods"
file ` + manifest.SHA1.Sum([]byte("a of the first")).Hex() + ` group=bin mode=0444 owner=root path=opt/a pkg.size=14
file ` + manifest.SHA1.Sum([]byte("c")).Hex() + ` group=bin mode=0444 owner=root path=opt/c.pyc pkg.size=1 timestamp=20250203T040506Z
dir group=sys mode=0755 owner=root path=opt
`
	if diff := cmp.Diff(want, shape(t, r, f)); diff != "" {
		t.Error(diff)
	}
}

// TestReproducible publishes the same twice, with several workers: every object
// must have the same bytes.
func TestReproducible(t *testing.T) {
	var all []map[string]string
	for range 2 {
		s := store.Memory()
		r := create(t, s)
		if err := publishAll(t.Context(), r, sources(5, 20, 3000)); err != nil {
			t.Fatal(err)
		}
		all = append(all, objects(t, s, ""))
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" {
		t.Error(diff)
	}
}

// TestPublishRefuses publishes nothing of what no package may be, and says where in the
// manifest that is.
func TestPublishRefuses(t *testing.T) {
	const name = "set name=pkg.fmri value=bad@1\n"
	var at *manifest.AttrError
	var where *manifest.Error
	for about, test := range map[string]struct {
		text string
		is   error // or
		as   any
		want string
	}{
		"no name":           {"dir path=usr mode=0755 owner=root group=sys\n", fs.ErrInvalid, nil, "publish: bad.p5m: nothing says which package it is; write: set name=pkg.fmri value=NAME@VERSION"},
		"no version":        {"set name=pkg.fmri value=bad\n", fs.ErrInvalid, nil, "publish pkg:/bad: bad.p5m:1:1: bad has no version; write bad@VERSION"},
		"bad version":       {"set name=pkg.fmri value=bad@1.01\n", nil, &where, `publish: bad.p5m:1:1: invalid FMRI "bad@1.01": leading zero at offset 6`},
		"bad mode":          {name + "dir path=usr mode=rwx owner=root group=bin\n", nil, &at, `publish pkg:/bad@1,5.11: bad.p5m:2:1: mode="rwx": not a mode of 3 or 4 octal digits`},
		"no owner":          {name + "dir path=usr mode=0755 group=bin\n", nil, &at, "publish pkg:/bad@1,5.11: bad.p5m:2:1: owner: missing"},
		"unknown action":    {name + "unknown path=usr\n", nil, &at, "publish pkg:/bad@1,5.11: bad.p5m:2:1: actions of this kind cannot be published"},
		"no payload":        {name + "file path=none mode=0444 owner=root group=bin\n", fs.ErrNotExist, nil, "publish pkg:/bad@1,5.11: bad.p5m:2:1: there is no file none where payloads are looked for"},
		"payload outside":   {name + "file ../../etc/passwd path=x mode=0444 owner=root group=bin\n", fs.ErrNotExist, nil, "publish pkg:/bad@1,5.11: bad.p5m:2:1: there is no file ../../etc/passwd where payloads are looked for"},
		"obsolete with dir": {name + "set name=pkg.obsolete value=true\ndir path=usr mode=0755 owner=root group=sys\n", nil, &at, "publish pkg:/bad@1,5.11: bad.p5m:3:1: pkg.obsolete: an obsolete package has no such action"},
		"renamed to none":   {name + "set name=pkg.renamed value=true\n", fs.ErrInvalid, nil, "publish pkg://test.org/bad@1,5.11:20260102T030405Z: a renamed package must require its successor, by an action depend type=require"},
		"path outside":      {name + "dir path=../usr mode=0755 owner=root group=sys\n", fs.ErrInvalid, nil, `publish pkg:/bad@1,5.11: bad.p5m:2:1: path="../usr": not a path within the image`},
	} {
		t.Run(about, func(t *testing.T) {
			s := store.Memory()
			r := create(t, s)
			before := objects(t, s, "")
			opts := &repo.PublishOptions{Content: repo.Proto(os.DirFS(t.TempDir())), File: "bad.p5m"}
			_, err := repo.Publish(t.Context(), r, parse(t, test.text), opts)
			require.ErrorContains(t, err, test.want)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			if test.as != nil {
				require.ErrorAs(t, err, test.as)
			}
			require.Empty(t, cmp.Diff(before, objects(t, s, "")))
		})
	}
}

// TestStoredFormKept publishes content that is stored already, by another
// compressor: its stored form stays, and the manifest describes that.
func TestStoredFormKept(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	content := strings.Repeat("the same content ", 100)
	var packed bytes.Buffer
	p, err := manifest.NewPacker(nil).PackStream(&packed, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	name := "publisher/test.org/file/" + p.Name().Hex()[:2] + "/" + p.Name().Hex()
	if err := s.Put(t.Context(), name, bytes.NewReader(packed.Bytes())); err != nil {
		t.Fatal(err)
	}
	for _, reader := range []func() io.Reader{
		func() io.Reader { return strings.NewReader(content) },
		func() io.Reader { return io.MultiReader(strings.NewReader(content)) }, // cannot be read twice
	} {
		tx, err := r.Begin(t.Context(), fmri.MustParse("a@1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Add(t.Context(), fileAction("x"), reader()); err != nil {
			t.Fatal(err)
		}
		f, err := tx.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Manifest(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for a := range m.Kind(manifest.KindFile) {
			if got, err := a.Payload(); err != nil || got.Stored != p.Stored {
				t.Errorf("the manifest says %+v, %v", got, err)
			}
		}
	}
	if read(t, s, name) != packed.String() {
		t.Error("the stored form has changed")
	}
	if found := check(t, r); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

// TestSuspend publishes step by step, each in a new Repository.
func TestSuspend(t *testing.T) {
	s := store.Memory()
	create(t, s)
	tx, err := open(t, s).Begin(t.Context(), fmri.MustParse("steps@1.0,5.11-0"))
	if err != nil {
		t.Fatal(err)
	}
	id := tx.(*repo.Transaction).ID()
	if want := "1767323045_pkg%3A%2F%2Ftest.org%2Fsteps%401.0%2C5.11-0%3A20260102T030405Z"; id != want {
		t.Errorf("the transaction is %s, want %s", id, want)
	}
	if err := tx.(*repo.Transaction).Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
	resume := func() *repo.Transaction {
		t.Helper()
		tx, err := open(t, s).Resume(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	for _, content := range []string{"one", "two", "one again"} {
		tx := resume()
		if err := tx.Add(t.Context(), fileAction(content), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if err := tx.Suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := tx.Suspend(t.Context()); !errors.Is(err, repo.ErrEnded) {
			t.Errorf("a second Suspend: %v", err)
		}
	}
	r := open(t, s)
	if ids := transactions(t, s); !slices.Equal(ids, []string{id}) || len(listAll(t, r)) > 0 {
		t.Errorf("transactions are %q, listed are %q", ids, listAll(t, r))
	}
	f, err := resume().Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := objects(t, s, "publisher/test.org/trans/"); len(got) > 0 {
		t.Errorf("left are %q", got)
	}
	if found := check(t, r); len(found) > 0 || !slices.Equal(listAll(t, open(t, s)), []string{f.String()}) {
		t.Errorf("found %+v", found)
	}
	for _, id := range []string{id, "", "x", "../../pkg5.repository", "1_pkg%3A%2F%2F..%2Fa%401%2C5.11%3A20260102T030405Z"} {
		if _, err := r.Resume(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Resume(%q): %v", id, err)
		}
	}
}

// TestProtoBesideFiles has a file where another place has a directory: the payload
// is looked for further on.
func TestProtoBesideFiles(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(first, "opt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(second, "opt"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second, "opt", "a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := repo.Proto(os.DirFS(first), os.DirFS(second))("opt/a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := repo.Proto(os.DirFS(first))("opt/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestPayloadRemovedMeanwhile removes the only package that has a payload while
// another with the same content is on its way: the new one is published whole, or
// not at all.
func TestPayloadRemovedMeanwhile(t *testing.T) {
	src := create(t, store.Memory())
	copied := publish(t, src, "copied@1", "content")
	for how, begin := range map[string]func(r *repo.Repository) (commit func() error){
		"added": func(r *repo.Repository) func() error {
			tx, err := r.Begin(t.Context(), fmri.MustParse("new@1"))
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Add(t.Context(), fileAction("content"), strings.NewReader("content")); err != nil {
				t.Fatal(err)
			}
			return func() error { _, err := tx.Commit(t.Context()); return err }
		},
		"added as a stream": func(r *repo.Repository) func() error {
			tx, err := r.Begin(t.Context(), fmri.MustParse("new@1"))
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Add(t.Context(), fileAction("content"), io.MultiReader(strings.NewReader("content"))); err != nil {
				t.Fatal(err)
			}
			return func() error { _, err := tx.Commit(t.Context()); return err }
		},
		"copied": func(r *repo.Repository) func() error {
			b, err := r.NewBatch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tryCopy(t, struct{ repo.Sink }{b}, src, copied)
			return func() error { return b.Commit(t.Context()) }
		},
	} {
		s := store.Memory()
		r := create(t, s)
		old := publish(t, r, "old@1", "content")
		commit := begin(r)
		if _, err := open(t, s).Remove(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if err := commit(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", how, err)
		}
		if found := check(t, r); len(found) > 0 {
			t.Errorf("%s: found %+v", how, found)
		}
	}
}
