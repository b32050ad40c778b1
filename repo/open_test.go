package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
)

func TestParseLocation(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths are written otherwise there")
	}
	for text, want := range map[string][2]string{
		"r":                                {"file", "r"},
		"r:1":                              {"file", "r:1"},
		"./agent@1.0,5.11-1:2016.p5p":      {"file", "./agent@1.0,5.11-1:2016.p5p"},
		"a b+c%20d":                        {"file", "a b+c%20d"},
		`C:\repo`:                          {"file", `C:\repo`},
		"file:relative":                    {"file", "file:relative"},
		"http:/one/slash":                  {"file", "http:/one/slash"},
		"file:/srv/repo":                   {"file", "/srv/repo"},
		"file:///srv/a%20b+c%25":           {"file", "/srv/a b+c%"},
		"FILE:///srv":                      {"file", "/srv"},
		"file://localhost/srv":             {"file", "/srv"},
		"file:///srv/agent@1.0,5.11-1:201": {"file", "/srv/agent@1.0,5.11-1:201"},
		"HTTP://example.org/r?q":           {"http", ""},
		"s3://bucket/prefix":               {"s3", ""},
	} {
		l, err := repo.ParseLocation(text)
		require.NoError(t, err, text)
		got := [2]string{l.Scheme(), l.Path()}
		require.Empty(t, cmp.Diff(want, got), text)
		require.Equal(t, text, l.String())
	}
}

func TestParseLocationRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                  `location "": it is empty`,
		"file://host/path":  `location "file://host/path": it names the host "host"; a file of this machine is written file:///path`,
		"file:///a?b":       `location "file:///a?b": a file URI has nothing but a path; "?" is written %3F and "#" %23 in it`,
		"file:///a#b":       `location "file:///a#b": a file URI has nothing but a path; "?" is written %3F and "#" %23 in it`,
		"file://u@/a":       `location "file://u@/a": a file URI has nothing but a path; "?" is written %3F and "#" %23 in it`,
		"file://":           `location "file://": it is empty`,
		"file:///a%00":      `location "file:///a%00": it contains a zero byte`,
		"a\x00b":            `location "a\x00b": it contains a zero byte`,
		"file:///a%zz":      `location "file:///a%zz": invalid URL escape "%zz"`,
		"://x":              `location "://x": missing protocol scheme`,
		"http://[::1/depot": `location "http://[::1/depot": missing ']' in host`,
	} {
		_, err := repo.ParseLocation(text)
		var wrong *repo.LocationError
		require.ErrorAs(t, err, &wrong, text)
		require.Equal(t, text, wrong.Location)
		require.EqualError(t, err, want)
	}
}

