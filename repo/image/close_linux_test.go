package image_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/solver"
)

// TestClose opens an image fifty times and does all there is to do with it: afterwards
// as many files are open as before.
func TestClose(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	r, err := repo.CreateDir(ctx, filepath.Join(dir, "repo"), repo.Config{}, nil)
	require.NoError(t, err)
	publisher := copySmall(t, r)
	require.NoError(t, r.Close())

	config := image.Config{Publishers: []image.Publisher{{Name: publisher, Origins: []string{"file://" + dir + "/repo"}}}}
	opts := &image.Options{Openers: repo.Local(nil)}
	root := filepath.Join(dir, "root")
	img, err := image.Create(ctx, root, config, opts)
	require.NoError(t, err)
	require.NoError(t, img.Close())

	before := openFiles(t)
	for range 50 {
		img, err := image.Open(ctx, root, opts)
		require.NoError(t, err)
		require.NoError(t, img.Refresh(ctx))
		newest := slices.Collect(img.Known().All())[0].FMRI()
		p, err := img.Plan(ctx, solver.Request{Patterns: []fmri.Pattern{fmri.Exactly(newest.Stem())}})
		require.NoError(t, err)
		require.NoError(t, img.Execute(ctx, p.Plan))
		_, err = img.Manifest(ctx, newest)
		require.NoError(t, err)
		for _, err := range img.Verify(ctx, nil) {
			require.NoError(t, err)
		}
		for _, err := range img.Owners(ctx, "usr") {
			require.NoError(t, err)
		}
		for _, err := range img.History() {
			require.NoError(t, err)
		}
		require.NoError(t, img.Close())
		_, err = image.Create(ctx, root, config, opts)
		require.Error(t, err, "there is an image")
		_, err = image.Open(ctx, dir, opts)
		require.ErrorIs(t, err, image.ErrNotImage)
	}
	require.Equal(t, before, openFiles(t))
}

// copySmall publishes the packages of repotest and returns their publisher.
func copySmall(t *testing.T, r *repo.Repository) string {
	t.Helper()
	src := repotest.Small(t)
	names, err := src.Publishers(t.Context())
	require.NoError(t, err)
	c, err := src.Catalog(t.Context(), names[0])
	require.NoError(t, err)
	all := func(yield func(fmri.FMRI) bool) {
		for p := range c.All() {
			if !yield(p.FMRI()) {
				return
			}
		}
	}
	_, err = repo.Copy(t.Context(), r, src, all, nil)
	require.NoError(t, err)
	return names[0]
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
