package archive

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/goips/ips/internal/reason"
)

// A WriteCloser is a Writer of a file that appears when it is complete.
type WriteCloser struct {
	*Writer
	dir  directory
	path string // as it was given
	name string // in dir
	temp string // in dir
	file file   // nil once Close or Abort was called
}

// A directory is where archives are created. Names have one element.
type directory interface {
	Names() ([]string, error)
	Lstat(name string) (fs.FileInfo, error)
	Create(name string) (file, error) // if the name is free
	Link(from, to string) error       // if the name is free
	Rename(from, to string) error
	Remove(name string) error
	Sync() error // makes names durable
	Close() error
}

type file interface {
	io.WriteCloser
	Sync() error
}

// Create returns a Writer of a new archive in the named file. It has that name only
// once Close has written all of it and the disk has it; until then it is a hidden file
// beside it. If there is such a file already, or when Close would make it, the error
// matches [fs.ErrExist]. What earlier programs left when they were killed is removed.
func Create(name string, opts *WriterOptions) (*WriteCloser, error) {
	parent, base := filepath.Split(name)
	if base == "" {
		return nil, reason.Errorf(fs.ErrInvalid, "%s: a directory; an archive needs the name of a file", name)
	}
	root, err := os.OpenRoot(filepath.Clean(parent))
	if err != nil {
		return nil, err
	}
	dir := osDirectory{root}
	w, err := create(dir, name, opts)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return w, nil
}

func create(dir directory, path string, opts *WriterOptions) (*WriteCloser, error) {
	w := &WriteCloser{dir: dir, path: path, name: filepath.Base(path)}
	if err := w.removeLeft(); err != nil {
		return nil, err
	}
	if err := w.isFree(); err != nil {
		return nil, err
	}
	if err := w.createTemp(); err != nil {
		return nil, err
	}
	w.Writer = NewWriter(w.file, opts)
	return w, nil
}

// isFree makes sure that the archive is not there.
func (w *WriteCloser) isFree() error {
	_, err := w.dir.Lstat(w.name)
	switch {
	case err == nil:
		return reason.Errorf(fs.ErrExist, "%s: there is such a file already; an archive is written anew, never added to", w.path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// createTemp makes the file that becomes the archive.
func (w *WriteCloser) createTemp() (err error) {
	for range 10_000 {
		w.temp = w.tempPrefix() + strconv.Itoa(rand.IntN(1e9))
		if w.file, err = w.dir.Create(w.temp); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

// tempPrefix returns how the names of temporary files for an archive begin. Digits
// follow.
func (w *WriteCloser) tempPrefix() string { return "." + w.name + ".part-" }

// removeLeft removes temporary files. One that is being written by another program
// loses its name, so that its Close fails; only one of the two could have succeeded.
func (w *WriteCloser) removeLeft() error {
	names, err := w.dir.Names()
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, w.tempPrefix())
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			err = errors.Join(err, w.remove(name))
		}
	}
	return err
}

// Close writes the archive and gives it its name. If it fails, there is no file,
// unless only the last step did, to make the name durable.
func (w *WriteCloser) Close() error {
	if w.file == nil {
		return fs.ErrClosed
	}
	err := w.Writer.Close()
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	err = w.file.Close()
	w.file = nil
	if err == nil {
		err = w.publish()
	}
	if err != nil {
		return errors.Join(err, w.remove(w.temp), w.dir.Close())
	}
	return errors.Join(w.dir.Sync(), w.dir.Close())
}

// Abort gives up the archive, unless Close was called.
func (w *WriteCloser) Abort() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Close(), w.remove(w.temp), w.dir.Close())
	w.file = nil
	return err
}

// remove removes a file that may be gone.
func (w *WriteCloser) remove(name string) error {
	if err := w.dir.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// publish gives the file its final name, which must be free. Where the file system has
// no links, there is a moment in which another program could take the name as well.
func (w *WriteCloser) publish() error {
	err := w.dir.Link(w.temp, w.name)
	if err == nil {
		w.remove(w.temp) // if that fails, the next Create does it
		return nil
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.isFree(); err != nil {
		return err
	}
	return w.dir.Rename(w.temp, w.name)
}

// An osDirectory is a directory of the system.
type osDirectory struct{ *os.Root }

// Names does without the sorting that is usual.
func (d osDirectory) Names() ([]string, error) {
	f, err := d.Open(".")
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

func (d osDirectory) Create(name string) (file, error) {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Sync does nothing on Windows, which cannot do it and does not need it.
func (d osDirectory) Sync() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