// places makes a repository and an archive of it in a new directory.
func places(t *testing.T) (dir, archiveFile string) {
	dir = filepath.Join(t.TempDir(), "a b+c:1", "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "small.example"}, nil)
	require.NoError(t, err)
	src, f := repotest.Small(t), fmri.MustParse("pkg://small.example/tool@1.0,5.11-1:20260101T000000Z")
	require.NoError(t, errOf(repo.Copy(t.Context(), r, src, slices.Values([]fmri.FMRI{f}), nil)))
	require.NoError(t, r.Close())

	archiveFile = filepath.Join(filepath.Dir(dir), "agent@1.0,5.11-1:2016.p5p")
	w, err := archive.Create(archiveFile, nil)
	require.NoError(t, err)
	m, err := src.Manifest(t.Context(), f)
	require.NoError(t, err)
	require.NoError(t, w.Add(f, m, func(p manifest.Payload) (io.ReadCloser, error) {
		return src.Payload(t.Context(), f.Publisher(), p.Name())
	}))
	require.NoError(t, w.Close())
	return dir, archiveFile
}

// TestCloseIndex closes the index of a catalog that is large enough to have one.
func TestCloseIndex(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	for i := range 1000 {
		publish(t, b, fmt.Sprintf("a%d@1", i))
	}
	require.NoError(t, b.Commit(t.Context()))
	require.NoError(t, r.Close())
	require.FileExists(t, filepath.Join(dir, "publisher/test.org/tmp/ips.index"))
	before := openFiles(t)
	for range 20 {
		r, err := repo.OpenDir(t.Context(), dir, nil)
		require.NoError(t, err)
		require.Len(t, list(t, r, "test.org"), 1000)
		require.NoError(t, r.Close())
	}
	require.Equal(t, before, openFiles(t))
}

// TestCatalogOutlives asks a catalog for what its index has after the repository was closed,
// which leaves no file open; and after somebody has written another.
func TestCatalogOutlives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	for i := range 1000 {
		tx := begin(t, b, fmt.Sprintf("a%d@1", i))
		require.NoError(t, tx.Add(t.Context(), manifest.MustParseAction("depend type=require fmri=always"), nil))
		commit(t, tx)
	}
	require.NoError(t, b.Commit(t.Context()))
	require.NoError(t, r.Close())
	depends := func(c *catalog.Catalog) (n int, err error) {
		for p := range c.All() {
			for _, failed := range p.Depends() {
				if failed != nil {
					return n, failed
				}
				n++
			}
		}
		return n, nil
	}
	read := func() *catalog.Catalog {
		r, err := repo.OpenDir(t.Context(), dir, nil)
		require.NoError(t, err)
		c, err := r.Catalog(t.Context(), "test.org")
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.NoError(t, r.Close(), "again")
		return c
	}
	before := openFiles(t)
	n, err := depends(read())
	require.NoError(t, err)
	require.Equal(t, 1000, n)
	require.Equal(t, before, openFiles(t))

	old := read()
	r, err = repo.OpenDir(t.Context(), dir, nil)
	require.NoError(t, err)
	publish(t, r, "b@1")
	require.NoError(t, r.Close())
	_, err = depends(old)
	require.Error(t, err, "what it was is not there any more")
	require.Equal(t, 1001, read().Len())
}

// openFiles returns how many files are open.
func openFiles(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("open files are counted in /proc")
	}
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// TestOpenCloses opens what there is again and again: no file stays open.
func TestOpenCloses(t *testing.T) {
	dir, file := places(t)
	openers := repo.Local(nil)
	use := func() {
		for _, location := range []string{dir, "file://" + dir, file} {
			src, err := openers.OpenSource(t.Context(), location)
			require.NoError(t, err)
			_, err = src.Publishers(t.Context())
			require.NoError(t, err)
			require.NoError(t, repo.Join(src).Close(), "Join closes what it joins")
		}
		dst, err := openers.OpenSink(t.Context(), dir)
		require.NoError(t, err)
		require.NoError(t, dst.Close())
		_, err = openers.OpenSource(t.Context(), filepath.Dir(dir))
		require.ErrorIs(t, err, fs.ErrNotExist, "a directory that is no repository")
		_, err = repo.CreateDir(t.Context(), dir, repo.Config{}, nil)
		require.ErrorIs(t, err, fs.ErrExist)
	}
	use()
	before := openFiles(t)
	for range 50 {
		use()
	}
	require.Equal(t, before, openFiles(t))
}

