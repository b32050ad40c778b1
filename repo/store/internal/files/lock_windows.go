package files

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

const nonblock = 0

// lock takes the whole file for this handle. Unlike elsewhere the bytes of a
// locked file cannot be read by others, so a byte far behind them is locked.
func lock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	far := &windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, far)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrLocked
	}
	return err
}

// ignoreSync reports whether a sync failed because there is nothing to sync:
// directories cannot be synced here.
func ignoreSync(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_INVALID_FUNCTION)
}
