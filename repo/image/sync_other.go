//go:build !linux

package image

import "os"

// wholeSync says that syncAll also flushes the content of files.
const wholeSync = false

// syncAll does nothing: there is no call that waits for a whole file system.
func syncAll(*os.File) (done bool, err error) { return false, nil }
