package manifest_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

// mediation reads priority,version,implementation of the mediator m.
func mediation(text string) manifest.Mediation {
	f := strings.Split(text, ",")
	return manifest.Mediation{Mediator: "m", Priority: f[0], Version: f[1], Implementation: f[2]}
}

// TestMediationOrder has the example of the specification, the best first.
func TestMediationOrder(t *testing.T) {
	var want []manifest.Mediation
	for _, text := range []string{
		"site,1.0,", "vendor,1.5,", ",9,", ",1.7,", ",1.7,x@2", ",1.7,x@1", ",1.7,x", ",1.6,", ",,a@1", ",,a", ",,impl",
	} {
		want = append(want, mediation(text))
	}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, manifest.Mediation.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("order is %v", got)
	}
	for i := range want {
		for j := range want {
			if c := want[i].Compare(want[j]); (c < 0) != (i < j) || (c > 0) != (i > j) {
				t.Errorf("%v and %v compare as %d", want[i], want[j], c)
			}
		}
	}
}

func TestMediationMatches(t *testing.T) {
	for _, test := range []struct {
		link, choice string
		want         bool
	}{
		{",1,", ",1,", true},
		{",1,", ",1.0,", false},
		{",1,", ",2,", false},
		{",1,", ",,", false},
		{",,", ",,", true},
		{"site,1,", ",1,", true},
		{",,a", ",,a", true},
		{",,a", ",,a@1", true},
		{",,a@1", ",,a", true},
		{",,a@1", ",,a@2", false},
		{",,a@1", ",,a@1", true},
		{",,a@1", ",,b@1", false},
		{",,a", ",,", false},
		{",,", ",,a", false},
		{",,@1", ",,", false},
		{",,", ",,@1", false},
		{",,a", ",,a@", true},
		{",,a@1", ",,a@", false},
		{",1,a", ",1,a", true},
		{",1,a", ",1,b", false},
		{",1,a", ",1,", false},
		{",1,5.11", ",1,5.11", true},
	} {
		if got := mediation(test.link).Matches(mediation(test.choice)); got != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.link, test.choice, got, test.want)
		}
	}
	other := manifest.Mediation{Mediator: "n", Version: "1"}
	if other.Matches(mediation(",1,")) {
		t.Error("another mediator matches")
	}
}

func TestMediate(t *testing.T) {
	local := manifest.SourceLocal
	for _, test := range []struct {
		name   string
		offers []string
		was    manifest.Choice
		want   manifest.Choice
	}{
		{"nothing", nil, manifest.Choice{}, manifest.Choice{}},
		{"best", []string{",1,", ",2,", ",1.9,"}, manifest.Choice{}, manifest.Choice{Version: "2", VersionSource: "system"}},
		{"vendor", []string{",9,", "vendor,1,x"}, manifest.Choice{},
			manifest.Choice{Version: "1", VersionSource: "vendor", Implementation: "x", ImplementationSource: "vendor"}},
		{"incomplete", []string{"site,,", ",1,"}, manifest.Choice{}, manifest.Choice{Version: "1", VersionSource: "system"}},
		{"local version", []string{",1,", ",2,"}, manifest.Choice{Version: "1", VersionSource: local}, manifest.Choice{Version: "1", VersionSource: local}},
		{"local version, offered implementation", []string{",1,x", ",2,y"}, manifest.Choice{Version: "1", VersionSource: local},
			manifest.Choice{Version: "1", VersionSource: local, Implementation: "x", ImplementationSource: "system"}},
		{"not offered", []string{",1,", ",2,"}, manifest.Choice{Version: "3", VersionSource: local}, manifest.Choice{Version: "3", VersionSource: local}},
		{"no offers", nil, manifest.Choice{Version: "3", VersionSource: local}, manifest.Choice{Version: "3", VersionSource: local}},
		{"system choice without offers", nil, manifest.Choice{Version: "3", VersionSource: "system"}, manifest.Choice{}},
		{"system choice, other offers", []string{",1,"}, manifest.Choice{Version: "3", VersionSource: "system"}, manifest.Choice{Version: "1", VersionSource: "system"}},
		{"local implementation", []string{",,a@1", ",,b@9", ",,a@2"}, manifest.Choice{Implementation: "a", ImplementationSource: local},
			manifest.Choice{Implementation: "a", ImplementationSource: local, ImplementationVersion: "2"}},
		{"local implementation and version", []string{",,a@1", ",,a@2"}, manifest.Choice{Implementation: "a@1", ImplementationSource: local},
			manifest.Choice{Implementation: "a@1", ImplementationSource: local}},
		{"local implementation without version", []string{",,a@1", ",,a"}, manifest.Choice{Implementation: "a@", ImplementationSource: local},
			manifest.Choice{Implementation: "a@", ImplementationSource: local}},
		{"parts", []string{"site,2,x@1", ",1,y"}, manifest.Choice{Version: "9", VersionSource: "system", Implementation: "y", ImplementationSource: local},
			manifest.Choice{Version: "1", VersionSource: "system", Implementation: "y", ImplementationSource: local}},
	} {
		var offers []manifest.Mediation
		for _, o := range test.offers {
			offers = append(offers, mediation(o))
		}
		var was, want []manifest.Choice
		if test.was != (manifest.Choice{}) {
			test.was.Mediator = "m"
			was = append(was, test.was)
		}
		if test.want != (manifest.Choice{}) {
			test.want.Mediator = "m"
			want = append(want, test.want)
		}
		for range 2 {
			if got := manifest.Mediate(slices.Values(offers), was); !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, want %+v", test.name, got, want)
			}
			slices.Reverse(offers)
		}
	}
}

