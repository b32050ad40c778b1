package repo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/repo"
)

// TestTidy opens a repository to publish, and to maintain it, in which a killed process has
// left files half written. They go although there is nothing to write; those of nobody
// that is known stay.
func TestTidy(t *testing.T) {
	for name, open := range map[string]func(*testing.T, string){
		"sink": func(t *testing.T, dir string) {
			sink, err := repo.Local(nil).OpenSink(t.Context(), dir)
			require.NoError(t, err)
			require.NoError(t, sink.Close())
		},
		"lock": func(t *testing.T, dir string) {
			r, err := repo.OpenDir(t.Context(), dir, nil)
			require.NoError(t, err)
			defer r.Close()
			_, err = r.RefreshCatalog(t.Context(), "test.org")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, err := repo.CreateDir(t.Context(), dir, repo.Config{}, nil)
			require.NoError(t, err)
			require.NoError(t, r.AddPublisher(t.Context(), "test.org"))
			require.NoError(t, r.Close())
			for _, name := range []string{".tmp-dead", ".tmp-dead.1", ".tmp-gone.7"} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
			}
			open(t, dir)
			left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}
