//go:build !unix

package repo

import "io/fs"

// identify cannot tell names of one file here.
func identify(fs.FileInfo) (fileID, bool) { return fileID{}, false }
