package image

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// readerEnv names, for a process that a test starts, the image to read.
const readerEnv = "IPS_TEST_READER"

const (
	heldOne  = "set name=pkg.fmri value=pkg://p/app@1-0\ndepend type=incorporate fmri=lib@1\ndepend type=require fmri=lib\n"
	heldLib1 = "set name=pkg.fmri value=pkg://p/lib@1-0\nfile f path=lib mode=0644 owner=root group=sys\n"
	heldLib2 = "set name=pkg.fmri value=pkg://p/lib@2-0\nfile f path=lib mode=0600 owner=root group=sys\n"
	heldNew  = "set name=pkg.fmri value=pkg://p/tool@2-0\nfile f path=tool mode=0644 owner=root group=sys\n"
)

// heldShelf offers an application that holds a library back; newer is whether what came
// later is there, too.
func heldShelf(t *testing.T, newer bool) *shelf {
	t.Helper()
	s := newShelf()
	files := map[string]string{"f": "content\n"}
	for _, text := range []string{heldOne, heldLib1, heldLib2} {
		s.publish(t, text, files)
	}
	if newer {
		s.publish(t, heldNew, files)
	}
	return s
}

// TestReadOnly opens, lists, refreshes and plans as a user who may not write to the image,
// while another process holds its lock. The image is not changed.
func TestReadOnly(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	before := contents(t, i.Root(), "")
	require.NoError(t, i.lock())
	journal := filepath.Join(i.Root(), filepath.FromSlash(i.meta(journalFile)))
	require.NoError(t, os.WriteFile(journal, []byte("being written"), 0o600)) // by the one that is at work
	runReader(t, i.Root(), asNobody)
	runReader(t, i.Root(), func(*exec.Cmd) {})
	i.unlock()
	require.NoError(t, os.Remove(journal))
	require.Empty(t, cmp.Diff(before, contents(t, i.Root(), ""), cmp.FilterPath(isLock, cmp.Ignore())))
}

func isLock(p cmp.Path) bool { return strings.Contains(p.String()+p.GoString(), `"var/pkg/lock"`) }

// runReader runs TestReader in a process of its own, as some user.
func runReader(t *testing.T, root string, as func(*exec.Cmd)) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "ips-reader") // where go test runs programs, too
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "reader.test")
	copyProgram(t, self, program)
	require.NoError(t, os.Chmod(dir, 0o777))
	require.NoError(t, os.Chmod(root, 0o755))
	cmd := exec.Command(program, "-test.run=^TestReader$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), readerEnv+"="+root, "TMPDIR="+dir, "GOCOVERDIR="+dir)
	as(cmd)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestReader")
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	require.NoError(t, err)
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(dst, src)
	require.NoError(t, err)
	require.NoError(t, dst.Close())
}

// TestReader is what the process of TestReadOnly does.
func TestReader(t *testing.T) {
	root := os.Getenv(readerEnv)
	if root == "" {
		t.Log("only for TestReadOnly")
		return
	}
	s := heldShelf(t, true)
	t.Run("plan", func(t *testing.T) {
		i, err := Open(t.Context(), root, s.options())
		require.NoError(t, err)
		defer i.Close()
		require.Equal(t, []string{"pkg://p/app@1-0", "pkg://p/lib@1-0"}, names(i))
		p, err := i.Plan(t.Context(), solver.Request{Op: solver.Update})
		require.NoError(t, err)
		require.True(t, p.Plan.IsEmpty(), "%v", p.Plan)
		e, err := i.Why(t.Context(), solver.Request{}, "lib")
		require.NoError(t, err)
		require.Equal(t, "lib@1-0 is there:\n  app@1-0 is installed\n  app@1-0 requires lib", e.String())
		var held []string
		for f := range p.Solution.Blocked() {
			held = append(held, f.Name())
		}
		require.Equal(t, []string{"lib"}, held)
		e, err = p.Why(t.Context(), "lib")
		require.NoError(t, err)
		require.Contains(t, e.Instead.Error(), "lib@1", "the incorporation that holds it back")

		err = i.Refresh(t.Context())
		var locked *LockedError
		if !errors.As(err, &locked) {
			require.ErrorIs(t, err, fs.ErrPermission, "of a user who may not write")
			require.NotEqual(t, 0, os.Geteuid())
			return
		}
		require.ErrorContains(t, err, "another process is changing the image; try again when it has ended: process ")
	})
	t.Run("refresh", func(t *testing.T) {
		opts := s.options()
		opts.ReadOnly = true
		i, err := Open(t.Context(), root, opts)
		require.NoError(t, err)
		defer i.Close()
		require.NoError(t, i.Refresh(t.Context()))
		p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "tool")})
		require.NoError(t, err)
		require.Contains(t, p.Plan.String(), "install package pkg://p/tool@2")
		require.ErrorIs(t, i.Execute(t.Context(), p.Plan), fs.ErrPermission)
		require.ErrorIs(t, i.SetConfig(t.Context(), i.Config()), fs.ErrPermission)
		for f, err := range i.Verify(t.Context(), nil) {
			require.NoError(t, err)
			t.Errorf("%v", f)
		}
	})
	t.Run("create", func(t *testing.T) {
		opts := s.options()
		opts.ReadOnly = true
		_, err := Create(t.Context(), filepath.Join(root, "new"), Config{}, opts)
		require.ErrorIs(t, err, fs.ErrPermission)
	})
}

