package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// hits collects what a search finds, as sorted text.
func hits(t testing.TB, seq iter.Seq2[search.Hit, error]) []string {
	t.Helper()
	var list []string
	for hit, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s %s:%s %s: %s", hit.FMRI, hit.Kind, hit.Key, hit.Value, hit.Line))
	}
	slices.Sort(list)
	return list
}

func mustParse(t testing.TB, query string) search.Query {
	t.Helper()
	q, err := search.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// words are what random queries are made of.
var words = strings.Fields(`system/* *sage *a*b* hazel Hazel HAZEL? [a-f]* ??? * usr/bin /usr/bin/* file0.txt 1.0 core true
	path: basename: file:: file:path:*fern* set:pkg.fmri:elder app/*:::*rose* doc::: depend:incorporate: :link:: *:*:*:*:
	'Summary of' 'summary OF app' "hazel daisy" 'violet' "usr/bin fern" pkg.summary:'Summary of doc' dir:path:'path=usr/share'
	AND OR AND OR ( ) ( ) < > < > Größe 20261120T13195* Applications Applications/* svc* *content-hash* *:sha512t_256:0*`)

// randomQuery returns a query that can be parsed.
func randomQuery(r *rand.Rand) search.Query {
	for {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			fmt.Fprintf(&b, "%s ", words[r.IntN(len(words))])
		}
		if q, err := search.ParseQuery(b.String()); err == nil {
			return q
		}
	}
}

// TestWalkOracle asks an index and the manifests the same.
func TestWalkOracle(t *testing.T) {
	p := publishers(t, "repo-single.tar.gz")[0]
	x := openIndex(t, build(t, new(search.Builder), p, p.sorted()).files)
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 120 {
		q := randomQuery(r)
		if r.IntN(4) == 0 {
			q = search.ByPackage(q)
		}
		opts := &search.Options{CaseSensitive: r.IntN(2) == 0}
		want := hits(t, search.Walk(t.Context(), q, p.packages(), opts))
		got := hits(t, x.Search(t.Context(), q, p.manifests, opts))
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s, %+v (-walk +index):\n%s", q, *opts, d)
		}
		found += min(1, len(got))
		checkWindow(t, x, q, p, opts)
	}
	if found < 40 {
		t.Errorf("only %d queries find anything", found)
	}
}

// checkWindow compares the pages of a result with the whole.
func checkWindow(t *testing.T, x *search.Index, q search.Query, p *publisher, opts *search.Options) {
	t.Helper()
	var all, paged []search.Hit
	collect := func(dst *[]search.Hit, o search.Options) (n int) {
		for hit, err := range x.Search(t.Context(), q, p.manifests, &o) {
			if err != nil {
				t.Fatal(err)
			}
			*dst = append(*dst, hit)
			n++
		}
		return n
	}
	n := collect(&all, *opts)
	if n > 100 {
		return
	}
	for start := 0; ; start += 7 {
		if collect(&paged, search.Options{CaseSensitive: opts.CaseSensitive, Start: start, Count: 7}) < 7 {
			break
		}
	}
	if d := cmp.Diff(all, paged, cmp.Comparer(func(a, b fmri.FMRI) bool { return a == b })); d != "" {
		t.Errorf("%s: pages differ (-whole +pages):\n%s", q, d)
	}
}

