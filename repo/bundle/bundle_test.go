package bundle_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/bundle"
)

var errOwner = errors.New("no owner")

func generated(t *testing.T, seq func(func(manifest.Action, error) bool)) string {
	t.Helper()
	var lines []string
	for a, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, a.String())
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "bin/deep"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "bin/fire"), []byte("x"), 0o755))
	must(os.Chmod(filepath.Join(dir, "bin/fire"), 0o555|fs.ModeSetuid))
	must(os.Symlink("fire", filepath.Join(dir, "bin/burn")))
	must(os.Link(filepath.Join(dir, "bin/fire"), filepath.Join(dir, "bin/deep/zeal")))
	must(os.WriteFile(filepath.Join(dir, "mod.py"), []byte("x"), 0o644))
	stamp := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	must(os.Chtimes(filepath.Join(dir, "mod.py"), stamp, stamp))
	got := generated(t, bundle.Dir(os.DirFS(dir), &bundle.Options{Timestamps: []string{"*.py"}, Targets: []string{"bin/fire"}}))
	want := `file mod.py group=bin mode=0644 owner=root path=mod.py timestamp=20250102T030405Z
dir group=bin mode=0755 owner=root path=bin
link path=bin/burn target=fire
file bin/fire group=bin mode=4555 owner=root path=bin/fire
dir group=bin mode=0755 owner=root path=bin/deep
hardlink path=bin/deep/zeal target=../fire
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTar(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "t/", Typeflag: tar.TypeDir, Mode: 0o755, Uname: "root", Gname: "sys"},
		{Name: "t/a", Typeflag: tar.TypeReg, Mode: 0o640, Size: 5, Uname: "root", Gname: "sys"},
		{Name: "t/l", Typeflag: tar.TypeSymlink, Linkname: "a"},
		{Name: "t/d/h", Typeflag: tar.TypeLink, Linkname: "t/a"},
		{Name: "t/p", Typeflag: tar.TypeFifo},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, "hello")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `dir group=sys mode=0755 owner=root path=t
