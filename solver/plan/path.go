package plan

import (
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"github.com/goips/ips/manifest"
)

// maxPath is the length in bytes of the longest path that a package may deliver to. It
// is what all systems take, and bounds how deep directories can be.
const maxPath = 1024

// A longPathError says that a path is longer than maxPath. It matches fs.ErrInvalid.
type longPathError int

func (e longPathError) Error() string {
	return fmt.Sprintf("path has %d bytes; the longest that can be has %d", int(e), maxPath)
}

func (longPathError) Unwrap() error { return fs.ErrInvalid }

// localPath returns the path of an action of a kind with a path.
func localPath(a *manifest.Action) (string, error) {
	name, err := a.Path()
	if err == nil && len(name) > maxPath {
		err = longPathError(len(name))
	}
	return name, err
}

// deliveredPath returns the path an action delivers to, "" if to none.
func deliveredPath(a *manifest.Action) (string, error) {
	if a.Kind == manifest.KindLegacy {
		key, _ := a.Key()
		dir := directory("var/sadm/pkg/" + key + "/pkginfo")
		return localPath(&dir)
	}
	if effective(a.Kind) && a.Kind.Group() == manifest.KindDir {
		return localPath(a)
	}
	return "", nil
}

// directory is the action of a directory and nothing more.
func directory(name string) manifest.Action {
	return manifest.Action{Kind: manifest.KindDir, Attrs: manifest.Attrs{{Name: "path", Value: name}}}
}

// implicitDir is the action of a directory that no action names.
func implicitDir(name string) manifest.Action {
	a := directory(name)
	a.Attrs = append(a.Attrs,
		manifest.Attr{Name: "mode", Value: "0755"}, manifest.Attr{Name: "owner", Value: "root"},
		manifest.Attr{Name: "group", Value: "root"}, manifest.Attr{Name: "implicit", Value: "true"})
	return a
}

// parents yields the directories above a path, the nearest first, without the root.
func parents(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			i := strings.LastIndexByte(name, '/')
			if i < 0 {
				return
			}
			if name = name[:i]; !yield(name) {
				return
			}
		}
	}
}
