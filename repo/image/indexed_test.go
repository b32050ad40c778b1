package image

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver"
)

// TestIndexedOrigin refreshes from a repository that is large enough to have an index, of
// which a catalog reads what it is asked for: also after the origin was closed.
func TestIndexedOrigin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	for i := range 1001 {
		text := fmt.Sprintf("set name=pkg.fmri value=pkg://test.org/a%d@1\nset name=pkg.summary value=x\n", i)
		if i > 0 {
			text += fmt.Sprintf("depend type=require fmri=a%d\n", i-1)
		}
		m, err := manifest.Parse("x", []byte(text))
		require.NoError(t, err)
		_, err = repo.Publish(t.Context(), b, m, nil)
		require.NoError(t, err)
	}
	require.NoError(t, b.Commit(t.Context()))
	require.NoError(t, r.Close())
	i, err := Create(t.Context(), tempDir(t), Config{Type: User, Publishers: []Publisher{{Name: "test.org", Origins: []string{"file://" + dir}}}}, &Options{Openers: repo.Local(nil)})
	require.NoError(t, err)
	defer i.Close()
	require.NoError(t, i.Refresh(t.Context()))
	_, err = i.Plan(t.Context(), solver.Request{Patterns: []fmri.Pattern{fmri.MustParsePattern("a20")}})
	require.NoError(t, err)
	n := 0
	for p := range i.Known().All() {
		for _, err := range p.Depends() {
			require.NoError(t, err)
			n++
		}
	}
	require.Equal(t, 1000, n)
}
