package examples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A killCase is a run of a program that is killed again and again, at any time. Whatever
// it had come to, nothing that was there before is lost, and the same command once more
// ends as if nobody had killed the first one.
type killCase struct {
	name    string
	program string
	args    []string
	removes bool // takes away what is there before

	// again says that the command once more may fail, since there is nothing left to do.
	again bool
}

// killCases work in a directory that has src, a repository with packages k0 to k7, and
// dst, one with the first half of them and a package of its own.
func killCases() []killCase {
	return []killCase{
		{name: "publish", program: "pkgsend", args: []string{"-D", "allow-timestamp", "publish", "-s", "dst", "-d", "proto", "new.p5m"}, again: true},
		{name: "receive", program: "pkgrecv", args: []string{"-s", "src", "-d", "dst", "*"}},
		{name: "clone", program: "pkgrecv", args: []string{"-s", "src", "-d", "dst", "--clone"}, removes: true},
		{name: "archive", program: "pkgrecv", args: []string{"-s", "src", "-d", "new.p5p", "-a", "*"}, again: true},
		{name: "raw", program: "pkgrecv", args: []string{"-s", "src", "-d", "raw", "--raw", "*"}},
		{name: "raw stored", program: "pkgrecv", args: []string{"-s", "src", "-d", "raw", "--raw", "-k", "*"}},
		{name: "rebuild", program: "pkgrepo", args: []string{"-s", "dst", "rebuild"}},
		{name: "refresh", program: "pkgrepo", args: []string{"-s", "dst", "refresh"}},
		{name: "remove", program: "pkgrepo", args: []string{"-s", "dst", "remove", "k1", "k2"}, removes: true, again: true},
		{name: "remove publisher", program: "pkgrepo", args: []string{"-s", "dst", "remove-publisher", "kill.test"}, removes: true, again: true},
		{name: "add publisher", program: "pkgrepo", args: []string{"-s", "dst", "add-publisher", "other.test"}, again: true},
		{name: "set", program: "pkgrepo", args: []string{"-s", "dst", "set", "-p", "kill.test", "publisher/alias=k"}},
		{name: "fix", program: "pkgrepo", args: []string{"-s", "dst", "fix"}},
		{name: "create", program: "pkgrepo", args: []string{"create", "fresh"}, again: true},
		{name: "mirror", program: "mirror", args: []string{"src", "dst"}},
	}
}

// TestKill kills the programs.
func TestKill(t *testing.T) {
	bin := build(t)
	template := t.TempDir()
	fillKill(t, template)
	rounds := 2
	if os.Getenv("IPS_LONG") != "" {
		rounds = 150
	}
	for _, c := range killCases() {
		t.Run(c.name, func(t *testing.T) {
			k := &killing{killCase: c, bin: bin, template: template}
			whole := k.workspace(t)
			start := time.Now()
			out, err := k.command(t.Context(), whole).CombinedOutput()
			require.NoError(t, err, "%s", out)
			k.lasts = time.Since(start)
			k.want = stateOf(t, whole)
			for n := range rounds {
				k.round(t, rand.New(rand.NewPCG(uint64(n), 20260102)))
			}
		})
	}
}

// fillKill makes what the cases work on.
func fillKill(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"src", "dst"} {
		r, err := repo.CreateDir(t.Context(), filepath.Join(dir, name), repo.Config{DefaultPublisher: "kill.test"}, nil)
		require.NoError(t, err)
		for i := range 8 {
			if name == "dst" && i > 3 {
				break
			}
			publishKill(t, r, fmt.Sprintf("k%d", i), i)
		}
		if name == "dst" {
			publishKill(t, r, "own", 100)
			require.NoError(t, r.RebuildIndex(t.Context(), "kill.test"))
		}
		require.NoError(t, r.Close())
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "proto"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "proto", "f"), noise(200, 300_000), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.p5m"), []byte("set name=pkg.fmri value=pkg://kill.test/new@1.0,5.11-0:20250101T000000Z\n"+
		"file f path=opt/f mode=0444 owner=root group=bin\n"), 0o644))
}

// noise returns bytes that do not shrink.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), 1
	b := make([]byte, n)
	rand.NewChaCha8(key).Read(b)
	return b
}

// publishKill publishes a package with payloads of its own and one that all have.
func publishKill(t *testing.T, r *repo.Repository, name string, seed int) {
	t.Helper()
	m, err := manifest.Parse(name, fmt.Appendf(nil, "set name=pkg.fmri value=pkg://kill.test/%[1]s@1.0,5.11-0:20250101T000000Z\n"+
		"file own path=opt/%[1]s mode=0444 owner=root group=bin\nfile shared path=opt/shared mode=0444 owner=root group=bin\n", name))
	require.NoError(t, err)
	content := fstest.MapFS{"own": {Data: noise(uint64(seed), 100_000)}, "shared": {Data: noise(99, 50_000)}}
	_, err = repo.Publish(t.Context(), r, m, &repo.PublishOptions{KeepTimestamp: true, Content: repo.Proto(content)})
	require.NoError(t, err)
}

// A killing is the test of one case.
type killing struct {
	killCase
	bin, template string
	lasts         time.Duration // if nobody kills it
	want          killState
}

// workspace returns a fresh directory.
func (k *killing) workspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(k.template)))
	return dir
}

