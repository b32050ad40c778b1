//go:build !unix

package bundle

import "io/fs"

// identify cannot tell names of one file here.
func identify(fs.FileInfo) (fileID, bool) { return fileID{}, false }
