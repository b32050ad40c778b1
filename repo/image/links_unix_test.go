//go:build unix

package image

import (
	"io/fs"
	"syscall"
)

// links returns how many names a file has.
func links(fi fs.FileInfo) int {
	st, _ := fi.Sys().(*syscall.Stat_t)
	return int(st.Nlink)
}
