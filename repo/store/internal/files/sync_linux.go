package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAll makes the file system of a directory durable.
func syncAll(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd()))), f.Close())
}
