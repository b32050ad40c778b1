//go:build !linux

package files

import (
	"errors"
	"os"
)

// syncAll is not to be had: sync(2) of other systems does not wait, or covers
// the whole machine.
func syncAll(*os.Root) error { return errors.ErrUnsupported }