// TestReadersBesideWriter reads an image again and again while packages come and go: each
// time it is as it was before one of the changes or after it.
func TestReadersBesideWriter(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := open(t.Context(), i.Root(), s.options(), hooks{volatile: true})
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				got := strings.Join(names(r), " ")
				if !slices.Contains([]string{"", "pkg://p/lib@1-0", "pkg://p/lib@2-0"}, got) {
					t.Errorf("installed: %s", got)
				}
				if r.Known().Len() != 3 {
					t.Errorf("%d packages are known", r.Known().Len())
				}
				r.Close()
			}
		})
	}
	for range 15 {
		require.NoError(t, install(t, i, "lib@1"))
		_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
		require.NoError(t, err)
		_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "lib")})
		require.NoError(t, err)
	}
	close(stop)
	wg.Wait()
}

// TestPlanReadsAnew sees what another process has done since the image was opened.
func TestPlanReadsAnew(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	other, err := open(t.Context(), i.Root(), s.options(), hooks{volatile: true})
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, install(t, other, "app"))
	require.Empty(t, names(i))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "tool", "app")})
	require.NoError(t, err)
	require.NotContains(t, p.Plan.String(), "app")
	require.Equal(t, names(other), names(i))
	require.NoError(t, i.Execute(t.Context(), p.Plan))
}

// TestMissingState tells an image without its state from a directory without an image.
func TestMissingState(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	require.NoError(t, os.RemoveAll(filepath.Join(i.Root(), "var/pkg/state")))
	_, err := open(t.Context(), i.Root(), s.options(), hooks{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, ErrNotImage)
	require.EqualError(t, err, "image "+i.Root()+": open: the directory var/pkg/state of the image is missing")
	require.EqualError(t, i.Refresh(t.Context()), "image "+i.Root()+": refresh: the directory var/pkg/state of the image is missing")
}

// TestStateBetweenNames reads an image whose new state is complete and not yet in place,
// and does not touch it; the next writer puts it there.
func TestStateBetweenNames(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	at := filepath.Join(i.Root(), "var/pkg")
	require.NoError(t, os.Rename(filepath.Join(at, "state"), filepath.Join(at, "cache/tmp/state.new")))
	r, err := open(t.Context(), i.Root(), s.options(), hooks{volatile: true})
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, []string{"pkg://p/app@1-0", "pkg://p/lib@1-0"}, names(r))
	_, err = os.Stat(filepath.Join(at, "state"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, r.Refresh(t.Context()))
	_, err = os.Stat(filepath.Join(at, "state/installed"))
	require.NoError(t, err)
}

// TestFetchedOnce plans twice and executes: each manifest is asked for once.
func TestFetchedOnce(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	asked := 0
	s.onManifest = func(fmri.FMRI) { asked++ }
	for range 2 {
		_, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "app")})
		require.NoError(t, err)
	}
	require.NoError(t, install(t, i, "app"))
	require.Equal(t, 2, asked)
}
