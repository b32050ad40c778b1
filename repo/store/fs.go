package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS returns the store as a file system for reading, with the directories that
// the names make. A directory nothing is in does not exist, except for the root.
// The context holds for all of its operations.
func FS(ctx context.Context, s Store) fs.FS { return storeFS{ctx, s} }

type storeFS struct {
	ctx context.Context
	s   Store
}

func (f storeFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name != "." {
		r, info, err := f.s.Open(f.ctx, name)
		if err == nil {
			return newFile(r, info), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, pathError("open", name, err)
		}
	}
	entries, err := f.ReadDir(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &fsDir{fsInfo{Info{Name: name + "/"}}, entries}, nil
}

// ReadDir lists a directory; it makes FS an fs.ReadDirFS.
func (f storeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	dir := strings.TrimSuffix(below(name), "/")
	var entries []fs.DirEntry
	for info, err := range ListDir(f.ctx, f.s, dir) {
		if err != nil {
			return nil, pathError("readdir", name, err)
		}
		entries = append(entries, fs.FileInfoToDirEntry(fsInfo{info}))
	}
	if len(entries) == 0 && name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func pathError(op, name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// fsInfo is an Info as fs.FileInfo.
type fsInfo struct{ i Info }

func (i fsInfo) Name() string       { return path.Base(i.i.Name) }
func (i fsInfo) Size() int64        { return i.i.Size }
func (i fsInfo) ModTime() time.Time { return i.i.Time }
func (i fsInfo) IsDir() bool        { return i.i.IsDir() }
func (i fsInfo) Sys() any           { return i.i }

func (i fsInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type fsFile struct {
	io.ReadCloser
	info fsInfo
}

func (f *fsFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// newFile returns a reader of the store as a file, which is an io.ReaderAt if the
// reader is.
func newFile(r io.ReadCloser, info Info) fs.File {
	f := &fsFile{r, fsInfo{info}}
	if at, ok := r.(io.ReaderAt); ok {
		return struct {
			*fsFile
			io.ReaderAt
		}{f, at}
	}
	return f
}

type fsDir struct {
	info fsInfo
	rest []fs.DirEntry
}

func (d *fsDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *fsDir) Close() error               { return nil }

func (d *fsDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.Name(), Err: errors.New("is a directory")}
}

func (d *fsDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	list := d.rest[:n]
	d.rest = d.rest[n:]
	return list, nil
}
