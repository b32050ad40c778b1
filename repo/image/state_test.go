package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/solver"
)

// requested returns the packages that were asked for.
func requested(i *Image) []string {
	list := []string{}
	for p := range i.Installed().All() {
		if StatusOf(p).Requested {
			list = append(list, p.Name()+"@"+p.Version().Short())
		}
	}
	return list
}

// TestRequested notes what was installed by name, as state 13, through updates, and until
// it is removed.
func TestRequested(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	require.Equal(t, []string{"app@1-0"}, requested(i))
	text, err := os.ReadFile(filepath.Join(i.Root(), "var/pkg/state/installed/catalog.base.C"))
	require.NoError(t, err)
	require.Contains(t, string(text), `"states":[0,2,7,13]`)

	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Update, Patterns: patterns(t, "lib")})
	require.NoError(t, err)
	s.publish(t, strings.Replace(heldOne, "@1-0", "@1-1", 1), nil)
	require.NoError(t, i.Refresh(t.Context()))
	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Update, Patterns: patterns(t, "lib", "app")})
	require.NoError(t, err)
	require.Equal(t, []string{"app@1-1"}, requested(i), "an update by name asks for nothing new")

	require.NoError(t, install(t, i, "tool", "lib"))
	require.Equal(t, []string{"app@1-1", "lib@1-0", "tool@2-0"}, requested(i), "lib was there already")

	s.publish(t, strings.Replace(heldNew, "@2-0", "@3-0", 1), map[string]string{"f": "content\n"})
	require.NoError(t, i.Refresh(t.Context()))
	require.Equal(t, []string{"app@1-1", "lib@1-0", "tool@2-0"}, requested(i))
	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	require.Equal(t, []string{"app@1-1", "lib@1-0", "tool@3-0"}, requested(i))

	_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "tool")})
	require.NoError(t, err)
	known := []string{}
	for p := range i.Known().All() {
		if StatusOf(p).Requested {
			known = append(known, p.Name()+"@"+p.Version().Short())
		}
	}
	require.Equal(t, []string{"app@1-1", "lib@1-0"}, known)
}

// TestMediatorSources writes both sources of a mediator, without which the reference does
// not read the image, and reads them as they were meant.
func TestMediatorSources(t *testing.T) {
	list := []manifest.Choice{
		{Mediator: "both", Version: "1", VersionSource: "local", Implementation: "i", ImplementationSource: "vendor"},
		{Mediator: "impl", Implementation: "i", ImplementationSource: "local", ImplementationVersion: "2"},
		{Mediator: "version", Version: "1", VersionSource: "site"},
	}
	f := new(ini.File)
	writeConfig(f, Config{Mediators: list})
	got := map[string]string{}
	for name, value := range f.Section("mediators") {
		got[name] = value
	}
	require.Empty(t, cmp.Diff(map[string]string{
		"both.version": "1", "both.version-source": "local",
		"both.implementation": "i", "both.implementation-source": "vendor",
		"impl.implementation": "i", "impl.implementation-source": "local", "impl.implementation-version": "2",
		"impl.version-source": "system",
		"version.version":     "1", "version.version-source": "site",
		"version.implementation-source": "system",
	}, got))
	c, err := readConfig(f)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(list, c.Mediators))
}

// TestDatabaseBeside uses an image of version 4 with a database beside its catalogs, and
// drops the database when the catalogs change.
func TestDatabaseBeside(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	for _, name := range []string{"catalog.db", "catalog.db-wal", "catalog.db-journal"} {
		require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "var/pkg/state", name), []byte("of another program"), 0o644))
	}
	again, err := open(t.Context(), i.Root(), s.options(), hooks{volatile: true})
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, names(i), names(again))
	require.NoError(t, install(t, again, "tool"))
	left, err := filepath.Glob(filepath.Join(i.Root(), "var/pkg/state/catalog.db*"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, []string{"pkg://p/app@1-0", "pkg://p/lib@1-0", "pkg://p/tool@2-0"}, names(again))
}

