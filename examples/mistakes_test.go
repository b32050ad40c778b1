package examples_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestMistakes makes the mistakes of testdata/mistakes/golden.txt and compares what the
// programs say, and their exit status. Each line that begins with "$ " is a command for
// the shell, in a directory that has the files of files.txtar, prepared by the script
// among them. What people read when something went wrong is reviewed here:
// it says what, where, why, and what to try.
func TestMistakes(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the mistakes need a POSIX shell")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		require.NoError(t, os.Chmod(d, 0o755)) // or verify speaks of that
	}
	files, err := txtar.ParseFile(filepath.Join("testdata", "mistakes", "files.txtar"))
	require.NoError(t, err)
	require.NoError(t, txtar.Write(files, dir))
	shell := newShell(t, dir, build(t))
	said, status := shell.run(t, "sh ./prepare")
	require.Zero(t, status, said)

	golden := filepath.Join("testdata", "mistakes", "golden.txt")
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	var got strings.Builder
	mistakes := 0
	for line := range strings.Lines(string(want)) {
		if strings.HasPrefix(line, "#") {
			got.WriteString("\n" + line)
			continue
		}
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		said, status := shell.run(t, strings.TrimSpace(command))
		fmt.Fprintf(&got, "\n$ %s%s[%d]\n", command, said, status)
		mistakes++
	}
	text := strings.TrimPrefix(got.String(), "\n")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
		want = []byte(text)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("run with -update, and read what has changed:\n%s", diff)
	}
	require.GreaterOrEqual(t, mistakes, 80)
}

// A shell runs command lines.
type shell struct {
	dir string
	env []string
}

func newShell(t *testing.T, dir, bin string) *shell {
	t.Helper()
	home := filepath.Join(dir, ".home")
	require.NoError(t, os.MkdirAll(home, 0o755))
	return &shell{dir, append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+home, "LC_ALL=C.UTF-8", "TZ=UTC", "PKG_REPO=", "PKG_SRC=", "PKG_DEST=",
		"SOURCE_DATE_EPOCH=1700000000",
	)}
}

// numbers are those of processes, which differ each time.
var numbers = regexp.MustCompile(`\b(pid|process) \d+`)

// run returns what a command line printed on both streams, and the exit status.
func (s *shell) run(t *testing.T, line string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // one that waits for ever is a mistake of its own
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.WaitDelay = time.Second
	cmd.Dir, cmd.Env = s.dir, s.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	said := strings.ReplaceAll(out.String(), s.dir, "$WORK")
	said = numbers.ReplaceAllString(said, "$1 N")
	if said != "" && !strings.HasSuffix(said, "\n") {
		said += "\n(no end of line)\n"
	}
	return said, cmd.ProcessState.ExitCode()
}
