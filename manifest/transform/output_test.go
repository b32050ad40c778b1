package transform_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/manifest/transform"
)

// TestLines has where the lines of an output come from, and what they are.
func TestLines(t *testing.T) {
	const text = "# One\n\ndir path=a \\\n mode=0755\n$(X)dir path=b\n<transform dir -> emit # %(path)>\n<transform dir path=b -> emit link path=l target=t>\nset name=pkg.fmri value=pkg:/x@1\n<transform pkg -> emit dir path=c>\n"
	out, err := parse(t, text, nil).Run()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, l := range out.Lines {
		kind := "-"
		if l.Action.Kind.IsValid() {
			kind = l.Action.Kind.String()
		}
		fmt.Fprintf(&got, "%v %s %q %q: %v\n", l.Place, kind, l.Prefix, l.Text, l)
	}
	const want = `t.mog:1 - "" "# One": # One
t.mog:2 - "" "": 
t.mog:4 dir "" "": dir mode=0755 path=a
t.mog:4 - "" "# a": # a
t.mog:5 dir "$(X)" "": $(X)dir path=b
t.mog:5 - "$(X)" "# b": $(X)# b
t.mog:5 link "$(X)" "": $(X)link path=l target=t
t.mog:8 set "" "": set name=pkg.fmri value=pkg:/x@1
t.mog:9 dir "" "": dir path=c
t.mog:9 - "" "# c": # c
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := out.Manifest(); err == nil {
		t.Error("lines behind a macro are a manifest")
	}
}

// TestBackslash has values and payloads that end in a backslash: no line continues on the
// next.
func TestBackslash(t *testing.T) {
	for _, text := range []string{
		`file a\ path=b`, `file a\ path=b\`, `file path=b z=c\`, `file hash="a b\\" path=b z=c\`, `dir path=\`, `dir path="a b\\"`, `dir path=a z=\ z=b\`, `dir path=a z="" z='"\\'`, `license license=a\`, `unknown a=\`, `set name=a\ value=b\`,
	} {
		text += " " // or it would continue here
		a, err := manifest.ParseAction(text)
		if err != nil {
			t.Fatal(err)
		}
		m := new(manifest.Manifest)
		if err := m.Add(a, a); err != nil {
			t.Fatal(err)
		}
		out, err := parse(t, "<transform -> add y y>\n<transform -> delete y y>\n", nil).Apply("m", m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := manifest.Parse("", out.Text())
		if err != nil || back.Len() != 2 {
			t.Errorf("%s: %v\n%s", text, err, out.Text())
			continue
		}
		for b := range back.All() {
			if !b.Equal(a) {
				t.Errorf("%s reads back as %v", text, b)
			}
		}
		if diff := cmp.Diff(string(m.Text()), string(out.Text())); diff != "" {
			t.Errorf("%s (-manifest +output)\n%s", text, diff)
		}
	}
}

// TestManifestOfRun makes a manifest of what several files leave.
func TestManifestOfRun(t *testing.T) {
	if _, err := transform.Parse([]transform.File{{"one", []byte("dir path=a # the end\n")}}, nil); err == nil {
		t.Fatal("a comment behind an action is none")
	}
	r, err := transform.Parse([]transform.File{
		{"one", []byte("# First\nset name=pkg.fmri value=pkg:/x@1\n\n")},
		{"two", []byte("<transform dir -> default mode 0755>\n  dir   path=a\n")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a run leaves no traces in the rules
		out, err := r.Run()
		if err != nil {
			t.Fatal(err)
		}
		m, err := out.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(m.Text()), "set name=pkg.fmri value=pkg:/x@1\ndir mode=0755 path=a\n"; got != want {
			t.Errorf("got\n%s", got)
		}
		if f, ok := m.FMRI(); !ok || f.Name() != "x" {
			t.Errorf("FMRI is %v", f)
		}
	}
}

// TestErrorTexts has what errors say.
func TestErrorTexts(t *testing.T) {
	at, rule := transform.Place{File: "m", Line: 3}, transform.Place{File: "t", Line: 1}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&transform.Error{Place: at, Err: fs.ErrNotExist}, "m:3: file does not exist"},
		{&transform.Error{Place: at, Rule: rule, Err: fs.ErrNotExist}, "m:3: rule at t:1: file does not exist"},
		{&transform.Error{Place: transform.Place{File: "m"}, Err: fs.ErrNotExist}, "m: file does not exist"},
		{&transform.SyntaxError{Reason: "wrong"}, "wrong"},
		{&transform.SyntaxError{Reason: "wrong", Word: `a "b"`}, `wrong "a \"b\""`},
		{&transform.PatternError{Pattern: "(", Err: errors.ErrUnsupported}, `regular expression "(": unsupported operation`},
		{&transform.ReferenceError{Ref: "%(a)", Reason: "no such attribute"}, "%(a): no such attribute"},
		{&transform.LimitError{What: "files", Limit: "MaxSize", Max: 7}, "files: more than MaxSize of 7"},
		{&transform.ExitError{Place: at, Rule: rule, Code: 3}, "m:3: rule at t:1: exit 3"},
		{&transform.ExitError{Place: at, Rule: rule, Abort: true}, "m:3: rule at t:1: abort"},
		{&transform.ExitError{Place: at, Rule: rule, Code: 3, Message: "so what"}, "so what"},
		{transform.ErrorList{{Place: at, Err: fs.ErrExist}, {Place: rule, Err: fs.ErrNotExist}}, "m:3: file already exists\nt:1: file does not exist"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%T says %q, want %q", c.err, got, c.want)
		}
	}
	for _, err := range []error{
		&transform.Error{Err: errors.ErrUnsupported},
		&transform.PatternError{Err: errors.ErrUnsupported},
		transform.ErrorList{{Err: fs.ErrExist}, {Err: errors.ErrUnsupported}},
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%T does not unwrap", err)
		}
	}
}

// TestMacros fills in macros, in one round or many.
func TestMacros(t *testing.T) {
	macros := []transform.Macro{
		{"A", "a"}, {"B", "$(A)$(A)"}, {"C", "$(B)$(NONE)"}, {"E", ""}, {"X$(A)", "never"}, {"A", "b"}, {"open", "$("}, {"Xb", "joined"}, {" s p ", "blank"},
	}
	for text, want := range map[string]string{
		"$(A)":                     "b",
		"$(B)$(A)":                 "bbb",
		"$(C)":                     "bb$(NONE)",
		"$(E)$(E)x":                "x",
		"$(X$(A))":                 "joined",
		"$(open)A)":                "b",
		"$(a)":                     "$(a)",
		"$( s p )":                 "blank",
		"$(A":                      "$(A",
		"$A) $ (A) $()":            "$A) $ (A) $()",
		strings.Repeat("$(B)", 50): strings.Repeat("bb", 50),
	} {
		out, err := parse(t, "# "+text, &transform.Options{Macros: macros}).Run()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := out.Lines[0].Text; got != "# "+want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestDefaults has limits that are not set, or make no sense.
func TestDefaults(t *testing.T) {
	for _, opts := range []*transform.Options{nil, {}, {MaxSize: -1, MaxLines: -1, MaxLine: -1, MaxDepth: -1}} {
		r := parse(t, "<transform dir path=(.+)/. -> emit dir path=%<1>>\n"+strings.Repeat("#\n", 1000), opts)
		out, err := r.Apply("m", manifesttest.MustParse("dir path=a"+strings.Repeat("/b", 100)))
		if err != nil || len(out.Lines) != 1101 {
			t.Errorf("%+v: %v", opts, err)
		}
		if _, err = r.Apply("m", manifesttest.MustParse("dir path=a"+strings.Repeat("/b", 101))); err == nil {
			t.Errorf("%+v: there is no limit", opts)
		}
	}
}

// TestEditedValues prints values with a macro: as the reference does, edit makes lists of
// them, in which they have no quotes.
func TestEditedValues(t *testing.T) {
	const action = `file x path=a b=$(B) c="$(C) d" z=$(Z) z=2`
	for rule, want := range map[string]string{
		"-> drop":       "",
		"-> set y 1":    `file x b="$(B)" c="$(C) d" path=a y=1 z=$(Z) z=2`,
		"-> edit b B X": `file x b=$(X) c="$(C) d" path=a z=$(Z) z=2`,
		"-> edit b y X": `file x b=$(B) c="$(C) d" path=a z=$(Z) z=2`, // also without a change
		"-> edit c d e": `file x b="$(B)" c="$(C) e" path=a z=$(Z) z=2`,
		"-> edit z 2 3": `file x b="$(B)" c="$(C) d" path=a z=$(Z) z=3`,
		"-> edit n a b": `file x b="$(B)" c="$(C) d" path=a z=$(Z) z=2`,
		"-> edit b B X>\n<transform -> set b $(A)":                  `file x b="$(A)" c="$(C) d" path=a z=$(Z) z=2`,
		"-> edit b B X>\n<transform -> add b 1":                     `file x b=$(X) b=1 c="$(C) d" path=a z=$(Z) z=2`,
		"-> edit b B X>\n<transform -> edit path a $(P)":            `file x b=$(X) c="$(C) d" path=$(P) z=$(Z) z=2`,
		"-> edit b B X>\n<transform file -> emit dir path=%(b)":     "file x b=$(X) c=\"$(C) d\" path=a z=$(Z) z=2\ndir path=\"$(X)\"",
		`-> edit z '\$.+' '$(Z)\\'>` + "\n<transform -> delete z 2": `file x b="$(B)" c="$(C) d" path=a z="$(Z)\\"`,
	} {
		rules, err := transform.Parse([]transform.File{{Name: "m", Text: []byte("<transform file " + rule + ">\n" + action + "\n")}}, nil)
		require.NoError(t, err)
		out, err := rules.Run()
		require.NoError(t, err)
		if diff := cmp.Diff(want, strings.TrimSuffix(string(out.Text()), "\n")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", rule, diff)
		}
	}
}
