//go:build unix

package bundle

import (
	"io/fs"
	"syscall"
)

// identify returns the number of a file, if it has several names.
func identify(info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink < 2 {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, true
}
