package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// lockFile is the file below the metadata directory that excludes other processes.
const lockFile = "lock"

// A LockedError says that another process is at work on the image.
type LockedError struct {
	Holder string // process id, client, host and time, one per line; "" if not known
}

func (e *LockedError) Error() string {
	const text = "another process is changing the image; try again when it has ended"
	words := strings.Fields(e.Holder)
	if len(words) < 4 {
		return text
	}
	return fmt.Sprintf("%s: process %s (%s) on %s, since %s", text, words[0], words[1], words[2], words[3])
}

// errLocked is returned by lockFD if another process holds the lock.
var errLocked = errors.New("locked")

// A lock is held on an image.
type lock struct{ file *os.File }

// lock takes the lock of the image, for processes and for goroutines. It does not
// wait for other processes.
func (i *Image) lock() error {
	i.mu.Lock()
	l, err := i.lockProcess()
	if err != nil {
		i.mu.Unlock()
		return err
	}
	i.held = l
	return nil
}

func (i *Image) lockProcess() (*lock, error) {
	name := i.meta(lockFile)
	f, err := i.openLock(name)
	if err != nil {
		return nil, err
	}
	if err := lockFD(f); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 1024))
		f.Close()
		if errors.Is(err, errLocked) {
			return nil, &LockedError{Holder: string(holder)}
		}
		return nil, err
	}
	host, _ := os.Hostname()
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d\n%s\n%s\n%s\n\n", os.Getpid(), i.opts.Client, host, i.now().Format(time.RFC3339))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lock{file: f}, nil
}

// openLock opens the lock file, which must not be a link.
func (i *Image) openLock(name string) (*os.File, error) {
	dir, base, err := i.tree.parent(name)
	if err != nil {
		return nil, err
	}
	fi, err := dir.root.Lstat(base)
	if err == nil && !fi.Mode().IsRegular() {
		return nil, because(fs.ErrInvalid, "%s is not a regular file; it is locked while an image is changed", name)
	}
	f, err := dir.root.OpenFile(base, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if errors.Is(err, fs.ErrPermission) {
		return nil, because(fs.ErrPermission, "this user may not write to %s, which is locked while an image is changed", name)
	}
	return f, err
}

// unlock gives the lock back. The file stays, empty.
func (i *Image) unlock() {
	if i.held != nil {
		_ = i.held.file.Truncate(0) // says only who held it
		i.held.file.Close()         // gives up the record lock
	}
	i.held = nil
	i.mu.Unlock()
}
