package image

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/solver"
)

// TestPropertiesRefused sets properties to what is not honoured. An image that has such a
// property from another program is not worked on, only read.
func TestPropertiesRefused(t *testing.T) {
	s := heldShelf(t, true)
	for _, test := range []struct{ name, value, want string }{
		{"use-system-repo", "True", "the value True is not supported"},
		{"signature-policy", "require-signatures", "the value require-signatures is not supported"},
		{"signature-required-names", "['a']", "the value ['a'] is not supported"},
		{"mirror-discovery", "true", "the value true is not supported"},
		{"content-update-policy", "when-required", "the value when-required is not supported"},
		{"dehydrated", "['p']", "the value ['p'] is not supported"},
		{"check-certificate-revocation", "True", "the value True is not supported"},
		{"exclude-patterns", "usr", "the value usr is not supported"},
		{"exclude-patterns", "['(']", "the value ['('] is not supported"},
		{"exclude-policy", "error", "the value error is not supported"},
		{"key-files", "etc", "the value etc is not supported"},
		{"signature-polciy", "ignore", "there is no such property of an image"},
	} {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			c := s.config()
			c.Properties = map[string]string{test.name: test.value}
			var bad *ConfigError
			_, err := create(t.Context(), tempDir(t), c, s.options(), hooks{volatile: true})
			require.ErrorAs(t, err, &bad)
			require.Equal(t, ConfigError{Name: test.name, Msg: test.want}, *bad)

			i := s.create(t, tempDir(t))
			c = i.Config()
			c.Properties[test.name] = test.value
			require.ErrorAs(t, i.SetConfig(t.Context(), c), &bad)
			require.NoError(t, install(t, i, "tool"))

			setByHand(t, i, test.name, test.value)
			_, err = i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "lib")})
			if test.name == "signature-polciy" {
				require.NoError(t, err, "what nobody knows is kept")
				return
			}
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, "the property "+test.name+" of the image is "+test.value+", which is not supported")
			require.Equal(t, []string{"pkg://p/tool@2-0"}, names(i))
			c = i.Config()
			c.Publishers[0].NonSticky = true
			require.NoError(t, i.SetConfig(t.Context(), c), "what was so before stays")
			c.Properties[test.name] += "x"
			require.ErrorAs(t, i.SetConfig(t.Context(), c), &bad, "but not as something else")
		})
	}
}

// setByHand writes a property into the configuration, as another program might.
func setByHand(t *testing.T, i *Image, name, value string) {
	t.Helper()
	at := filepath.Join(i.Root(), filepath.FromSlash(i.meta(configFile)))
	text, err := os.ReadFile(at)
	require.NoError(t, err)
	text = bytes.Replace(text, []byte("[property]\n"), []byte("[property]\n"+name+" = "+value+"\n"), 1)
	require.NoError(t, os.WriteFile(at, text, 0o644))
}

// TestLivePolicy asks for boot environments, which only the running system has.
func TestLivePolicy(t *testing.T) {
	c := Config{Properties: map[string]string{"be-policy": "always-new"}}
	require.NoError(t, (&Image{path: "/export/root"}).checkProperties(c))
	require.ErrorIs(t, (&Image{path: "/"}).checkProperties(c), errors.ErrUnsupported)
	c.Properties["be-policy"] = "create-backup"
	require.NoError(t, (&Image{path: "/"}).checkProperties(c))
}

// TestKeyFiles works on an image only while the files are there that tell it is whole.
func TestKeyFiles(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	c := i.Config()
	c.Properties[keyFiles] = "['/etc/passwd', 'etc/mounted']"
	require.NoError(t, i.SetConfig(t.Context(), c))
	err := install(t, i, "tool")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "etc/mounted is missing, which the property key-files of the image asks for")
	mounted := filepath.Join(i.Root(), "etc/mounted")
	require.NoError(t, os.WriteFile(mounted, nil, 0o644))
	p, err := i.Plan(t.Context(), solver.Request{Patterns: patterns(t, "tool")})
	require.NoError(t, err)
	require.NoError(t, os.Remove(mounted))
	require.ErrorIs(t, i.Execute(t.Context(), p.Plan), fs.ErrNotExist)
	require.NoError(t, os.WriteFile(mounted, nil, 0o644))
	require.NoError(t, i.Execute(t.Context(), p.Plan))
}

const (
	excludeOne = `set name=pkg.fmri value=pkg://p/x@1-0
dir path=usr/share/man mode=0755 owner=root group=sys
file f path=usr/share/man/a mode=0644 owner=root group=sys
file f path=usr/share/other mode=0644 owner=root group=sys
link path=usr/share/man/l target=a
hardlink path=usr/h target=share/man/a
file f path=opt/usr/share/man mode=0644 owner=root group=sys
`
	excludeTwo = `set name=pkg.fmri value=pkg://p/x@2-0
dir path=usr/share/man mode=0755 owner=root group=sys
file g path=usr/share/man/a mode=0600 owner=root group=sys
file g path=usr/share/other mode=0644 owner=root group=sys
`
)

