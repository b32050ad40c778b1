//go:build unix

package image

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockFD takes the record lock of a whole file, as the reference does.
func lockFD(f *os.File) error {
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &l)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errLocked
	}
	return err
}
