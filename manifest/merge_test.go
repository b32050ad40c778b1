package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

// merged merges texts for values of variant.arch and returns the lines of the result.
func merged(t *testing.T, built map[string]string) ([]string, error) {
	t.Helper()
	ms := map[string]*manifest.Manifest{}
	for value, text := range built {
		ms[value] = parse(t, text)
	}
	m, err := manifest.Merge("variant.arch", ms)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(m.Text()), "\n"), "\n"), nil
}

func TestMerge(t *testing.T) {
	got, err := merged(t, map[string]string{
		"i386": `set name=pkg.fmri value=pkg://p/a@1,5.11-2:20240101T000000Z
set name=pkg.summary value="the same"
set name=variant.arch value=i386
file 1111 path=usr/bin/x mode=0555 owner=root group=bin
dir path=usr mode=0755 owner=root group=sys
file 3333 path=usr/only86 mode=0555 owner=root group=bin
file 4444 path=usr/tagged variant.arch=i386
file 5555 path=usr/other variant.arch=sparc
depend type=require fmri=a
depend type=require-any fmri=b fmri=c
link path=usr/l target=x mediator=m mediator-version=1
signature algorithm=sha256 value=00
unknown a=1
`,
		"sparc": `set name=pkg.fmri value=pkg://p/a@1,5.11-2:20240102T000000Z
depend type=require-any fmri=c fmri=b
depend type=optional fmri=a
dir path=usr mode=0755 owner=root group=sys
dir path=usr mode=0755 owner=root group=sys
set name=pkg.summary value="the same"
file 2222 path=usr/bin/x mode=0555 owner=root group=bin
file 4444 path=usr/tagged
link path=usr/l target=x mediator=m mediator-version=2
set name=variant.arch value=sparc
`,
	})
	want := []string{
		`set name=pkg.fmri value=pkg://p/a@1,5.11-2:20240102T000000Z`,
		`set name=variant.arch value=i386 value=sparc`,
		`set name=pkg.summary value="the same"`,
		`file 1111 group=bin mode=0555 owner=root path=usr/bin/x variant.arch=i386`,
		`dir group=sys mode=0755 owner=root path=usr`,
		`file 3333 group=bin mode=0555 owner=root path=usr/only86 variant.arch=i386`,
		`file 4444 path=usr/tagged`,
		`depend fmri=a type=require variant.arch=i386`,
		`depend fmri=b fmri=c type=require-any`,
		`link mediator=m mediator-version=1 path=usr/l target=x variant.arch=i386`,
		`unknown a=1 variant.arch=i386`,
		`depend fmri=a type=optional variant.arch=sparc`,
		`file 2222 group=bin mode=0555 owner=root path=usr/bin/x variant.arch=sparc`,
		`link mediator=m mediator-version=2 path=usr/l target=x variant.arch=sparc`,
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// TestMergeThree checks that what some but not all have is there for each of these.
func TestMergeThree(t *testing.T) {
	got, err := merged(t, map[string]string{"a": "dir path=x\ndir path=y\n", "b": "dir path=x\ndir path=y\n", "c": "dir path=x\n"})
	want := []string{"set name=variant.arch value=a value=b value=c", "dir path=x", "dir path=y variant.arch=a", "dir path=y variant.arch=b"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// TestMergeNewest checks that the newest timestamp is taken, whichever manifest has it.
func TestMergeNewest(t *testing.T) {
	const older, newer = "set name=pkg.fmri value=pkg://p/a@1,5.11:20240101T000000Z", "set name=pkg.fmri value=pkg://p/a@1,5.11:20240102T000000Z"
	for _, built := range []map[string]string{{"a": older, "b": newer}, {"a": newer, "b": older}} {
		if got, err := merged(t, built); err != nil || got[0] != newer {
			t.Errorf("%v become %v, %v", built, got, err)
		}
	}
}

// TestMergeFilter checks that an image gets from the result what it would have got
// from the manifest for its variants.
func TestMergeFilter(t *testing.T) {
	built := map[string]map[string]*manifest.Manifest{"true": {}, "false": {}}
	for debug := range built {
		for _, arch := range []string{"i386", "sparc"} {
			built[debug][arch] = parse(t, "dir path=all\ndir path="+debug+"\ndir path="+arch+"\nfile "+sum1+" path=f x="+debug+arch+"\nfile "+sum1+" path=g x="+arch+"\n")
		}
	}
	byDebug := map[string]*manifest.Manifest{}
	for debug, ms := range built {
		m, err := manifest.Merge("variant.arch", ms)
		if err != nil {
			t.Fatal(err)
		}
		byDebug[debug] = m
	}
	m, err := manifest.Merge("variant.debug", byDebug)
	if err != nil {
		t.Fatal(err)
	}
	for debug, ms := range built {
		for arch, want := range ms {
			v := manifest.Varcets{Variants: map[string]string{"variant.arch": arch, "variant.debug": debug}}
			var got manifest.Manifest
			for a := range m.Filter(v.Filter()).All() {
				if a.Kind != manifest.KindSet {
					a.Attrs = a.Attrs.With("variant.arch").With("variant.debug")
					if err := got.Add(a); err != nil {
						t.Fatal(err)
					}
				}
			}
			if lines := changes(nil, want, &got); lines != nil {
				t.Errorf("%s %s: %v", debug, arch, lines)
			}
		}
	}
}

func TestMergeErrors(t *testing.T) {
	_, err := merged(t, map[string]string{"a": "dir path=x mode=1\ndir path=x mode=2\n", "b": ""})
	var dup *manifest.DuplicateError
	if !errors.As(err, &dup) || dup.Value != "a" || dup.Actions[1].String() != "dir mode=2 path=x" {
		t.Errorf("duplicates: %v", err)
	}
	if _, err := merged(t, map[string]string{"a": "dir path=x mode=1 variant.x=1\ndir path=x mode=2 variant.x=2\n"}); err != nil {
		t.Errorf("duplicates of two variants: %v", err)
	}
	if _, err := merged(t, map[string]string{"a": "depend type=require fmri=a\ndepend type=optional fmri=a\ndepend type=conditional fmri=a predicate=b\ndepend type=conditional fmri=a predicate=c\n"}); err != nil {
		t.Errorf("dependencies of several types: %v", err)
	}
	for _, other := range []string{"b@1", "a@2", "pkg://q/a@1", "-"} {
		_, err := merged(t, map[string]string{"a": "set name=pkg.fmri value=pkg://p/a@1\n", "b": "set name=pkg.fmri value=" + other + "\n"})
		var attr *manifest.AttrError
		if !errors.As(err, &attr) || attr.Value != other {
			t.Errorf("package %s: %v", other, err)
		}
	}
	if _, err := merged(t, map[string]string{"a": "set name=pkg.merge.blend value=arch\n", "b": ""}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("blending: %v", err)
	}
	if _, err := manifest.Merge("arch", nil); err == nil {
		t.Error("arch is a variant")
	}
	if m, err := manifest.Merge("variant.arch", nil); err == nil {
		t.Errorf("nothing becomes %s", m.Text())
	}
}
