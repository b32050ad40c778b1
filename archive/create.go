package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A WriteCloser is a Writer of a file that appears when it is complete.
type WriteCloser struct {
	*Writer
	name string
	temp *os.File
}

// Create returns a Writer of a new archive in the named file. It has that name only
// once Close has written all of it and the disk has it; until then it is a hidden file
// beside it. If there is such a file already, or when Close would make it, the error
// matches [fs.ErrExist]. What earlier programs left when they were killed is removed.
func Create(name string, opts *WriterOptions) (*WriteCloser, error) {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
		}
		return nil, err
	}
	if err := removeLeft(name); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), tempPrefix(name)+"*")
	if err != nil {
		return nil, err
	}
	w := &WriteCloser{Writer: NewWriter(temp, opts), name: name, temp: temp}
	if err := temp.Chmod(0o644); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// tempPrefix returns how the names of temporary files for an archive begin. Digits
// follow.
func tempPrefix(name string) string { return "." + filepath.Base(name) + ".part-" }

// removeLeft removes temporary files. One that is being written by another program
// loses its name, so that its Close fails; only one of the two could have succeeded.
func removeLeft(name string) error {
	dir := filepath.Dir(name)
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		digits, ok := strings.CutPrefix(f.Name(), tempPrefix(name))
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return err
}

// Close writes the archive and gives it its name. If it fails, there is no file.
func (w *WriteCloser) Close() error {
	if w.temp == nil {
		return fs.ErrClosed
	}
	err := w.Writer.Close()
	if err == nil {
		err = w.temp.Sync()
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	temp := w.temp
	w.temp = nil
	err = temp.Close()
	if err == nil {
		err = publish(temp.Name(), w.name)
	}
	if err != nil {
		return errors.Join(err, remove(temp.Name()))
	}
	return syncDir(filepath.Dir(w.name))
}

// Abort gives up the archive, unless Close was called.
func (w *WriteCloser) Abort() error {
	if w.temp == nil {
		return nil
	}
	temp := w.temp
	w.temp = nil
	return errors.Join(temp.Close(), remove(temp.Name()))
}

// remove removes a file that may be gone.
func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// publish gives a file its final name, which must be free. Where the file system has no
// links, there is a moment in which another program could take the name as well.
func publish(temp, name string) error {
	err := os.Link(temp, name)
	if err == nil {
		return os.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Lstat(name); err == nil {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return os.Rename(temp, name)
}

// syncDir makes the names in a directory durable. Windows cannot do that, and does
// not need it.
func syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