// TestExact looks up every token of an index, and what lies between them.
func TestExact(t *testing.T) {
	p := publishers(t, "repo-single.tar.gz")[0]
	f := fmri.MustParse("z@1")
	p.texts[f] = []byte("set name=x value=" + strings.Repeat("y", 20000) + "\nset name=x value=a\nset name=x value=\U0010ffff\n")
	x := openIndex(t, build(t, new(search.Builder), p, p.sorted()).files)
	tokens := map[string]int{}
	for _, text := range p.texts {
		for line := range strings.Lines(string(text)) {
			a, err := manifest.ParseAction(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			for _, tok := range search.Tokens(a) {
				tokens[tok.Text]++
				tokens[tok.Text+"!"] += 0
				tokens[strings.ToUpper(tok.Text)] += 0
			}
		}
	}
	for token, want := range tokens {
		n := 0
		for _, err := range x.Search(t.Context(), search.Term{Token: token}, p.manifests, &search.Options{CaseSensitive: true}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want && !strings.ContainsAny(token, "*?[") {
			t.Errorf("%.40q is found %d times, want %d", token, n, want)
		}
	}
}

// TestImageSearch finds what was installed since, and not what was removed since.
func TestImageSearch(t *testing.T) {
	p := publishers(t, "repo-single.tar.gz")[0]
	order := p.sorted()
	files := build(t, new(search.Builder), p, order[:30]).files
	name := func(f fmri.FMRI) string { return f.Format(fmri.OmitScheme) + "\n" }
	set := func(file, text string) { files[file] = &fstest.MapFile{Data: []byte("VERSION: 2\n" + text)} }
	set("fast_add.v1", name(order[30])+name(order[31]))
	set("fast_remove.v1", name(order[3])+name(order[7]))
	var there []fmri.FMRI
	var full strings.Builder
	for i, f := range order[:32] {
		if i != 3 && i != 7 {
			there = append(there, f)
			full.WriteString(f.String() + "\n")
		}
	}
	set("full_fmri_list", full.String())
	x := openIndex(t, files)
	if x.Len() != 30 || x.Has(order[3]) || !x.Has(order[31]) || len(slices.Collect(x.All())) != 30 {
		t.Errorf("%d packages", x.Len())
	}
	for _, query := range []string{"*", "*sage*", "<Applications>", "file:: AND *a*"} {
		q := mustParse(t, query)
		want := hits(t, search.Walk(t.Context(), q, func(yield func(search.Package, error) bool) {
			for _, f := range there {
				if !yield(search.Package{FMRI: f, Text: p.texts[f]}, nil) {
					return
				}
			}
		}, nil))
		if d := cmp.Diff(want, hits(t, x.Search(t.Context(), q, p.manifests, nil))); d != "" {
			t.Errorf("%s (-want +got):\n%s", query, d)
		}
	}
}

// TestBuilderRuns makes the same index with and without Scratch.
func TestBuilderRuns(t *testing.T) {
	p := publishers(t, "repo-single.tar.gz")[0]
	want := build(t, new(search.Builder), p, p.sorted())
	for _, size := range []int{1, 5000, 200_000} {
		scratch := newMemory()
		got := build(t, &search.Builder{Scratch: scratch, Memory: size}, p, p.sorted())
		if d := cmp.Diff(read(t, want.files), read(t, got.files)); d != "" {
			t.Errorf("runs of %d bytes make a difference:\n%s", size, d)
		}
		if len(scratch.files) > 0 || got.most > 2 {
			t.Errorf("%d files left, up to %d open", len(scratch.files), got.most)
		}
	}
}

// TestBuilderUpdate takes up ids that are free.
func TestBuilderUpdate(t *testing.T) {
	files := emptyIndex(map[string]string{
		"manf_list.v1":         "\na@1,5.11\n\n",
		"full_fmri_list":       "pkg:/a@1,5.11\n",
		"main_dict.ascii.v2":   "w set!x@w#1,0\n",
		"token_byte_offset.v1": "0w 11\n",
	})
	b := &search.Builder{Base: openIndex(t, files)}
	for _, name := range []string{"b@1", "c@1", "d@1"} {
		if err := b.Add(fmri.MustParse(name), []byte("set name=x value=w\nset name=x value="+name+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(fmri.MustParse("pkg://p/a@1"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a package that is there is added: %v", err)
	}
	if err := b.Add(fmri.MustParse("a"), nil); !errors.Is(err, fmri.ErrNoVersion) {
		t.Errorf("a package without a version is added: %v", err)
	}
	m := newMemory()
	if err := b.Write(m); err != nil {
		t.Fatal(err)
	}
	got := read(t, m.files)
	for name, want := range map[string]string{
		"manf_list.v1":         "VERSION: 2\nb@1,5.11\na@1,5.11\nc@1,5.11\nd@1,5.11\n",
		"main_dict.ascii.v2":   "VERSION: 2\nb%401 set!x@b%401#0,19\nc%401 set!x@c%401#2,19\nd%401 set!x@d%401#3,19\nw set!x@w#0,0#1,0#2,0#3,0\n",
		"token_byte_offset.v1": "VERSION: 2\n0b@1 11\n0c@1 34\n0d@1 57\n0w 80\n",
		"fmri_offsets.v1":      "VERSION: 2\nb@1,5.11!11 69\nc@1,5.11!34 46\nd@1,5.11!57 23\na@1,5.11!80\n",
		"__at_set":             "11\n34\n57\n80\n",
	} {
		if d := cmp.Diff(want, got[name]); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestBuilderEdges has what manifests have where nobody expects it.
func TestBuilderEdges(t *testing.T) {
	var skipped []string
	b := &search.Builder{Skipped: func(f fmri.FMRI, err error) { skipped = append(skipped, fmt.Sprint(f, ": ", err)) }}
	text := "# a comment\n\n  set name=ab value=\"\" \r\nset name=x!y@z#1,2%/../q value=1\nset name=x \\\nvalue=y\nset name=p value=last"
	for _, name := range []string{"one@1", "two@1"} { // the same lines mention both
		if err := b.Add(fmri.MustParse(name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	m := newMemory()
	if err := b.Write(m); err != nil {
		t.Fatal(err)
	}
	if len(skipped) != 4 || !strings.Contains(skipped[0], "one") {
		t.Errorf("skipped %q", skipped)
	}
	got := read(t, m.files)
	want := "VERSION: 2\n set!ab@#0,13#1,13\n1 set!x%21y%40z%231%2C2%25%2F..%2Fq@1#0,38#1,38\nlast set!p@last#0,92#1,92\n"
	if got["main_dict.ascii.v2"] != want || got["fmri_offsets.v1"] != "VERSION: 2\none@1,5.11 two@1,5.11!11 19 48\n" {
		t.Errorf("%q\n%q", got["main_dict.ascii.v2"], got["fmri_offsets.v1"])
	}
	for name := range m.files {
		if !fs.ValidPath(name) || strings.Contains(name, "/") {
			t.Errorf("file %q", name)
		}
	}
	x := openIndex(t, m.files)
	q := search.Term{Scope: search.Scope{Key: "x!y@z#1,2%/../q"}, Token: "*"}
	found := hits(t, x.Search(t.Context(), q, func(context.Context, fmri.FMRI) ([]byte, error) { return []byte(text), nil }, nil))
	if len(found) != 2 || !strings.HasSuffix(found[0], "value=1") {
		t.Errorf("found %q", found)
	}
}

// TestLongKey has a key that no file can be named for.
func TestLongKey(t *testing.T) {
	long := strings.Repeat("k", 251)
	var b search.Builder
	text := "set name=" + long + " value=a\nset name=" + long[1:] + " value=b\n"
	if err := b.Add(fmri.MustParse("a@1"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	if err := b.Write(m); err != nil {
		t.Fatal(err)
	}
	if m.files["__st_"+long] != nil || m.files["__st_"+long[1:]] == nil {
		t.Error("lists of keys are not those whose names are not too long")
	}
	x := openIndex(t, m.files)
	q := search.Term{Scope: search.Scope{Key: long}, Token: "a"}
	if found := hits(t, x.Search(t.Context(), q, func(context.Context, fmri.FMRI) ([]byte, error) { return []byte(text), nil }, nil)); len(found) != 1 {
		t.Errorf("found %q", found)
	}
}

// TestOpenErrors opens what is no index.
func TestOpenErrors(t *testing.T) {
	good := map[string]string{
		"manf_list.v1":         "a@1,5.11\n",
		"full_fmri_list":       "pkg:/a@1,5.11\n",
		"main_dict.ascii.v2":   "w set!x@w#0,0\n",
		"token_byte_offset.v1": "0w 11\n",
	}
	file := func(name, text string) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"none":              {func(f fstest.MapFS) { clear(f) }, "none"},
		"empty file":        {file("manf_list.v1", ""), "format"},
		"no version":        {file("main_dict.ascii.v2", "w set!x@w#0,0\n"), "format"},
		"version overflows": {file("main_dict.ascii.v2", "VERSION: 99999999999\n"), "format"},
		"other version":     {file("fmri_offsets.v1", "VERSION: 2\n"), "inconsistent"},
		"no dictionary":     {func(f fstest.MapFS) { delete(f, "main_dict.ascii.v2") }, "inconsistent"},
		"no list":           {func(f fstest.MapFS) { delete(f, "fast_remove.v1") }, "inconsistent"},
		"bad package":       {file("manf_list.v1", "VERSION: 1\na@x\n"), "format"},
		"package twice":     {file("manf_list.v1", "VERSION: 1\na@1,5.11\na@1,5.11\n"), "format"},
		"no package":        {file("manf_list.v1", "VERSION: 1\n\n"), "format"},
		"without version":   {file("full_fmri_list", "VERSION: 1\npkg:/a\n"), "format"},
		"one too many":      {file("manf_list.v1", "VERSION: 1\na@1,5.11\nb@1,5.11\n"), "format"},
		"one too few":       {file("full_fmri_list", "VERSION: 1\n"), "format"},
	} {
		t.Run(name, func(t *testing.T) {
			files := emptyIndex(good)
			openIndex(t, files)
			c.change(files)
			_, err := search.Open(files)
			var format *search.FormatError
			var inconsistent *search.InconsistentError
			got := map[bool]string{true: "none"}[errors.Is(err, fs.ErrNotExist)]
			if errors.As(err, &format) {
				got = "format"
			}
			if errors.As(err, &inconsistent) && errors.Is(err, fs.ErrNotExist) {
				got = "inconsistent"
			}
			if got != c.want {
				t.Errorf("error %v is %q, want %q", err, got, c.want)
			}
		})
	}
}

// A changingFS replaces the dictionary once somebody has opened the list of packages.
type changingFS struct{ fstest.MapFS }

func (c changingFS) Open(name string) (fs.File, error) {
	if name == "manf_list.v1" {
		old := c.MapFS["main_dict.ascii.v2"]
		c.MapFS["main_dict.ascii.v2"] = &fstest.MapFile{Data: old.Data, ModTime: time.Unix(1, 0)}
	}
	return c.MapFS.Open(name)
}

func (c changingFS) Stat(name string) (fs.FileInfo, error) { return c.MapFS.Stat(name) }

// TestOpenReplaced opens an index that is replaced meanwhile by one of the same version.
func TestOpenReplaced(t *testing.T) {
	var inconsistent *search.InconsistentError
	if _, err := search.Open(changingFS{emptyIndex(nil)}); !errors.As(err, &inconsistent) {
		t.Errorf("error %v", err)
	}
}

// TestDamagedIndex searches indexes whose damage Open does not see.
func TestDamagedIndex(t *testing.T) {
	p := publishers(t, "repo-two.tar.gz")[0]
	m := build(t, new(search.Builder), p, p.sorted())
	dict, tokens := "main_dict.ascii.v2", "token_byte_offset.v1"
	cut := func(name string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { f[name] = &fstest.MapFile{Data: f[name].Data[:len(f[name].Data)-9]} }
	}
	replace := func(name, old, new string) func(fstest.MapFS) {
		return func(f fstest.MapFS) {
			f[name] = &fstest.MapFile{Data: bytes.Replace(f[name].Data, []byte(old), []byte(new), 1)}
		}
	}
	for name, damage := range map[string]func(fstest.MapFS){
		"dictionary cut off": cut(dict),
		"tokens cut off":     cut(tokens),
		"offset too large":   replace(tokens, " 11\n", " 99999999\n"),
		"offset negative":    replace(tokens, " 11\n", " -11\n"),
		"offset in the head": replace(tokens, " 11\n", " 1\n"),
		"offset of another":  replace(tokens, " 11\n", " 12\n"),
		"no offset":          replace(tokens, " 11\n", "\n"),
		"no such package":    replace(dict, "#0,", "#99,"),
		"huge package":       replace(dict, "#0,", "#99999999999,"),
		"no such line":       replace(dict, "#0,", "#0,9999999,"),
		"not a line":         replace(dict, "#0,", "#0,1,"),
		"no offset in line":  replace(dict, "#0,", "#0#1,"),
		"no separators":      replace(dict, " dir!", " dir"),
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(m.files)
			damage(files)
			x := openIndex(t, files)
			var format *search.FormatError
			ok := false
			for _, query := range []string{"/usr*", "*"} {
				for _, err := range x.Search(t.Context(), mustParse(t, query), p.manifests, nil) {
					ok = ok || errors.As(err, &format)
				}
			}
			if !ok {
				t.Error("no fault is found")
			}
			if name != "no such package" {
				return
			}
			b := &search.Builder{Base: x}
			if err := b.Write(newMemory()); !errors.As(err, &format) {
				t.Errorf("it is added to: %v", err)
			}
		})
	}
}

// TestSearchStops stops a search between two hits, and one that has been cancelled.
func TestSearchStops(t *testing.T) {
	p := publishers(t, "repo-two.tar.gz")[0]
	x := openIndex(t, p.index)
	for range x.Search(t.Context(), mustParse(t, "* OR usr"), p.manifests, nil) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, query := range []string{"*", "usr", "<usr>", "usr AND bin"} {
		for _, err := range x.Search(ctx, mustParse(t, query), p.manifests, nil) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v", query, err)
			}
		}
		for _, err := range search.Walk(ctx, mustParse(t, query), p.packages(), nil) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v", query, err)
			}
		}
	}
}