file t/a group=sys mode=0640 owner=root path=t/a
link path=t/l target=a
hardlink path=t/d/h target=../a
unknown path=t/p
`
	if diff := cmp.Diff(want, generated(t, bundle.Tar(bytes.NewReader(b.Bytes()), nil))); diff != "" {
		t.Error(diff)
	}
	files, err := bundle.TarFS(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"t/a", "t/d/h"} {
		if data, err := fs.ReadFile(files, name); err != nil || string(data) != "hello" {
			t.Errorf("%s is %q, %v", name, data, err)
		}
	}
	if _, err := files.Open("t/l"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link: %v", err)
	}
	cut := b.Bytes()[:700]
	for _, err := range bundle.Tar(bytes.NewReader(cut), nil) {
		if err != nil {
			return
		}
	}
	t.Error("a truncated archive was read to its end")
}

// tarOf returns a tar archive.
func tarOf(t *testing.T, headers ...tar.Header) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		require.NoError(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, strings.Repeat("x", int(h.Size)))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return bytes.NewReader(b.Bytes())
}

// TestTarOwners names owners by number where the archive has no names, or as the
// caller says.
func TestTarOwners(t *testing.T) {
	archive := tarOf(t, tar.Header{Name: "./a", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 7, Gid: 8}, tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o1777, Uname: "u", Gname: "g"})
	require.Equal(t, "file ./a group=8 mode=4755 owner=7 path=a\ndir group=g mode=1777 owner=u path=d\n",
		strings.Replace(generated(t, bundle.Tar(archive, nil)), "path=./a", "path=a", 1))
	archive.Seek(0, io.SeekStart)
	opts := &bundle.Options{Owner: func(fs.FileInfo) (string, string, error) { return "me", "us", nil }}
	require.Contains(t, generated(t, bundle.Tar(archive, opts)), "owner=me path=d")

	for _, a := range []io.Reader{strings.NewReader("no tar file, but long enough to be a header of one" + strings.Repeat(".", 512)), io.MultiReader(archive, strings.NewReader("x"))} {
		for range bundle.Tar(a, nil) {
		}
	}
	archive.Seek(0, io.SeekStart)
	failing := &bundle.Options{Owner: func(fs.FileInfo) (string, string, error) { return "", "", errOwner }}
	for _, err := range bundle.Tar(archive, failing) {
		require.ErrorIs(t, err, errOwner)
	}
	for _, err := range bundle.Dir(fstest.MapFS{"a": {}}, failing) {
		require.EqualError(t, err, "a: no owner")
	}
	for _, err := range bundle.Dir(fstest.MapFS{"a": {}}, &bundle.Options{Timestamps: []string{"["}}) {
		require.Error(t, err)
	}
	for _, err := range bundle.Dir(os.DirFS(t.TempDir()+"/none"), nil) {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	n := 0
	for range bundle.Dir(fstest.MapFS{"a": {}, "b": {}}, nil) {
		n++
		break
	}
	require.Equal(t, 1, n)
}

// TestTarFS opens the regular files of an archive, and hard links to them.
func TestTarFS(t *testing.T) {
	r := tarOf(t,
		tar.Header{Name: "./dir/a", Typeflag: tar.TypeReg, Size: 600, Mode: 0o644},
		tar.Header{Name: "b", Typeflag: tar.TypeLink, Linkname: "./dir/a"},
		tar.Header{Name: "c", Typeflag: tar.TypeLink, Linkname: "none"},
		tar.Header{Name: "../d", Typeflag: tar.TypeReg, Size: 1, Mode: 0o600},
		tar.Header{Name: "e", Typeflag: tar.TypeSymlink, Linkname: "b"},
	)
	files, err := bundle.TarFS(r, r.Size())
	require.NoError(t, err)
	for name, size := range map[string]int{"dir/a": 600, "b": 600, "d": 1} {
		f, err := files.Open(name)
		require.NoError(t, err, name)
		info, err := f.Stat()
		require.NoError(t, err)
		require.Equal(t, int64(size), info.Size())
		text, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("x", size), string(text))
		var last [1]byte
		_, err = f.(io.ReaderAt).ReadAt(last[:], int64(size-1))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	for _, name := range []string{"c", "e", "none", "./dir/a"} {
		_, err := files.Open(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	_, err = bundle.TarFS(strings.NewReader(strings.Repeat("junk", 200)), 800)
	require.Error(t, err)
}

// TestTarSparse finds no payload whose bytes are not all in the archive: sparse members.
func TestTarSparse(t *testing.T) {
	for name, records := range map[string]map[string]string{
		"1.0": {"OUR.sparse.major": "1", "OUR.sparse.minor": "0", "OUR.sparse.name": "sparse", "OUR.sparse.realsize": "5"},
		"0.1": {"OUR.sparse.map": "0,512", "OUR.sparse.numblocks": "1", "OUR.sparse.size": "512", "OUR.sparse.name": "sparse"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			data := make([]byte, 512)
			copy(data, "1\n0\n5\n")
			require.NoError(t, w.WriteHeader(&tar.Header{Name: "sparse", Typeflag: tar.TypeReg, Mode: 0o644, Size: 512, Format: tar.FormatPAX, PAXRecords: records}))
			_, err := w.Write(data)
			require.NoError(t, err)
			require.NoError(t, w.WriteHeader(&tar.Header{Name: "plain", Typeflag: tar.TypeReg, Mode: 0o644, Size: 512}))
			_, err = w.Write(data)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			text := bytes.ReplaceAll(b.Bytes(), []byte("OUR.sparse"), []byte("GNU.sparse")) // which package tar does not write
			files, err := bundle.TarFS(bytes.NewReader(text), int64(len(text)))
			require.NoError(t, err)
			_, err = files.Open("sparse")
			require.ErrorIs(t, err, fs.ErrNotExist)
			plain, err := fs.ReadFile(files, "plain")
			require.NoError(t, err)
			require.Equal(t, data, plain)
		})
	}
}