func TestOpenRefuses(t *testing.T) {
	dir, file := places(t)
	openers := repo.Local(nil)
	openers["half"] = repo.Opener{}
	source := func(location string) func(context.Context) error {
		return func(ctx context.Context) error { _, err := openers.OpenSource(ctx, location); return err }
	}
	sink := func(location string) func(context.Context) error {
		return func(ctx context.Context) error { _, err := openers.OpenSink(ctx, location); return err }
	}
	create := func(path string, c repo.Config) func(context.Context) error {
		return func(ctx context.Context) error { _, err := repo.CreateDir(ctx, path, c, nil); return err }
	}
	missing := filepath.Join(dir, "missing")
	for name, test := range map[string]struct {
		do   func(context.Context) error
		is   error
		text string
	}{
		"nothing":            {source(missing), fs.ErrNotExist, "open " + missing + ": there is nothing of that name"},
		"nothing, to write":  {sink(missing), fs.ErrNotExist, "open " + missing + ": there is nothing of that name"},
		"no repository":      {source(filepath.Dir(dir)), fs.ErrNotExist, "open " + filepath.Dir(dir) + ": there is no repository in it"},
		"an archive":         {sink(file), errors.ErrUnsupported, "open " + file + ": it is a file; packages are published to a repository, which is a directory"},
		"a scheme":           {source("gopher://x"), errors.ErrUnsupported, `open gopher://x: this program cannot read locations of scheme "gopher"; it knows: file, half`},
		"no opener":          {sink("half://x"), errors.ErrUnsupported, `open half://x: this program cannot publish to locations of scheme "half"; it knows: file, half`},
		"no location":        {source("file://host/x"), fs.ErrInvalid, `location "file://host/x": it names the host "host"; a file of this machine is written file:///path`},
		"no location either": {sink(""), fs.ErrInvalid, `location "": it is empty`},
		"a full directory":   {create(dir, repo.Config{}), fs.ErrExist, "create " + dir + ": there is pkg5.repository already; a new repository needs an empty place"},
		"a file":             {create(file, repo.Config{}), fs.ErrExist, "create " + file + ": there is a file of that name already"},
		"a version":          {create(missing, repo.Config{Version: 5}), errors.ErrUnsupported, "create " + missing + ": version 5 is not known; it may be 4 or 3"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.do(t.Context())
			require.ErrorIs(t, err, test.is)
			require.EqualError(t, err, test.text)
		})
	}
	_, err := repo.OpenDir(t.Context(), file, nil)
	require.EqualError(t, err, "open "+file+": it is a file; a repository is a directory")
	require.NoDirExists(t, missing, "what was refused has made nothing")
}

// TestOpenSpecialFiles refuses at once what would be waited for.
func TestOpenSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, socket := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket")
	locations := map[string]string{os.DevNull: "a device"}
	if exec.Command("mkfifo", pipe).Run() == nil {
		locations[pipe] = "a named pipe"
	}
	if l, err := net.Listen("unix", socket); err == nil {
		defer l.Close()
		locations[socket] = "a socket"
	}
	for location, what := range locations {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := repo.Local(nil).OpenSource(ctx, location)
			require.ErrorIs(t, err, fs.ErrInvalid)
			require.EqualError(t, err, "open "+location+": it is "+what+", neither a repository nor an archive")
			_, err = repo.Local(nil).OpenSink(ctx, location)
			require.ErrorIs(t, err, fs.ErrInvalid)
			_, err = repo.CreateDir(ctx, location, repo.Config{}, nil)
			require.ErrorIs(t, err, fs.ErrInvalid)
		})
	}
}

// TestOpened leaves a source open that was open before.
func TestOpened(t *testing.T) {
	src, f := repotest.Small(t), fmri.MustParse("pkg://small.example/tool@1.0,5.11-1:20260101T000000Z")
	openers := repo.Openers{"mem": repo.Opened(src)}
	s, err := openers.OpenSource(t.Context(), "mem://small")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Manifest(t.Context(), f)
	require.NoError(t, err)
	_, err = openers.OpenSink(t.Context(), "mem://small")
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// TestCreateDirOld makes the directories without which the reference sees no repository.
func TestCreateDirOld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{Version: 3, DefaultPublisher: "test"}, nil)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	for _, name := range []string{"catalog", "file", "index", "pkg", "tmp", "trans"} {
		require.DirExists(t, filepath.Join(dir, name))
	}
	r, err = repo.OpenDir(t.Context(), dir, nil)
	require.NoError(t, err)
	require.Equal(t, 3, r.Version())
	require.NoError(t, r.Close())
}
