package image

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// The packages of the crash tests: an update with every kind of change, each of them
// easy to get wrong the second time.
const (
	crashOne = `set name=pkg.fmri value=pkg://p/app@1-0
dir path=opt mode=0755 owner=root group=sys
dir path=opt/gone mode=0755 owner=root group=sys
dir path=opt/old mode=0755 owner=root group=sys
file a1 path=opt/gone/f mode=0644 owner=root group=sys
file a1 path=opt/plain mode=0644 owner=root group=sys
file a1 path=opt/second mode=0644 owner=root group=sys
file b1 path=opt/true mode=0644 owner=root group=sys preserve=true
file b1 path=opt/renameold mode=0644 owner=root group=sys preserve=renameold
file b1 path=opt/renamenew mode=0644 owner=root group=sys preserve=renamenew
file b1 path=opt/tolegacy mode=0644 owner=root group=sys preserve=true
file c1 path=opt/was mode=0644 owner=root group=sys preserve=true
file t1 path=opt/todir mode=0644 owner=root group=sys
dir path=opt/tofile mode=0755 owner=root group=sys
file t1 path=opt/tofile/in mode=0644 owner=root group=sys
link path=opt/linktofile target=plain
hardlink path=opt/hard target=plain
hardlink path=opt/hardtofile target=second
license l1 license=MIT
legacy pkg=SUNWold
file x1 path=opt/mode mode=0600 owner=root group=sys
file m1 path=opt/moves mode=0644 owner=root group=sys preserve=true
`
	crashTwo = `set name=pkg.fmri value=pkg://p/app@2-0
dir path=opt mode=0755 owner=root group=sys
dir path=opt/new mode=0750 owner=root group=sys salvage-from=opt/old
file a2 path=opt/plain mode=0644 owner=root group=sys
file a2 path=opt/second mode=0644 owner=root group=sys
file b2 path=opt/true mode=0644 owner=root group=sys preserve=true
file b2 path=opt/renameold mode=0644 owner=root group=sys preserve=renameold
file b2 path=opt/renamenew mode=0644 owner=root group=sys preserve=renamenew
file b2 path=opt/tolegacy mode=0644 owner=root group=sys preserve=legacy
file c2 path=opt/new/is mode=0644 owner=root group=sys preserve=true original_name=app:opt/was
dir path=opt/todir mode=0755 owner=root group=sys
file t2 path=opt/todir/in mode=0644 owner=root group=sys
file t2 path=opt/tofile mode=0644 owner=root group=sys
file a2 path=opt/linktofile mode=0644 owner=root group=sys
file a2 path=opt/hardtofile mode=0644 owner=root group=sys
hardlink path=opt/hard target=plain
hardlink path=opt/hard2 target=hard
link path=opt/link target=plain
license l2 license=MIT
legacy pkg=SUNWnew
file x1 path=opt/mode mode=0644 owner=root group=sys
depend type=require fmri=lib
`
	crashLib = `set name=pkg.fmri value=pkg://p/lib@1-0
file m2 path=opt/moves mode=0644 owner=root group=sys preserve=true
`
)

// crashFiles are the contents of the payloads.
func crashFiles() map[string]string {
	files := map[string]string{}
	for _, word := range strings.Fields("a1 a2 b1 b2 c1 c2 t1 t2 l1 l2 x1 m1 m2") {
		files[word] = "content " + word + "\n"
	}
	return files
}

// crashEdits are what happens to the image between the two versions.
func crashEdits() []edit {
	var edits []edit
	for _, name := range strings.Fields("opt/true opt/renameold opt/renamenew opt/tolegacy opt/was opt/moves") {
		edits = append(edits, edit{Append: name, Content: "edited\n"})
	}
	return append(edits,
		edit{Write: "opt/gone/stray", Content: "stray\n", Mode: "0644"},
		edit{Write: "opt/old/stray", Content: "kept\n", Mode: "0644"},
		edit{Write: "opt/tofile/stray", Content: "stray\n", Mode: "0644"},
	)
}

// errCut is the end of the machine.
var errCut = errors.New("cut")

// A cutter lets a number of changes to the disk happen, and then none.
type cutter struct{ left int }

func (c *cutter) before(op, name string) error {
	if c.left == 0 {
		return fmt.Errorf("%s %s: %w", op, name, errCut)
	}
	c.left--
	return nil
}

// crashImage makes an image with the first version installed and edited.
func crashImage(t *testing.T) (*shelf, string) {
	t.Helper()
	s := newShelf()
	for _, text := range []string{crashOne, crashTwo, crashLib} {
		s.publish(t, text, crashFiles())
	}
	i := s.create(t, tempDir(t))
	if _, err := carryOut(t.Context(), i, solver.Request{Patterns: patterns(t, "app@1")}); err != nil {
		t.Fatal(err)
	}
	for _, e := range crashEdits() {
		e.do(t, i.Root())
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	return s, i.Root()
}

// copyImage copies a tree with its links and hardlinks to a new directory.
func copyImage(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(tempDir(t), "image")
	seen := map[string]os.FileInfo{}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := to + strings.TrimPrefix(path, from)
		fi, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return errors.Join(os.Mkdir(name, 0o700), os.Chmod(name, fi.Mode()&modeBits))
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, name))
		}
		for other, was := range seen {
			if os.SameFile(fi, was) {
				return os.Link(other, name)
			}
		}
		if links(fi) > 1 {
			seen[name] = fi
		}
		text, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(name, text, 0o600), os.Chmod(name, fi.Mode()&modeBits))
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// attempt opens the image and carries out a request, cut after n changes; n < 0 is not
// cut.
func attempt(t *testing.T, s *shelf, root string, n int, req solver.Request) error {
	t.Helper()
	h := hooks{volatile: true}
	if n >= 0 {
		h.before = (&cutter{left: n}).before
	}
	i, err := open(t.Context(), root, s.options(), h)
	if err != nil {
		return err
	}
	defer i.Close()
	if got := strings.Join(names(i), " "); !slices.Contains(crashStates, got) {
		t.Errorf("cut %d: installed: %s", n, got)
	}
	_, err = carryOut(t.Context(), i, req)
	return err
}

