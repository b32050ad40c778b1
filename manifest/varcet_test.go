package manifest_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

// varcetTests are the examples of the specification: an image, tags, and whether an
// action with them is included. Names lack their prefix. "name=T" and "name=F" are facets, other
// values are variants; what is behind "|" is inherited.
var varcetTests = []struct {
	image, tags string
	want        bool
}{
	{"", "doc=true", true},
	{"", "doc=false", true},
	{"", "debug.x=true", false},
	{"", "debug=true", true},
	{"", "optional.x=true", false},
	{"doc=F", "doc=true", false},
	{"doc=F", "doc=all", false},
	{"doc=F", "doc=FALSE", false},
	{"doc=F", "doc=true devel=true", true},
	{"doc=F", "doc=all devel=true", false},
	{"devel=F", "doc=all devel=true", false},
	{"*=F doc=T", "doc=true", true},
	{"*=F doc.*=T", "doc.man=true", true},
	{"*=F doc.*=T", "doc=true", false},
	{"doc.*=F d*=T", "doc.man=true", false},
	{"a?=F *b=T", "ab=true", true},
	{"", "doc=true debug.x=true", true},
	{"", "doc=true debug.x=all", false},
	{"locale.*=F locale.en_US=T", "doc=all locale.en_US=true locale.de=true", true},
	{"", "optional=true", true},
	{"", "optionally.x=true", true},
	{"", "debug=true", true},
	{"", "debugger.x=true", true},
	{"doc=F", "doc=true doc=all", false},
	{"doc=T", "doc=true doc=all", true},
	{"doc=T | *=F", "doc=true", true},
	{"doc=T | *=F", "q=true", false},
	{"doc=T | doc=F", "doc=true", false},
	{"long.*=T | l*=F", "long.er=true", false},
	{"", "arch==i386", false},
	{"", "debug.x==false", true},
	{"", "foo==false", true},
	{"", "foo==False", false},
	{"", "foo==falsey", false},
	{"arch==i386", "arch==i386", true},
	{"arch==i386", "arch==sparc", false},
	{"arch==i386", "arch==I386", false},
	{"arch==i386", "arch==i386 arch==sparc", false},
	{"arch==i386", "arch==i386 arch==i386", false},
	{"arch==i386", "arch==i386 opensolaris.zone==global", false},
	{"foo==true", "foo==false", false},
}

// image reads the image of a test.
func image(text string) manifest.Varcets {
	v := manifest.Varcets{Variants: map[string]string{}, Facets: map[string]bool{}, Inherited: map[string]bool{}}
	facets := v.Facets
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		switch variant, isVariant := strings.CutPrefix(value, "="); {
		case word == "|":
			facets = v.Inherited
		case isVariant:
			v.Variants["variant."+name] = variant
		default:
			facets["facet."+name] = value == "T"
		}
	}
	return v
}

// tagged returns an action with the tags of a test.
func tagged(text string) manifest.Action {
	a := manifest.MustParseAction("dir path=a")
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		x := manifest.Attr{Name: "facet." + name, Value: value}
		if variant, isVariant := strings.CutPrefix(value, "="); isVariant {
			x = manifest.Attr{Name: "variant." + name, Value: variant}
		}
		a.Attrs = append(a.Attrs, x)
	}
	return a
}

func TestFilter(t *testing.T) {
	for _, test := range varcetTests {
		a, v := tagged(test.tags), image(test.image)
		if got := v.Filter().Allows(a); got != test.want || v.Allows(a) != got {
			t.Errorf("image %q, action %q: %v, want %v", test.image, test.tags, got, test.want)
		}
		if got := slowAllows(v, a); got != test.want {
			t.Errorf("image %q, action %q: the slow way %v, want %v", test.image, test.tags, got, test.want)
		}
		if !(*manifest.Filter)(nil).Allows(a) {
			t.Errorf("a nil Filter refuses %q", test.tags)
		}
	}
}

