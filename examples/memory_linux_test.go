package examples_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// maxMemory is what a program may take for what is not what it pretends to be, in bytes.
const maxMemory = 1 << 30

// TestMemory gives programs files of 8 GiB where small ones belong, and streams without an
// end. Those are refused, and the memory that it takes has a limit.
func TestMemory(t *testing.T) {
	bin := build(t)
	template := t.TempDir()
	fillKill(t, template)
	const object = "dst/publisher/kill.test/"
	for name, test := range map[string]struct {
		huge  string // file that is replaced
		text  string // that it has again and again; "" for zeros, which take no room
		size  int64  // of it; 0 means 8 GiB
		stdin bool   // endless
		fits  bool   // is what it pretends to be
		killCase
	}{
		"manifest":         {huge: "new.p5m", killCase: killCase{program: "pkgsend", args: []string{"publish", "-s", "src", "-d", "proto", "new.p5m"}}},
		"standard input":   {stdin: true, killCase: killCase{program: "pkgsend", args: []string{"publish", "-s", "src"}}},
		"actions":          {huge: "new.p5m", text: "set name=a value=b\n", size: 60 << 20, killCase: killCase{program: "pkgsend", args: []string{"publish", "-s", "src", "-d", "proto", "new.p5m"}}},
		"configuration":    {huge: "dst/pkg5.repository", killCase: killCase{program: "pkgrepo", args: []string{"list", "-s", "dst"}}},
		"continued lines":  {huge: "dst/pkg5.repository", text: "[s]\na = b\n continued\n", size: 4 << 20, fits: true, killCase: killCase{program: "pkgrepo", args: []string{"list", "-s", "dst"}}},
		"attributes":       {huge: object + "catalog/catalog.attrs", killCase: killCase{program: "pkgrepo", args: []string{"list", "-s", "dst"}}},
		"part":             {huge: object + "catalog/catalog.base.C", killCase: killCase{program: "pkgrepo", args: []string{"list", "-s", "dst"}}},
		"part of a clone":  {huge: object + "catalog/catalog.base.C", killCase: killCase{program: "pkgrecv", args: []string{"-s", "dst", "-d", "src", "--clone"}}},
		"stored manifest":  {huge: object + "pkg/own/1.0%2C5.11-0%3A20250101T000000Z", killCase: killCase{program: "pkgrepo", args: []string{"contents", "-s", "dst", "own"}}},
		"archive":          {huge: "huge.p5p", killCase: killCase{program: "pkgrepo", args: []string{"list", "-s", "huge.p5p"}}},
		"rules":            {huge: "huge.mog", killCase: killCase{program: "pkgrecv", args: []string{"-s", "src", "-d", "dst", "--mog-file", "huge.mog", "*"}}},
		"dependencies":     {huge: "huge.ignore", killCase: killCase{program: "pkgrepo", args: []string{"verify", "-s", "src", "-i", "huge.ignore"}}},
		"bundle":           {huge: "huge.tar", text: "no tar at all\n", size: 4 << 20, killCase: killCase{program: "pkgsend", args: []string{"publish", "-s", "src", "-b", "huge.tar", "new.p5m"}}},
		"publisher's info": {huge: object + "pub.p5i", killCase: killCase{program: "pkgrepo", args: []string{"get", "-s", "dst", "-p", "kill.test"}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := killing{killCase: test.killCase, bin: bin, template: template}
			dir := k.workspace(t)
			if test.huge != "" {
				enlarge(t, filepath.Join(dir, test.huge), test.text, test.size)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // what has no end is found out
			defer cancel()
			cmd := k.command(ctx, dir)
			if test.stdin {
				cmd.Stdin = endless{}
			}
			out, err := cmd.CombinedOutput()
			require.NoError(t, ctx.Err())
			if status := cmd.ProcessState.ExitCode(); test.fits {
				require.Zero(t, status, "%v: %s", err, out)
			} else {
				require.Equal(t, 1, status, "%v: %s", err, out)
			}
			usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			require.Less(t, usage.Maxrss*1024, int64(maxMemory), "%s", out)
			t.Logf("%d MiB, %v: %.200s", usage.Maxrss>>10, cmd.ProcessState.UserTime(), out)
		})
	}
}

// enlarge replaces a file.
func enlarge(t *testing.T, name, text string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	if text != "" {
		_, err = f.Write(bytes.Repeat([]byte(text), int(size)/len(text)))
		require.NoError(t, err)
		return
	}
	require.NoError(t, f.Truncate(8<<30))
}

// endless is a stream of comments.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '#'
	}
	return len(b), nil
}
