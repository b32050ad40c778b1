package transform_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/manifest/transform"
)

// parse parses a file of rules.
func parse(t testing.TB, text string, opts *transform.Options) *transform.Rules {
	t.Helper()
	r, err := transform.Parse([]transform.File{{Name: "t.mog", Text: []byte(text)}}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// apply applies rules to a manifest and returns the result and what was printed.
func apply(t testing.TB, r *transform.Rules, text string) (*manifest.Manifest, []string) {
	t.Helper()
	out, err := r.Apply("m.p5m", manifesttest.MustParse(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := out.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return m, out.Printed
}

const small = `# A comment, and an action that is not canonical.
set name=pkg.fmri value=pkg://test/small@1.0
dir   path=usr owner=root \
   group=sys mode=0755
`

// TestApplyUnchanged has rules that change nothing: the manifest is the same to the
// last byte, with its comments.
func TestApplyUnchanged(t *testing.T) {
	for _, rules := range []string{
		"", "# Only a comment.\n\n",
		"<transform file -> drop>",
		"<transform dir -> set owner root>",
		"<transform dir -> default owner other>",
		"<transform dir -> edit owner root root>",
		"<transform dir -> edit owner nobody other>",
		"<transform dir -> delete owner nobody>",
		"<transform dir -> set action.hash x>",
		"<transform dir -> print %(path)>",
		"<transform dir -> emit # %(path)>",
		"<transform pkg -> set a b>",
	} {
		m := manifesttest.MustParse(small)
		out, err := parse(t, rules, nil).Apply("m.p5m", m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := out.Manifest(); got != m || err != nil {
			t.Errorf("%s: manifest changed: %v\n%s", rules, err, got.Text())
		}
	}
}

// TestApplySamePayload sets the payload that is there already.
func TestApplySamePayload(t *testing.T) {
	m := manifesttest.MustParse("file   abc path=a\nlicense def license=b\n")
	for rules, same := range map[string]bool{
		"<transform file -> set action.hash abc>":                             true,
		"<transform -> set action.hash %(action.hash)>":                       true,
		"<transform file -> set action.hash abd>":                             false,
		"<transform license -> set action.hash %(action.hash)%(x;notfound=)>": true,
	} {
		out, err := parse(t, rules, nil).Apply("m.p5m", m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := out.Manifest(); (got == m) != same || err != nil {
			t.Errorf("%s: same: %v, %v", rules, got == m, err)
		}
	}
}

// TestApplyCopies changes all actions in all ways: the manifest that was given stays as it
// is, and so do actions that share memory with those that are changed.
func TestApplyCopies(t *testing.T) {
	text := strings.Repeat("dir a=1 a=2 mode=0755 path=usr\nfile h1 a=1 path=b\n", 50)
	m := manifesttest.MustParse(text)
	r := parse(t, "<transform file -> add x y>\n<transform file -> set action.hash new>\n<transform dir -> edit a . 3>\n<transform -> set path %(path).%(pkg.manifest.lineno)>\n<transform -> add z z>\n<transform file -> delete a 1>", nil)
	for range 2 {
		changed, _ := apply(t, r, text)
		if got := string(m.Canonical().Text()); got != text {
			t.Fatalf("manifest became\n%s", got)
		}
		var want strings.Builder
		for i := range 50 {
			fmt.Fprintf(&want, "dir a=3 a=3 mode=0755 path=usr.%d z=z\nfile new path=b.%d x=y z=z\n", 2*i+1, 2*i+2)
		}
		if diff := cmp.Diff(want.String(), string(changed.Text())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestCharacters has characters that no line of a manifest can have, or only some.
func TestCharacters(t *testing.T) {
	for text, good := range map[string]bool{
		"# tab\t and é and \U0001f4e6\n":        true,
		"# CR LF\r\n\r\n":                       true,
		"dir path=é a=\ufffd\n":                 true,
		"# NUL \x00.\n":                         false,
		"# CR \r.\n":                            false,
		"# NEL \u0085.\n":                       false,
		"# LS \u2028.\n":                        false,
		"# not UTF-8 \xff.\n":                   false,
		"dir path=a\x7fb\n":                     false,
		"dir path=a\u2029b\n":                   false,
		"dir path=\xe2\x80\n":                   false,
		"<transform -> emit # \x01>\n":          false,
		"<transform path=\xff -> drop>\n":       false,
		"<include \x00>\n":                      false,
		"# $(NEWLINE)\n":                        false,
		"dir path=a \u00a0 mode=0755 b=1\u00a0": false,
	} {
		opts := &transform.Options{Macros: []transform.Macro{{"NEWLINE", "a\nb"}}}
		_, err := transform.Parse([]transform.File{{"m", []byte(text)}}, opts)
		var syn *manifest.SyntaxError
		if good && err != nil || !good && !errors.As(err, &syn) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestApplyChanged has rules that change a little: the rest is canonical.
func TestApplyChanged(t *testing.T) {
	const name, dir = "set name=pkg.fmri value=pkg://test/small@1.0\n", "dir group=sys mode=0755 owner=root path=usr\n"
	for rules, want := range map[string]string{
		"<transform dir -> add a b>":                   name + "dir a=b group=sys mode=0755 owner=root path=usr\n",
		"<transform dir -> drop>":                      name,
		"<transform dir -> delete mode .>":             name + "dir group=sys owner=root path=usr\n",
		"<transform dir -> edit path $ /lib>":          name + "dir group=sys mode=0755 owner=root path=usr/lib\n",
		"<transform dir -> set path /opt>":             name + "dir group=sys mode=0755 owner=root path=opt\n",
		"<transform dir -> emit link path=a target=b>": name + dir + "link path=a target=b\n",
		"<transform pkg -> emit dir path=a>":           name + dir + "dir path=a\n",
		"dir path=a\n":                                 "dir path=a\n" + name + dir,
		"<transform set -> edit value 1.0 2>":          strings.Replace(name, "1.0", "2", 1) + dir,
		"<transform -> drop>":                          "",
		"# Not\n\n# here.\n<transform set -> drop>":    dir,
	} {
		rules := parse(t, rules, nil)
		m, _ := apply(t, rules, small)
		if diff := cmp.Diff(want, string(m.Text())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		back := manifesttest.MustParse(string(m.Text()))
		if !cmp.Equal(m.Text(), back.Canonical().Text()) {
			t.Errorf("reads back as\n%s", back.Text())
		}
	}
}

// TestApplyTwice applies the same rules to two manifests: the second knows nothing of the
// first, neither its attributes nor what was emitted for it.
func TestApplyTwice(t *testing.T) {
	r := parse(t, "<transform dir -> emit link path=l target=%{pkg.fmri;notfound=none}>\n<transform dir -> print %(pkg.manifest.lineno)>", nil)
	apply(t, r, small)
	m, printed := apply(t, r, "dir path=a\ndir path=b\n")
	if got, want := string(m.Text()), "dir path=a\nlink path=l target=none\ndir path=b\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if diff := cmp.Diff([]string{"1", "2"}, printed); diff != "" {
		t.Errorf("printed (-want +got)\n%s", diff)
	}
}

// TestApplyMacro has what looks like a macro in a manifest: it is none.
func TestApplyMacro(t *testing.T) {
	opts := &transform.Options{Macros: []transform.Macro{{Name: "A", Value: "b"}}}
	m, _ := apply(t, parse(t, "<transform dir -> set a $(A)>", opts), "dir path=$(A)\n")
	if got, want := string(m.Text()), "dir a=b path=\"$(A)\"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestManifestRefused has results that pkgmogrify would write and no manifest can have.
func TestManifestRefused(t *testing.T) {
	for _, rules := range []string{
		"<transform dir -> delete path .>",
		"<transform dir -> add path b>",
		"<transform dir -> edit path .* ''>",
		"<transform set -> delete value .>",
		"$(NOTHING)dir path=a",
		"<no directive",
	} {
		out, err := parse(t, rules, nil).Apply("m.p5m", manifesttest.MustParse(small))
		if err != nil {
			t.Errorf("%s: %v", rules, err)
			continue
		}
		if len(out.Text()) == 0 {
			t.Errorf("%s: no text", rules)
		}
		_, err = out.Manifest()
		var place *transform.Error
		if !errors.As(err, &place) || place.Line == 0 || place.Text == "" {
			t.Errorf("%s: error %v, want one with a place", rules, err)
		}
	}
}

// TestErrors looks into errors.
func TestErrors(t *testing.T) {
	_, err := transform.Parse([]transform.File{{Name: "t.mog", Text: []byte("<include x>\n<transform -> foo>\n<transform a=\\N{BELL} -> drop>")}}, nil)
	var list transform.ErrorList
	if !errors.As(err, &list) || len(list) != 3 {
		t.Fatalf("Parse: %v, want three errors", err)
	}
	if !errors.Is(list[0], fs.ErrNotExist) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not match ErrNotExist", list[0])
	}
	var syn *transform.SyntaxError
	if !errors.As(list[1], &syn) || syn.Word != "foo" {
		t.Errorf("%v is no SyntaxError about foo", list[1])
	}
	if !errors.Is(list[2], errors.ErrUnsupported) || list[2].Place != (transform.Place{File: "t.mog", Line: 3}) {
		t.Errorf("%v is not unsupported in line 3", list[2])
	}
	if got, want := list[:2].Error(), "t.mog:1: include x: there is no such file where includes are looked for\nt.mog:2: unknown operation \"foo\""; got != want {
		t.Errorf("list says %q, want %q", got, want)
	}

	_, err = parse(t, "\n<transform dir -> set a %<3>>", nil).Apply("m.p5m", manifesttest.MustParse(small))
	var place *transform.Error
	var ref *transform.ReferenceError
	if !errors.As(err, &place) || !errors.As(err, &ref) || ref.Ref != "%<3>" {
		t.Fatalf("Apply: %v, want a ReferenceError", err)
	}
	if place.Place != (transform.Place{File: "m.p5m", Line: 3}) || place.Rule != (transform.Place{File: "t.mog", Line: 2}) {
		t.Errorf("error at %v, rule at %v", place.Place, place.Rule)
	}
}

// TestExit has the orders to end a run as values.
func TestExit(t *testing.T) {
	at, rule := transform.Place{File: "m.p5m", Line: 3}, transform.Place{File: "t.mog", Line: 1}
	for rules, want := range map[string]transform.ExitError{
		"<transform dir -> abort>":               {Place: at, Rule: rule, Abort: true},
		"<transform dir -> exit>":                {Place: at, Rule: rule},
		"<transform dir -> exit -3>":             {Place: at, Rule: rule, Code: -3},
		"<transform dir -> exit 7 no  %(path) >": {Place: at, Rule: rule, Code: 7, Message: "no  usr "},
	} {
		out, err := parse(t, rules, nil).Apply("m.p5m", manifesttest.MustParse(small))
		var exit *transform.ExitError
		if !errors.As(err, &exit) || out != nil {
			t.Errorf("%s: error %v, output %v", rules, err, out)
			continue
		}
		if diff := cmp.Diff(want, *exit); diff != "" || exit.Error() == "" {
			t.Errorf("%s: (-want +got)\n%s", rules, diff)
		}
	}
}

// TestLimits has input that would take all memory, or all time.
func TestLimits(t *testing.T) {
	files := fstest.MapFS{
		"bomb": {Data: []byte(strings.Repeat("<include bomb>\n", 10))},
		"big":  {Data: []byte(strings.Repeat("# A line.\n", 1000))},
		"fat":  {Data: []byte(strings.Repeat("<include big>\n", 1000))},
	}
	double := strings.Repeat("<transform -> edit a . &&>\n", 64)
	for _, test := range []struct {
		limit, rules string
		opts         transform.Options
	}{
		{"MaxDepth", "<include bomb>", transform.Options{}},
		{"MaxLines", "<include bomb>", transform.Options{MaxDepth: 1 << 30, MaxLines: 1000}},
		{"MaxSize", "<include fat>", transform.Options{MaxSize: 100_000}},
		{"MaxSize", "<include big>", transform.Options{MaxSize: 1000}},
		{"MaxLines", "<include fat>", transform.Options{MaxLines: 5000}},
		{"MaxLine", strings.Repeat("a\\\n", 100), transform.Options{MaxLine: 99}},
		{"MaxLine", "$(A)", transform.Options{Macros: []transform.Macro{{"A", "$(B)$(B)"}, {"B", "$(C)$(C)"}, {"C", "CC"}}, MaxLine: 7}},
		{"MaxLine", "$(A)", transform.Options{Macros: []transform.Macro{{"A", "$(A)$(A)"}}}},
		{"MaxDepth", "$(A)", transform.Options{Macros: []transform.Macro{{"A", "$(A)"}}}},
		{"MaxDepth", "<transform -> emit dir path=a>\ndir path=a", transform.Options{}},
		{"MaxDepth", strings.Repeat("<transform -> emit dir path=%(path)%(path)>\n", 3) + "dir path=a", transform.Options{MaxDepth: 5}},
		{"MaxLine", "<transform -> emit dir path=%(path)%(path)>\ndir path=a", transform.Options{}},
		{"MaxLines", "<transform dir path=.{0,8}$ -> emit dir path=%(path)a>\n<transform dir path=.{0,8}$ -> emit dir path=%(path)b>\ndir path=a", transform.Options{MaxLines: 100}},
		{"MaxLine", "<transform -> set a %(a)%(a)>\n<transform -> set a %(a)%(a)>\ndir path=a a=1234567890", transform.Options{MaxLine: 100_000 / 2777}},
		{"MaxLine", strings.ReplaceAll(double, "&", "xx") + "dir path=a a=x", transform.Options{MaxLine: 100_000}},
		{"MaxSize", "<transform -> print %(a)%(a)%(a)>\n" + strings.Repeat("dir path=a a=12345678901234567890\n", 100), transform.Options{MaxSize: 3500}},
		{"MaxSize", "<transform -> edit a ^. %(a)>\n" + strings.Repeat("dir path=a a=12345678901234567890\n", 100), transform.Options{MaxSize: 3700}},
		{"MaxLines", strings.Repeat("<transform -> print x>\n", 30) + strings.Repeat("dir path=a\n", 30), transform.Options{MaxLines: 60}},
	} {
		test.opts.Includes = []fs.FS{files}
		rules, err := transform.Parse([]transform.File{{Name: "t.mog", Text: []byte(test.rules)}}, &test.opts)
		if err == nil {
			_, err = rules.Run()
		}
		var limit *transform.LimitError
		if !errors.As(err, &limit) || limit.Limit != test.limit {
			t.Errorf("%.60q: error %v, want %s", test.rules, err, test.limit)
		}
	}
}

// TestLongTexts has long lines, which would take long to read if each of their parts were
// looked for to their end.
func TestLongTexts(t *testing.T) {
	var texts []string
	for _, part := range []string{"%(", "%{", "%(a;sep=", "%{a;sep='", "%<"} {
		for _, end := range []string{"", "}", ")"} {
			texts = append(texts, "<transform -> print "+strings.Repeat(part, 200_000/len(part))+end+">")
		}
	}
	for _, part := range []string{`\\`, "''", "$("} {
		texts = append(texts, "<transform -> set a "+strings.Repeat(part, 100_000)+">")
	}
	texts = append(texts,
		"<transform a="+strings.Repeat("(?=a)", 10_000)+" -> drop>",
		"<transform a="+strings.Repeat("(?<!a)", 10_000)+"$ -> drop>",
		"<transform "+strings.Repeat("a=b ", 10_000)+" -> drop>",
	)
	for _, text := range texts {
		opts := &transform.Options{Macros: []transform.Macro{{"X", "x"}}}
		r, err := transform.Parse([]transform.File{{"t", []byte(text)}}, opts)
		if err == nil {
			_, err = r.Apply("m", manifesttest.MustParse("dir path=x a=y"))
		}
		var place *transform.Error
		if err != nil && !errors.As(err, &place) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

// TestLimitPlace has a limit that no rule is to blame for.
func TestLimitPlace(t *testing.T) {
	r := parse(t, "<transform -> set a b>", &transform.Options{MaxLines: 2})
	_, err := r.Apply("m.p5m", manifesttest.MustParse("dir path=a\ndir path=b\ndir path=c\n"))
	var e *transform.Error
	if !errors.As(err, &e) || e.Rule != (transform.Place{}) || e.Place != (transform.Place{File: "m.p5m", Line: 3}) {
		t.Errorf("error %v", err)
	}
}

// TestManyIncludes includes more files than may lie in each other, one after the other.
func TestManyIncludes(t *testing.T) {
	opts := &transform.Options{Includes: []fs.FS{fstest.MapFS{"a": {Data: []byte("# a\n")}}}, MaxDepth: 2}
	out, err := parse(t, strings.Repeat("<include a>\n", 50), opts).Run()
	if err != nil || len(out.Lines) != 50 {
		t.Errorf("%v, %d lines", err, len(out.Lines))
	}
}

// TestDepth has includes, macros and emits that end at the limit.
func TestDepth(t *testing.T) {
	files := fstest.MapFS{"5": {Data: []byte("$(1)\n")}}
	opts := &transform.Options{Includes: []fs.FS{files}, MaxDepth: 6}
	files["a"] = &fstest.MapFile{Data: []byte("<include 0>")}
	for i := range 5 {
		name := fmt.Sprint(i)
		files[name] = &fstest.MapFile{Data: fmt.Appendf(nil, "<include %d>\n", i+1)}
		opts.Macros = append(opts.Macros, transform.Macro{Name: name, Value: fmt.Sprintf("$(%d)", i+1)})
	}
	missing := strings.Repeat("<include no>\n", 6)
	_, err := transform.Parse([]transform.File{{"t", []byte(missing)}, {"u", []byte("<include 0>")}}, opts)
	if got, want := errorText(err), "t:6: include no: there is no such file where includes are looked for\n5:1: no attributes at offset 0"; !strings.HasSuffix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	_, err = transform.Parse([]transform.File{{Text: []byte("<include a>")}}, opts)
	var limit *transform.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("one deeper: %v", err)
	}
	r := parse(t, "<transform dir path=(.+)/. -> emit dir path=%<1>>", opts)
	if m, _ := apply(t, r, "dir path=a/b/c/d/e/f/g"); m.Len() != 7 {
		t.Errorf("%d actions, want 7", m.Len())
	}
	if _, err := r.Apply("", manifesttest.MustParse("dir path=a/b/c/d/e/f/g/h")); !errors.As(err, &limit) {
		t.Errorf("emits one deeper: %v", err)
	}
}

// TestConcurrent applies rules in several goroutines, for the race detector.
func TestConcurrent(t *testing.T) {
	r := parse(t, "<transform dir -> edit path (u) %(owner)>\n<transform dir -> edit path %(owner) x>\n<transform dir -> emit link path=l target=t>", nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				out, err := r.Apply("m.p5m", manifesttest.MustParse(small))
				if err != nil || len(out.Lines) != 3 || out.Lines[1].Action.Attrs[0].Value != "xsr" {
					t.Errorf("%v, %s", err, out.Text())
				}
			}
		})
	}
	wg.Wait()
}

func TestParseMacro(t *testing.T) {
	for text, want := range map[string]transform.Macro{
		"a=b": {"a", "b"}, "a=": {"a", ""}, "a=b=c": {"a", "b=c"}, "a b= c": {"a b", " c"},
	} {
		if got, err := transform.ParseMacro(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "=", "=a", "a"} {
		var syn *transform.SyntaxError
		if _, err := transform.ParseMacro(text); !errors.As(err, &syn) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestReadFile looks files up in several places. An error other than absence is final.
func TestReadFile(t *testing.T) {
	first := fstest.MapFS{"a": {Data: []byte("1")}, "dir/x": {}}
	second := fstest.MapFS{"a": {Data: []byte("2")}, "b": {Data: []byte("3")}, "dir": {Data: []byte("4")}}
	opts := &transform.Options{Includes: []fs.FS{first, second}, MaxSize: 1}
	for name, want := range map[string]string{"a": "1", "b": "3", "./b": "3", "x/../b": "3"} {
		if got, err := opts.ReadFile(name); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"c", "../a", "/a", ""} {
		var path *fs.PathError
		if _, err := opts.ReadFile(name); !errors.As(err, &path) || !errors.Is(err, fs.ErrNotExist) && name != "" {
			t.Errorf("%q: error %v", name, err)
		}
	}
	if got, err := opts.ReadFile("dir"); err == nil {
		t.Errorf("a directory is %q", got)
	}
	second["b"].Data = []byte("33")
	var limit *transform.LimitError
	if _, err := opts.ReadFile("b"); !errors.As(err, &limit) {
		t.Errorf("a large file: %v", err)
	}
}

// TestZero has rules that are none.
func TestZero(t *testing.T) {
	var r transform.Rules
	if m, printed := apply(t, &r, small); string(m.Text()) != small || printed != nil {
		t.Errorf("%s%v", m.Text(), printed)
	}
	if out, err := r.Run(); err != nil || len(out.Text()) > 0 {
		t.Errorf("%v, %v", out, err)
	}
}
