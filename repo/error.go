package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// An Error says what was asked about which package or payload. It wraps
// fs.ErrNotExist, fs.ErrExist or fs.ErrPermission where they apply.
type Error struct {
	Op        string // "open", "publish", "remove", ...
	Place     string // the repository or archive, as it was named when it was opened; "" if it was not
	Publisher string
	FMRI      fmri.FMRI
	Digest    manifest.Digest // of the payload concerned
	Err       error
}

func (e *Error) Error() string {
	about := e.about()
	switch {
	case about == "" && e.Place == "":
		about = strings.TrimSuffix(e.Op, " of")
	case about == "":
		about = e.Op + " " + e.Place
	case e.Place == "":
		about = e.Op + " " + about
	default:
		about = e.Op + " " + about + " in " + e.Place
	}
	return about + ": " + plain(e.Err)
}

// about names the package, publisher or payload concerned. A payload that the reason
// names is not named twice.
func (e *Error) about() string {
	var words []string
	switch {
	case e.FMRI.IsValid():
		words = append(words, e.FMRI.String())
	case e.Publisher != "":
		words = append(words, e.Publisher)
	}
	if inner, ok := e.Err.(*Error); e.Digest.IsValid() && (!ok || inner.Digest != e.Digest) {
		words = append(words, "payload", e.Digest.String())
	}
	return strings.Join(words, " ")
}

// plain says a reason without the words of programs: what stands behind errors.Is
// is said as it concerns people, and system calls are not named.
func plain(err error) string {
	if path, ok := err.(*fs.PathError); ok {
		return path.Path + ": " + plain(path.Err)
	}
	switch {
	case err == fs.ErrNotExist, err == syscall.ENOENT:
		return "there is none"
	case err == fs.ErrExist, err == syscall.EEXIST:
		return "there is one already"
	case err == fs.ErrPermission, err == syscall.EACCES, err == syscall.EPERM:
		return "the permissions forbid it"
	}
	return err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// explain makes *err, if there is one, an Error that says what was asked. Whatever is
// exported defers it, and so does nothing else to its errors. What an inner Error says
// already is not said again.
func (e Error) explain(err *error) {
	if *err == nil {
		return
	}
	whole := e
	whole.Err = *err
	*err = &whole
	if inner, ok := whole.Err.(*Error); ok && e.repeats(inner) {
		*err = inner
	}
}

// repeats reports whether e says nothing that the reason does not say.
func (e Error) repeats(inner *Error) bool {
	return inner.Op == e.Op && (e.Place == "" || e.Place == inner.Place) && !e.Digest.IsValid() &&
		(inner.FMRI.IsValid() || !e.FMRI.IsValid()) &&
		(inner.FMRI.IsValid() || inner.Publisher == e.Publisher)
}

// join is errors.Join that leaves one error as it is.
func join(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// A reason is an error whose text is for people, and which matches another that is for
// programs.
type reason struct {
	text string
	is   error
}

// because returns a reason.
func because(is error, format string, args ...any) error {
	return &reason{fmt.Sprintf(format, args...), is}
}

func (r *reason) Error() string { return r.text }

func (r *reason) Unwrap() error { return r.is }
