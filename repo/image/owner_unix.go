//go:build unix

package image

import (
	"io/fs"
	"syscall"
)

// ownerOf returns the owner of what is described, -1 if it is not known.
func ownerOf(fi fs.FileInfo) (uid, gid int) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, -1
	}
	return int(st.Uid), int(st.Gid)
}