// TestHostOwners installs into a full image without databases: the host knows the names.
func TestHostOwners(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/core@1-0\nfile f path=f mode=0644 owner=daemon group=daemon\n", map[string]string{"f": "f\n"})
	i := s.create(t, tempDir(t))
	require.NoError(t, os.Remove(filepath.Join(i.Root(), "etc/passwd")))
	require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "etc/group"), []byte("root::0:\n"), 0o644))
	require.NoError(t, install(t, i, "core"))
	for f, err := range i.Verify(t.Context(), nil) {
		t.Errorf("%v %v", f, err)
	}
}

// TestUserOwners prefers the names that the image has.
func TestUserOwners(t *testing.T) {
	i := newShelf().create(t, tempDir(t))
	require.NoError(t, os.WriteFile(filepath.Join(i.Root(), "etc/passwd"), []byte("root:x:7:7::/:\n"+passwdText), 0o644))
	o := i.newOwners()
	o.enforced = true
	for _, test := range []struct {
		owner, group string
		uid, gid     int
	}{{"root", "root", 0, 0}, {"bin", "sys", 2, 3}, {"root", "daemon", 0, 12}} {
		uid, gid, err := o.lookup(test.owner, test.group)
		require.NoError(t, err)
		require.Equal(t, [2]int{test.uid, test.gid}, [2]int{uid, gid}, "%s:%s", test.owner, test.group)
	}
	for _, unknown := range [][2]string{{"nobody-knows", "root"}, {"root", "nobody-knows"}} {
		_, _, err := o.lookup(unknown[0], unknown[1])
		var owner *OwnerError
		require.ErrorAs(t, err, &owner)
		want := manifest.KindUser
		if unknown[1] != "root" {
			want = manifest.KindGroup
		}
		require.Equal(t, OwnerError{Kind: want, Name: "nobody-knows"}, *owner)
	}
}

// TestToken tells states apart that differ in what only a plan changes: a reader may meet a
// new catalog beside an old configuration.
func TestToken(t *testing.T) {
	i := heldShelf(t, false).create(t, tempDir(t))
	s := *i.state.Load()
	seen := map[string]string{s.token(): "nothing"}
	for name, change := range map[string]func(*Config){
		"variant":         func(c *Config) { c.Varcets.Variants["variant.x"] = "y" },
		"facet":           func(c *Config) { c.Varcets.Facets = map[string]bool{"facet.x": true} },
		"inherited facet": func(c *Config) { c.Varcets.Inherited = map[string]bool{"facet.x": true} },
		"mediator": func(c *Config) {
			c.Mediators = []manifest.Choice{{Mediator: "m", Version: "1", VersionSource: "local"}}
		},
	} {
		c := s.config.clone()
		change(&c)
		next := s
		next.file = new(ini.File)
		writeConfig(next.file, c)
		require.Empty(t, seen[next.token()], name)
		seen[next.token()] = name
	}
	c := s.config.clone()
	c.Publishers[0].NonSticky = true
	next := s
	next.file = new(ini.File)
	writeConfig(next.file, c)
	require.Equal(t, "nothing", seen[next.token()], "publishers do not count")
}

// TestLockIsLink does not write through a link where the lock is, wherever it leads.
func TestLockIsLink(t *testing.T) {
	for _, target := range []string{"pkg5.image", "state/known/catalog.attrs", "nothing", "/etc/hostname"} {
		s := heldShelf(t, false)
		i := s.create(t, tempDir(t))
		before := contents(t, i.Root(), "", "/var/pkg/lock")
		lock := filepath.Join(i.Root(), "var/pkg/lock")
		require.NoError(t, os.Remove(lock))
		require.NoError(t, os.Symlink(target, lock))
		err := install(t, i, "lib")
		require.ErrorContains(t, err, "var/pkg/lock is not a regular file", target)
		require.Empty(t, cmp.Diff(before, contents(t, i.Root(), "", "/var/pkg/lock")))
	}
}
