package image

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// TestAccept asks for a license when its text is new, and not again while it stays the same.
func TestAccept(t *testing.T) {
	s := newShelf()
	files := map[string]string{"l1": "terms\n", "l2": "other terms\n", "f1": "one\n", "f2": "two\n"}
	text := func(version, file, license string) string {
		return "set name=pkg.fmri value=pkg://p/lic@" + version + "-0\nfile " + file + " path=f mode=0644 owner=root group=sys\n" +
			"license " + license + " license=Terms must-accept=TRUE pkg.version=" + version + "\nlicense l1 license=Free must-accept=false\nlicense l1 license=Silent\n"
	}
	s.publish(t, text("1", "f1", "l1"), files)
	s.publish(t, text("2", "f2", "l1"), files)
	s.publish(t, text("3", "f2", "l2"), files)
	i := s.create(t, tempDir(t))
	asked := []string{}
	answer := false
	i.opts.Accept = func(pkg fmri.FMRI, a manifest.Action) bool {
		name, _ := a.Key()
		asked = append(asked, pkg.Version().Short()+" "+name)
		return answer
	}
	err := install(t, i, "lic@1")
	var refused *LicenseError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "Terms", refused.License)
	require.ErrorContains(t, err, `license "Terms" of pkg://p/lic@1`)
	require.Empty(t, objects(t, i.Root()), "nothing has changed")
	require.Equal(t, 0, s.served, "nothing was fetched")

	answer = true
	for _, step := range []struct {
		version string
		want    []string
	}{
		{"1", []string{"1-0 Terms"}},
		{"2", []string{}},
		{"3", []string{"3-0 Terms"}},
	} {
		asked = []string{}
		require.NoError(t, install(t, i, "lic@"+step.version))
		require.Equal(t, step.want, asked, "version %s", step.version)
	}
	i.opts.Accept = nil
	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "lic")})
	require.NoError(t, err, "what goes need not be accepted")
	require.ErrorAs(t, install(t, i, "lic@1"), &refused, "nobody accepts")
}

// TestTidy removes what other programs have derived from what was installed, and nothing
// else of theirs.
func TestTidy(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "lib@1"))
	old := slices.Collect(i.Installed().All())[0].FMRI()
	version := fmri.Escape(old.Version().String())
	write := func(name string) {
		at := filepath.Join(i.Root(), "var/pkg", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte("of another program\n"), 0o644))
	}
	gone := []string{
		"cache/actions.stripped", "cache/actions.offsets", "cache/keys.conflicting",
		"cache/index/main_dict.ascii.v2", "cache/index/sub/dir",
		"cache/publisher/p/pkg/lib/" + version + "/manifest.set",
		"state/state_updating",
	}
	stays := []string{
		"cache/mine", "cache/publisher/p/pkg/other/1/manifest.set", "state/of_another_program", "license/mine",
		"gui_cache/x", "history/not-a-record", "publisher/p/certs/x",
	}
	for _, name := range append(gone, stays...) {
		write(name)
	}
	_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	for _, name := range gone {
		_, err := os.Lstat(filepath.Join(i.Root(), "var/pkg", name))
		require.ErrorIs(t, err, os.ErrNotExist, name)
	}
	for _, name := range stays {
		_, err := os.Lstat(filepath.Join(i.Root(), "var/pkg", name))
		require.NoError(t, err, name)
	}
	_, err = os.Lstat(filepath.Join(i.Root(), filepath.FromSlash(i.manifestPath(old))))
	require.ErrorIs(t, err, os.ErrNotExist, "manifest of what is gone")
	for _, dir := range []string{stageDir, journalFile, removedFlag, newState, oldState} {
		_, err := os.Lstat(filepath.Join(i.Root(), filepath.FromSlash(i.meta(dir))))
		require.ErrorIs(t, err, os.ErrNotExist, dir)
	}
}

