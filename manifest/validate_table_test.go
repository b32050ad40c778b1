package manifest_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

// A validKind is an action without fault that has all attributes with a rule, and which
// of them are subject to which rule.
type validKind struct {
	text                      string
	required, single, numbers string
}

// validKinds says the rules of the attributes of each kind once more.
var validKinds = []validKind{
	{text: "set name=x value=y"},
	{
		text:     "depend fmri=a predicate=b type=conditional",
		required: "predicate", single: "fmri predicate",
	},
	{text: "depend fmri=a type=require-any", required: "type", single: "type"},
	{text: "depend fmri=a root-image=true type=origin", single: "fmri"},
	{text: "group gid=1 groupname=g", single: "gid", numbers: "gid"},
	{
		text: "user expire=1 flag=1 ftpuser=true gcos-field=x group=g home-dir=/ inactive=1 lastchg=1 login-shell=x " +
			"max=1 min=1 password=x uid=1 username=u warn=1",
		required: "group",
		single: "expire flag ftpuser gcos-field group home-dir inactive lastchg login-shell " +
			"max min password uid warn",
		numbers: "expire flag inactive lastchg max min uid warn",
	},
	{text: "dir group=g mode=0755 owner=o path=a", required: "group mode owner", single: "group mode owner"},
	{
		text: "file chash=x elfarch=x elfbits=32 elfhash=x group=g mode=0644 original_name=a:b overlay=true owner=o path=a " +
			"pkg.csize=1 pkg.size=1 preserve=true preserve-version=1",
		required: "group mode owner",
		single: "chash elfarch elfbits elfhash group mode original_name overlay owner pkg.csize pkg.size " +
			"preserve preserve-version",
		numbers: "pkg.csize pkg.size",
	},
	{
		text: "link mediator=m mediator-implementation=i mediator-priority=site mediator-version=1 path=a target=b",
		// Not the mediator alone, without which the others mean nothing.
		required: "mediator target",
		single:   "mediator mediator-implementation mediator-priority mediator-version target",
	},
	{
		text:     "hardlink mediator=m mediator-implementation=i mediator-priority=site mediator-version=1 path=a target=b",
		required: "mediator target",
		single:   "mediator mediator-implementation mediator-priority mediator-version target",
	},
	{text: "driver name=d"},
	{text: "unknown a=b"},
	{
		text:    "license chash=x license=l must-accept=true must-display=true pkg.csize=1 pkg.size=1",
		single:  "chash must-accept must-display pkg.csize pkg.size",
		numbers: "pkg.csize pkg.size",
	},
	{
		text:   "legacy category=c desc=d hotline=h name=n pkg=p vendor=v version=1",
		single: "category desc hotline name vendor version",
	},
	{
		text:     "signature algorithm=sha256 chash=x value=v",
		required: "value", single: "algorithm chash value",
	},
}

// complaints returns the names of the attributes that a validator finds fault with.
func complaints(t *testing.T, a manifest.Action) []string {
	t.Helper()
	names := map[string]bool{}
	for _, e := range a.Validate() {
		var attr *manifest.AttrError
		if !errors.As(e, &attr) {
			t.Fatalf("%v: %v", a, e)
		}
		names[attr.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// checkComplaint checks that name and nothing else is complained about, or nothing at all.
func checkComplaint(t *testing.T, a manifest.Action, name string, wanted bool) {
	t.Helper()
	var want []string
	if wanted {
		want = []string{name}
	}
	if d := cmp.Diff(want, complaints(t, a)); d != "" {
		t.Errorf("%v (-want +got)\n%s", a, d)
	}
}

// TestValidateRules changes one attribute of actions without fault at a time: it
// repeats each that any kind has a rule for, takes it away, and gives it other values.
func TestValidateRules(t *testing.T) {
	names := map[string]bool{"variant.a": true, "facet.a": true, "reboot-needed": true, "alias": true}
	for _, k := range validKinds {
		for _, x := range manifest.MustParseAction(k.text).Attrs {
			names[x.Name] = true
		}
	}
	for _, k := range validKinds {
		a := manifest.MustParseAction(k.text)
		checkComplaint(t, a, "", false)
		for name := range names {
			if independent(a, name) {
				k.checkName(t, a, name)
			}
		}
	}
}

// independent reports whether an attribute has rules that have nothing to do with others.
// That there is one key is a rule of syntax for most kinds, and what a dependency may have
// depends on its type.
func independent(a manifest.Action, name string) bool {
	typed := a.Attrs.Has("predicate") || a.Attrs.Has("root-image")
	switch {
	case a.Kind == manifest.KindSignature:
		return name != "path"
	case a.Kind != manifest.KindDepend:
		return name != "path" && name != a.Kind.KeyAttr()
	case name == "type":
		return !typed
	}
	return a.Attrs.Has(name) || name != "predicate" && name != "root-image"
}

// checkName checks the rules of one attribute.
func (k validKind) checkName(t *testing.T, a manifest.Action, name string) {
	t.Helper()
	with := func(values ...string) manifest.Action {
		b := a
		b.Attrs = a.Attrs.With(name, values...)
		return b
	}
	in := func(list string) bool { return slices.Contains(strings.Fields(list), name) }
	value, ok := a.Attrs.Get(name)
	if !ok {
		value = "1"
	}
	single := in(k.single) || strings.HasPrefix(name, "facet.") || name == "reboot-needed"
	checkComplaint(t, with(value), name, false)
	checkComplaint(t, with(value, value), name, single)
	if in(k.required) {
		checkComplaint(t, with(), name, true)
		checkComplaint(t, with(" "), name, true)
	}
	if in(k.numbers) {
		for _, good := range []string{"0", "-1", "007", "123456789012345678901234567890"} {
			checkComplaint(t, with(good), name, false)
		}
		for _, bad := range []string{"", "-", "x", "+1", "1.5", " 1", "1_0", "1 2", "٣", "0x1"} {
			checkComplaint(t, with(bad), name, true)
		}
	}
}

// TestValidateMode has the forms of a mode, for both kinds that have one.
func TestValidateMode(t *testing.T) {
	for mode, good := range map[string]bool{
		"644": true, "0644": true, "4755": true, "04755": true, "00644": true, "7777": true, "000": true,
		"44": false, "0": false, "": false, "0999": false, "10644": false, "20644": false, "004755": false, "abc": false, "-644": false,
		"+644": false, " 644": false, "644 ": false, "0o64": false, "6_4": false, "٦٤٤": false,
	} {
		for _, kind := range []manifest.Kind{manifest.KindFile, manifest.KindDir} {
			a := at(kind, "group", "g", "mode", mode, "owner", "o", "path", "a")
			checkComplaint(t, a, "mode", !good)
		}
	}
}

// TestValidateSet has the names of set actions that have one value.
func TestValidateSet(t *testing.T) {
	single := strings.Fields("pkg.summary pkg.description pkg.obsolete pkg.renamed pkg.legacy pkg.depend.explicit-install")
	other := strings.Fields("pkg.human-version pkg.fmri info.classification variant.arch pkg.depend.install-hold pkg.summary:de x")
	for _, name := range slices.Concat(single, other) {
		for _, values := range [][]string{{""}, {"any text"}, {"a", "b"}} {
			a := at(manifest.KindSet, "name", name)
			a.Attrs = a.Attrs.With("value", values...)
			checkComplaint(t, a, "value", len(values) > 1 && slices.Contains(single, name))
		}
	}
}
