//go:build unix

package store

import (
	"io/fs"
	"strconv"
	"syscall"
)

// inode is the part of a tag that tells two files of one time and size apart.
func inode(fi fs.FileInfo) string {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return "-" + strconv.FormatUint(uint64(st.Ino), 36)
	}
	return ""
}
