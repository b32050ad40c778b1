package solver_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// with adds a version with these actions.
func (h *heap) with(name, version string, actions ...string) {
	*h = append(*h, solver.Package{FMRI: fmri.MustParse(fullName("p", name, version)), Actions: actions})
}

// after solves a request on an image with these packages, and returns what changes.
func after(t *testing.T, h heap, req solver.Request, installed ...string) []string {
	t.Helper()
	img := &solver.Image{}
	for _, text := range installed {
		name, version, _ := strings.Cut(text, "@")
		img.Installed = append(img.Installed, fmri.MustParse(fullName("p", name, version)))
	}
	s, err := h.solver(t, nil).Solve(t.Context(), img, req)
	require.NoError(t, err)
	var changes []string
	for c := range s.Changes() {
		changes = append(changes, strings.ReplaceAll(c.String(), "pkg://p/", ""))
	}
	return changes
}

// TestPackageActuators has packages that take others along, or send them to another
// version, when they are uninstalled.
func TestPackageActuators(t *testing.T) {
	var h heap
	h.with("a", "1", "set name=pkg.additional-uninstall-on-uninstall value=b value=missing value=c@2 value=d@1",
		"set name=pkg.additional-update-on-uninstall value=e@1 value=f@2 value=g@9 value=x@2")
	h.with("b", "1", "set name=pkg.additional-uninstall-on-uninstall value=h")
	for _, name := range []string{"c", "d", "e", "f", "h", "x"} {
		h.with(name, "1")
		h.with(name, "2")
	}
	h.with("g", "1", "depend type=require fmri=f")
	h.with("user", "1", "depend type=require fmri=a")
	h.with("user", "2")
	h.with("z", "1", "set name=pkg.additional-update-on-uninstall value=user@2")

	uninstall := func(names ...string) solver.Request {
		patterns, err := fmri.ParsePatterns(names...)
		require.NoError(t, err)
		return solver.Request{Op: solver.Uninstall, Patterns: patterns}
	}
	installed := []string{"a@1", "b@1", "c@1", "d@1", "e@2", "f@2", "g@1", "h@1"}
	want := []string{"a@1 -> none", "b@1 -> none", "d@1 -> none", "e@2 -> e@1", "h@1 -> none"}
	require.Equal(t, want, after(t, h, uninstall("a"), installed...), "c has another version, f has that one, g has none such, x is not installed")

	reject := solver.Request{Reject: uninstall("a").Patterns}
	require.Equal(t, want, after(t, h, reject, installed...))

	require.Equal(t, []string{"e@2 -> none"}, after(t, h, uninstall("e"), installed...))
	require.Equal(t, []string{"a@1 -> none", "user@1 -> user@2", "z@1 -> none"}, after(t, h, uninstall("a", "z"), "a@1", "user@1", "z@1"),
		"what needs a gets a version that does not")
	require.Equal(t, []string{"a@1 -> none", "e@2 -> none"}, after(t, h, uninstall("a", "e"), "a@1", "e@2"), "e goes, and is not updated")
}

// TestMachine asks whoever knows the machine about its firmware and processor.
func TestMachine(t *testing.T) {
	var h heap
	h.with("driver", "1")
	h.with("driver", "2", "depend type=origin root-image=true fmri=feature/firmware/mptsas minimum-version=1.0.0")
	h.with("driver", "3", "depend type=origin root-image=true fmri=feature/cpu check=sse4")
	h.with("driver", "4", "depend type=origin root-image=true fmri=lib@1")
	ask := func(machine func(manifest.Action) error, req solver.Request) (*solver.Solution, error) {
		return h.solver(t, &solver.Options{Machine: machine}).Solve(t.Context(), &solver.Image{}, req)
	}
	req := solver.Request{Patterns: []fmri.Pattern{fmri.MustParsePattern("driver")}}
	var asked []string
	newest := func(machine func(manifest.Action) error) string {
		sol, err := ask(machine, req)
		require.NoError(t, err)
		return slices.Collect(sol.Packages())[0].Version().Short()
	}
	require.Equal(t, "4", newest(nil))
	old := func(a manifest.Action) error {
		v, _ := a.Attrs.Get("minimum-version")
		asked = append(asked, v)
		return errors.New("too old")
	}
	require.Equal(t, "4", newest(old), "lib is a package, and not installed")
	req.Patterns[0] = fmri.MustParsePattern("driver@2")
	_, err := ask(old, req)
	require.EqualError(t, err, `the request cannot be met:
  driver@2 is requested
    driver@2 to 3 (2 versions) are only for machines with feature/firmware/mptsas, feature/cpu
what would help:
  ask for any driver, which gives 4`)
	require.Contains(t, asked, "1.0.0")
	req.Patterns[0] = fmri.MustParsePattern("driver@3")
	_, err = ask(old, req)
	require.ErrorContains(t, err, "feature/cpu")
	require.Equal(t, "3", newest(func(manifest.Action) error { return nil }))
}
