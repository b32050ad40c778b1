package manifest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

// findings writes what is wrong with a manifest, a line for each.
func findings(list manifest.ErrorList) (lines []string) {
	for _, e := range list {
		lines = append(lines, e.Error())
	}
	return lines
}

func TestValidateManifest(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"a package", "set name=pkg.fmri value=a@1\nfile path=a mode=0644 owner=root group=bin\n", nil},
		{"all findings", "dir path=a mode=9\n\nlink path=../b target=''\nuser username=u group=g uid=x\n", []string{
			`1:1: owner: missing`, `1:1: group: missing`, `1:1: mode="9": not a mode of 3 or 4 octal digits`,
			`3:1: path="../b": not a path within the image: ".." could lead out of it; write the path from the root`, `3:1: target: missing`,
			`4:1: uid="x": not a number`,
		}},
		{"obsolete", "set name=pkg.obsolete value=true\nset name=x value=y\nsignature algorithm=sha256 value=00\n", nil},
		{"obsolete with a file", "set name=pkg.obsolete value=true\nfile path=a mode=0644 owner=root group=bin\ndepend type=require fmri=a\n", []string{
			`2:1: pkg.obsolete: an obsolete package has no such action`, `3:1: pkg.obsolete: an obsolete package has no such action`,
		}},
		{"not obsolete", "set name=pkg.obsolete value=false\nfile path=a mode=0644 owner=root group=bin\n", nil},
		{"renamed", "set name=pkg.renamed value=true\ndepend type=require fmri=a\n", nil},
		{"renamed with a directory", "dir path=a mode=0755 owner=root group=bin\nset name=pkg.renamed value=true\n", []string{
			`1:1: pkg.renamed: a renamed package has no such action`,
		}},
		{"both", "set name=pkg.renamed value=true\nset name=pkg.obsolete value=true\n", []string{
			`1:1: pkg.renamed="true": the package is obsolete`,
		}},
		{"unknown", "unknown a=b\n", []string{`1:1: actions of this kind cannot be published`}},
	} {
		if d := cmp.Diff(test.want, findings(parse(t, test.text).Validate())); d != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, d)
		}
	}
}

// TestValidateMore has rules that public examples do not touch.
func TestValidateMore(t *testing.T) {
	const file = "file path=a mode=0644 owner=root group=bin "
	for _, test := range []struct{ text, want string }{
		{file + "preserve=true preserve-version=''", "preserve-version"},
		{file + "preserve=true preserve-version=1:20240101T000000Z", "preserve-version"},
		{file + "pkg.size=", ""}, // is no action
		{file + "pkg.size=''", "pkg.size"},
		{file + "pkg.size=-", "pkg.size"},
		{file + "pkg.size=1.0", "pkg.size"},
		{file + "pkg.size=" + strings.Repeat("9", 40), ""},
		{file + "pkg.csize=1 pkg.csize=1", "pkg.csize"},
		{"license license=a pkg.size=1 pkg.size=1", "pkg.size"},
		{"group groupname=g gid=1 gid=1", "gid"},
		{"file path=a mode=0644 owner=\"\t\" group=bin", "owner"},
		{"link path=a target=b mediator=m mediator-implementation=a@b", "mediator-implementation"},
		{"link path=a target=b mediator=m mediator-implementation=a@1@2", "mediator-implementation"},
		{"link path=a target=b mediator=m mediator-implementation=@1", "mediator-implementation"},
		{"link path=a target=b mediator=m mediator-implementation=a_b", "mediator-implementation"},
		{"link path=a target=b mediator='' mediator-version=1", "mediator"},
		{"link path=a target=b mediator=m mediator-version=1 mediator-priority=Site", "mediator-priority"},
		{"link path=a target=../../../b", ""},
		{"hardlink path=a target=../b", "target"},
		{"legacy pkg=a/../b", "pkg"},
		{"set name=pkg.additional-x value=a value=b@c value=d@e", "pkg.additional-x"},
		{"set name=pkg.additional-x value=__TBD", "pkg.additional-x"},
		{"set name=pkg.additional-x value=''", "pkg.additional-x"},
		{"depend type=require-any fmri=__TBD fmri=a", ""},
		{"depend type=conditional fmri=__TBD predicate=__TBD", "predicate"},
		{"depend type=origin fmri=a root-image=true root-image=true", ""},
		{"depend type=Require fmri=a", "type"},
		{"depend type=require fmri=a root-image=true", "root-image"},
		{"depend type=require fmri=a predicate=b", "predicate"},
		{"link path=a target=b mediator=m", "mediator"},
		{"link path=a target=b mediator=m mediator-priority=site", "mediator"},
		{file + "preserve-version=1", "preserve-version"},
		{"depend type=group-any fmri=a fmri=b@latest", "fmri"},
	} {
		a, err := manifest.ParseAction(test.text)
		if err != nil {
			continue
		}
		got := ""
		for _, e := range a.Validate() {
			var attr *manifest.AttrError
			if !errors.As(e, &attr) || got != "" && got != attr.Name {
				t.Fatalf("%s: %v", test.text, e)
			}
			got = attr.Name
		}
		if got != test.want {
			t.Errorf("%s: complaint about %q, want %q", test.text, got, test.want)
		}
	}
	twice := manifest.MustParseAction("depend type=conditional type=conditional fmri=a predicate=b")
	if !complains(twice, "type") || !complains(twice, "predicate") {
		t.Errorf("a type that repeats is one: %v", twice.Validate())
	}
	if len(manifest.Action{}.Validate()) != 1 {
		t.Error("the zero Action is valid")
	}
}

func TestAttrError(t *testing.T) {
	e := &manifest.AttrError{Name: "a", Value: strings.Repeat("x", 200), Reason: "too long"}
	if s := e.Error(); len(s) > 130 || !strings.HasSuffix(s, `..."`+": too long") {
		t.Errorf("error is %s", s)
	}
}

// TestManyTags checks that very many tags are looked at in reasonable time.
func TestManyTags(t *testing.T) {
	a := manifest.MustParseAction("driver name=d")
	for i := range 60000 {
		a.Attrs = append(a.Attrs, attrs(fmt.Sprint("facet.", i), "all", fmt.Sprint("variant.", i), "false")...)
	}
	start := time.Now()
	f := manifest.Varcets{}.Filter()
	if !f.Allows(a) || len(a.Validate()) != 0 {
		t.Error("tags are repeated")
	}
	last := &a.Attrs[len(a.Attrs)-1]
	last.Name, last.Value = "variant.1", "false"
	if f.Allows(a) {
		t.Error("a variant is not repeated")
	}
	last.Name = "facet.1"
	if !f.Allows(a) || len(a.Validate()) != 1 {
		t.Error("a facet is not repeated")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}
