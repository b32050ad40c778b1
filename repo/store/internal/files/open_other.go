//go:build !linux

package files

import (
	"io/fs"
	"os"
	"path"
)

type top struct{}

func (*top) close() error { return nil }

func (o *osFS) open(name string, flag int) (*os.File, error) {
	return o.root.OpenFile(name, flag, 0o666)
}

func (o *osFS) Stat(name string) (fs.FileInfo, error) { return o.root.Stat(name) }

func (o *osFS) OpenDir(name string) (Dir, error) {
	info, err := o.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return osDir{o.root, name}, nil
}

type osDir struct {
	root *os.Root
	name string
}

func (d osDir) Take(from, base string) error { return d.root.Rename(from, path.Join(d.name, base)) }

func (d osDir) Close() error { return nil }
