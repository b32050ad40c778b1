//go:build !unix

package image

import (
	"errors"
	"os"
)

// lockFD refuses: an image that cannot be locked cannot be changed.
func lockFD(*os.File) error {
	return because(errors.ErrUnsupported, "images can only be read on this system: it has no record locks")
}
