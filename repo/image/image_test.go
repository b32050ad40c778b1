package image

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// TestCreate holds where an image can be made, and where not.
func TestCreate(t *testing.T) {
	s := newShelf()
	for _, typ := range []Type{User, Full} {
		root := filepath.Join(tempDir(t), "new/deep")
		i, err := create(t.Context(), root, Config{Type: typ}, s.options(), hooks{volatile: true})
		if err != nil {
			t.Fatal(err)
		}
		c := i.Config()
		if c.Type != typ || c.Varcets.Variants["variant.opensolaris.zone"] != "global" || c.Varcets.Variants["variant.arch"] == "" {
			t.Errorf("config of a new image: %+v", c)
		}
		for _, dir := range directories {
			if fi, err := os.Stat(filepath.Join(root, typ.Metadata(), dir)); err != nil || !fi.IsDir() {
				t.Errorf("%s: %v", dir, err)
			}
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := create(t.Context(), root, Config{}, s.options(), hooks{volatile: true}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("second image in a directory: %v", err)
		}
		again, err := open(t.Context(), root, s.options(), hooks{volatile: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again.Config()); diff != "" {
			t.Errorf("config (-created +opened):\n%s", diff)
		}
		again.Close()
	}
	full := tempDir(t)
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := create(t.Context(), full, Config{}, s.options(), hooks{volatile: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("directory with a file in it: %v", err)
	}
	for _, root := range []string{full, filepath.Join(full, "missing")} {
		if _, err := open(t.Context(), root, s.options(), hooks{volatile: true}); !errors.Is(err, ErrNotImage) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %s: %v", root, err)
		}
	}
}

// TestLocked opens an image while another process is at work on it. Record locks do not
// keep a process from itself, so the lock is asked for as another process would see it.
func TestLocked(t *testing.T) {
	s := newShelf()
	i := s.create(t, tempDir(t))
	if err := i.lock(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(i.Root(), "var/pkg/lock"))
	if err != nil {
		t.Fatal(err)
	}
	if words := strings.Fields(string(text)); len(words) != 4 || words[1] != "ips" {
		t.Errorf("lock holds %q", text)
	}
	i.unlock()
	if text, err = os.ReadFile(filepath.Join(i.Root(), "var/pkg/lock")); err != nil || len(text) > 0 {
		t.Errorf("lock holds %q after it was given back: %v", text, err)
	}
	const busy = "another process is changing the image; try again when it has ended"
	require.EqualError(t, &LockedError{Holder: "12\npkg\nhost\n2026\n\n"}, busy+": process 12 (pkg) on host, since 2026")
	require.EqualError(t, new(LockedError), busy)
}

const small = `set name=pkg.fmri value=pkg://p/small@1-0
dir path=d mode=0750 owner=root group=sys
file f path=d/f mode=4755 owner=bin group=sys timestamp=20200102T030405Z
file f path=d/edit mode=0644 owner=root group=sys preserve=true
link path=d/l target=f
hardlink path=d/h target=f
license f license="The License"
legacy pkg=SUNWsmall name="A small package" version=1.0
`

// TestInstalled looks at what is on disk and what the image notes.
func TestInstalled(t *testing.T) {
	s := newShelf()
	f := s.publish(t, small, map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	if err := install(t, i, "small"); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(filepath.Join(i.Root(), "d/f"))
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode()&modeBits != 0o755|fs.ModeSetuid || fi.ModTime().UTC().Format(stampLayout) != "20200102T030405Z" {
		t.Errorf("d/f: mode %v, time %v", fi.Mode(), fi.ModTime())
	}
	if uid, gid := ownerOf(fi); os.Geteuid() == 0 && (uid != 2 || gid != 3) {
		t.Errorf("d/f: owner %d, group %d", uid, gid)
	}
	text, err := os.ReadFile(filepath.Join(i.Root(), "var/sadm/pkg/SUNWsmall/pkginfo"))
	if err != nil || !strings.Contains(string(text), "NAME=A small package\nARCH=i386\nCATEGORY=system\nVERSION=1.0\n") {
		t.Errorf("pkginfo: %v\n%s", err, text)
	}
	if text, err = os.ReadFile(filepath.Join(i.Root(), "var/pkg/license/small/license.The%20License")); err != nil || string(text) != "content\n" {
		t.Errorf("license: %v\n%s", err, text)
	}
	p, ok := i.Installed().Lookup(f)
	status := StatusOf(p)
	if !ok || !status.Installed || status.LastInstall.IsZero() || !status.LastUpdate.IsZero() {
		t.Errorf("status: %+v", status)
	}
	if i.Known().Len() != 1 || i.Known().Modified() != i.Installed().Modified() {
		t.Errorf("known: %d, %v", i.Known().Len(), i.Known().Modified())
	}
	for finding, err := range i.Verify(t.Context(), nil) {
		t.Errorf("new image: %v %v", finding, err)
	}
}

// TestUpdated keeps when a package was installed first, and notes when it was updated.
func TestUpdated(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	f := s.publish(t, strings.Replace(small, "@1-0", "@2-0", 1), map[string]string{"f": "more content\n"})
	i := s.create(t, tempDir(t))
	if err := install(t, i, "small@1"); err != nil {
		t.Fatal(err)
	}
	old := StatusOf(slices.Collect(i.Installed().All())[0])
	if !old.Upgradable {
		t.Error("an older version is not upgradable")
	}
	if _, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update}); err != nil {
		t.Fatal(err)
	}
	p, ok := i.Installed().Lookup(f)
	got := StatusOf(p)
	if !ok || i.Installed().Len() != 1 || !got.LastInstall.Equal(old.LastInstall) || !got.LastUpdate.After(old.LastInstall) || got.Upgradable {
		t.Errorf("status %+v after %+v", got, old)
	}
	left, err := os.ReadDir(filepath.Join(i.Root(), "var/pkg/publisher/p/pkg/small"))
	if err != nil || len(left) != 1 {
		t.Errorf("manifests: %v, %v", left, err)
	}
	if i.Known().Len() != 2 {
		t.Errorf("%d versions are known", i.Known().Len())
	}
}

// stamp2020 is the time that the package small gives to a file.
var stamp2020 = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// TestVerify breaks an image in every way, one after the other.
func TestVerify(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	base := s.create(t, tempDir(t))
	if err := install(t, base, "small"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		edits []edit
		want  []string
	}{
		{[]edit{{Remove: "d/l"}}, []string{"link d/l: missing"}},
		{[]edit{{Remove: "d/l"}, {Symlink: "d/l", Target: "x"}}, []string{"link d/l: target: x should be f"}},
		{[]edit{{Remove: "d/l"}, {Write: "d/l", Mode: "0644"}}, []string{"link d/l: file type: regular file should be symbolic link"}},
		{[]edit{{Chmod: "d/edit", Mode: "0600"}}, []string{"file d/edit: mode: 0600 should be 0644"}},
		{[]edit{{Append: "d/edit", Content: "x"}}, []string{"file d/edit: edited"}},
		{[]edit{{Chmod: "d", Mode: "0755"}}, []string{"dir d: mode: 0755 should be 0750"}},
		{[]edit{{Remove: "d/h"}, {Write: "d/h", Content: "content\n", Mode: "0755"}}, []string{"hardlink d/h: not the same file as its target"}},
		{[]edit{{Remove: "var/pkg/license/small/license.The%20License"}}, []string{"license The License: missing"}},
		{
			[]edit{{Rename: "d", To: "e"}},
			[]string{"dir d: missing", "file d/f: missing", "file d/edit: missing", "link d/l: missing", "hardlink d/h: missing"},
		},
		{
			[]edit{{Rename: "d", To: "e"}, {Symlink: "d", Target: "e"}},
			[]string{
				"dir d: file type: symbolic link should be directory",
				"file d/f: missing", "file d/edit: missing", "link d/l: missing", "hardlink d/h: missing",
			},
		},
	} {
		root := copyImage(t, base.Root())
		if err := os.Chtimes(filepath.Join(root, "d/f"), stamp2020, stamp2020); err != nil {
			t.Fatal(err)
		}
		for _, e := range test.edits {
			e.do(t, root)
		}
		i, err := open(t.Context(), root, s.options(), hooks{volatile: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for f, err := range i.Verify(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Problem != WrongOwner && f.Problem != WrongGroup { // copies belong to whoever makes them
				got = append(got, f.String())
			}
			if f.Info() != (f.Problem == Edited) {
				t.Errorf("%v: info %v", f, f.Info())
			}
		}
		i.Close()
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.edits, diff)
		}
	}
}

// TestUnknownOwner is refused before anything is changed.
func TestUnknownOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("owners count for the superuser only")
		return
	}
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/who@1-0\nfile f path=a mode=0644 owner=root group=sys\n"+
		"file f path=b mode=0644 owner=nobody-knows group=sys\n", map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	err := install(t, i, "who")
	var unknown *OwnerError
	var step *StepError
	if !errors.As(err, &unknown) || unknown.Name != "nobody-knows" || !errors.As(err, &step) {
		t.Error(err)
	}
	if all := objects(t, i.Root()); len(all) > 0 {
		t.Errorf("installed: %v", all)
	}
}