// TestExcludePatterns leaves paths out, which verify and contents then do not miss. What is
// there already stays until its package goes.
func TestExcludePatterns(t *testing.T) {
	s := newShelf()
	files := map[string]string{"f": "one\n", "g": "two\n"}
	s.publish(t, excludeOne, files)
	s.publish(t, excludeTwo, files)
	exclude := func(i *Image, list, policy string) {
		c := i.Config()
		c.Properties[excludePatterns], c.Properties[excludePolicy] = list, policy
		require.NoError(t, i.SetConfig(t.Context(), c))
	}
	paths := func(i *Image) string {
		var list []string
		for name, o := range objects(t, i.Root()) {
			if o.Type != "dir" {
				list = append(list, name+" "+o.Content)
			}
		}
		slices.Sort(list)
		return strings.ReplaceAll(strings.Join(list, ", "), "\n", "")
	}
	clean := func(i *Image) {
		for f, err := range i.Verify(t.Context(), nil) {
			t.Errorf("%v %v", f, err)
		}
	}

	i := s.create(t, tempDir(t))
	var log bytes.Buffer
	i.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
	exclude(i, "['usr/share/man/.*']", "warn")
	require.NoError(t, install(t, i, "x@1"))
	require.Equal(t, "opt/usr/share/man one, usr/share/other one", paths(i))
	require.Contains(t, log.String(), "path=usr/share/man/a")
	clean(i)
	log.Reset()
	exclude(i, "['usr/share/man/.*']", "ignore")
	p, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	require.NotContains(t, p.String(), "usr/share/man/a")
	require.Empty(t, log.String())
	clean(i)
	var contents []string
	for a, err := range i.Contents(t.Context(), slices.Collect(i.Installed().All())[0].FMRI()) {
		require.NoError(t, err)
		if name, err := a.Path(); err == nil {
			contents = append(contents, name)
		}
	}
	require.Empty(t, cmp.Diff([]string{"usr/share/man", "usr/share/other"}, contents))

	later := s.create(t, tempDir(t))
	require.NoError(t, install(t, later, "x@1"))
	exclude(later, "['usr/share/man/.*']", "ignore")
	_, err = carryOut(t.Context(), later, solver.Request{Op: solver.Update})
	require.NoError(t, err)
	require.Equal(t, "usr/share/man/a one, usr/share/other two", paths(later), "what is there stays as it is")
	_, err = carryOut(t.Context(), later, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "x")})
	require.NoError(t, err)
	require.Equal(t, "", paths(later))
}

// TestPreservedLinks leaves links alone that the administrator has removed, led elsewhere
// or replaced, and follows the package otherwise.
func TestPreservedLinks(t *testing.T) {
	s := newShelf()
	text := "set name=pkg.fmri value=pkg://p/x@1-0\nlink path=l target=one preserve=true\nlink path=plain target=one\n"
	s.publish(t, text, nil)
	s.publish(t, strings.NewReplacer("@1-0", "@2-0", "target=one", "target=two").Replace(text), nil)
	for _, test := range []struct {
		name           string
		edits          []edit
		updated, after string // where the link leads after the update, and after uninstalling
	}{
		{"untouched", nil, "two", ""},
		{"removed", []edit{{Remove: "l"}}, "", ""},
		{"led elsewhere", []edit{{Remove: "l"}, {Symlink: "l", Target: "mine"}}, "mine", "mine"},
		{"replaced", []edit{{Remove: "l"}, {Write: "l", Content: "mine", Mode: "0644"}}, "file", "file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := s.create(t, tempDir(t))
			require.NoError(t, install(t, i, "x@1"))
			for _, e := range test.edits {
				e.do(t, i.Root())
			}
			leads := func(name string) string {
				at := filepath.Join(i.Root(), name)
				if target, err := os.Readlink(at); err == nil {
					return target
				}
				if _, err := os.Lstat(at); err == nil {
					return "file"
				}
				return ""
			}
			clean := func() {
				for f, err := range i.Verify(t.Context(), nil) {
					t.Errorf("%v %v", f, err)
				}
			}
			clean()
			_, err := carryOut(t.Context(), i, solver.Request{Op: solver.Update})
			require.NoError(t, err)
			require.Equal(t, [2]string{test.updated, "two"}, [2]string{leads("l"), leads("plain")})
			clean()
			_, err = carryOut(t.Context(), i, solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "x")})
			require.NoError(t, err)
			require.Equal(t, [2]string{test.after, ""}, [2]string{leads("l"), leads("plain")})
		})
	}
}
