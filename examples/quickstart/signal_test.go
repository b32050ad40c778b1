//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// buildTour builds the program.
func buildTour(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "quickstart")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", name, ".").CombinedOutput()
	require.NoError(t, err, "%s", said)
	return name
}

// TestSignals interrupts the tour while it publishes: it says so, ends with status 130 and
// takes its temporary directory with it.
func TestSignals(t *testing.T) {
	name := buildTour(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			tmp := t.TempDir()
			cmd := exec.CommandContext(t.Context(), name)
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if strings.Contains(lines.Text(), "publish build 1") {
					require.NoError(t, cmd.Process.Signal(signal))
				}
			}
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &exit)
			require.Equal(t, 130, exit.ExitCode())
			require.Equal(t, "quickstart: interrupted\n", errs.String())
			left, err := os.ReadDir(tmp)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}