// slowAllows decides by the words of the specification.
func slowAllows(v manifest.Varcets, a manifest.Action) bool {
	group := []bool{}
	for _, x := range a.Attrs {
		values := slices.Collect(a.Attrs.Values(x.Name))
		switch {
		case strings.HasPrefix(x.Name, "variant."):
			value, set := v.Variants[x.Name]
			if !set {
				value = "false"
			}
			if len(values) > 1 || values[0] != value {
				return false
			}
		case strings.HasPrefix(x.Name, "facet."):
			b := slowFacet(v, x.Name)
			if len(values) > 1 || values[0] != "all" {
				group = append(group, b)
			} else if !b {
				return false
			}
		}
	}
	return len(group) == 0 || slices.Contains(group, true)
}

func slowFacet(v manifest.Varcets, name string) bool {
	for _, facets := range []map[string]bool{v.Inherited, v.Facets} {
		if b, ok := facets[name]; ok {
			return b
		}
	}
	for _, facets := range []map[string]bool{v.Inherited, v.Facets} {
		best, found := "", false
		for pattern := range facets {
			better := len(pattern) > len(best) || len(pattern) == len(best) && pattern < best
			if slowGlob(pattern).MatchString(name) && (!found || better) {
				best, found = pattern, true
			}
		}
		if found {
			return facets[best]
		}
	}
	return !strings.HasPrefix(name, "facet.debug.") && !strings.HasPrefix(name, "facet.optional.")
}

// slowGlob makes a regular expression of a pattern.
func slowGlob(pattern string) *regexp.Regexp {
	var re strings.Builder
	re.WriteString(`(?s)\A`)
	for p := pattern; p != ""; {
		set := regexp.MustCompile(`(?s)^\[(!?)(\]?[^\]]*)\]`).FindStringSubmatch(p)
		if set != nil && set[2] == "" { // the "]" of "[]" and "[!]" would be the first of a set
			set = nil
		}
		r := []rune(p)[0]
		switch {
		case set != nil:
			re.WriteString(slowSet(set[1] == "!", []rune(set[2])))
			p = p[len(set[0]):]
			continue
		case r == '*':
			re.WriteString(".*")
		case r == '?':
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
		p = p[len(string(r)):]
	}
	return regexp.MustCompile(re.String() + `\z`)
}

// slowSet makes a character class of a set.
func slowSet(not bool, set []rune) string {
	var class strings.Builder
	for len(set) > 0 {
		from, to := set[0], set[0]
		if len(set) > 2 && set[1] == '-' {
			to = set[2]
			set = set[2:]
		}
		set = set[1:]
		if from <= to {
			fmt.Fprintf(&class, `\x{%x}-\x{%x}`, from, to)
		}
	}
	switch {
	case class.Len() == 0 && not:
		return `.`
	case class.Len() == 0:
		return `[^\x{0}-\x{10ffff}]`
	case not:
		return "[^" + class.String() + "]"
	}
	return "[" + class.String() + "]"
}

// TestFilterRandom compares with the slow way on images and actions made by chance.
func TestFilterRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"doc", "doc.man", "devel", "debug.x", "optional.y", "debug", "locale.de", "locale.en_US", "a.b"}
	patterns := append([]string{"*", "doc.*", "d*", "?oc", "locale.??", "loc[ab]le.*", "*.x", "[!d]*", "locale.[a-f]?", "*b"}, names...)
	words := func(n int, names, values []string) string {
		var b strings.Builder
		for range r.IntN(n) {
			fmt.Fprintf(&b, " %s=%s", names[r.IntN(len(names))], values[r.IntN(len(values))])
		}
		return b.String()
	}
	allowed := 0
	for range 2000 {
		img := words(5, patterns, []string{"T", "F"}) + words(2, names, []string{"=i386", "=false"}) + " |" + words(3, patterns, []string{"T", "F"})
		tags := words(4, names, []string{"true", "all", "false"}) + words(2, names, []string{"=i386", "=false", "=x"})
		v, a := image(img), tagged(tags)
		got := v.Filter().Allows(a)
		if got != slowAllows(v, a) {
			t.Fatalf("image %q, action %q: %v, the slow way differs", img, tags, got)
		}
		if got {
			allowed++
		}
	}
	if allowed < 200 || allowed > 1800 {
		t.Errorf("%d of 2000 allowed", allowed)
	}
}

