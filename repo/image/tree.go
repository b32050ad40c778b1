package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// A tree changes what is below one directory. Names are slash-separated paths below
// it. No change goes through a symbolic link: neither out of the tree, which the
// [os.Root] prevents, nor to another place within it. All changes an image makes to
// a disk are methods of its tree.
type tree struct {
	root *os.Root

	hooks *hooks // of tests

	// The directory that was looked at last, verified and open; a neighbour is
	// found without walking from the root again.
	dir     *os.Root
	dirName string

	dirty map[string]bool // directories whose entries have changed since sync
	buf   []byte          // for reading files
}

func newTree(root *os.Root) *tree {
	return &tree{root: root, hooks: new(hooks), dirty: map[string]bool{}}
}

// Close releases the root.
func (t *tree) Close() error {
	t.forget()
	return t.root.Close()
}

// forget closes the directory looked at last: it may be another one from now on.
func (t *tree) forget() {
	if t.dir != nil {
		t.dir.Close()
	}
	t.dir, t.dirName = nil, ""
}

// A LinkError says that a directory on the way to a path is a symbolic link.
type LinkError struct {
	Path string // of what is to be changed
	Link string // the link on the way
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%s: parent directory %s is a link", e.Path, e.Link)
}

// errNotDir is why a path cannot be reached.
var errNotDir = errors.New("not a directory")

// parent opens the directory that holds name and returns it with the last element.
// It stays open until forget.
func (t *tree) parent(name string) (*os.Root, string, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, "", because(fs.ErrInvalid, "%q is not a path below the root of an image", name)
	}
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if dir == "" {
		return t.root, base, nil
	}
	if t.dir != nil && t.dirName == dir {
		return t.dir, base, nil
	}
	r, err := t.descend(name, dir)
	if err != nil {
		return nil, "", err
	}
	t.forget()
	t.dir, t.dirName = r, dir
	return r, base, nil
}

// descend opens a directory element by element, refusing links.
func (t *tree) descend(name, dir string) (*os.Root, error) {
	at := t.root
	done := 0
	for elem := range strings.SplitSeq(dir, "/") {
		done += len(elem) + 1
		next, err := openDir(at, elem)
		if at != t.root {
			at.Close()
		}
		if errors.Is(err, errIsLink) {
			return nil, &LinkError{Path: name, Link: dir[:done-1]}
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: dir[:done-1], Err: underlying(err)}
		}
		at = next
	}
	return at, nil
}

var errIsLink = errors.New("is a symbolic link")

// errMoved is why a directory is not used.
var errMoved = errors.New("was replaced while it was being opened")

// openDir opens a directory that is no link. What is opened is what was looked at,
// even if the name comes to mean something else in between.
func openDir(at *os.Root, elem string) (*os.Root, error) {
	seen, err := at.Lstat(elem)
	switch {
	case err != nil:
		return nil, err
	case seen.Mode()&fs.ModeSymlink != 0:
		return nil, errIsLink
	case !seen.IsDir():
		return nil, errNotDir
	}
	next, err := at.OpenRoot(elem)
	if err != nil {
		return nil, err
	}
	if got, err := next.Lstat("."); err != nil || !os.SameFile(seen, got) {
		next.Close()
		return nil, errMoved
	}
	return next, nil
}

// underlying takes the path off an error that gets another one.
func underlying(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// announce tells a test of a change before it is made; an error prevents it.
func (t *tree) announce(op, name string) error {
	if t.hooks.before == nil {
		return nil
	}
	return t.hooks.before(op, name)
}

// change announces a change and returns the directory to make it in.
func (t *tree) change(op, name string) (*os.Root, string, error) {
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
	return dir.Lstat(base)
}

// readlink returns the text of a symbolic link.
func (t *tree) readlink(name string) (string, error) {
	dir, base, err := t.parent(name)
	if err != nil {
		return "", err
	}
	return dir.Readlink(base)
}

// open opens a regular file for reading.
func (t *tree) open(name string) (*os.File, error) {
	dir, base, err := t.parent(name)
	if err != nil {
		return nil, err
	}
	seen, err := dir.Lstat(base)
	if err != nil {
		return nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, because(fs.ErrInvalid, "%s is not a regular file", name)
	}
	f, err := dir.Open(base)
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
		if entries, err = fs.ReadDir(dir.FS(), base); err == nil {
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
	return dir.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
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
	return dir.Mkdir(base, mode)
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
	return dir.Remove(base)
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
	return dir.RemoveAll(base)
}

// left forgets the open directory if it is name or below it.
func (t *tree) left(name string) {
	if t.dirName == name || strings.HasPrefix(t.dirName, name+"/") {
		t.forget()
	}
}

// rename moves something to another name in one moment, replacing a file there.
func (t *tree) rename(from, to string) error {
	if _, _, err := t.parent(from); err != nil {
		return err
	}
	if _, _, err := t.change("rename", to); err != nil {
		return err
	}
	t.dirty[path.Dir(from)] = true
	t.left(from)
	t.left(to)
	if path.Dir(from) == path.Dir(to) {
		if dir, base, err := t.parent(to); err == nil {
			return dir.Rename(path.Base(from), base)
		}
	}
	return t.root.Rename(from, to)
}

// symlink makes a symbolic link.
func (t *tree) symlink(target, name string) error {
	dir, base, err := t.change("symlink", name)
	if err != nil {
		return err
	}
	return dir.Symlink(target, base)
}

// link makes another name of a file.
func (t *tree) link(from, to string) error {
	if _, _, err := t.parent(from); err != nil {
		return err
	}
	if _, _, err := t.change("link", to); err != nil {
		return err
	}
	return t.root.Link(from, to)
}

// chmod sets the permission bits, and set-id and sticky bits, of a file or directory.
func (t *tree) chmod(name string, mode fs.FileMode) error {
	dir, base, err := t.change("chmod", name)
	if err != nil {
		return err
	}
	return dir.Chmod(base, mode)
}

// lchown sets the owner, of a link itself if name is one.
func (t *tree) lchown(name string, uid, gid int) error {
	dir, base, err := t.change("chown", name)
	if err != nil {
		return err
	}
	return dir.Lchown(base, uid, gid)
}

// chtimes sets the time of last change.
func (t *tree) chtimes(name string, mtime time.Time) error {
	dir, base, err := t.change("chtimes", name)
	if err != nil {
		return err
	}
	return dir.Chtimes(base, mtime, mtime)
}
