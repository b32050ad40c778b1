package examples_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/solver"
)

// embedders are the programs that show what the library asks of who embeds it: one that
// gets longer says that something is missing in the library.
var embedders = []string{"inventory", "mirror", "whatif"}

// TestEmbeddersAreShort counts their lines.
func TestEmbeddersAreShort(t *testing.T) {
	for _, name := range embedders {
		text, err := os.ReadFile(filepath.Join(name, "main.go"))
		require.NoError(t, err)
		require.Less(t, bytes.Count(text, []byte("\n")), 60, name)
	}
}

// TestEmbedders runs them on a repository of two builds and an image of the first, which
// an incorporation holds there.
func TestEmbedders(t *testing.T) {
	bin, dir := build(t), t.TempDir()
	fruit := filepath.Join(dir, "fruit")
	publishTexts(t, fruit,
		"set name=pkg.fmri value=basket@1,5.11-0:20260101T000000Z\ndepend type=incorporate fmri=apple@1\n",
		"set name=pkg.fmri value=apple@1.0,5.11-0:20260101T000000Z\nlicense lic license=free\nlicense lic license=beer\n",
		"set name=pkg.fmri value=pear@1.0,5.11-0:20260101T000000Z\ndir path=pear owner=root group=sys mode=0755\n",
	)
	root := filepath.Join(dir, "root")
	install(t, root, fruit, "basket", "apple", "pear")
	publishTexts(t, fruit,
		"set name=pkg.fmri value=apple@2.0,5.11-0:20260202T000000Z\n",
		"set name=pkg.fmri value=pear@1.1,5.11-0:20260202T000000Z\ndir path=pears owner=root group=sys mode=0755\n",
	)
	pears := filepath.Join(dir, "pears.p5p")
	_, status := program(t, bin, "pkgrecv", "-s", fruit, "-d", pears, "-a", "-m", "latest", "pear")
	require.Zero(t, status)
	mirror := filepath.Join(dir, "mirror")

	for _, c := range []struct {
		name, want string
		status     int
		args       []string
	}{
		{"mirror", `pkg://fruit/apple@2.0,5.11-0:20260202T000000Z
pkg://fruit/pear@1.1,5.11-0:20260202T000000Z
2 packages copied, 0 were there; 0 bytes
`, 0, []string{fruit, mirror, "*p*"}},
		{"mirror", "0 packages copied, 1 were there; 0 bytes\n", 0, []string{pears, mirror}},
		{"mirror", "mirror: no package matches plum\n", 1, []string{fruit, mirror, "plum"}},
		{"mirror", "mirror: open " + dir + "/nowhere: there is nothing of that name\n", 1, []string{dir + "/nowhere", mirror}},
		{"mirror", "usage: mirror FROM DIRECTORY [PATTERN...]\n", 2, []string{fruit}},
		{"inventory", `[
  {
    "Name": "apple",
    "Version": "1.0,5.11-0:20260101T000000Z",
    "Publisher": "fruit",
    "Licenses": [
      "free",
      "beer"
    ]
  },
  {
    "Name": "basket",
    "Version": "1,5.11-0:20260101T000000Z",
    "Publisher": "fruit",
    "Licenses": null
  },
  {
    "Name": "pear",
    "Version": "1.0,5.11-0:20260101T000000Z",
    "Publisher": "fruit",
    "Licenses": null
  }
]
`, 0, []string{root}},
		{"inventory", "usage: inventory ROOT\n", 2, nil},
		{"whatif", `update  package pkg://fruit/pear@1.1,5.11-0:20260202T000000Z from 1.0,5.11-0:20260101T000000Z
remove  dir     pear
install dir     pears
apple@1.0-0 is there:
  apple@1.0-0 is installed
not newer, because these do not go together:
  a newer apple is requested
  basket@1-0 is installed
    basket@1-0 admits only apple@1
`, 0, []string{root}},
		{"whatif", "nothing to do\n", 0, []string{root, "apple"}},
		{"whatif", "usage: whatif ROOT [PATTERN...]\n", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, status := program(t, bin, c.name, c.args...)
			if diff := cmp.Diff(c.want, said); diff != "" {
				t.Error(diff)
			}
			require.Equal(t, c.status, status)
		})
	}
}

// program runs one of the programs, and returns what it says on both streams and its
// exit status.
func program(t *testing.T, bin, name string, args ...string) (said string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// publishTexts publishes manifests to the repository in a directory, which is made if it
// is not there. Every payload is the same text.
func publishTexts(t *testing.T, dir string, manifests ...string) {
	t.Helper()
	r, err := repo.OpenDir(t.Context(), dir, nil)
	if err != nil {
		r, err = repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "fruit"}, nil)
	}
	require.NoError(t, err)
	defer r.Close()
	proto := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(proto, "lic"), []byte("take it\n"), 0o644))
	opts := &repo.PublishOptions{Content: repo.Proto(os.DirFS(proto)), KeepTimestamp: true}
	for _, text := range manifests {
		m, err := manifest.Parse("text", []byte(text))
		require.NoError(t, err)
		_, err = repo.Publish(t.Context(), r, m, opts)
		require.NoError(t, err)
	}
}

// install makes an image in a directory and installs packages of a repository.
func install(t *testing.T, root, from string, names ...string) {
	t.Helper()
	ctx := context.Background()
	img, err := image.Create(ctx, root, image.Config{Publishers: []image.Publisher{
		{Name: "fruit", Origins: []string{from}},
	}}, &image.Options{Openers: repo.Local(nil)})
	require.NoError(t, err)
	defer img.Close()
	require.NoError(t, img.Refresh(ctx))
	patterns, err := fmri.ParsePatterns(names...)
	require.NoError(t, err)
	p, err := img.Plan(ctx, solver.Request{Patterns: patterns})
	require.NoError(t, err)
	require.NoError(t, img.Execute(ctx, p.Plan))
}