// A recorder is a host that notes what it is asked to do.
type recorder struct{ done []string }

func (r *recorder) Change(_ context.Context, s plan.Step) error {
	key, _ := s.Action().Key()
	r.done = append(r.done, s.Phase.String()+" "+s.Action().Kind.String()+" "+key)
	return nil
}

func (r *recorder) Actuate(_ context.Context, list []plan.Actuator) error {
	for _, a := range list {
		r.done = append(r.done, a.Name+" "+a.Value)
	}
	return nil
}

// TestHost needs a host for what is no file, and refuses without one.
func TestHost(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/svc@1-0\ngroup groupname=g gid=90\nuser username=u uid=90 group=g\n"+
		"driver name=drv\nfile f path=a mode=0644 owner=root group=sys restart_fmri=svc:/x\n", map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	if err := install(t, i, "svc"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without a host: %v", err)
	}
	if all := objects(t, i.Root()); len(all) > 0 {
		t.Errorf("installed: %v", all)
	}
	r := new(recorder)
	i.opts.Host = r
	if err := install(t, i, "svc"); err != nil {
		t.Fatal(err)
	}
	want := []string{"install group g", "install user u", "install driver drv", "restart_fmri svc:/x"}
	if diff := cmp.Diff(want, r.done); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHistory reads back what was done.
func TestHistory(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	if err := install(t, i, "small"); err != nil {
		t.Fatal(err)
	}
	p, err := i.Plan(t.Context(), solver.Request{Op: solver.Install, Patterns: patterns(t, "small")})
	if err != nil || !p.Plan.IsEmpty() {
		t.Fatalf("what is installed: %v, %v", p, err)
	}
	var got []string
	for r, err := range i.History() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{r.Name, r.Client, r.Outcome, r.Reason, r.After}, "|"))
	}
	want := []string{"install|ips|Succeeded|None|None -> pkg://p/small@1,5.11-0:20260101T000000Z\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(i.Root(), "var/pkg/history/20260101T000000Z-01.xml"), []byte("<history>"), 0o644); err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for _, err := range i.History() {
		var bad *FormatError
		if errors.As(err, &bad) {
			damaged++
		}
	}
	if damaged != 1 {
		t.Errorf("%d damaged records", damaged)
	}
}

