package image

import (
	"errors"
	"fmt"
	"io/fs"
)

// An Error says in which operation on which image something went wrong.
type Error struct {
	Op   string // "create", "open", "refresh", "plan", "execute" ...
	Root string // of the image
	Err  error
}

func (e *Error) Error() string { return "image " + e.Root + ": " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrap makes the error of an exported function one that names the operation and the
// image. Every one of them defers it.
func wrap(err *error, op, root string) { *err = wrapped(op, root, *err) }

// wrapped does so for errors in a sequence.
func wrapped(op, root string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Root: root, Err: err}
}

// A reason is an error in words of its own that is also one of those of [io/fs].
type reason struct {
	text string
	is   error
}

func because(is error, format string, args ...any) error {
	return &reason{fmt.Sprintf(format, args...), is}
}

func (r *reason) Error() string { return r.text }

func (r *reason) Unwrap() error { return r.is }

// plainly prints an error that follows the name of what it is about: without the name of
// a system call, and of a file that only the image knows.
func plainly(err error) string {
	if e, ok := err.(*fs.PathError); ok {
		err = e.Err
	}
	return err.Error()
}

// ErrNotImage is what Open finds where there is no image. It wraps [fs.ErrNotExist].
var ErrNotImage = because(fs.ErrNotExist, "there is no image in this directory")

// ErrStale is why a plan is refused that was made for another state of the image.
var ErrStale = errors.New("the image has changed since the plan was made; plan again")

// errReadOnly is why an image that was opened to read is not changed.
var errReadOnly = because(fs.ErrPermission, "the image was opened to be read only")

// A FormatError says why a file of the image cannot be read. Errors of pkg5.image also
// name a line.
type FormatError struct {
	File string // path below the metadata directory
	Msg  string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s: %s", e.File, e.Msg) }

// Unwrap returns [fs.ErrInvalid].
func (e *FormatError) Unwrap() error { return fs.ErrInvalid }
