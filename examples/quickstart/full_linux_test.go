package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFullDisk takes the tour where there is space for a part of it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("a small file system needs the superuser: ", err)
	}
	defer syscall.Unmount(dir, 0)
	status, _, errs := run1(t, "-dir", dir, "-package", "unicode/utf8")
	require.Equal(t, 1, status)
	require.Equal(t, "quickstart: no space is left where "+dir+" is: name a directory on another file system with -dir\n", errs)
	require.Equal(t, 1, strings.Count(errs, dir))
}
