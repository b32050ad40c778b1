package repo

import (
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
)

// A Location is where packages are: a path on this machine, or a URI. It is a
// value that compares. The zero Location is nowhere.
//
// What is written contains "://" or begins with "file:/" is a URI. Everything
// else is a path, whatever colons, blanks, plus or percent signs it has.
type Location struct {
	text   string // as it was written
	scheme string // in lower case
	path   string // on this machine; "" if it is elsewhere
}

// A LocationError reports a text that names no location.
type LocationError struct {
	Location string // as it was written
	Err      error  // what is wrong with it
}

func (e *LocationError) Error() string { return fmt.Sprintf("location %q: %v", e.Location, e.Err) }

// Unwrap returns what is wrong.
func (e *LocationError) Unwrap() error { return e.Err }

// fileScheme is the scheme of what is on this machine.
const fileScheme = "file"

// ParseLocation reads a location as people write it. The error is a
// *LocationError.
func ParseLocation(text string) (Location, error) {
	l, err := parseLocation(text)
	if err != nil {
		return Location{}, &LocationError{text, err}
	}
	return l, nil
}

func parseLocation(text string) (Location, error) {
	if !isURI(text) {
		return Location{text, fileScheme, text}, checkPath(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return Location{}, err.(*url.Error).Err // which has no other errors
	}
	if u.Scheme != fileScheme {
		return Location{text: text, scheme: u.Scheme}, nil
	}
	path, err := filePath(u)
	return Location{text, fileScheme, path}, err
}

// isURI reports whether a location is not a path.
func isURI(text string) bool {
	const prefix = fileScheme + ":/"
	return strings.Contains(text, "://") ||
		len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// filePath returns the path that a file URI names.
func filePath(u *url.URL) (string, error) {
	switch {
	case u.Host != "" && u.Host != "localhost":
		return "", because(fs.ErrInvalid, "it names the host %q; a file of this machine is written file:///path", u.Host)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", because(fs.ErrInvalid, `a file URI has nothing but a path; "?" is written %%3F and "#" %%23 in it`)
	}
	path := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" && filepath.VolumeName(strings.TrimLeft(path, `\`)) != "" {
		path = strings.TrimLeft(path, `\`) // file:///C:/dir
	}
	return path, checkPath(path)
}

// checkPath refuses what cannot be a path anywhere.
func checkPath(path string) error {
	switch {
	case path == "":
		return because(fs.ErrInvalid, "it is empty")
	case strings.ContainsRune(path, 0):
		return because(fs.ErrInvalid, "it contains a zero byte")
	}
	return nil
}

// Scheme returns the scheme of a URI in lower case; that of a path is "file".
func (l Location) Scheme() string { return l.scheme }

// Path returns the path of what is on this machine, in the form of the operating
// system, and "" for other locations.
func (l Location) Path() string { return l.path }

// String returns the location as it was written.
func (l Location) String() string { return l.text }

// URI returns the location as an absolute URI, which other programs understand wherever
// they run: a path becomes a file URI, relative to the current directory. Other URIs are
// returned as they were written.
func (l Location) URI() (string, error) {
	if l.path == "" || isURI(l.text) {
		return l.text, nil
	}
	path, err := filepath.Abs(l.path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/dir
	}
	return (&url.URL{Scheme: fileScheme, Path: path}).String(), nil
}
