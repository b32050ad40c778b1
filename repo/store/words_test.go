package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/repo/store"
	"github.com/stretchr/testify/require"
)

// TestWords pins what a person reads: which name, and what is the matter with it.
func TestWords(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	s, err := store.OpenDir(dir)
	require.NoError(t, err)
	defer s.Close()

	_, err = store.OpenDir(filepath.Join(dir, "none"))
	require.EqualError(t, err, filepath.Join(dir, "none")+": there is no such directory")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = store.OpenDir(filepath.Join(dir, "file"))
	require.EqualError(t, err, filepath.Join(dir, "file")+": it is not a directory")
	err = s.Put(t.Context(), ".tmp-x", strings.NewReader(""))
	require.EqualError(t, err, ".tmp-x: such names are for files that are being written; choose another")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, _, err = s.Open(t.Context(), "file/below")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "directory")
}
