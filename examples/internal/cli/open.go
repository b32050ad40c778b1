package cli

import (
	"errors"
	"io/fs"
	"os"

	"github.com/goips/ips/internal/reason"
)

// Open opens a regular file. What is none, such as a pipe that nobody may ever write to,
// is refused unopened. The error does not name the file.
func Open(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New(notFile(info.Mode()))
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, reason.New(fs.ErrNotExist, "there is no such file")
	}
	if at := new(fs.PathError); errors.As(err, &at) {
		err = at.Err
	}
	return f, err
}

// notFile says what there is in place of a file.
func notFile(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "it is a directory, not a file"
	case mode&fs.ModeNamedPipe != 0:
		return "it is a pipe, not a file; write what comes through it to one"
	case mode&fs.ModeSocket != 0:
		return "it is a socket, not a file"
	}
	return "it is a device, not a file"
}
