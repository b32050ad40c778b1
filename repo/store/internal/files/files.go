// Package files is what a directory store needs of a file system, so that the
// same store can be run on a disk that loses power on purpose.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// FS is a tree of files. Names are slash paths relative to its root; none leads
// out of it, through links or otherwise. Errors match those of package fs.
type FS interface {
	// Create makes a new file, with an error matching fs.ErrExist if the name
	// is taken.
	Create(name string) (File, error)

	// Open opens a regular file for reading.
	Open(name string) (File, error)

	// OpenDir opens a directory to move files into.
	OpenDir(name string) (Dir, error)

	// Lock opens a file for reading and writing, after making it if create is
	// set, and locks it until it is closed. ErrLocked says that another has it
	// locked; the file is returned then, too, for reading. A lock is of the
	// file that has the name now.
	Lock(name string, create bool) (File, error)

	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	Mkdir(name string) error
	Remove(name string) error // a file, or a directory that is empty

	// Sync makes files and directories durable: the content of the files, and
	// the names in the directories. What has gone meanwhile is passed over.
	Sync(names []string) error
}

// A File is open.
type File interface {
	fs.File
	io.Writer
	Sync() error
	Truncate(size int64) error
}

// A Dir is an open directory.
type Dir interface {
	// Take gives a file at the top of the tree a name in the directory, in
	// place of the file that has it.
	Take(from, base string) error

	Close() error
}

// NewStore makes the store of package store on a file system, a store.Store. Package
// store sets it, which nobody else needs to see; package storetest has a file system that
// loses power.
var NewStore func(FS) any

// ErrLocked reports a lock held by another.
var ErrLocked = errors.New("file is locked")

// manyFiles is how many files are more work to sync than a whole file system,
// on which others may be writing as well.
const manyFiles = 8

// OS is the tree below a root. It is an io.Closer, which closes the root.
func OS(root *os.Root) FS { return &osFS{root: root} }

// Close closes what lies open, and the root.
func (o *osFS) Close() error { return errors.Join(o.top.close(), o.root.Close()) }

type osFS struct {
	root *os.Root
	top  top
}

func (o *osFS) Create(name string) (File, error) {
	return file(o.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL))
}

func (o *osFS) Open(name string) (File, error) {
	f, err := o.open(name, os.O_RDONLY|nonblock)
	if err != nil {
		return nil, err
	}
	return regular(f, name)
}

func (o *osFS) Lock(name string, create bool) (File, error) {
	flag := os.O_RDWR | os.O_APPEND | nonblock
	if create {
		flag |= os.O_CREATE
	}
	for {
		f, err := o.open(name, flag)
		if err != nil {
			return nil, err
		}
		if _, err := regular(f, name); err != nil {
			return nil, err
		}
		err = lock(f)
		if errors.Is(err, ErrLocked) {
			return f, err
		}
		if err == nil && o.is(f, name) {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
		}
	}
}

// is reports whether a file has still the name under which it was opened.
func (o *osFS) is(f *os.File, name string) bool {
	opened, err1 := f.Stat()
	named, err2 := o.Stat(name)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// regular closes what is not a regular file.
func regular(f *os.File, name string) (File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errNotRegular{info.Mode()}}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// errNotRegular is what stands where a file ought to be. To a store a directory
// is the absence of an object.
type errNotRegular struct{ mode fs.FileMode }

func (e errNotRegular) Error() string { return "not a regular file" }

func (e errNotRegular) Is(target error) bool {
	return target == fs.ErrInvalid || e.mode.IsDir() && target == fs.ErrNotExist
}

// file keeps a nil *os.File from becoming a File that is not nil.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (o *osFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(o.root.FS(), name) }
func (o *osFS) Mkdir(name string) error                    { return o.root.Mkdir(name, 0o777) }
func (o *osFS) Remove(name string) error                   { return o.root.Remove(name) }

func (o *osFS) Sync(names []string) error {
	if len(names) > manyFiles {
		if err := syncAll(o.root); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	for _, name := range names {
		if err := o.sync(name); err != nil {
			return err
		}
	}
	return nil
}

// sync makes one file or directory durable.
func (o *osFS) sync(name string) error {
	f, err := o.open(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if ignoreSync(err) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
