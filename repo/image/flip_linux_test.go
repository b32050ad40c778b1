package image

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver"
)

// flipManifests return packages whose directory a/d is exchanged while they are installed,
// updated and removed: one with files, and one with whatever else happens at a path. Some
// of the names are also in the directories that the links lead to.
func flipManifests(version int) (files, rest string) {
	var text strings.Builder
	fmt.Fprintf(&text, "set name=pkg.fmri value=pkg://p/files@%d-0\n", version)
	for n := range 12 {
		fmt.Fprintf(&text, "file f%d path=a/d/f%d mode=4755 owner=root group=sys\n", n%3+3*version, n)
	}
	for _, name := range flipBait[:2] {
		fmt.Fprintf(&text, "file bait path=a/d/%s mode=4%d55 owner=root group=sys\n", name, 5+version)
	}
	files = text.String()
	text.Reset()
	fmt.Fprintf(&text, "set name=pkg.fmri value=pkg://p/rest@%d-0\nfile f0 path=a/d/file mode=0644 owner=root group=sys\n", version)
	for n := range 4 {
		fmt.Fprintf(&text, "link path=a/d/l%d target=x%d\n", n, version)
		fmt.Fprintf(&text, "hardlink path=a/d/h%d target=file\n", n)
		fmt.Fprintf(&text, "hardlink path=h%d target=a/d/same%d\n", n, (n+version)%4)
		fmt.Fprintf(&text, "dir path=a/d/dir%d mode=07%d5 owner=root group=sys\n", n, version)
		fmt.Fprintf(&text, "file same path=a/d/same%d mode=4%d55 owner=root group=sys preserve=true\n", n, 5+version)
	}
	return files, text.String()
}

// flipBait are the files that are where the links lead to.
var flipBait = []string{"shadow", "passwd", "same0", "f0"}

// TestFlips exchanges a directory with a link, in one moment and again and again, while
// files are installed in it: a link to another directory of the image, and one out of it.
// Nothing ever happens where it leads to. With IPS_LONG=1 there are half a million flips.
func TestFlips(t *testing.T) {
	for target, flips := range map[string]int64{"../precious": 10_000, "../../outside": 2_000} {
		if os.Getenv("IPS_LONG") != "" {
			flips = 250_000
		}
		t.Run(target, func(t *testing.T) { testFlips(t, target, flips) })
	}
}

func testFlips(t *testing.T, target string, flips int64) {
	s := newShelf()
	files := map[string]string{"same": "the same\n", "bait": "bait\n"}
	for n := range 9 {
		files[fmt.Sprintf("f%d", n)] = fmt.Sprintf("evil %d\n", n)
	}
	for version := range 2 {
		one, two := flipManifests(version + 1)
		s.publish(t, one, files)
		s.publish(t, two, files)
	}
	i, outside, _ := neighbourhood(t, s)
	precious := filepath.Join(i.Root(), "precious")
	for _, dir := range []string{precious, outside} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "dir0"), 0o711))
		for _, name := range flipBait {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("precious\n"), 0o600))
		}
	}
	if err := unix.Renameat2(unix.AT_FDCWD, precious, unix.AT_FDCWD, outside, unix.RENAME_EXCHANGE); err != nil {
		t.Skipf("names cannot be exchanged here: %v", err)
	}
	before := []map[string]object{objects(t, precious), objects(t, outside)}
	done := 0
	a := filepath.Join(i.Root(), "a")
	stop := startFlipper(a)
	i.opts.Progress = func(e repo.Event) { stop.active.Store(!slices.Contains([]string{"plan", "fetch", "commit"}, e.Op)) }
	for n := 0; stop.flips.Load() < flips; n++ {
		name := []string{"files", "rest"}[n%2]
		if err := os.Rename(a, a+".old"); err == nil {
			require.NoError(t, os.RemoveAll(a+".old"))
		}
		require.NoError(t, os.MkdirAll(filepath.Join(a+".new", "d"), 0o755))
		require.NoError(t, os.Symlink(target, filepath.Join(a+".new", "link")))
		require.NoError(t, os.Rename(a+".new", a))
		for _, req := range []solver.Request{
			{Patterns: patterns(t, name+"@1")}, {Op: solver.Update}, {Op: solver.Uninstall, Patterns: patterns(t, name)},
		} {
			if _, err := carryOut(t.Context(), i, req); err == nil {
				done++ // the others fail, and the next one finds what is left
			}
		}
	}
	stop.wait()
	t.Logf("%d flips, %d operations to their ends", stop.flips.Load(), done)
	require.Empty(t, cmp.Diff(before, []map[string]object{objects(t, precious), objects(t, outside)}))
}

// A flipper exchanges two names until it is stopped.
type flipper struct {
	flips  atomic.Int64
	active atomic.Bool // whether steps are being carried out
	quit   atomic.Bool
	done   chan struct{}
}

// startFlipper exchanges what is called d and link in a directory.
func startFlipper(dir string) *flipper {
	d, link := filepath.Join(dir, "d"), filepath.Join(dir, "link")
	f := &flipper{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		linked := false
		for n := 0; !f.quit.Load(); n++ {
			if !f.active.Load() {
				continue
			}
			// While the package is not installed, there is nothing to exchange. The
			// link is there for a moment each time, or nothing would get as far as
			// the step that is to be caught.
			if unix.Renameat2(unix.AT_FDCWD, d, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE) == nil {
				f.flips.Add(1)
				linked = !linked
			} else {
				fi, err := os.Lstat(d)
				linked = err == nil && !fi.IsDir()
			}
			pause := n * 7919 % 100_000
			if linked {
				pause /= 10
			}
			for range pause {
				f.quit.Load()
			}
		}
	}()
	return f
}

func (f *flipper) wait() {
	f.quit.Store(true)
	<-f.done
}
