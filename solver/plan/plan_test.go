package plan_test

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// A story is a golden case: the packages before and after, and what comes of it. In the
// manifests a payload is a word that stands for its content.
type story struct {
	before, after map[fmri.FMRI]*manifest.Manifest
	old, new      manifest.Varcets
	was, wish     []manifest.Choice
	avoided       []string
}

// parseStory reads the sections before, after and image. A package begins with the set
// action of its name. The lines of image are "old" or "new" with a facet or variant,
// "was" or "wish" with a mediator and its version, and "avoid" with a name.
func parseStory(t *testing.T, c *manifesttest.Case) story {
	t.Helper()
	s := story{before: parsePackages(t, c.Section["before"]), after: parsePackages(t, c.Section["after"])}
	for line := range strings.Lines(c.Section["image"]) {
		words := strings.Fields(line)
		switch words[0] {
		case "old":
			setVarcet(&s.old, words[1])
		case "new":
			setVarcet(&s.new, words[1])
		case "was", "wish":
			choice := manifest.Choice{Mediator: words[1], Version: words[2], VersionSource: words[3]}
			if words[0] == "was" {
				s.was = append(s.was, choice)
			} else {
				s.wish = append(s.wish, choice)
			}
		case "avoid":
			s.avoided = append(s.avoided, words[1])
		default:
			t.Fatalf("image: %s", line)
		}
	}
	return s
}

func setVarcet(v *manifest.Varcets, setting string) {
	name, value, _ := strings.Cut(setting, "=")
	if strings.HasPrefix(name, "facet.") {
		if v.Facets == nil {
			v.Facets = map[string]bool{}
		}
		v.Facets[name] = value == "true"
		return
	}
	if v.Variants == nil {
		v.Variants = map[string]string{}
	}
	v.Variants[name] = value
}

func parsePackages(t *testing.T, text string) map[fmri.FMRI]*manifest.Manifest {
	t.Helper()
	packages := map[fmri.FMRI]*manifest.Manifest{}
	for _, src := range strings.SplitAfter(strings.ReplaceAll(text, "set name=pkg.fmri", "\x00set name=pkg.fmri"), "\x00") {
		src = strings.Trim(src, "\x00")
		if strings.TrimSpace(src) == "" {
			continue
		}
		m := published(t, src)
		f, ok := m.FMRI()
		if !ok {
			t.Fatalf("package without a name:\n%s", src)
		}
		packages[f] = m
	}
	return packages
}

// published returns a manifest whose payload words are replaced by their hashes.
func published(t *testing.T, src string) *manifest.Manifest {
	t.Helper()
	m := new(manifest.Manifest)
	for a := range manifesttest.MustParse(src).All() {
		if a.Hash != "" {
			a.Hash = hashOf(a.Hash)
		}
		if err := m.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// hashOf returns the name of the payload that a word stands for.
func hashOf(word string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(word))) }

var errNoNetwork = errors.New("no network")

// input returns what a plan from before to after is made of.
func (s story) input() plan.Input {
	all := map[fmri.FMRI]*manifest.Manifest{}
	maps.Copy(all, s.before)
	maps.Copy(all, s.after)
	return plan.Input{
		Changes:      s.changes(),
		Installed:    maps.Keys(s.before),
		Manifest:     func(f fmri.FMRI) (*manifest.Manifest, error) { return all[f], nil },
		Old:          s.old,
		New:          s.new,
		OldMediators: s.was,
		Mediators:    s.wish,
		Avoid:        solver.AvoidSet{Avoided: s.avoided},
		Token:        "20261121T101112Z",
	}
}

// changes pairs the packages of the same name.
func (s story) changes() iter.Seq[solver.Change] {
	pairs := map[string]solver.Change{}
	for f := range s.before {
		pairs[f.Name()] = solver.Change{From: f}
	}
	for f := range s.after {
		pairs[f.Name()] = solver.Change{From: pairs[f.Name()].From, To: f}
	}
	return maps.Values(pairs)
}

// TestStories compares plans, printed for a person, with the golden cases. Every plan
// also survives its JSON form, and does not depend on the order of its input.
func TestStories(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			s := parseStory(t, c)
			p, err := plan.New(s.input())
			if err != nil {
				c.Want(t, "error", err.Error())
				c.Want(t, "plan", "")
				return
			}
			c.Want(t, "error", "")
			c.Want(t, "plan", p.String())
			checkJSON(t, p)
			for range 5 { // maps have another order each time
				again, err := plan.New(s.input())
				if err != nil {
					t.Fatal(err)
				}
				if a, b := encode(t, p), encode(t, again); a != b {
					t.Fatalf("another order of input gives another plan:\n%s", cmp.Diff(a, b))
				}
			}
		})
	}
}

