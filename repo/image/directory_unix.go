//go:build unix

package image

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// move renames between two open directories.
func (t *tree) move(from *directory, old string, to *directory, base string) error {
	here, err := from.descriptor()
	if err != nil {
		return err
	}
	there, err := to.descriptor()
	if err != nil {
		return err
	}
	return unix.Renameat(here, old, there, base)
}

// chmod changes the mode of what is there, which must not be a link: it is opened first,
// and what was opened is changed.
func (d *directory) chmod(base string, mode fs.FileMode) error {
	at, err := d.descriptor()
	if err != nil {
		return err
	}
	fd, err := unix.Openat(at, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EACCES):
		// Who may not read a file may change its mode if it is his own; the superuser,
		// who has more to lose, does not come here.
		return d.root.Chmod(base, mode)
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EMLINK): // the latter of FreeBSD
		return errIsLink
	case err != nil:
		return err
	}
	f := os.NewFile(uintptr(fd), base)
	defer f.Close()
	return f.Chmod(mode)
}

func (d *directory) chtimes(base string, mtime time.Time) error {
	at, err := d.descriptor()
	if err != nil {
		return err
	}
	ts, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(at, base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}
