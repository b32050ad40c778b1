//go:build !unix

package image

import (
	"io/fs"
	"path"
	"time"
)

// move renames by way of the names of the directories: there is no call that takes open
// ones.
func (t *tree) move(from *directory, old string, to *directory, base string) error {
	return t.root.Rename(path.Join(from.name, old), path.Join(to.name, base))
}

func (d *directory) chmod(base string, mode fs.FileMode) error { return d.root.Chmod(base, mode) }

func (d *directory) chtimes(base string, mtime time.Time) error {
	return d.root.Chtimes(base, mtime, mtime)
}
