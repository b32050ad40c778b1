package repo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// numbered is a content whose stored form was made with Python's zlib: it has 12,894 bytes.
func numbered() string {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "line %d of a file\n", i)
	}
	return b.String()
}

// publishNumbered publishes a package with that content and returns what its manifest says
// about it.
func publishNumbered(t *testing.T, r *repo.Repository, version string) manifest.Payload {
	t.Helper()
	tx, err := r.Begin(t.Context(), fmri.MustParse("pkg://test.org/a@"+version+",5.11:20260102T030405Z"))
	require.NoError(t, err)
	require.NoError(t, tx.Add(t.Context(), manifest.MustParseAction("file path=a mode=0444 owner=root group=bin"), strings.NewReader(numbered())))
	f, err := tx.Commit(t.Context())
	require.NoError(t, err)
	m, err := r.Manifest(t.Context(), f)
	require.NoError(t, err)
	for a := range m.Kind(manifest.KindFile) {
		p, err := a.Payload()
		require.NoError(t, err)
		return p
	}
	t.Fatal("no file")
	return manifest.Payload{}
}

// TestPacking has the stored forms that the reference makes, unless the repository says
// that it is packed fast.
func TestPacking(t *testing.T) {
	const exact = "7c21f02493cc0cb5691aa61e6979a87da2ea1315"
	fast, old := repo.Config{DefaultPublisher: "test.org"}, repo.Config{Version: 3}
	for _, c := range []struct {
		name   string
		config repo.Config
		edit   func(config string) string
		opts   repo.Options
		want   repo.Packing
	}{
		{name: "new", config: fast, want: repo.PackFast},
		{name: "created exact", config: repo.Config{DefaultPublisher: "test.org", Packing: repo.PackExact}, want: repo.PackExact},
		{name: "version 3", config: old, want: repo.PackExact},
		{name: "options", config: fast, opts: repo.Options{Packing: repo.PackExact}, want: repo.PackExact},
		{name: "options for version 3", config: old, opts: repo.Options{Packing: repo.PackFast}, want: repo.PackFast},
		{name: "written by the reference", config: fast, edit: withoutComments, want: repo.PackExact},
		{name: "another comment", config: fast, edit: func(s string) string { return "# hello\n" + s }, want: repo.PackFast},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := store.Memory()
			_, err := repo.Create(t.Context(), s, c.config, nil)
			require.NoError(t, err)
			if c.edit != nil {
				require.NoError(t, s.Put(t.Context(), "pkg5.repository", strings.NewReader(c.edit(read(t, s, "pkg5.repository")))))
			}
			r, err := repo.Open(t.Context(), s, &c.opts)
			require.NoError(t, err)
			got, err := r.Packing(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			p := publishNumbered(t, r, "1")
			if isExact := p.Stored.Of(manifest.SHA1).Hex() == exact; isExact != (c.want == repo.PackExact) {
				t.Errorf("packed %v: %v, %d bytes", got, p.Stored, p.StoredSize)
			}
			// What is stored already stays as it is.
			if diff := cmp.Diff(p.Stored, publishNumbered(t, r, "2").Stored, cmp.Comparer(func(a, b manifest.Digests) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := repo.Create(t.Context(), store.Memory(), repo.Config{Packing: 7}, nil)
	require.ErrorContains(t, err, "Packing(7) is not known")
}

// withoutComments returns a configuration as the reference writes it.
func withoutComments(config string) string {
	_, rest, _ := strings.Cut(config, "\n\n")
	return rest
}

// TestPackingStays changes the configuration of a repository that is packed fast.
func TestPackingStays(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	require.NoError(t, r.AddPublisher(t.Context(), "other.org"))
	require.NoError(t, r.SetProperties(t.Context(), repo.Property{Section: "a", Name: "b", Value: repo.Text("c")}))
	p, err := r.Packing(t.Context())
	require.NoError(t, err)
	require.Equal(t, repo.PackFast, p)
}
