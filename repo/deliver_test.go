package repo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
)

// TestJoinAsks goes from source to source: the first that has it is asked, the next if it
// fails, and what failed is told if nobody has it.
func TestJoinAsks(t *testing.T) {
	a, b := create(t, store.Memory()), create(t, store.Memory())
	publish(t, a, "a@1", "of a")
	f := publish(t, b, "b@1", "of b")
	both := publish(t, a, "both@1", "of both")
	tryCopy(t, b, a, both)
	d := manifest.SHA1.Sum([]byte("of b"))

	_, err := repo.Join().Manifest(t.Context(), f)
	require.EqualError(t, err, "read manifest of "+f.String()+": no source has it")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = repo.Join(a).Payload(t.Context(), "test.org", d)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = repo.Join(a, brokenSource{b}).Manifest(t.Context(), f)
	require.ErrorIs(t, err, errBroken, "what failed is told rather than that there is none")
	_, err = repo.Join(brokenSource{b}, a).Payload(t.Context(), "test.org", d)
	require.ErrorIs(t, err, errBroken)
	rc, err := repo.Join(brokenSource{b}, a, b).Payload(t.Context(), "test.org", d)
	require.NoError(t, err)
	require.NoError(t, rc.Close())
	_, err = repo.Join(a, b).Manifest(t.Context(), both)
	require.NoError(t, err)
	require.Equal(t, []string{"pkg://test.org/a@1,5.11:20260102T030405Z", f.String(), both.String()}, list(t, repo.Join(a, b), "test.org"))
	require.NoError(t, repo.Join(a, brokenSource{b}).Close())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = repo.Join(a, b).Catalog(ctx, "test.org")
	require.ErrorIs(t, err, context.Canceled)
	_, err = repo.Join(brokenSource{a}, b).Manifest(ctx, f)
	require.ErrorIs(t, err, errBroken, "nobody else is asked when time is up")
}

// closing is a source whose Close fails.
type closing struct{ repo.Source }

func (closing) Close() error { return errBroken }

func TestJoinCloses(t *testing.T) {
	src := create(t, store.Memory())
	require.ErrorIs(t, repo.Join(src, closing{src}, struct{ repo.Source }{src}).Close(), errBroken)
}

// TestDiffTells what both have, what one of them has, and what nobody has.
func TestDiffTells(t *testing.T) {
	a, b := create(t, store.Memory()), create(t, store.Memory())
	f, g := publish(t, a, "a@1"), publish(t, a, "b@1")
	tryCopy(t, b, a, f)
	publish(t, b, "pkg://else.org/c@1")
	all, err := repo.Diff(t.Context(), a, b)
	require.NoError(t, err)
	require.Len(t, all, 2)
	else_, both := all[0], all[1]
	require.Equal(t, "else.org", else_.Publisher)
	require.False(t, else_.HasA)
	require.True(t, else_.HasB)
	require.Len(t, else_.B, 1)
	require.False(t, else_.IsEmpty())
	require.Equal(t, []fmri.FMRI{g}, both.A)
	require.Empty(t, both.B)
	require.Equal(t, []fmri.FMRI{f}, both.Both)

	same, err := repo.Diff(t.Context(), a, a, "test.org")
	require.NoError(t, err)
	require.True(t, same[0].IsEmpty())
	require.True(t, same[0].SameCatalog)
	later, err := repo.Create(t.Context(), store.Memory(), repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	tryCopy(t, later, a, f, g)
	other, err := repo.Diff(t.Context(), a, later)
	require.NoError(t, err)
	require.True(t, other[0].IsEmpty())
	require.False(t, other[0].SameCatalog, "the packages are the same, the moments are not")
	_, err = repo.Diff(t.Context(), a, b, "none.org")
	require.EqualError(t, err, "compare none.org: neither source has this publisher")
	_, err = repo.Diff(t.Context(), a, noCatalogs{b})
	require.ErrorIs(t, err, errBroken)
}

// noCatalogs is a source whose catalogs cannot be read.
type noCatalogs struct{ repo.Source }

func (noCatalogs) Catalog(context.Context, string) (*catalog.Catalog, error) { return nil, errBroken }

// TestProto looks in one place after the other for regular files.
func TestProto(t *testing.T) {
	first := fstest.MapFS{"a": {Data: []byte("first")}, "dir/x": {Data: []byte("x")}}
	second := fstest.MapFS{"a": {Data: []byte("second")}, "b": {Data: []byte("b")}, "dir": {Data: []byte("a file")}}
	content := repo.Proto(first, second)
	for name, want := range map[string]string{"a": "first", "/a": "first", "./b": "b", "x/../b": "b", "dir": "a file"} {
		f, err := content(name)
		require.NoError(t, err, name)
		text, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, want, string(text), name)
		require.NoError(t, f.Close())
	}
	for _, name := range []string{"none", "", "dir/none", "a/b"} {
		_, err := content(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	_, err := repo.Proto(refusing{}, first)("a")
	require.ErrorIs(t, err, fs.ErrPermission, "the next place is not asked for what may not be read")
}

// refusing has files that may not be read.
type refusing struct{}

func (refusing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// TestToArchivePublishes publishes into an archive as into a repository: what is there
// is held, and a package that is there is there.
func TestToArchivePublishes(t *testing.T) {
	var file bytes.Buffer
	w := archive.NewWriter(&file, nil)
	sink, err := repo.ToArchive(t.Context(), w, store.Memory(), testOptions())
	require.NoError(t, err)
	src, pkgs := repotest.Small(t), []fmri.FMRI(nil)
	all, err := new(repo.Selection).Find(t.Context(), src)
	require.NoError(t, err)
	done, err := repo.Copy(t.Context(), sink, src, slices.Values(all), &repo.CopyOptions{Parallel: 1})
	require.NoError(t, err)
	require.Len(t, done.Copied, 4)
	require.Equal(t, repo.Amount{Payloads: 1, Bytes: done.Held.Bytes}, done.Held, "two packages have one licence")
	again, err := repo.Copy(t.Context(), sink, src, slices.Values(all), nil)
	require.NoError(t, err)
	require.Len(t, again.Skipped, 4)
	m := parse(t, "set name=pkg.fmri value=pkg://small.example/new@1\nfile path=a mode=0444 owner=root group=bin\n")
	one, err := repo.Publish(t.Context(), sink, m, &repo.PublishOptions{Content: repo.Proto(fstest.MapFS{"a": {Data: []byte("a")}})})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	a, err := archive.NewReader(t.Context(), bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	require.NoError(t, repotest.TestSource(t.Context(), a, append(append(pkgs, all...), one.FMRI)...))

	full := store.Memory()
	putText(t, full, "x", "x")
	_, err = repo.ToArchive(t.Context(), w, full, nil)
	require.ErrorIs(t, err, fs.ErrExist, "the store must be empty")
	require.False(t, errors.Is(err, fs.ErrNotExist))
}