// FuzzGlob compares patterns with regular expressions.
func FuzzGlob(f *testing.F) {
	for _, p := range []string{"*", "a*b*c", "?", "[a-c]", "[!a]", "[]]", "[!]]", "[a", "[]", "[!]", "[a-]", "[-a]", "[b-a]", "[!b-a]", "é?", "[é-ü]*", "**", "*[*]*"} {
		f.Add(p, "abc")
		f.Add(p, "]é")
		f.Add(p, "*")
		f.Add(p, "!")
		f.Add(p, "[!]")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.ToValidUTF8(pattern, "") != pattern || strings.ToValidUTF8(name, "") != name || len(pattern)+len(name) > 200 {
			return
		}
		if name == pattern || strings.HasPrefix(name, "debug.") || strings.HasPrefix(name, "optional.") {
			return // the name is set itself, or is false by default
		}
		f := manifest.Varcets{Facets: map[string]bool{"facet." + pattern: false}}.Filter()
		if got := !f.Facet("facet." + name); got != slowGlob(pattern).MatchString(name) {
			t.Errorf("pattern %q matches %q: %v", pattern, name, got)
		}
	})
}

func TestSupports(t *testing.T) {
	m := parse(t, "set name=variant.arch value=sparc\nset name=variant.arch value=i386 value=aarch64\nset name=variant.other value=x\n")
	for img, want := range map[string]bool{
		"": true, "arch==i386": true, "arch==aarch64": true, "arch==sparc": false, "arch==": false,
		"debug==true": true, "other==y": false, "other==x arch==i386": true,
	} {
		if got := image(img).Filter().Supports(m); got != want {
			t.Errorf("image %q: %v, want %v", img, got, want)
		}
	}
	if !(*manifest.Filter)(nil).Supports(m) {
		t.Error("a nil Filter supports nothing")
	}
}

func TestManifestFilter(t *testing.T) {
	m := parse(t, "# comment\nset name=a value=b\nfile path=x variant.arch=sparc\nfile path=y variant.arch=i386\ndir path=z facet.doc=true\n")
	f := image("arch==i386 doc=F").Filter()
	if got, want := string(m.Filter(f).Text()), "set name=a value=b\nfile NOHASH path=y variant.arch=i386\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if m.Filter(nil) != m {
		t.Error("a nil Filter makes another manifest")
	}
}

// TestFilterCopies checks that a Filter does not change with the image.
func TestFilterCopies(t *testing.T) {
	v := image("arch==i386 doc=T | devel=T")
	f := v.Filter()
	clear(v.Variants)
	v.Facets["facet.doc"], v.Inherited["facet.devel"] = false, false
	if !f.Allows(tagged("arch==i386 doc=all devel=all")) {
		t.Error("the filter has changed")
	}
}

func TestFilterAllocs(t *testing.T) {
	f := image("arch==i386 *.debug=F locale.*=F locale.de=T doc.*=F").Filter()
	a := tagged("arch==i386 doc.man=true locale.de=true locale.en=true x=all")
	if n := testing.AllocsPerRun(100, func() { f.Allows(a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFilter(b *testing.B) {
	f := image("arch==i386 *.debug=F locale.*=F locale.de=T doc.*=F").Filter()
	for _, test := range []struct{ name, tags string }{
		{"Untagged", ""},
		{"Variant", "arch==i386"},
		{"Facet", "doc=true"},
		{"Pattern", "locale.fr=true locale.de=true"},
	} {
		a := tagged(test.tags)
		a.Attrs = append(manifest.MustParseAction("file "+sha1abc+" chash="+sha1abc+" group=bin mode=0644 owner=root path=usr/bin/a pkg.csize=1 pkg.size=1").Attrs, a.Attrs[1:]...)
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Allows(a)
			}
		})
	}
}
