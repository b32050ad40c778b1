package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newTestTree returns a tree with a directory d, a file d/f and a link d/l to the file.
func newTestTree(t *testing.T) (*tree, string) {
	t.Helper()
	dir := tempDir(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d/f"), []byte("f"), 0o644))
	require.NoError(t, os.Symlink("f", filepath.Join(dir, "d/l")))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	tr := newTree(root)
	tr.hooks.volatile = true
	t.Cleanup(func() { tr.Close() })
	return tr, dir
}

// TestTreeFollowsNoLink changes links themselves or refuses, and never what they lead to.
func TestTreeFollowsNoLink(t *testing.T) {
	tr, dir := newTestTree(t)
	file := filepath.Join(dir, "d/f")
	before, err := os.Stat(file)
	require.NoError(t, err)

	require.ErrorIs(t, tr.chmod("d/l", 0o4777), errIsLink)
	require.NoError(t, tr.chtimes("d/l", time.Unix(1000, 0)))
	link, err := os.Lstat(filepath.Join(dir, "d/l"))
	require.NoError(t, err)
	require.Equal(t, int64(1000), link.ModTime().Unix())
	if os.Geteuid() == 0 {
		require.NoError(t, tr.lchown("d/l", 1, 1))
	}
	_, err = tr.open("d/l")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = tr.create("d/l", 0o600)
	require.ErrorIs(t, err, fs.ErrExist)
	after, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, before.Mode(), after.Mode())
	require.Equal(t, before.ModTime(), after.ModTime())
	uid, gid := ownerOf(before)
	newUID, newGID := ownerOf(after)
	require.Equal(t, [2]int{uid, gid}, [2]int{newUID, newGID})

	require.NoError(t, os.Symlink("d", filepath.Join(dir, "toDir")))
	for name, change := range map[string]func(string) error{
		"create": func(n string) error { _, err := tr.create(n+"/x", 0o600); return err },
		"mkdir":  func(n string) error { return tr.mkdir(n+"/x", 0o700) },
		"remove": func(n string) error { return tr.remove(n + "/f") },
		"all":    func(n string) error { return tr.removeAll(n + "/f") },
		"from":   func(n string) error { return tr.rename(n+"/f", "x") },
		"to":     func(n string) error { return tr.rename("d/f", n+"/x") },
		"link":   func(n string) error { return tr.link(n+"/f", n+"/x") },
		"sym":    func(n string) error { return tr.symlink("f", n+"/x") },
		"chmod":  func(n string) error { return tr.chmod(n+"/f", 0o600) },
		"chown":  func(n string) error { return tr.lchown(n+"/f", 0, 0) },
		"time":   func(n string) error { return tr.chtimes(n+"/f", time.Now()) },
		"read":   func(n string) error { _, err := tr.readFile(n+"/f", 10); return err },
		"look":   func(n string) error { _, err := tr.lstat(n + "/f"); return err },
	} {
		var link *LinkError
		require.ErrorAs(t, change("toDir"), &link, name)
		require.Equal(t, "toDir", link.Link, name)
	}
	names, err := os.ReadDir(filepath.Join(dir, "d"))
	require.NoError(t, err)
	require.Len(t, names, 2)
}

// TestTreeStaysInDirectory goes on in the directory that it has opened when the name comes
// to mean another one, and takes the other one after forget.
func TestTreeStaysInDirectory(t *testing.T) {
	tr, dir := newTestTree(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := tr.lstat("d/f")
	require.NoError(t, err)
	require.NoError(t, os.Rename(at("d"), at("moved")))
	require.NoError(t, os.Mkdir(at("precious"), 0o755))
	require.NoError(t, os.Symlink("precious", at("d")))
	require.NoError(t, os.WriteFile(at("new"), nil, 0o644))

	require.NoError(t, tr.rename("new", "d/new"))
	require.NoError(t, tr.symlink("x", "d/s"))
	require.NoError(t, tr.chmod("d/new", 0o4755))
	require.NoError(t, tr.link("d/f", "d/again"))
	entries, err := os.ReadDir(at("precious"))
	require.NoError(t, err)
	require.Empty(t, entries)
	entries, err = os.ReadDir(at("moved"))
	require.NoError(t, err)
	require.Len(t, entries, 5)

	tr.forget()
	var link *LinkError
	require.ErrorAs(t, tr.remove("d/new"), &link)
}

// TestTreeLeft follows its own changes: a directory that it has removed or moved is not the
// one of that name any more, nor are those that were in it.
func TestTreeLeft(t *testing.T) {
	for name, leave := range map[string]func(tr *tree) error{
		"removed":  func(tr *tree) error { return tr.removeAll("a") },
		"moved":    func(tr *tree) error { return tr.rename("a", "b") },
		"replaced": func(tr *tree) error { return errors.Join(tr.removeAll("a/deep"), tr.remove("a")) },
	} {
		tr, dir := newTestTree(t)
		require.NoError(t, tr.mkdirAll("a/deep"))
		_, err := tr.lstat("a/deep/x")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, leave(tr), name)
		require.NoError(t, tr.mkdirAll("a/deep"), name)
		f, err := tr.create("a/deep/x", 0o600)
		require.NoError(t, err, name)
		require.NoError(t, f.Close())
		_, err = os.Stat(filepath.Join(dir, "a/deep/x"))
		require.NoError(t, err, name)
	}
}

// TestTreeNames refuses what is no path below the root, and reads no more than it may.
func TestTreeNames(t *testing.T) {
	tr, _ := newTestTree(t)
	for _, name := range []string{"", ".", "..", "/", "/d", "d/", "d/../x", "./d", "d//f", "../x"} {
		_, err := tr.lstat(name)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
		require.ErrorContains(t, err, "is not a path below the root of an image")
	}
	_, err := tr.readFile("d/f", 0)
	require.EqualError(t, err, "d/f is larger than 0 bytes")
	text, err := tr.readFile("d/f", 1)
	require.NoError(t, err)
	require.Equal(t, "f", string(text))
	_, err = tr.lstat("d/f/below")
	require.ErrorIs(t, err, errNotDir)
	require.ErrorIs(t, tr.link("d/f", "f"), fs.ErrInvalid, "a link in another directory")
	entries, err := tr.readDir("nowhere")
	require.NoError(t, err)
	require.Empty(t, entries)
	require.NoError(t, tr.remove("nowhere"))
	require.NoError(t, tr.removeAll("nowhere"))
}

// TestTempName keeps beside what it is for, within what file systems take.
func TestTempName(t *testing.T) {
	for name, want := range map[string]string{
		"f": ".ips-f.tmp", "a/b/f": "a/b/.ips-f.tmp",
		"d/" + strings.Repeat("x", 255): "d/.ips-" + strings.Repeat("x", 200) + ".tmp",
	} {
		require.Equal(t, want, tempName(name))
	}
}
