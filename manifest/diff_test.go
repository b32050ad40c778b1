package manifest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

// changes writes a difference, a line for each change, in order.
func changes(opts *manifest.DiffOptions, old, new *manifest.Manifest) []string {
	var lines []string
	for c := range opts.Diff(old, new) {
		switch {
		case c.Old == nil:
			lines = append(lines, "+ "+c.New.String())
		case c.New == nil:
			lines = append(lines, "- "+c.Old.String())
		default:
			lines = append(lines, "~ "+c.New.String())
		}
	}
	return lines
}

func TestDiffOrder(t *testing.T) {
	old := parse(t, "dir path=a\ndir path=a/b\nfile path=a/b/c\nlink path=z target=q\nset name=x value=1\ngroup groupname=g\n")
	new := parse(t, "set name=y value=1\nfile path=a/b/c\ndir path=a/b\ndir path=a\nlink path=z target=q\nuser username=u group=g\n")
	empty := parse(t, "")
	keep := func(m *manifest.Manifest, prefix string) (lines []string) {
		for a := range m.All() {
			lines = append(lines, prefix+a.String())
		}
		return lines
	}
	for _, test := range []struct {
		name     string
		old, new *manifest.Manifest
		want     []string
	}{
		{"everything removed", old, empty, []string{
			"- link path=z target=q", "- file NOHASH path=a/b/c", "- dir path=a/b", "- dir path=a", "- group groupname=g", "- set name=x value=1",
		}},
		{"everything added", empty, new, []string{
			"+ set name=y value=1", "+ user group=g username=u", "+ dir path=a", "+ dir path=a/b", "+ file NOHASH path=a/b/c", "+ link path=z target=q",
		}},
		{"both", old, new, []string{
			"- group groupname=g", "- set name=x value=1", "+ set name=y value=1", "+ user group=g username=u",
		}},
		{"nothing", old, old, nil},
		{"two files", parse(t, "file path=b\nfile path=a\n"), empty, keep(parse(t, "file path=b\nfile path=a\n"), "- ")},
	} {
		if d := cmp.Diff(test.want, changes(nil, test.old, test.new)); d != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, d)
		}
	}
	for range manifest.Diff(old, new) {
		break // which must not go on
	}
}

const (
	sum1 = "1111111111111111111111111111111111111111"
	sum2 = "2222222222222222222222222222222222222222"
)

