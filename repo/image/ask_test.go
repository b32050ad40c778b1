package image

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// The packages of the questions: two share a directory, facets and mediators leave things
// out, and one has licenses.
const (
	askTool = `set name=pkg.fmri value=pkg://p/tool@1-0
dir path=usr mode=0755 owner=root group=sys
file f path=usr/tool mode=0555 owner=root group=sys
file f path=usr/doc mode=0444 owner=root group=sys facet.doc=true
link path=usr/t target=tool mediator=t mediator-version=1
license f license="The License" must-accept=true
license f license=doc facet.doc=true
`
	askOther = `set name=pkg.fmri value=pkg://p/other@1-0
dir path=usr mode=0755 owner=root group=sys
link path=usr/t target=other mediator=t mediator-version=2
`
	askNew = "set name=pkg.fmri value=pkg://p/tool@2-0\nfile f path=usr/new mode=0555 owner=root group=sys\n"
)

// askImage makes an image without documentation where tool@1 and other are installed, and
// tool@2 is known.
func askImage(t *testing.T) (i *Image, tool, newer fmri.FMRI) {
	t.Helper()
	s := newShelf()
	files := map[string]string{"f": "the text\n"}
	tool = s.publish(t, askTool, files)
	s.publish(t, askOther, files)
	newer = s.publish(t, askNew, files)
	c := s.config()
	c.Varcets.Facets = map[string]bool{"facet.doc": false}
	i = s.createAs(t, tempDir(t), c)
	i.opts.Accept = accept
	require.NoError(t, install(t, i, "tool@1", "other"))
	return i, tool, newer
}

// TestManifest gives the manifests of what is installed and of what is only known.
func TestManifest(t *testing.T) {
	i, tool, newer := askImage(t)
	for _, f := range []fmri.FMRI{tool, newer} {
		m, err := i.Manifest(t.Context(), f)
		require.NoError(t, err)
		got, _ := m.FMRI()
		require.Equal(t, f, got)
	}
	_, err := os.Stat(filepath.Join(i.Root(), filepath.FromSlash(i.manifestPath(newer))))
	require.ErrorIs(t, err, fs.ErrNotExist, "asking writes nothing")
	_, err = i.Manifest(t.Context(), fmri.MustParse("pkg://p/none@1"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "image "+i.Root()+": manifest: pkg://p/none@1,5.11 is neither installed nor offered by a publisher")
}

// TestContents leaves out what facets and mediators do.
func TestContents(t *testing.T) {
	i, tool, newer := askImage(t)
	var got []string
	for a, err := range i.Contents(t.Context(), tool) {
		require.NoError(t, err)
		if name, err := a.Path(); err == nil {
			got = append(got, name)
		}
	}
	require.Empty(t, cmp.Diff([]string{"usr", "usr/tool"}, got))
	for _, err := range i.Contents(t.Context(), newer) {
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, "is not installed")
	}
}

// TestOwners asks for paths in the ways people write them.
func TestOwners(t *testing.T) {
	i, _, _ := askImage(t)
	for _, test := range []struct{ name, want string }{
		{"usr/tool", "tool file"},
		{"/usr/tool", "tool file"},
		{"usr//./tool/", "tool file"},
		{"usr", "other dir, tool dir"},
		{"usr/t", "other link"},
		{"usr/doc", ""},
		{"usr/new", ""},
		{"us", ""},
		{"..", ""},
		{"", ""},
	} {
		var got []string
		for d, err := range i.Owners(t.Context(), test.name) {
			require.NoError(t, err)
			got = append(got, d.Package.Name()+" "+d.Action.Kind.String())
		}
		require.Equal(t, test.want, strings.Join(got, ", "), "owners of %q", test.name)
	}
}

// TestOwnersOfDamagedImage goes on after a package whose manifest is gone.
func TestOwnersOfDamagedImage(t *testing.T) {
	i, tool, _ := askImage(t)
	require.NoError(t, os.Remove(filepath.Join(i.Root(), filepath.FromSlash(i.manifestPath(tool)))))
	var owners, lost []string
	for d, err := range i.Owners(t.Context(), "usr") {
		if err != nil {
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.ErrorContains(t, err, "the manifest of "+tool.String()+" is missing from the image")
			lost = append(lost, d.Package.Name())
			continue
		}
		owners = append(owners, d.Package.Name())
	}
	require.Equal(t, []string{"other"}, owners)
	require.Equal(t, []string{"tool"}, lost)
}

// TestLicenses gives the terms with their text, and says when that is lost.
func TestLicenses(t *testing.T) {
	i, tool, _ := askImage(t)
	want := []License{{Name: "The License", MustAccept: true, Text: []byte("the text\n")}}
	var got []License
	for l, err := range i.Licenses(t.Context(), tool) {
		require.NoError(t, err)
		got = append(got, l)
	}
	require.Empty(t, cmp.Diff(want, got))

	a := manifest.MustParseAction(`license x license="The License"`)
	require.NoError(t, os.Remove(filepath.Join(i.Root(), filepath.FromSlash(i.licensePath(tool, a)))))
	for l, err := range i.Licenses(t.Context(), tool) {
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, `the text of license "The License" of `+tool.String()+" is missing")
		require.Equal(t, "The License", l.Name)
	}
}

// TestWhy explains what is installed, what is held back, and what is not there.
func TestWhy(t *testing.T) {
	s := heldShelf(t, true)
	i := s.create(t, tempDir(t))
	require.NoError(t, install(t, i, "app"))
	for _, test := range []struct {
		name, pkg string
		req       solver.Request
		want      string
	}{
		{"needed", "lib", solver.Request{}, "lib@1-0 is there:\n  app@1-0 is installed\n  app@1-0 requires lib"},
		{"by itself", "app", solver.Request{}, "app@1-0 is there:\n  app@1-0 is installed"},
		{"not there", "tool", solver.Request{}, "nothing asks for it"},
		{"asked for", "tool", solver.Request{Patterns: patterns(t, "tool")}, "tool is requested"},
		{"held back", "lib", solver.Request{Op: solver.Update}, "app@1-0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := i.Why(t.Context(), test.req, test.pkg)
			require.NoError(t, err)
			require.Contains(t, e.String(), test.want)
		})
	}
	e, err := i.Why(t.Context(), solver.Request{Op: solver.Update}, "lib")
	require.NoError(t, err)
	require.NotNil(t, e.Instead, "what is in the way of a newer one")
	_, err = i.Why(t.Context(), solver.Request{Op: solver.Uninstall, Patterns: patterns(t, "none")}, "lib")
	require.ErrorContains(t, err, "image "+i.Root()+": explain: ")
}
