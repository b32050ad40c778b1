package manifest

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goips/ips/internal/reason"
)

// Path returns where a delivers something: a slash-separated path below the root of
// an image, clean and valid in the sense of [fs.ValidPath], for the kinds whose
// key is a path. The reference takes a path as it is written. Here, empty elements and
// "." go, and what is not certain to lie below the root is refused: an element
// "..", even if others make up for it, NUL, and a line break, which a manifest cannot
// have in a value. A backslash is a character like others. The error is an [*Error] that wraps an [*AttrError] and [fs.ErrInvalid].
func (a Action) Path() (string, error) {
	if a.Kind.Group() != KindDir {
		return "", a.fault(&AttrError{Name: "path", Reason: "not an attribute of " + a.Kind.String()})
	}
	written, _ := a.Attrs.Get("path")
	clean, err := localPath(written)
	if err != nil {
		return "", a.fault(&AttrError{Name: "path", Value: written, Reason: notLocal, Err: err})
	}
	return clean, nil
}

// Target returns the path of the file that a hardlink is made to, in the form of
// [Action.Path]. It is written relative to the directory of the link, where it may
// have elements "..", or with a leading slash to the root. One that would climb
// above the root is refused.
func (a Action) Target() (string, error) {
	from, err := a.Path()
	if err != nil {
		return "", err
	}
	written, _ := a.Attrs.Get("target")
	clean, err := linkTarget(from, written)
	if err != nil {
		return "", a.fault(&AttrError{Name: "target", Value: written, Reason: notLocal, Err: err})
	}
	return clean, nil
}

// linkTarget resolves the target of a hard link at a clean path.
func linkTarget(from, target string) (string, error) {
	if strings.HasPrefix(target, "/") {
		return localPath(target)
	}
	switch {
	case target == "":
		return "", errEmpty
	case strings.Contains(target, "\x00"): // also before an element ".." that takes it away
		return "", errNUL
	}
	return checkPath(path.Join(path.Dir(from), target))
}

// notLocal is what is wrong with paths that are refused.
const notLocal = "not a path within the image"

// Why paths are refused. They match fs.ErrInvalid.
var (
	errEmpty  = reason.New(fs.ErrInvalid, "it names nothing; write what lies below the root, such as usr/bin/ls")
	errParent = reason.New(fs.ErrInvalid, `".." could lead out of it; write the path from the root`)
	errBreak  = reason.New(fs.ErrInvalid, "a line break in a file name cannot be written in a manifest; rename the file")
	errNUL    = reason.New(fs.ErrInvalid, "no file name has a NUL byte")
	errUTF8   = reason.New(fs.ErrInvalid, "it is not UTF-8; rename the file")
)

// localPath cleans a path that is relative to the root even if it has leading slashes.
func localPath(written string) (string, error) {
	if fs.ValidPath(written) {
		return checkPath(written)
	}
	if slices.Contains(strings.Split(written, "/"), "..") {
		return "", errParent
	}
	return checkPath(path.Clean(strings.TrimLeft(written, "/")))
}

// checkPath refuses a clean path that does not lie below the root.
func checkPath(clean string) (string, error) {
	switch {
	case clean == "." || clean == "/":
		return "", errEmpty
	case strings.ContainsAny(clean, "\r\n"):
		return "", errBreak
	case strings.Contains(clean, "\x00"):
		return "", errNUL
	case !utf8.ValidString(clean):
		return "", errUTF8
	case !fs.ValidPath(clean):
		return "", errParent
	}
	return clean, nil
}

// notBelow is what is wrong with names of old packages that are refused: what is known of
// one lies in a directory of its name.
const notBelow = "not a name of a directory"
