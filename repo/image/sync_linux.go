package image

import (
	"os"

	"golang.org/x/sys/unix"
)

// wholeSync says that syncAll also flushes the content of files.
const wholeSync = true

// syncAll flushes the file system that holds dir.
func syncAll(dir *os.File) (done bool, err error) {
	return true, unix.Syncfs(int(dir.Fd()))
}
