package archive

import (
	"errors"
	"fmt"
)

// Reasons that an [*Error] may wrap, beside those of archive/tar, compress/gzip and
// [io.ErrUnexpectedEOF] for an archive that is truncated.
var (
	ErrFormat    = errors.New("not a package archive")
	ErrIndex     = errors.New("malformed index")
	ErrName      = errors.New("illegal member name")
	ErrType      = errors.New("member is neither file nor directory")
	ErrDuplicate = errors.New("second member of this name")
	ErrLimit     = errors.New("too large")
	ErrMismatch  = errors.New("member differs from its index record")
)

// An Error says what is wrong with an archive, and where.
type Error struct {
	Member string // the member concerned, "" if it is not known
	Offset int64  // where its first header is, in bytes from the beginning of the archive
	Err    error
}

// Error returns a description with the member and its offset.
func (e *Error) Error() string {
	if e.Member == "" {
		return fmt.Sprintf("archive, offset %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("archive member %q, offset %d: %v", e.Member, e.Offset, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