func encode(t *testing.T, p *plan.Plan) string {
	t.Helper()
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func checkJSON(t *testing.T, p *plan.Plan) {
	t.Helper()
	text := encode(t, p)
	var back plan.Plan
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(text, encode(t, &back)); diff != "" {
		t.Errorf("JSON form (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(p.String(), back.String()); diff != "" {
		t.Errorf("plan from JSON (-was +is):\n%s", diff)
	}
}

// TestErrorTypes checks that callers can tell the errors apart.
func TestErrorTypes(t *testing.T) {
	const name = "set name=pkg.fmri value=pkg://p/a@1-0\n"
	two := story{after: parsePackages(t, name+"file x path=f mode=0644 owner=root group=root\n"+
		"set name=pkg.fmri value=pkg://p/b@1-0\nfile x path=f mode=0644 owner=root group=root\n")}
	_, err := plan.New(two.input())
	var conflict *plan.ConflictError
	if !errors.As(err, &conflict) || conflict.Kind != plan.Duplicate || conflict.Key != "f" || len(conflict.Owners) != 2 {
		t.Errorf("two packages with one file: %v", err)
	}
	for text, reserved := range map[string]bool{
		"dir path=var/pkg/state/x mode=0755 owner=root group=root\n": true,
		"dir path=../x mode=0755 owner=root group=root\n":            false,
		"hardlink path=a/x target=../../y\n":                         false,
		"file x path=f mode=rw owner=root group=root\n":              false,
	} {
		one := story{after: parsePackages(t, name+text)}
		_, err := plan.New(one.input())
		var action *plan.ActionError
		if !errors.As(err, &action) || action.Package.Name() != "a" {
			t.Errorf("%s: %v", text, err)
		}
		if errors.Is(err, plan.ErrReserved) != reserved {
			t.Errorf("%s: %v", text, err)
		}
	}
	missing := errors.New("no network")
	in := two.input()
	in.Manifest = func(fmri.FMRI) (*manifest.Manifest, error) { return nil, missing }
	if _, err := plan.New(in); !errors.Is(err, missing) {
		t.Errorf("no manifest: %v", err)
	}
}

// TestPathEscapes tries to deliver outside of the image, in every way of writing it.
func TestPathEscapes(t *testing.T) {
	for _, path := range []string{
		"..", "../x", "a/../../x", "a/b/../../../x", "/../x", "a/..", "./../x", "a\nb", "a\x00b", ".", "/", "//",
	} {
		for _, kind := range []string{"dir mode=0755 owner=root group=root", "file mode=0644 owner=root group=root", "link target=x", "hardlink target=x"} {
			word, rest, _ := strings.Cut(kind, " ")
			text := fmt.Sprintf("%s path=%s %s", word, path, rest)
			a, err := manifest.ParseAction(text)
			if err != nil {
				continue // refused even earlier
			}
			m := new(manifest.Manifest)
			if m.Add(a) != nil {
				continue
			}
			f := fmri.MustParse("pkg://p/a@1-0")
			s := story{after: map[fmri.FMRI]*manifest.Manifest{f: m}}
			p, err := plan.New(s.input())
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s: %v\n%v", text, err, p)
			}
		}
	}
}

// TestDamagedJSON changes single bytes of a plan: it is refused or still a plan.
func TestDamagedJSON(t *testing.T) {
	s := story{after: parsePackages(t, "set name=pkg.fmri value=pkg://p/a@1-0\nfile x path=f mode=0644 owner=root group=root\n")}
	p, err := plan.New(s.input())
	if err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, b := range []byte{'"', '{', '0', '/', '.'} {
			bad := slices.Clone(good)
			bad[i] = b
			var back plan.Plan
			if json.Unmarshal(bad, &back) != nil {
				continue
			}
			for s := range back.Steps() {
				if _, err := s.Action().Path(); err != nil {
					t.Fatalf("%s: step without a path: %v", bad, err)
				}
			}
		}
	}
}

// TestZeroPlan holds what the zero Plan is good for.
func TestZeroPlan(t *testing.T) {
	var p plan.Plan
	if !p.IsEmpty() || p.String() != "nothing to do\n" {
		t.Errorf("zero plan: %v", p.String())
	}
	checkJSON(t, &p)
	if err := json.Unmarshal([]byte(`{"version":2}`), &p); err == nil {
		t.Error("plan of another version was read")
	}
	if err := json.Unmarshal([]byte(`{"version":1,"steps":[{"phase":"update","new":"dir path=x"}]}`), &p); err == nil {
		t.Error("update without an old action was read")
	}
}

// FuzzJSON reads plans that nobody has made. What is read prints, and reads back the same;
// its steps have paths within the image.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"version":1,"packages":[{"to":"pkg://p/a@1-0"}],"steps":[` +
		`{"phase":"install","to":"pkg://p/a@1-0","new":"dir path=usr mode=0755 owner=root group=sys"}]}`))
	f.Add([]byte(`{"version":1,"mediators":[{"mediator":"m","version":"1"}],"actuators":[{"name":"a","value":"b"}]}`))
	f.Add([]byte(`{"version":1,"steps":[{"phase":"remove","old":"link path=../x target=y"}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		var p, q plan.Plan
		if json.Unmarshal(src, &p) != nil {
			return
		}
		for s := range p.Steps() {
			if a := s.Action(); a.Kind.Group() == manifest.KindDir {
				if _, err := a.Path(); err != nil {
					t.Fatal(err)
				}
			}
		}
		text, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &q); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if p.String() != q.String() {
			t.Fatalf("%v\n%v", p.String(), q.String())
		}
	})
}
