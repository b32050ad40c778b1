package archive_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/goips/ips/archive"
	"github.com/stretchr/testify/require"
)

// TestOpenWords pins what a person reads who names what is no archive. A pipe that nobody
// writes to is refused, not waited for.
func TestOpenWords(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(path("empty"), nil, 0o644))
	require.NoError(t, os.WriteFile(path("short"), []byte("hello"), 0o644))
	require.NoError(t, os.Mkdir(path("dir"), 0o755))
	require.NoError(t, syscall.Mkfifo(path("pipe"), 0o644))
	for _, tt := range []struct {
		name, want string
		is         error
	}{
		{"missing", "there is no such file", fs.ErrNotExist},
		{"dir", "not a package archive: it is a directory", archive.ErrFormat},
		{"pipe", "not a package archive: it is a pipe; write it to a file first", archive.ErrFormat},
		{"empty", "archive, offset 0: not a package archive: it has 0 bytes, and the first header of an archive 512", io.ErrUnexpectedEOF},
		{"short", "archive, offset 0: not a package archive: it has 5 bytes, and the first header of an archive 512", io.ErrUnexpectedEOF},
	} {
		_, err := archive.Open(t.Context(), path(tt.name))
		require.EqualError(t, err, path(tt.name)+": "+tt.want)
		require.True(t, errors.Is(err, tt.is), tt.name)
	}
}
