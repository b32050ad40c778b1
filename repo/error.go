package repo

import (
	"fmt"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// An Error says what was asked about which package or payload. It wraps
// fs.ErrNotExist, fs.ErrExist or fs.ErrPermission where they apply.
type Error struct {
	Op        string // "open", "publish", "remove", ...
	Place     string // what was opened or made, as the caller named it; "" elsewhere
	Publisher string
	FMRI      fmri.FMRI
	Digest    manifest.Digest // of the payload concerned
	Err       error
}

// Error names the package, once if the reason is an Error about the same.
func (e *Error) Error() string {
	inner, ok := e.Err.(*Error)
	if ok && inner.Op == e.Op && !e.Digest.IsValid() && (inner.FMRI == e.FMRI || !e.FMRI.IsValid()) {
		return inner.Error()
	}
	var b strings.Builder
	b.WriteString(e.Op)
	switch {
	case e.Place != "":
		b.WriteString(" " + e.Place)
	case e.FMRI.IsValid():
		b.WriteString(" " + e.FMRI.String())
	case e.Publisher != "":
		b.WriteString(" " + e.Publisher)
	}
	if e.Digest.IsValid() {
		b.WriteString(" payload " + e.Digest.String())
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

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
