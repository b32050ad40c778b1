package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// run1 runs the program and returns its exit status and what it printed.
func run1(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer f.Close()
	var said bytes.Buffer
	status = run(t.Context(), args, f, &said)
	text, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	return status, string(text), said.String()
}

// take runs the program, which must succeed, and returns what it printed.
func take(t *testing.T, args ...string) string {
	t.Helper()
	status, out, errs := run1(t, args...)
	require.Zero(t, status, "%s%s", out, errs)
	require.Empty(t, errs)
	return out
}

// TestTour takes the tour with a few packages, and again in the same directory.
func TestTour(t *testing.T) {
	dir := t.TempDir()
	for i, published := range []string{"packages\n", "was published by an earlier run"} {
		text := take(t, "-dir", dir, "-package", "unicode/utf8")
		for _, want := range []string{
			published,
			"updated pkg://quickstart.example/go/std/unicode/utf8@",
			"all verified",
			"now somebody edits usr/lib/go/src/unicode/utf8/",
			"now 0 packages are installed",
			"go/std-incorporation",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("run %d: no %q in\n%s", i+1, want, text)
			}
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("run %d shows progress although it does not write to a terminal", i+1)
		}
	}
}

// TestForeignDirectory refuses to work among somebody's files.
func TestForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	note := filepath.Join(dir, "note")
	if err := os.WriteFile(note, []byte("do not lose me"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, errs := run1(t, "-dir", dir)
	require.Equal(t, 1, status)
	require.Equal(t, "quickstart: "+dir+" holds something else: name an empty directory\n", errs)
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("%d files in the directory, want 1", len(names))
	}
}

// TestMistakes has what is wrong with the command line on the error stream, the message
// last or alone.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		last   string
	}{
		{[]string{"here"}, 2, `quickstart: "here" is no flag, and there are no other arguments`},
		{[]string{"-nothing"}, 2, ""},
		{[]string{"-package", "net/htp"}, 1, `quickstart: read the standard library: the standard library has no package "net/htp": go list std names all`},
	} {
		status, _, errs := run1(t, append([]string{"-dir", filepath.Join(t.TempDir(), "d")}, c.args...)...)
		require.Equal(t, c.status, status, "%q", c.args)
		lines := strings.Split(strings.TrimSuffix(errs, "\n"), "\n")
		if c.last != "" {
			require.Equal(t, c.last, lines[len(lines)-1])
		}
		require.NotEmpty(t, errs)
	}
}

// TestOnly compares what one package has alone with what it has among all others.
func TestOnly(t *testing.T) {
	all, err := readRelease(t.Context(), "")
	require.NoError(t, err)
	few, err := readRelease(t.Context(), "net/http")
	require.NoError(t, err)
	require.Greater(t, len(all.Packages), len(few.Packages))
	for _, p := range few.Packages {
		i := slices.IndexFunc(all.Packages, func(q goPackage) bool { return q.ImportPath == p.ImportPath })
		require.GreaterOrEqual(t, i, 0, p.ImportPath)
		require.Empty(t, cmp.Diff(all.Packages[i], p))
	}
}

// TestSuggestions does what the tour suggests at its end.
func TestSuggestions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a tour")
	said := take(t, "-dir", dir, "-package", "unicode/utf8")
	commands := 0
	for line := range strings.Lines(said) {
		command, ok := strings.CutPrefix(line, "  go run ")
		if !ok {
			continue
		}
		commands++
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "go run "+command)
		cmd.Dir = filepath.Join("..", "..")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
		t.Logf("%s%s", command, out)
	}
	require.Equal(t, 3, commands, said)
}
