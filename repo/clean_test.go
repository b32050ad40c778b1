package repo_test

import (
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
	"github.com/stretchr/testify/require"
)

// TestCleanPaths publishes paths as tar and careless tools write them; packages have them clean.
func TestCleanPaths(t *testing.T) {
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{}, nil)
	require.NoError(t, err)
	f := fmri.MustParse("pkg://test.org/a@1,5.11-0:20260101T000000Z")
	tx, err := r.Begin(t.Context(), f)
	require.NoError(t, err)
	for _, text := range []string{
		"dir path=./a mode=0755 owner=root group=root",
		"dir path=a//b mode=0755 owner=root group=root",
		"dir path=a/c/ mode=0755 owner=root group=root",
		`dir path=a\d mode=0755 owner=root group=root`,
	} {
		require.NoError(t, tx.Add(t.Context(), manifest.MustParseAction(text), nil))
	}
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
	m, err := r.Manifest(t.Context(), f)
	require.NoError(t, err)
	var paths []string
	for a := range m.Kind(manifest.KindDir) {
		path, _ := a.Attrs.Get("path")
		paths = append(paths, path)
	}
	require.Equal(t, []string{"a", "a/b", "a/c", `a\d`}, paths)
}