// crashStates are what may be installed at any moment.
var crashStates = []string{"", "pkg://p/app@1-0", "pkg://p/app@2-0 pkg://p/lib@1-0"}

// tree returns all that is in the image and concerns packages: names, types, modes,
// links and contents.
func crashTree(t *testing.T, root string) map[string]object {
	t.Helper()
	all := objects(t, root)
	for _, dir := range []string{"var/sadm", "var/pkg/lost+found", "var/pkg/license", "var/pkg/publisher/p/pkg"} {
		maps.Copy(all, prefixed(dir, objects(t, filepath.Join(root, dir))))
	}
	for _, leftover := range []string{journalFile, removedFlag, stageDir, newState, oldState} {
		if _, err := os.Lstat(filepath.Join(root, "var/pkg", leftover)); err == nil {
			all[leftover] = object{Type: "left over"}
		}
	}
	return all
}

func prefixed(dir string, all map[string]object) map[string]object {
	out := map[string]object{}
	for name, o := range all {
		o.Content = instdate.ReplaceAllString(o.Content, "")
		out[dir+"/"+stamped.ReplaceAllString(name, "$1")] = o
	}
	return out
}

// instdate matches the only time that is in a file of a package.
var instdate = regexp.MustCompile(`INSTDATE=.*\n`)

// TestCrash cuts an update at each change to the disk and makes it again: the outcome
// is that of an update that was never cut. Then everything is uninstalled: nothing is
// left but what was salvaged. Where the update is not made again, but everything
// uninstalled at once, nothing is left either. With IPS_LONG set it is every change, and
// every ninth otherwise.
func TestCrash(t *testing.T) {
	s, base := crashImage(t)
	root := copyImage(t, base)
	if err := attempt(t, s, root, -1, crashUpdate); err != nil {
		t.Fatal(err)
	}
	updated := crashTree(t, root)
	stride := 9
	if os.Getenv("IPS_LONG") != "" {
		stride = 1
	}
	n := 0
	for ; ; n += stride {
		root := copyImage(t, base)
		err := attempt(t, s, root, n, crashUpdate)
		if err == nil {
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("cut %d: %v", n, err)
		}
		if n%2 == 0 {
			if err := attempt(t, s, root, -1, crashUpdate); err != nil {
				t.Fatalf("cut %d: second attempt: %v", n, err)
			}
			if diff := cmp.Diff(updated, crashTree(t, root)); diff != "" {
				t.Fatalf("cut %d (%v): (-never cut +second attempt)\n%s", n, err, diff)
			}
		}
		checkUninstall(t, s, root, fmt.Sprintf("cut %d (%v)", n, err))
	}
	t.Logf("%d places to cut at, every %d of them", n, stride)
}

var (
	crashUpdate = solver.Request{Op: solver.Update}
	crashRemove = solver.Request{
		Op: solver.Uninstall, IgnoreMissing: true,
		Patterns: []fmri.Pattern{fmri.MustParsePattern("app"), fmri.MustParsePattern("lib")},
	}
)

// checkUninstall uninstalls everything and looks at what is left.
func checkUninstall(t *testing.T, s *shelf, root, when string) {
	t.Helper()
	if err := attempt(t, s, root, -1, crashRemove); err != nil {
		t.Fatalf("%s: uninstall: %v", when, err)
	}
	for name := range crashTree(t, root) {
		kept := strings.HasPrefix(name, "var/pkg/lost+found/") || strings.HasPrefix(name, "var/pkg/publisher/")
		if !kept || strings.Contains(name, ".tmp") {
			t.Errorf("%s: after uninstall there is still %s", when, name)
		}
	}
}

// TestCrashCreate cuts the making of an image and the first refresh, and begins again.
func TestCrashCreate(t *testing.T) {
	s := newShelf()
	s.publish(t, crashLib, crashFiles())
	for n := 0; ; n++ {
		root := tempDir(t)
		h := hooks{volatile: true, before: (&cutter{left: n}).before}
		i, err := create(t.Context(), root, s.config(), s.options(), h)
		if err == nil {
			err = errors.Join(i.Refresh(t.Context()), i.Close())
		}
		cut := err != nil
		i, err = open(t.Context(), root, s.options(), hooks{volatile: true})
		if errors.Is(err, ErrNotImage) {
			i, err = create(t.Context(), root, s.config(), s.options(), hooks{volatile: true})
		}
		if err != nil {
			t.Fatalf("cut %d: begin again: %v", n, err)
		}
		if err := i.Refresh(t.Context()); err != nil {
			t.Fatalf("cut %d: refresh again: %v", n, err)
		}
		if i.Known().Len() != 1 {
			t.Errorf("cut %d: %d packages are known", n, i.Known().Len())
		}
		i.Close()
		if !cut {
			t.Logf("%d places to cut at", n)
			return
		}
	}
}
