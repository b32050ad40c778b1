package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// TestSalvageNames gives each thing that is put aside a name of its own, in directories that
// say where it was.
func TestSalvageNames(t *testing.T) {
	i := newShelf().create(t, tempDir(t))
	e := i.newExecution(new(plan.Plan), "20260101T000000Z")
	for n := range 3 {
		require.NoError(t, os.MkdirAll(filepath.Join(i.Root(), "d"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "d/f"), []byte{byte('a' + n)}, 0o644))
		require.NoError(t, e.salvage("d/f"))
	}
	got := map[string]string{}
	for name, c := range contents(t, filepath.Join(i.Root(), "var/pkg/lost+found"), "") {
		got[name] = c.Content
	}
	require.Empty(t, cmp.Diff(map[string]string{
		"/d/f-20260101T000000Z": "a", "/d/f-20260101T000000Z.1": "b", "/d/f-20260101T000000Z.2": "c",
	}, got))
}

// TestSalvageFrom brings what was in a directory to the one that takes its place. What the
// new one has already stays, and the other is left where it was put.
func TestSalvageFrom(t *testing.T) {
	s := newShelf()
	files := map[string]string{"f": "delivered\n"}
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\ndir path=old mode=0755 owner=root group=sys\n", files)
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@2-0\ndir path=new mode=0755 owner=root group=sys salvage-from=old\n", files)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "x@1"))
	for _, name := range []string{"old/stray", "old/both", "new/both"} {
		at := filepath.Join(i.Root(), name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(name), 0o644))
	}
	_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	for name, want := range map[string]string{"new/stray": "old/stray", "new/both": "new/both"} {
		text, err := os.ReadFile(filepath.Join(i.Root(), name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	left := contents(t, filepath.Join(i.Root(), "var/pkg/lost+found"), "")
	require.Len(t, left, 1)
	for name, c := range left {
		require.Regexp(t, `^/old-.*/both$`, name)
		require.Equal(t, "old/both", c.Content)
	}
}

// TestImpliedParents makes directories that no action names like the one they are in.
func TestImpliedParents(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\ndir path=top mode=2750 owner=bin group=sys\nfile f path=top/a/b/f mode=0644 owner=root group=root\n", map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "x"))
	for _, name := range []string{"top", "top/a", "top/a/b"} {
		fi, err := os.Stat(filepath.Join(i.Root(), name))
		require.NoError(t, err)
		require.Equal(t, "2750", formatMode(fi.Mode()), name)
		if uid, gid := ownerOf(fi); os.Geteuid() == 0 {
			require.Equal(t, [2]int{2, 3}, [2]int{uid, gid}, name)
		}
	}
}

// TestReplacedTarget exchanges the target of a hardlink at the last moment: the link is
// refused, and nothing is left beside it.
func TestReplacedTarget(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nhardlink path=l target=d/f\n", nil)
	i := s.create(t, tempDir(t))
	at := filepath.Join(i.Root(), "d/f")
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(t, os.WriteFile(at, nil, 0o644))
	require.NoError(t, os.WriteFile(at+".other", nil, 0o644))
	i.hooks.before = func(op, name string) error {
		if op == "link" {
			return os.Rename(at+".other", at)
		}
		return nil
	}
	err := install(t, i, "x")
	var step *StepError
	require.ErrorAs(t, err, &step)
	require.ErrorContains(t, err, "install hardlink l: somebody has replaced its target d/f meanwhile")
	require.Empty(t, cmp.Diff([]string{"d", "d/f"}, sortedNames(objects(t, i.Root()))))
}

func sortedNames(all map[string]object) (list []string) {
	for _, name := range []string{"d", "d/f", "l", "d/.ips-l.tmp", ".ips-l.tmp"} {
		if _, ok := all[name]; ok {
			list = append(list, name)
		}
	}
	return list
}

// TestGivenUp ends a plan whose step fails: it is not finished by the next operation, and
// made again it carries on.
func TestGivenUp(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nfile f path=a mode=0644 owner=root group=sys\nhardlink path=b target=missing\n", map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	for range 2 {
		err := install(t, i, "x")
		var step *StepError
		require.ErrorAs(t, err, &step)
		_, err = os.Lstat(filepath.Join(i.Root(), filepath.FromSlash(i.meta(journalFile))))
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.Empty(t, names(i))
		require.NoError(t, i.Refresh(t.Context()))
	}
	require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "missing"), nil, 0o644))
	require.NoError(t, install(t, i, "x"))
	require.Equal(t, []string{"pkg://p/x@1-0"}, names(i))
}

// TestLostLicense writes the text of a license again when an update meets that it is gone.
func TestLostLicense(t *testing.T) {
	s := newShelf()
	files := map[string]string{"l": "terms\n"}
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nlicense l license=T\n", files)
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@2-0\nlicense l license=T must-display=true\n", files)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "x@1"))
	at := filepath.Join(i.Root(), "var/pkg/license/x/license.T")
	require.NoError(t, os.Remove(at))
	_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	text, err := os.ReadFile(at)
	require.NoError(t, err)
	require.Equal(t, "terms\n", string(text))
	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "x")})
	require.NoError(t, err)
	_, err = os.Lstat(filepath.Dir(at))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestMirrors asks mirrors for payloads before origins, and for nothing else.