// TestMediateLinks goes the whole way, from packages to the links of an image.
func TestMediateLinks(t *testing.T) {
	m := parse(t, `link path=usr/bin/py target=py2 mediator=python mediator-version=2
link path=usr/bin/py target=py3 mediator=python mediator-version=3
link path=usr/bin/vi target=vim mediator=vi mediator-implementation=vim@8
link path=usr/bin/vi target=vim9 mediator=vi mediator-implementation=vim@9
link path=usr/bin/vi target=vi mediator=vi mediator-implementation=svr4 mediator-priority=vendor
link path=usr/bin/x target=y
`)
	installed := func(was ...manifest.Choice) (targets []string) {
		offers := func(yield func(manifest.Mediation) bool) {
			for a := range m.All() {
				if o, ok := a.Mediation(); ok && !yield(o) {
					return
				}
			}
		}
		choices := manifest.Mediate(offers, was)
		for a := range m.All() {
			o, ok := a.Mediation()
			match := func(c manifest.Choice) bool { return o.Matches(c.Mediation()) }
			if !ok || slices.ContainsFunc(choices, match) {
				target, _ := a.Attrs.Get("target")
				targets = append(targets, target)
			}
		}
		return targets
	}
	if got := installed(); !slices.Equal(got, []string{"py3", "vi", "y"}) {
		t.Errorf("links are %v", got)
	}
	vim := manifest.Choice{Mediator: "vi", Implementation: "vim", ImplementationSource: manifest.SourceLocal}
	if got := installed(vim); !slices.Equal(got, []string{"py3", "vim9", "y"}) {
		t.Errorf("with vim, links are %v", got)
	}
	old := manifest.Choice{Mediator: "python", Version: "1", VersionSource: manifest.SourceLocal}
	if got := installed(old); !slices.Equal(got, []string{"vi", "y"}) {
		t.Errorf("with python 1, links are %v", got)
	}
}

func TestActionMediation(t *testing.T) {
	for text, want := range map[string]bool{
		"link path=a target=b mediator=m mediator-version=1":     true,
		"hardlink path=a target=b mediator=m mediator-version=1": true,
		"link path=a target=b mediator-version=1":                false,
		"file path=a mediator=m mediator-version=1":              false,
	} {
		if got, ok := manifest.MustParseAction(text).Mediation(); ok != want || ok != (got == mediation(",1,")) {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
}
