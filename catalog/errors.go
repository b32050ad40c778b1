package catalog

import (
	"errors"
	"fmt"

	"github.com/goips/ips/catalog/internal/scan"
)

// A FormatError says where a catalog file is not a catalog file, or says
// something other than the files beside it.
type FormatError struct {
	File   string
	Offset int64 // in bytes; at the end of the file if something is missing
	Err    error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *FormatError) Unwrap() error { return e.Err }

// A SignatureError reports a file whose content is not what its signature, or the
// attributes of the catalog, say. A part that is read while a repository
// replaces its catalog looks like that, too: try again.
type SignatureError struct {
	File      string
	Got, Want string // hex SHA-1; Want is empty if a signature is missing
}

func (e *SignatureError) Error() string {
	if e.Want == "" {
		return e.File + ": not signed"
	}
	return fmt.Sprintf("%s: content has signature %s, want %s", e.File, e.Got, e.Want)
}

// Reasons why a client cannot apply update logs. It reads the whole catalog instead.
var (
	// ErrIdentity: the new catalog is another one, not a later state of the old.
	ErrIdentity = errors.New("not the same catalog")
	// errObsolete: a part of the new catalog is older than that of the old one.
	errObsolete = errors.New("catalog went back")
	// ErrUpdateType: an operation is neither add nor remove.
	ErrUpdateType = errors.New("unknown type of operation")
)

// brief returns err, or a short one if the text that it quotes is long.
func brief(err error, text []byte) error {
	if err == nil || len(text) <= 256 {
		return err
	}
	return fmt.Errorf("%.100q... is no name or version", text)
}

// fileError turns the error of a scanner into one that names the file.
func fileError(name string, err error) error {
	var bad *scan.Error
	if errors.As(err, &bad) {
		return &FormatError{File: name, Offset: bad.Offset, Err: bad.Err}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