// TestModified tells monitors of every change of the image, and of nothing else.
func TestModified(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	stamp := func() int64 {
		fi, err := os.Stat(filepath.Join(i.Root(), "var/pkg/modified"))
		require.NoError(t, err)
		return fi.ModTime().UnixNano()
	}
	last := stamp()
	changes := func(when string, want bool) {
		t.Helper()
		now := stamp()
		require.Equal(t, want, now > last, when)
		last = now
	}
	require.NoError(t, i.Refresh(t.Context()))
	changes("a refresh with nothing new", false)
	before, err := os.Stat(filepath.Join(i.Root(), "var/pkg/state"))
	require.NoError(t, err)
	require.NoError(t, i.Refresh(t.Context()))
	after, err := os.Stat(filepath.Join(i.Root(), "var/pkg/state"))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "the state was written for nothing")
	s.publish(t, heldNew, map[string]string{"f": "content\n"})
	require.NoError(t, i.Refresh(t.Context()))
	changes("a refresh with something new", true)
	require.NoError(t, install(t, i, "tool"))
	changes("an installation", true)
	_, err = i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "app")})
	require.NoError(t, err)
	changes("a plan", false)
}

// TestSetConfigRefuses changes by SetConfig what only a plan changes.
func TestSetConfigRefuses(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	choice := manifest.Choice{Mediator: "m", Version: "1", VersionSource: manifest.SourceLocal}
	for name, change := range map[string]func(*Config){
		"type":             func(c *Config) { c.Type = User },
		"mediators":        func(c *Config) { c.Mediators = []manifest.Choice{choice} },
		"variant":          func(c *Config) { c.Varcets.Variants["variant.arch"] = "sparc" },
		"variant removed":  func(c *Config) { delete(c.Varcets.Variants, "variant.opensolaris.zone") },
		"facet":            func(c *Config) { c.Varcets.Facets = map[string]bool{"facet.doc": false} },
		"inherited facet":  func(c *Config) { c.Varcets.Inherited = map[string]bool{"facet.doc": false} },
		"publisher's name": func(c *Config) { c.Publishers[0].Name = "no/name" },
	} {
		t.Run(name, func(t *testing.T) {
			before := contents(t, i.Root(), "")
			c := i.Config()
			change(&c)
			err := i.SetConfig(t.Context(), c)
			var bad *ConfigError
			if name == "publisher's name" {
				require.ErrorAs(t, err, &bad)
			} else {
				require.ErrorIs(t, err, errors.ErrUnsupported)
			}
			require.ErrorContains(t, err, "image "+i.Root()+": configure: ")
			require.Empty(t, cmp.Diff(before, contents(t, i.Root(), "")))
		})
	}
	c := i.Config()
	c.Publishers[0].NonSticky = true
	require.NoError(t, i.SetConfig(t.Context(), c))
	require.Empty(t, cmp.Diff(c, i.Config()))
	again, err := open(t.Context(), i.Root(), s.options(), hooks{volatile: true})
	require.NoError(t, err)
	defer again.Close()
	require.Empty(t, cmp.Diff(c, again.Config()))
}

// TestAvoidKept notes what groups do not bring in, as the plan says.
func TestAvoidKept(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/group@1-0\ndepend type=group fmri=member\n", nil)
	s.publish(t, "set name=pkg.fmri value=pkg://p/member@1-0\ndepend type=require fmri=nowhere\n", nil)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "group"))
	text, err := os.ReadFile(filepath.Join(i.Root(), "var/pkg/state/avoid_set"))
	require.NoError(t, err)
	require.JSONEq(t, `[1, {"member": "implicit-avoid"}]`, string(text))
	p, err := i.Plan(t.Context(), solver.Request{Op: solver.Update})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(solver.AvoidSet{Implicit: []string{"member"}}, p.Image.Avoid))
}

// TestAvoidFile reads what avoid_set may hold, and refuses the rest.
func TestAvoidFile(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	for text, want := range map[string]string{
		`[1, {"c": "avoid", "b": "implicit-avoid", "a": "obsolete", "d": "avoid"}]`: "",
		`[2, {}]`:            "state/avoid_set: not of version 1",
		`{}`:                 "state/avoid_set: not an array of version and object",
		`[1, {}, 1]`:         "state/avoid_set: not an array of version and object",
		`[1, []]`:            "state/avoid_set: json: cannot unmarshal",
		`[1, {"a": "loud"}]`: `state/avoid_set: a is avoided as "loud"`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "var/pkg/state/avoid_set"), []byte(text), 0o644))
		p, err := i.Plan(t.Context(), solver.Request{})
		if want != "" {
			var bad *FormatError
			require.ErrorAs(t, err, &bad, text)
			require.ErrorContains(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(solver.AvoidSet{Avoided: []string{"c", "d"}, Implicit: []string{"b"}, Obsolete: []string{"a"}}, p.Image.Avoid))
		require.JSONEq(t, text, string(avoidText(p.Image.Avoid)))
	}
}

