package plan_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// made makes the plan of an input, which must be possible.
func made(t *testing.T, in plan.Input) *plan.Plan {
	t.Helper()
	p, err := plan.New(in)
	require.NoError(t, err)
	return p
}

const contentOne = `set name=pkg.fmri value=pkg://p/a@1-0
file one path=b mode=0644 owner=root group=root
file one path=a mode=0644 owner=root group=root
file two path=same mode=0644 owner=root group=root
license text license=MIT
link path=l target=a
`

const contentTwo = `set name=pkg.fmri value=pkg://p/a@2-0
file three path=b mode=0644 owner=root group=root
file three path=a mode=0644 owner=root group=root
file two path=same mode=0600 owner=root group=root
file two path=more mode=0644 owner=root group=root
license text license=MIT
link path=l target=b
`

// payloads returns the words that the payloads of a plan stand for.
func payloads(p *plan.Plan, words ...string) []string {
	list := []string{}
	for pay := range p.Payloads() {
		for _, w := range words {
			if pay.Name().Hex() == hashOf(w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// TestPayloads fetches each content once, and none that is there.
func TestPayloads(t *testing.T) {
	words := []string{"one", "two", "three", "text"}
	one := story{after: parsePackages(t, contentOne)}
	require.Equal(t, []string{"one", "two", "text"}, payloads(made(t, one.input()), words...))
	two := story{before: one.after, after: parsePackages(t, contentTwo)}
	require.Equal(t, []string{"two", "three"}, payloads(made(t, two.input()), words...), "in the order of the steps")
	none := story{before: one.after}
	require.Empty(t, payloads(made(t, none.input()), words...))
	for range made(t, one.input()).Payloads() {
		break // a caller may have enough
	}
}

// TestIsEmpty tells plans that only change what the image notes from those that do nothing.
func TestIsEmpty(t *testing.T) {
	s := story{before: parsePackages(t, contentOne), after: parsePackages(t, contentOne)}
	for _, test := range []struct {
		name   string
		change func(*plan.Input)
		empty  bool
	}{
		{"nothing", func(*plan.Input) {}, true},
		{"no installed packages", func(in *plan.Input) { in.Installed = nil }, true},
		{"a facet", func(in *plan.Input) { in.New.Facets = map[string]bool{"facet.x": true} }, false},
		{"a variant", func(in *plan.Input) { in.New.Variants = map[string]string{"variant.x": "y"} }, false},
		{"an inherited facet", func(in *plan.Input) { in.New.Inherited = map[string]bool{"facet.x": true} }, false},
		{"a member of a group avoided", func(in *plan.Input) { in.Avoid.Implicit = []string{"x"} }, false},
		{"an obsolete member", func(in *plan.Input) { in.Avoid.Obsolete = []string{"x"} }, false},
		{"avoided before and after", func(in *plan.Input) { in.OldAvoid.Avoided, in.Avoid.Avoided = []string{"x"}, []string{"x"} }, true},
		{"avoided before", func(in *plan.Input) { in.OldAvoid.Avoided = []string{"x"} }, false},
		{"a mediator that has no links", func(in *plan.Input) {
			in.Mediators = []manifest.Choice{{Mediator: "m", Version: "1", VersionSource: manifest.SourceLocal}}
		}, false},
		{"a name asked for that is there", func(in *plan.Input) { in.Requested = slices.Values([]string{"a"}) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := s.input()
			test.change(&in)
			p := made(t, in)
			require.Equal(t, test.empty, p.IsEmpty(), "%v", p)
			checkJSON(t, p)
			var back plan.Plan
			require.NoError(t, json.Unmarshal([]byte(encode(t, p)), &back))
			require.Equal(t, test.empty, back.IsEmpty())
		})
	}
}

// TestHandedOn gives back what a plan was made with, also after JSON.
func TestHandedOn(t *testing.T) {
	in := story{after: parsePackages(t, contentOne)}.input()
	in.Token = "token"
	in.Avoid = solver.AvoidSet{Avoided: []string{"x"}, Implicit: []string{"y"}, Obsolete: []string{"z"}}
	in.New = manifest.Varcets{Variants: map[string]string{"variant.x": "y"}, Facets: map[string]bool{"facet.a": true}, Inherited: map[string]bool{"facet.b": false}}
	in.Old = manifest.Varcets{Variants: map[string]string{"variant.x": "z"}}
	in.Mediators = []manifest.Choice{{Mediator: "m", Version: "1", VersionSource: manifest.SourceLocal}}
	in.Requested = slices.Values([]string{"b", "a", "b"})
	p := made(t, in)
	var back plan.Plan
	require.NoError(t, json.Unmarshal([]byte(encode(t, p)), &back))
	for _, p := range []*plan.Plan{p, &back} {
		require.Equal(t, "token", p.Token())
		require.Empty(t, cmp.Diff(in.Avoid, p.Avoid()))
		old, new := p.Varcets()
		require.Empty(t, cmp.Diff([]manifest.Varcets{in.Old, in.New}, []manifest.Varcets{old, new}))
		require.Empty(t, cmp.Diff(in.Mediators, p.Mediators()))
		require.Equal(t, []string{"a", "b"}, slices.Collect(p.Requested()))
		packages := slices.Collect(p.Packages())
		require.Len(t, packages, 1)
		require.Equal(t, "a", packages[0].To.Name())
	}
	p.Mediators()[0].Version = "2"
	require.Equal(t, "1", p.Mediators()[0].Version, "a caller has a copy")
}

// TestExcludes leaves out what the administrator does not want, with hardlinks as their own
// actions; what is there is not taken away but with its package.
func TestExcludes(t *testing.T) {
	one, two := parsePackages(t, contentOne), parsePackages(t, contentTwo)
	unwanted := func(a manifest.Action) bool {
		name, err := a.Path()
		return err == nil && (name == "a" || name == "l")
	}
	for _, test := range []struct {
		name string
		s    story
		want string
	}{
		{"install", story{after: one}, "install package pkg://p/a@1,5.11-0\ninstall file    b\ninstall file    same\ninstall license MIT\n"},
		{"update", story{before: one, after: two}, "update  package pkg://p/a@2,5.11-0 from 1,5.11-0\ninstall file    more\nupdate  file    b\nupdate  file    same\n"},
		{"uninstall", story{before: one}, "remove package pkg://p/a@1,5.11-0\nremove license MIT\nremove link    l\nremove file    same\nremove file    b\nremove file    a\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := test.s.input()
			in.Excludes = unwanted
			require.Equal(t, test.want, made(t, in).String())
		})
	}
}

// TestJSONRefused reads what no plan prints.
func TestJSONRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                           "unexpected end of JSON input",
		`{"version":3}`:              "plan: version 3 instead of 1",
		`{}`:                         "plan: version 0 instead of 1",
		`{"version":1,"steps":[{}]}`: "plan: step 0: phase invalid does not have its actions",
		`{"version":1,"packages":[{"from":"pkg:/@"}]}`:                                                         "plan: ",
		`{"version":1,"packages":[{"to":"@@"}]}`:                                                               "plan: ",
		`{"version":1,"steps":[{"phase":"remove","new":"dir path=a"}]}`:                                        "plan: step 0: phase remove does not have its actions",
		`{"version":1,"steps":[{"phase":"remove","old":"dir path=a","new":"dir path=a"}]}`:                     "plan: step 0: phase remove does not have its actions",
		`{"version":1,"steps":[{"phase":"install","old":"dir path=a"}]}`:                                       "plan: step 0: phase install does not have its actions",
		`{"version":1,"steps":[{"phase":"install","new":"dir path=a"},{"phase":"update","new":"dir path=a"}]}`: "plan: step 1: phase update does not have its actions",
		`{"version":1,"steps":[{"phase":"eat","new":"dir path=a"}]}`:                                           "plan: step 0: phase invalid does not have its actions",
		`{"version":1,"steps":[{"phase":"install","new":"dir path=../a"}]}`:                                    "plan: step 0: ",
		`{"version":1,"steps":[{"phase":"install","new":"nonsense"}]}`:                                         "plan: step 0: ",
		`{"version":1,"steps":[{"phase":"install","to":"@@","new":"dir path=a"}]}`:                             "plan: step 0: ",
	} {
		p := made(t, story{after: parsePackages(t, contentOne)}.input())
		before := p.String()
		require.ErrorContains(t, json.Unmarshal([]byte(text), p), want, "%s", text)
		require.Equal(t, before, p.String(), "a plan that is not read stays as it was")
	}
}

// TestMissingManifest names the package whose manifest cannot be had, whether it changes or
// only stays.
func TestMissingManifest(t *testing.T) {
	s := story{before: parsePackages(t, contentOne), after: parsePackages(t, contentOne)}
	for f := range s.before {
		s.after[fmri.MustParse("pkg://p/new@1-0")] = s.after[f]
		in := s.input()
		all := in.Manifest
		in.Manifest = func(g fmri.FMRI) (*manifest.Manifest, error) {
			if g == f {
				return nil, errNoNetwork
			}
			return all(g)
		}
		_, err := plan.New(in)
		require.ErrorIs(t, err, errNoNetwork)
		require.EqualError(t, err, "manifest of "+f.String()+": no network")
	}
}
