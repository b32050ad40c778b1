package image

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// A tree changes what is below one directory. Names are slash-separated paths below
// it. No change goes through a symbolic link: neither out of the tree, which the
// [os.Root] prevents, nor to another place within it. All changes an image makes to
// a disk are methods of its tree.
type tree struct {
	root *os.Root
	top  directory // the same

	hooks *hooks // of tests

	// The directories that were looked at last, the latest first: what is moved has two,
	// and a neighbour is found without walking from the root again.
	recent [2]*directory

	dirty map[string]bool // directories whose entries have changed since sync
	buf   []byte          // for reading files
}

func newTree(root *os.Root) *tree {
	return &tree{root: root, top: directory{name: ".", root: root}, hooks: new(hooks), dirty: map[string]bool{}}
}

// Close releases the root.
func (t *tree) Close() error {
	t.forget()
	var err error
	if t.top.file != nil {
		err = t.top.file.Close()
	}
	return errors.Join(err, t.root.Close())
}

// announce tells a test of a change before it is made; an error prevents it.
func (t *tree) announce(op, name string) error {
	if t.hooks.before == nil {
		return nil
	}
	return t.hooks.before(op, name)
}

// change announces a change and returns the directory to make it in.
func (t *tree) change(op, name string) (*directory, string, error) {
	if err := t.announce(op, name); err != nil {
		return nil, "", err
	}
	dir, base, err := t.parent(name)
	if err == nil {
		t.dirty[path.Dir(name)] = true
	}
	return dir, base, err
}

// lstat describes what is at name, without following a link.
func (t *tree) lstat(name string) (fs.FileInfo, error) {
	dir, base, err := t.parent(name)
	if err != nil {
		return nil, err
	}
	return dir.root.Lstat(base)
}

// readlink returns the text of a symbolic link.
func (t *tree) readlink(name string) (string, error) {
	dir, base, err := t.parent(name)
	if err != nil {
		return "", err
	}
	return dir.root.Readlink(base)
}

// open opens a regular file for reading.
func (t *tree) open(name string) (*os.File, error) {
	dir, base, err := t.parent(name)
	if err != nil {
		return nil, err
	}
	seen, err := dir.root.Lstat(base)
	if err != nil {
		return nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, because(fs.ErrInvalid, "%s is not a regular file", name)
	}
	f, err := dir.root.Open(base)
	if err != nil {
		return nil, err
	}
	if got, err := f.Stat(); err != nil || !os.SameFile(seen, got) {
		f.Close()
		return nil, because(fs.ErrInvalid, "%s was replaced while it was being opened", name)
	}
	return f, nil
}

// readFile returns a file of at most limit bytes.
func (t *tree) readFile(name string, limit int64) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(src)) > limit {
		err = because(fs.ErrInvalid, "%s is larger than %d bytes", name, limit)
	}
	return src, err
}

// readDir returns the names in a directory, sorted; none if it does not exist.
func (t *tree) readDir(name string) ([]fs.DirEntry, error) {
	if name == "." {
		return fs.ReadDir(t.root.FS(), ".")
	}
	dir, base, err := t.parent(name)
	if err == nil {
		var entries []fs.DirEntry
		if entries, err = fs.ReadDir(dir.root.FS(), base); err == nil {
			return entries, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

// create makes a new file for writing.
func (t *tree) create(name string, mode fs.FileMode) (*os.File, error) {
	dir, base, err := t.change("create", name)
	if err != nil {
		return nil, err
	}
	f, err := dir.root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	return f, named("create", name, err)
}

// writeFile replaces a file in one moment, durably: the new content is on disk before
// it has the name.
func (t *tree) writeFile(name string, content []byte, mode fs.FileMode) error {
	tmp := name + ".new"
	if err := t.remove(tmp); err != nil {
		return err
	}
	f, err := t.create(tmp, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && !t.hooks.volatile {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := t.chmod(tmp, mode); err != nil {
		return err
	}
	if err := t.rename(tmp, name); err != nil {
		return err
	}
	return t.syncDir(path.Dir(name))
}

// mkdir makes one directory.
func (t *tree) mkdir(name string, mode fs.FileMode) error {
	dir, base, err := t.change("mkdir", name)
	if err != nil {
		return err
	}
	return named("make", name, dir.root.Mkdir(base, mode))
}

// mkdirAll makes a directory of the image's own, and those above it.
func (t *tree) mkdirAll(name string) error {
	fi, err := t.lstat(name)
	if err == nil && fi.IsDir() {
		return nil
	}
	if dir := path.Dir(name); dir != "." {
		if err := t.mkdirAll(dir); err != nil {
			return err
		}
	}
	err = t.mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		if fi, err := t.lstat(name); err == nil && fi.IsDir() {
			return nil
		}
	}
	return err
}

// remove deletes a file, a link or an empty directory; it is no error if there is none.
func (t *tree) remove(name string) error {
	fi, err := t.lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, base, err := t.change("remove", name)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		t.left(name)
	}
	return named("remove", name, dir.root.Remove(base))
}

// removeAll deletes whatever is at name.
func (t *tree) removeAll(name string) error {
	if _, err := t.lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dir, base, err := t.change("removeAll", name)
	if err != nil {
		return err
	}
	t.left(name)
	return named("remove", name, dir.root.RemoveAll(base))
}

// rename moves something to another name in one moment, replacing a file there.
func (t *tree) rename(from, to string) error {
	t.left(from)
	t.left(to)
	if err := t.announce("rename", to); err != nil {
		return err
	}
	old, oldBase, err := t.parent(from)
	if err != nil {
		return err
	}
	dir, base, err := t.parent(to)
	if err != nil {
		return err
	}
	t.dirty[old.name], t.dirty[dir.name] = true, true
	return named("rename", from, t.move(old, oldBase, dir, base))
}

// symlink makes a symbolic link.
func (t *tree) symlink(target, name string) error {
	dir, base, err := t.change("symlink", name)
	if err != nil {
		return err
	}
	return named("link", name, dir.root.Symlink(target, base))
}

// link makes another name of a file, in the same directory: there is no call on every
// system that links between two open ones.
func (t *tree) link(from, to string) error {
	dir, base, err := t.change("link", to)
	if err != nil {
		return err
	}
	if path.Dir(from) != dir.name {
		return because(fs.ErrInvalid, "%s is not in the directory of %s", from, to)
	}
	return named("link", from, dir.root.Link(path.Base(from), base))
}

// chmod sets the permission bits, and set-id and sticky bits, of a file or directory. A
// link is refused.
func (t *tree) chmod(name string, mode fs.FileMode) error {
	dir, base, err := t.change("chmod", name)
	if err != nil {
		return err
	}
	return named("chmod", name, dir.chmod(base, mode))
}

// lchown sets the owner, of a link itself if name is one.
func (t *tree) lchown(name string, uid, gid int) error {
	dir, base, err := t.change("chown", name)
	if err != nil {
		return err
	}
	return named("chown", name, dir.root.Lchown(base, uid, gid))
}

// chtimes sets the time of last change, of a link itself if name is one.
func (t *tree) chtimes(name string, mtime time.Time) error {
	dir, base, err := t.change("chtimes", name)
	if err != nil {
		return err
	}
	return named("set the time of", name, dir.chtimes(base, mtime))
}

// named gives an error the path that the tree has for a thing.
func named(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: underlying(err)}
}