// TestOrigins takes from the next origin what the first one does not have or spoils.
func TestOrigins(t *testing.T) {
	s, spoiled := newShelf(), newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	for f, m := range s.manifests {
		spoiled.manifests[f] = m
	}
	for name := range s.stored {
		spoiled.stored[name] = []byte("not a payload")
	}
	opts := s.options()
	opts.Openers = repo.Openers{
		"good": repo.Opened(s),
		"bad":  repo.Opened(spoiled),
	}
	c := s.config()
	c.Type = User
	c.Publishers[0].Origins = []string{"bad://x/", "good://y/"}
	i, err := create(t.Context(), tempDir(t), c, opts, hooks{volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := install(t, i, "small"); err != nil {
		t.Fatal(err)
	}
	c = i.Config()
	c.Publishers[0].Origins = []string{"none://x/"}
	if err := i.SetConfig(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var origin *OriginError
	if err := i.Refresh(t.Context()); !errors.As(err, &origin) || !errors.Is(err, errors.ErrUnsupported) || origin.Origin != "none://x/" {
		t.Errorf("origin without an opener: %v", err)
	}
	if i.Known().Len() != 1 {
		t.Error("a refresh that failed has changed something")
	}
}

// TestResume fetches only what an earlier attempt had not.
func TestResume(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "small")})
	if err != nil {
		t.Fatal(err)
	}
	i.hooks.before = func(op, name string) error {
		if strings.Contains(name, "ips-journal") {
			return errCut
		}
		return nil
	}
	if err := i.Execute(t.Context(), p.Plan); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	i.hooks.before = nil
	if s.served != 1 {
		t.Fatalf("%d payloads were sent", s.served)
	}
	if err := i.Execute(t.Context(), p.Plan); err != nil {
		t.Fatal(err)
	}
	if s.served != 1 {
		t.Errorf("%d payloads were sent", s.served)
	}
}

