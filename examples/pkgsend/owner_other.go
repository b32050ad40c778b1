//go:build !unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
)

// owner fails: this system's owners are not those of packages.
func owner(info fs.FileInfo) (name, group string, err error) {
	return "", "", fmt.Errorf("owner of %s: %w", info.Name(), errors.ErrUnsupported)
}