// TestFrozen notes what is frozen: a release holds what is below it, too.
func TestFrozen(t *testing.T) {
	s := newShelf()
	for _, version := range []string{"1.2", "1.2.3", "1.3"} {
		s.publish(t, "set name=pkg.fmri value=pkg://p/x@"+version+"-0\n", nil)
	}
	s.publish(t, "set name=pkg.fmri value=pkg://p/y@1.2.3-0\n", nil)
	i := s.create(t, tempDir(t))
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "var/pkg/state/frozen_dict"), []byte(text), 0o644))
	}
	write(`[1, {"x": ["x@1.2", "why", 1764547200]}]`)
	require.NoError(t, install(t, i, "x"))
	frozen := map[string]bool{}
	for p := range i.Known().All() {
		frozen[p.Name()+"@"+p.Version().Short()] = StatusOf(p).Frozen
	}
	require.Equal(t, map[string]bool{"x@1.2-0": true, "x@1.2.3-0": true, "x@1.3-0": false, "y@1.2.3-0": false}, frozen)
	require.Equal(t, []string{"pkg://p/x@1.2.3-0"}, names(i), "the freeze counts")
	p, err := i.Plan(t.Context(), solver.Request{})
	require.NoError(t, err)
	require.Equal(t, "why", p.Image.Frozen[0].Comment)
	for _, text := range []string{`[1, {"x": ["x", null, 1]}]`, `[1, {"x": []}]`, `[1, {"x": ["x@1", null]}]`, `[1, {"x": [1, null, 1]}]`} {
		write(text)
		_, err := i.Plan(t.Context(), solver.Request{})
		var bad *FormatError
		require.ErrorAs(t, err, &bad, text)
		require.Equal(t, FormatError{File: "state/frozen_dict", Msg: "x is frozen at no version"}, *bad)
	}
}

// TestUpgradable is about every version that is not the newest, installed or not.
func TestUpgradable(t *testing.T) {
	s := heldShelf(t, false)
	s.publish(t, "set name=pkg.fmri value=pkg://q/lib@3-0\n", nil)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "pkg://p/lib@2"))
	got := map[string]bool{}
	for p := range i.Known().All() {
		got[p.Publisher()+"/"+p.Name()+"@"+p.Version().Short()] = StatusOf(p).Upgradable
	}
	require.Equal(t, map[string]bool{"p/app@1-0": false, "p/lib@1-0": true, "p/lib@2-0": true, "q/lib@3-0": false}, got)
}

// TestOtherStates keeps the states and members that other programs note.
func TestOtherStates(t *testing.T) {
	m := metadata{"states": json.RawMessage("[12,2,0,99]"), "sources": json.RawMessage(`["file:///x/"]`)}
	m.setStates([]int{stateV1, stateKnown})
	require.Equal(t, `{"sources":["file:///x/"],"states":[0,7,12,99]}`, string(m.text()))
	require.Equal(t, []int{0, 7, 12, 99}, m.states())
	m["states"] = json.RawMessage(`"damaged"`)
	require.Empty(t, m.states())
	require.False(t, m.has(0))
}

// TestJournalRefused does not carry out a journal that nobody has written.
func TestJournalRefused(t *testing.T) {
	s := heldShelf(t, false)
	i := s.create(t, tempDir(t))
	empty, err := json.Marshal(new(plan.Plan))
	require.NoError(t, err)
	for text, want := range map[string]string{
		"": "version 0: unexpected end of JSON input",
		`{"version":2,"stamp":"20260101T000000Z","plan":` + string(empty) + `}`: "version 2: ",
		`{"version":1,"stamp":"../../x","plan":` + string(empty) + `}`:          "stamp is no time",
		`{"version":1,"stamp":"20260101T000000Z","plan":{"version":9}}`:         "version 1: plan: version 9 instead of 1",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(i.Root(), filepath.FromSlash(i.meta(journalFile))), []byte(text), 0o600))
		err := i.Refresh(t.Context())
		var bad *FormatError
		require.ErrorAs(t, err, &bad, text)
		require.True(t, strings.HasPrefix(bad.Msg, want), "%q", bad.Msg)
		require.Equal(t, journalFile, bad.File)
	}
}