// TestCanceled ends an operation in the middle, which the next one finishes.
func TestCanceled(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "small")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var stages []string
	i.opts.Progress = func(e repo.Event) {
		stages = append(stages, e.Op)
		if e.Op == "install" && e.Done == 2 {
			cancel()
		}
	}
	if err := i.Execute(ctx, p.Plan); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if i.Installed().Len() != 0 {
		t.Error("package is installed")
	}
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i.Installed().Len() != 1 {
		t.Error("package is not installed")
	}
	for f, err := range i.Verify(t.Context(), nil) {
		t.Errorf("%v %v", f, err)
	}
	if got := slices.Compact(stages); !slices.Equal(got[:3], []string{"fetch", "install", "commit"}) {
		t.Errorf("stages: %v", got)
	}
}

// TestPlanElsewhere carries out a plan that has been through JSON.
func TestPlanElsewhere(t *testing.T) {
	s := newShelf()
	s.publish(t, small, map[string]string{"f": "content\n"})
	i := s.create(t, tempDir(t))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "small")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p.Plan)
	if err != nil {
		t.Fatal(err)
	}
	var q plan.Plan
	if err := json.Unmarshal(text, &q); err != nil {
		t.Fatal(err)
	}
	if err := i.Execute(t.Context(), &q); err != nil {
		t.Fatal(err)
	}
	for f, err := range i.Verify(t.Context(), nil) {
		t.Errorf("%v %v", f, err)
	}
}

// TestMediators follows the sequence of pkg(7): the newest version, a local choice, and
// what remains.
func TestMediators(t *testing.T) {
	s := newShelf()
	for v, name := range []string{"", "med1", "med2"} {
		if v == 0 {
			continue
		}
		version := string(rune('0' + v))
		s.publish(t, "set name=pkg.fmri value=pkg://p/"+name+"@1-0\nlink path=l target=p"+version+" mediator=m mediator-version="+version+"\n", nil)
	}
	i := s.create(t, tempDir(t))
	check := func(when, target string) {
		t.Helper()
		if got, _ := os.Readlink(filepath.Join(i.Root(), "l")); got != target {
			t.Errorf("%s: link to %q, want %q", when, got, target)
		}
		for f, err := range i.Verify(t.Context(), nil) {
			t.Errorf("%s: %v %v", when, f, err)
		}
	}
	for _, step := range []struct{ name, target string }{{"med1", "p1"}, {"med2", "p2"}} {
		if err := install(t, i, step.name); err != nil {
			t.Fatal(err)
		}
		check("install "+step.name, step.target)
	}
	p, err := i.PlanMediators(t.Context(), []manifest.Choice{{Mediator: "m", Version: "1", VersionSource: manifest.SourceLocal}})
	if err == nil {
		err = i.Execute(t.Context(), p.Plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	check("set-mediator 1", "p1")
	if got := i.Config().Mediators; len(got) != 1 || got[0].Version != "1" || got[0].VersionSource != manifest.SourceLocal {
		t.Errorf("mediators: %+v", got)
	}
	if p, err = i.PlanMediators(t.Context(), nil); err == nil {
		err = i.Execute(t.Context(), p.Plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	check("unset-mediator", "p2")
}