func TestMirrors(t *testing.T) {
	s, mirror := newShelf(), newShelf()
	for _, shelf := range []*shelf{s, mirror} {
		shelf.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nfile f path=f mode=0644 owner=root group=sys\n", map[string]string{"f": "f\n"})
	}
	mirror.onManifest = func(f fmri.FMRI) { t.Errorf("mirror was asked for the manifest of %v", f) }
	opts := s.options()
	opts.Openers["mirror"] = repo.Opened(mirror)
	c := s.config()
	c.Type, c.Publishers[0].Mirrors = User, []string{"mirror://x/"}
	i, err := create(t.Context(), tempDir(t), c, opts, hooks{volatile: true})
	require.NoError(t, err)
	defer i.Close()
	require.NoError(t, i.Refresh(t.Context()))
	require.NoError(t, install(t, i, "x"))
	require.Equal(t, [2]int{0, 1}, [2]int{s.served, mirror.served})
}

// TestFirstFree writes the records of one second under names of their own.
func TestFirstFree(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	now := i.now()
	i.opts.Now = func() time.Time { return now }
	for n := range 3 {
		require.NoError(t, i.change(t.Context(), func() error {
			return i.writeRecord(Record{Name: fmt.Sprint("operation ", n), Start: now, End: now, Outcome: "Succeeded", Reason: "None", Args: []string{"a", "]]>"}, Errors: []string{"e"}})
		}))
	}
	var got []string
	for r, err := range i.History() {
		require.NoError(t, err)
		require.Equal(t, [2][]string{{"a", "]]>"}, {"e"}}, [2][]string{r.Args, r.Errors})
		got = append(got, r.Name)
	}
	require.Equal(t, []string{"operation 0", "operation 1", "operation 2"}, got)
}

// TestOutcome tells the history why an operation failed.
func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&OriginError{Err: fs.ErrPermission}, "Failed, Transport"},
		{errors.Join(&plan.ConflictError{}, &plan.ConflictError{}), "Failed, Conflicting Actions"},
		{&LockedError{}, "Failed, Locked"},
		{ErrStale, "Failed, Constrained"},
		{&StepError{Err: fs.ErrPermission}, "Failed, Storage"},
		{errors.New("other"), "Failed, Unknown"},
	} {
		out, reason := outcome(fmt.Errorf("wrapped: %w", test.err))
		require.Equal(t, test.want, out+", "+reason, "%v", test.err)
	}
}

// TestOperations names what was done after the packages of the plan.
func TestOperations(t *testing.T) {
	s := newShelf()
	for _, text := range []string{heldLib1, heldLib2, heldNew} {
		s.publish(t, text+"file f path=doc"+text[strings.Index(text, "p/")+2:strings.Index(text, "p/")+5]+" mode=0644 owner=root group=sys facet.doc=true\n", map[string]string{"f": "f\n"})
	}
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "lib@1"))
	_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	v := i.Config().Varcets
	v.Facets = map[string]bool{"facet.doc": false}
	p, err := i.PlanVarcets(t.Context(), v)
	require.NoError(t, err)
	require.NoError(t, i.Execute(t.Context(), p.Plan))
	_, err = carryOut(t.Context(), i, solver.Request{Patterns: patterns(t, "tool"), Reject: patterns(t, "lib")})
	require.NoError(t, err)
	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "tool")})
	require.NoError(t, err)
	var got []string
	for r, err := range i.History() {
		require.NoError(t, err)
		got = append(got, r.Name)
	}
	require.Equal(t, []string{"install", "update", "change-facet", "install", "uninstall"}, got)
}

// TestOriginInfos keeps what is known of origins, such as a proxy, while they stay the same.
func TestOriginInfos(t *testing.T) {
	const text = "[image]\nversion = 4\n\n[authority_p]\nprefix = p\norigins = ['http://a/', 'http://b/']\n" +
		"origin_info = [{'uri': 'http://a/', 'proxy': 'http://proxy/', 'disabled': 'false'}, {'uri': 'http://b/', 'proxy': '', 'disabled': 'TRUE'}]\n"
	f, err := ini.Parse(configFile, []byte(text))
	require.NoError(t, err)
	c, err := readConfig(f)
	require.NoError(t, err)
	require.Equal(t, []string{"http://a/"}, c.Publishers[0].Origins, "without what is disabled")
	writeConfig(f, c)
	require.True(t, bytes.Contains(f.Text(), []byte("http://proxy/")))
	c.Publishers[0].Origins = []string{"http://c/"}
	writeConfig(f, c)
	require.False(t, bytes.Contains(f.Text(), []byte("http://proxy/")))
	require.True(t, bytes.Contains(f.Text(), []byte("origin_info = [{'uri': 'http://c/'")), "%s", f.Text())
}

// TestVacant makes images where there is a snapshot directory, or what an interrupted
// creation has left.
func TestVacant(t *testing.T) {
	s := newShelf()
	for name, want := range map[string]error{
		".zfs/snapshot": nil, "var/pkg/state": nil, "var/pkg": nil, "var/pkg/lock": nil,
		"var/log": fs.ErrExist, "usr": fs.ErrExist, ".zfsx": fs.ErrExist,
	} {
		root := tempDir(t)
		require.NoError(t, os.MkdirAll(filepath.Join(root, name), 0o755))
		i, err := create(t.Context(), root, Config{Type: Full}, s.options(), hooks{volatile: true})
		if want != nil {
			require.ErrorIs(t, err, want, name)
			require.ErrorContains(t, err, "the directory is not empty: it holds "+name, name)
			continue
		}
		if name == "var/pkg/lock" {
			require.ErrorIs(t, err, fs.ErrInvalid, "a directory where the lock is")
			continue
		}
		require.NoError(t, err, name)
		require.NoError(t, i.Close())
	}
}
