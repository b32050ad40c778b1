package files

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// top is the directory at the root, opened when it is first needed. It is closed with
// the tree.
type top struct {
	once sync.Once
	dir  *os.File
	err  error
}

func (t *top) close() error {
	if t.dir == nil {
		return nil
	}
	return t.dir.Close()
}

// open opens a name below the root with one system call where os.Root needs two
// for each element of the path. Where the call is not to be had, or refuses the
// path, os.Root decides.
func (o *osFS) open(name string, flag int) (*os.File, error) {
	o.top.once.Do(func() { o.top.dir, o.top.err = o.root.Open(".") })
	if o.top.err != nil {
		return nil, o.top.err
	}
	how := unix.OpenHow{Flags: uint64(flag) | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH}
	if flag&os.O_CREATE != 0 {
		how.Mode = 0o666
	}
	fd, err := unix.Openat2(int(o.top.dir.Fd()), name, &how)
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), name), nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EROFS):
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return o.root.OpenFile(name, flag, 0o666)
}

func (o *osFS) Stat(name string) (fs.FileInfo, error) {
	f, err := o.open(name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

func (o *osFS) OpenDir(name string) (Dir, error) {
	f, err := o.open(name, os.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return osDir{o, f}, nil
}

// An osDir moves files by the numbers of directories, which were found below the
// root.
type osDir struct {
	fs *osFS
	*os.File
}

func (d osDir) Take(from, base string) error {
	err := unix.Renameat(int(d.fs.top.dir.Fd()), from, int(d.Fd()), base)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: d.Name() + "/" + base, Err: err}
	}
	return nil
}