func TestDifferent(t *testing.T) {
	const content = " pkg.content-hash=file:sha512t_256:"
	elf := "file " + sum1 + " path=a elfarch=i386 elfbits=64 elfhash=" + sum1
	for _, test := range []struct {
		name                   string
		a, b                   string
		normal, unsigned, full bool
	}{
		{"same", "dir path=a mode=0755 owner=x", "dir owner=x path=a mode=0755", false, false, false},
		{"mode", "dir path=a mode=0755", "dir path=a mode=755", true, true, true},
		{"kind", "dir path=a", "link path=a target=b", true, true, true},
		{"more attributes", "dir path=a", "dir path=a facet.x=true", true, true, true},
		{"other attributes", "dir path=a b=1", "dir path=a c=1", true, true, true},
		{"order of values", "set name=a value=1 value=2 value=1", "set name=a value=1 value=1 value=2", false, false, false},
		{"number of values", "set name=a value=1 value=1 value=2", "set name=a value=1 value=2 value=2", true, true, true},
		{"hash", "file " + sum1 + " path=a", "file " + sum2 + " path=a", true, true, true},
		{"no hash", "file path=a", "file path=a", false, false, false},
		{"no hash, other attributes", "file path=a b=1", "file path=a b=2", true, true, true},
		{"signature without payload", "signature algorithm=a value=1", "signature algorithm=a value=1", false, false, false},
		{"hash, same content", "file " + sum1 + " path=a" + content + "00", "file " + sum2 + " path=a" + content + "00", false, false, false},
		{"same hash, other content", "file " + sum1 + " path=a" + content + "00", "file " + sum1 + " path=a" + content + "11", true, true, true},
		{"content hash only in one", "file " + sum1 + " path=a", "file " + sum1 + " path=a" + content + "11", true, true, true},
		{"better content hash only in one", "file " + sum1 + " path=a pkg.content-hash=file:sha256:00", "file " + sum1 + " path=a pkg.content-hash=file:sha256:00" + content + "11", true, true, true},
		{"weaker content hash differs", "file " + sum1 + " path=a pkg.content-hash=file:sha256:00" + content + "11", "file " + sum1 + " path=a pkg.content-hash=file:sha256:22" + content + "11", false, false, true},
		{"stored form", "file " + sum1 + " path=a chash=1 pkg.content-hash=gzip:sha256:1", "file " + sum1 + " path=a chash=2 pkg.content-hash=gzip:sha256:2", false, false, true},
		{"stored size", "file " + sum1 + " path=a pkg.csize=1", "file " + sum1 + " path=a pkg.csize=2", true, true, true},
		{"unknown content hash", "file " + sum1 + " path=a pkg.content-hash=file:sha9:1", "file " + sum1 + " path=a pkg.content-hash=file:sha9:2", false, false, true},
		{"elf, signed again", elf, strings.Replace(elf, sum1, sum2, 1), true, false, true},
		{"elf, other sections", elf, elf[:len(elf)-1] + "2", false, true, true},
		{"elf, gelf", elf + " pkg.content-hash=gelf:sha256:1" + content + "1", elf + " pkg.content-hash=gelf:sha256:1" + content + "2", true, false, true},
		{"elf, signature", elf + " pkg.content-hash=gelf:sha256:1 pkg.content-hash=gelf.unsigned:sha256:0", elf + " pkg.content-hash=gelf:sha256:2 pkg.content-hash=gelf.unsigned:sha256:0", false, false, true},
		{"elf, unsigned differs", elf + " pkg.content-hash=gelf:sha256:1 pkg.content-hash=gelf.unsigned:sha256:0", elf + " pkg.content-hash=gelf:sha256:1 pkg.content-hash=gelf.unsigned:sha256:9", false, true, true},
		{"elf, unsigned only in one", elf + " pkg.content-hash=gelf:sha256:1 pkg.content-hash=gelf.unsigned:sha256:0", elf + " pkg.content-hash=gelf:sha256:1", false, false, true},
		{"elf in one only", elf, "file " + sum1 + " path=a", true, true, true},
		{"elf without digests", "file " + sum1 + " path=a elfarch=x", "file " + sum2 + " path=a elfarch=x", true, true, true},
		{"elf, payload only", "file " + sum1 + " path=a elfarch=x b=1", "file " + sum1 + " path=a elfarch=x b=2", true, true, true},
	} {
		a, b := manifest.MustParseAction(test.a), manifest.MustParseAction(test.b)
		for p, want := range map[manifest.Policy]bool{
			manifest.PolicyDefault: test.normal, manifest.PolicyUnsigned: test.unsigned, manifest.PolicyAll: test.full,
		} {
			if got, back := a.Different(b, p), b.Different(a, p); got != want || back != want {
				t.Errorf("%s, policy %d: %v and %v, want %v", test.name, p, got, back, want)
			}
		}
	}
}

// slowDiff is a difference made by comparing everything with everything.
func slowDiff(old, new *manifest.Manifest) (lines []string) {
	key := func(a manifest.Action) string {
		k := a.Kind.String()
		for v := range a.Attrs.Values(a.Kind.KeyAttr()) {
			k += " " + v
		}
		if m, ok := a.Mediation(); ok {
			k += fmt.Sprintf(" %q %q", m.Version, m.Implementation)
		}
		return k
	}
	last := func(m *manifest.Manifest) (actions []manifest.Action) {
		for a := range m.All() {
			same := func(b manifest.Action) bool { return key(a) == key(b) && a.Kind != manifest.KindUnknown }
			actions = append(slices.DeleteFunc(actions, same), a)
		}
		return actions
	}
	olds, news := last(old), last(new)
	for _, a := range olds {
		i := slices.IndexFunc(news, func(b manifest.Action) bool { return key(a) == key(b) })
		switch {
		case i < 0 || a.Kind == manifest.KindUnknown:
			lines = append(lines, "- "+a.String())
		case a.Different(news[i], manifest.PolicyDefault):
			lines = append(lines, "~ "+news[i].String())
		}
	}
	for _, b := range news {
		if b.Kind == manifest.KindUnknown || !slices.ContainsFunc(olds, func(a manifest.Action) bool { return key(a) == key(b) }) {
			lines = append(lines, "+ "+b.String())
		}
	}
	return lines
}

