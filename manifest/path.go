package manifest

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Path returns where a delivers something: a slash-separated path below the root of
// an image, clean and valid in the sense of [fs.ValidPath], for the kinds whose
// key is a path. The reference takes a path as it is written. Here, empty elements and
// "." go, and what is not certain to lie below the root is refused: an element
// "..", even if others make up for it, a backslash, which some systems take for
// a slash, and NUL. The error is an [*Error] that wraps an [*AttrError] and [fs.ErrInvalid].
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
	if target == "" || strings.ContainsAny(target, foreign) {
		return "", fs.ErrInvalid
	}
	return checkPath(path.Join(path.Dir(from), target))
}

// foreign are the characters that no path may have.
const foreign = "\\\x00"

// notLocal is what is wrong with the paths that are refused.
const notLocal = "not a path within the image"

// localPath cleans a path that is relative to the root even if it has leading slashes.
func localPath(written string) (string, error) {
	if fs.ValidPath(written) {
		return checkPath(written)
	}
	if slices.Contains(strings.Split(written, "/"), "..") {
		return "", fs.ErrInvalid
	}
	return checkPath(path.Clean(strings.TrimLeft(written, "/")))
}

// checkPath refuses a clean path that does not lie below the root.
func checkPath(clean string) (string, error) {
	if clean == "." || !fs.ValidPath(clean) || strings.ContainsAny(clean, foreign) {
		return "", fs.ErrInvalid
	}
	return clean, nil
}

// notElement is what is wrong with names that are refused as elements of paths.
const notElement = "not an element of a path"

// isElement reports whether name can be an element of a path below the root.
func isElement(name string) bool {
	clean, err := checkPath(name)
	return err == nil && !strings.Contains(clean, "/")
}
