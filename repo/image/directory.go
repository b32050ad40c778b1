package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// A directory is one that was opened element by element, and found to be below the root
// of the tree without a link on the way. It stays the same whatever its name comes to
// mean; changes in it are made relative to it, and never by way of its name.
type directory struct {
	name string // its path when it was opened; "." is the root
	root *os.Root
	file *os.File // the same, for calls that take a descriptor; nil until it is needed
}

func (d *directory) close() {
	if d == nil || d.name == "." {
		return
	}
	d.root.Close()
	if d.file != nil {
		d.file.Close()
	}
}

// descriptor returns the descriptor of a directory, which stays the directory's.
func (d *directory) descriptor() (int, error) {
	if d.file == nil {
		f, err := d.root.Open(".")
		if err != nil {
			return -1, err
		}
		d.file = f
	}
	return int(d.file.Fd()), nil
}

// forget closes the directories looked at last: the names may mean others from now on.
func (t *tree) forget() {
	for n, d := range t.recent {
		d.close()
		t.recent[n] = nil
	}
}

// left forgets the open directories that are name or below it.
func (t *tree) left(name string) {
	for n, d := range t.recent {
		if d != nil && (d.name == name || strings.HasPrefix(d.name, name+"/")) {
			d.close()
			t.recent[n] = nil
		}
	}
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

// parent opens the directory that holds name and returns it with the last element. It
// stays open until forget, or until two others were asked for.
func (t *tree) parent(name string) (*directory, string, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, "", because(fs.ErrInvalid, "%q is not a path below the root of an image", name)
	}
	dir, base := path.Dir(name), path.Base(name)
	if dir == "." {
		return &t.top, base, nil
	}
	if d := t.recent[1]; d != nil && d.name == dir {
		t.recent[0], t.recent[1] = d, t.recent[0]
	}
	if d := t.recent[0]; d != nil && d.name == dir {
		return d, base, nil
	}
	r, err := t.descend(name, dir)
	if err != nil {
		return nil, "", err
	}
	t.recent[1].close()
	t.recent[0], t.recent[1] = &directory{name: dir, root: r}, t.recent[0]
	return t.recent[0], base, nil
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

// underlying takes the path and the name of the system call off an error that gets others.
func underlying(err error) error {
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return one.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}