// TestDiffRandom compares with the slow way on manifests with many common keys.
func TestDiffRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pool := strings.Split(strings.TrimSpace(`set name=a value=1
set name=a value=2
set name=b value=1
depend type=require fmri=a
depend type=optional fmri=a
depend type=require-any fmri=a fmri=b
depend type=require-any fmri=b fmri=a
dir path=a mode=0755
dir path=a mode=0700
file 1 path=a mode=0644
file 2 path=a mode=0644
file 2 path=b mode=0644 chash=3
link path=l target=x
link path=l target=y mediator=m mediator-version=1
link path=l target=z mediator=m mediator-version=1
link path=l target=y mediator=m mediator-version=2
link path=l target=y mediator=m mediator-implementation=1
link path=l target=y mediator=m
unknown a=1
unknown a=2
signature algorithm=a value=1
signature algorithm=a value=2
license 1 license=x
license 2 license=x`), "\n")
	some := func() *manifest.Manifest {
		var b strings.Builder
		for range r.IntN(20) {
			b.WriteString(pool[r.IntN(len(pool))] + "\n")
		}
		return parse(t, b.String())
	}
	for range 3000 {
		old, new := some(), some()
		got, want := changes(nil, old, new), slowDiff(old, new)
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\n----\n%s (-want +got)\n%s", old.Text(), new.Text(), d)
		}
	}
}

// TestManyValues checks that lists of very many values are compared in
// reasonable time.
func TestManyValues(t *testing.T) {
	var a, b manifest.Action
	a.Kind, b.Kind = manifest.KindSet, manifest.KindSet
	for i := range 60000 {
		a.Attrs = append(a.Attrs, manifest.Attr{Name: "value", Value: fmt.Sprint(i)})
		b.Attrs = append(b.Attrs, manifest.Attr{Name: "value", Value: fmt.Sprint(59999 - i)})
	}
	start := time.Now()
	if a.Different(b, manifest.PolicyDefault) {
		t.Error("the order of values matters")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestDiffFilters checks that each side is compared as its filter leaves it.
func TestDiffFilters(t *testing.T) {
	old := parse(t, "dir path=a variant.arch=i386\ndir path=a mode=1 variant.arch=sparc\ndir path=b facet.doc=true\nfile path=c\n")
	new := parse(t, "dir path=a variant.arch=i386 x=y\ndir path=b facet.doc=true mode=2\nfile path=c facet.doc=all\ndir path=d variant.arch=sparc\n")
	images := []string{"", "arch==i386", "arch==sparc", "arch==sparc doc=F", "arch==i386 *=F"}
	for _, a := range images {
		for _, b := range images {
			opts := &manifest.DiffOptions{Old: image(a).Filter(), New: image(b).Filter()}
			want := changes(nil, old.Filter(opts.Old), new.Filter(opts.New))
			if d := cmp.Diff(want, changes(opts, old, new)); d != "" {
				t.Errorf("from %q to %q (-want +got)\n%s", a, b, d)
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	m := parse(t, `dir path=a mode=0755
dir path=b mode=0755
dir path=a mode=0700
dir path=b mode=0755
link path=l target=x mediator=m mediator-version=1
link path=l target=x mediator=m mediator-version=2
depend type=require-any fmri=a fmri=b
depend type=require-any fmri=a fmri=c
unknown a=1
unknown a=2
file 1 path=f
dir path=a mode=0755
`)
	var got []string
	for _, group := range m.Duplicates() {
		got = append(got, fmt.Sprint(group))
	}
	want := []string{
		"[dir mode=0755 path=a dir mode=0700 path=a dir mode=0755 path=a]",
		"[link mediator=m mediator-version=1 path=l target=x link mediator=m mediator-version=2 path=l target=x]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// BenchmarkDiff has two versions of a package with 5,000 actions: a tenth of the
// files have changed, a tenth are others, and the rest is the same.
func BenchmarkDiff(b *testing.B) {
	text := published(1, 5000)
	var other bytes.Buffer
	for i, line := range bytes.SplitAfter(text, []byte("\n")) {
		switch {
		case i%10 == 0:
			line = bytes.Replace(line, []byte(" chash="), []byte(" b=1 chash="), 1)
		case i%10 == 1:
			line = bytes.Replace(line, []byte(" path="), []byte(" path=x/"), 1)
		}
		other.Write(line)
	}
	old, new := parse(b, string(text)), parse(b, other.String())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		for range manifest.Diff(old, new) {
			n++
		}
	}
	b.ReportMetric(float64(n), "changes")
}