func (k *killing) command(ctx context.Context, dir string) *exec.Cmd {
	name := filepath.Join(k.bin, k.program)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	cmd := exec.CommandContext(ctx, name, k.args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PKG_REPO=", "PKG_SRC=", "PKG_DEST=")
	return cmd
}

// round kills one run, looks at what is left, and runs the command once more.
func (k *killing) round(t *testing.T, random *rand.Rand) {
	dir := k.workspace(t)
	before := stateOf(t, dir)
	cmd := k.command(t.Context(), dir)
	require.NoError(t, cmd.Start())
	after := time.Duration(random.Int64N(int64(k.lasts) + 1))
	time.Sleep(after)
	cmd.Process.Kill() // it may have ended
	cmd.Wait()
	left := stateOf(t, dir)
	if !k.removes {
		for _, name := range before.listed {
			require.Contains(t, left.listed, name, "killed after %v: lost", after)
		}
	}
	var out bytes.Buffer
	cmd = k.command(t.Context(), dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if !k.again || !errors.As(err, &exit) || exit.ExitCode() != 1 {
		require.NoError(t, err, "killed after %v; once more: %s", after, out.String())
	}
	if diff := cmp.Diff(k.want, stateOf(t, dir), cmp.AllowUnexported(killState{})); diff != "" {
		t.Errorf("killed after %v, and once more (-want +got):\n%s%s", after, diff, out.String())
	}
}

// A killState is what there is to be seen of a directory.
type killState struct {
	listed []string // by all repositories and archives: "dst NAME"
	faults []string // that Check finds
	files  []string // of --raw; and those that are half written, wherever they are
}

func stateOf(t *testing.T, dir string) (s killState) {
	t.Helper()
	for _, name := range []string{"src", "dst", "fresh", "new.p5p"} {
		src, err := repo.Local(nil).OpenSource(t.Context(), filepath.Join(dir, name))
		if err != nil && slices.Contains([]string{"fresh", "new.p5p"}, name) {
			continue // not yet
		}
		require.NoError(t, err, name)
		s.add(t, name, src)
		require.NoError(t, src.Close())
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		if err == nil && !d.IsDir() && (strings.HasPrefix(name, "raw/") || strings.HasPrefix(d.Name(), ".")) {
			info, err := d.Info()
			require.NoError(t, err)
			s.files = append(s.files, fmt.Sprint(name, " ", info.Size()))
		}
		return err
	})
	require.NoError(t, err)
	return s
}

// add looks at one repository or archive.
func (s *killState) add(t *testing.T, name string, src repo.Source) {
	t.Helper()
	all, err := new(repo.Selection).Find(t.Context(), src)
	require.NoError(t, err, name)
	for _, f := range all {
		s.listed = append(s.listed, name+" "+f.String())
	}
	findings := repo.Verify(t.Context(), src, slices.Values(all), nil)
	if r, ok := src.(*repo.Repository); ok {
		findings = r.Check(t.Context(), nil)
	}
	for f, err := range findings {
		require.NoError(t, err, name)
		s.faults = append(s.faults, fmt.Sprint(name, " ", f.Fault, " ", f.FMRI, " ", f.Name, " ", f.Err))
	}
}

// TestInterrupt interrupts programs that wait for what does not come: they end at once, in
// good order.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no interrupts to be sent")
	}
	bin := build(t)
	dir := t.TempDir()
	fillKill(t, dir)
	s, err := store.OpenDir(filepath.Join(dir, "dst"))
	require.NoError(t, err)
	defer s.Close()
	lock, err := store.Acquire(t.Context(), s, "publisher/kill.test/tmp/lock", &store.LockOptions{Note: []byte("17\nfar.example\n20260102T030405Z\n\n")})
	require.NoError(t, err)
	defer lock.Release()
	for name, test := range map[string]struct {
		killCase
		says string // before it waits
	}{
		"lock":  {killCase{program: "pkgsend", args: []string{"publish", "-s", "dst", "-d", "proto", "new.p5m"}}, "pkgsend: publisher kill.test: the repository is in use by another process: pid 17 on far.example; waiting until it is done\n"},
		"clone": {killCase{program: "pkgrecv", args: []string{"-s", "src", "-d", "dst", "--clone"}}, "pkgrecv: publisher kill.test: the repository is in use by another process: pid 17 on far.example; waiting until it is done\n"},
	} {
		t.Run(name, func(t *testing.T) {
			k := killing{killCase: test.killCase, bin: bin}
			cmd := k.command(t.Context(), dir)
			errs, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			said := make([]byte, len(test.says))
			_, err = io.ReadFull(errs, said)
			require.NoError(t, err)
			require.Equal(t, test.says, string(said))
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			rest, err := io.ReadAll(errs)
			require.NoError(t, err)
			cmd.Wait()
			require.Equal(t, test.program+": interrupted\n", string(rest))
			require.Equal(t, 130, cmd.ProcessState.ExitCode())
			left, err := filepath.Glob(filepath.Join(dir, "dst", ".tmp-*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
	t.Run("standard input", func(t *testing.T) {
		k := killing{killCase: killCase{program: "pkgsend", args: []string{"publish", "-s", "src"}}, bin: bin}
		cmd := k.command(t.Context(), dir)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		defer in.Close()
		var errs bytes.Buffer
		cmd.Stderr = &errs
		require.NoError(t, cmd.Start())
		_, err = in.Write(bytes.Repeat([]byte("# endless\n"), 100_000)) // more than a pipe holds, so it reads
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		cmd.Wait()
		require.Equal(t, "pkgsend: interrupted\n", errs.String())
		require.Equal(t, 130, cmd.ProcessState.ExitCode())
	})
}
