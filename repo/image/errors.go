package image

import (
	"fmt"
	"io/fs"
)

// A FormatError says why a file of the image cannot be read. Errors of pkg5.image also
// name a line.
type FormatError struct {
	File string // path below the metadata directory
	Msg  string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s: %s", e.File, e.Msg) }

// Unwrap returns [fs.ErrInvalid].
func (e *FormatError) Unwrap() error { return fs.ErrInvalid }
