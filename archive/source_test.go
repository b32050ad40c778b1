package archive_test

import (
	"github.com/goips/ips/archive"
	"github.com/goips/ips/repo"
)

// An archive is a source of packages. The package itself does not know that.
var (
	_ repo.Source = (*archive.Reader)(nil)
	_ repo.Source = (*archive.ReadCloser)(nil)
)
