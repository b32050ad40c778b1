//go:build linux || darwin || solaris

package files

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// nonblock keeps a fifo in place of a file from stopping the program.
const nonblock = unix.O_NONBLOCK

// lock takes a record lock on the whole file. It belongs to the open file, so
// that it excludes other users of the same process too, and conflicts with the
// record locks of lockf(3), which belong to processes.
func lock(f *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(f.Fd(), setLock, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrLocked
	}
	return err
}

// ignoreSync reports whether a sync failed because there is nothing to sync:
// some file systems have no sync of directories.
func ignoreSync(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP)
}
