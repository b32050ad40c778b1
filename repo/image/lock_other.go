//go:build !unix

package image

import (
	"errors"
	"fmt"
	"os"
)

// lockFD refuses: an image that cannot be locked cannot be changed.
func lockFD(*os.File) error {
	return fmt.Errorf("locking an image: %w", errors.ErrUnsupported)
}
