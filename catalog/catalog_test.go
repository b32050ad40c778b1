package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/fmri"
)

// TestSpecified checks the vectors of the format's description.
func TestSpecified(t *testing.T) {
	b := &catalog.Builder{Now: at("2020-01-02 03:04:05"), Logs: fstest.MapFS{}}
	add(t, b)
	for _, v := range []string{"20200102T030405Z", "20190102T030405Z"} { // the newest first
		if err := b.Add(fmri.MustParse("pkg://a.org/x@1.0,5.11-1:"+v), nil); err != nil {
			t.Fatal(err)
		}
	}
	c := build(t, b)
	sameFiles(t, map[string]string{
		"catalog.base.C":        `{"a.org":{"x":[{"version":"1.0,5.11-1:20190102T030405Z"},{"version":"1.0,5.11-1:20200102T030405Z"}]},"_SIGNATURE":{"sha-1":"03f1396f1b2525da6b417436dc9b4dd7d83dc0af"}}` + "\n",
		"update.20200102T03Z.C": `{"a.org":{"x":[{"catalog.base.C":{"version":"1.0,5.11-1:20200102T030405Z"},"op-time":"20200102T030405Z","op-type":"add","version":"1.0,5.11-1:20200102T030405Z"},{"catalog.base.C":{"version":"1.0,5.11-1:20190102T030405Z"},"op-time":"20200102T030405Z","op-type":"add","version":"1.0,5.11-1:20190102T030405Z"}]},"_SIGNATURE":{"sha-1":"c7afbd79e58dc336ad3cc5e6e3c63464ff890eca"}}` + "\n",
		"catalog.attrs":         `{"created":"20200102T030405Z","last-modified":"20200102T030405Z","package-count":1,"package-version-count":2,"parts":{"catalog.base.C":{"last-modified":"20200102T030405Z","signature-sha-1":"03f1396f1b2525da6b417436dc9b4dd7d83dc0af"}},"updates":{"update.20200102T03Z.C":{"last-modified":"20200102T030405Z","signature-sha-1":"c7afbd79e58dc336ad3cc5e6e3c63464ff890eca"}},"version":1,"_SIGNATURE":{"sha-1":"759976f231da7092b0b7325e1062cdce679e9d39"}}` + "\n",
	}, files(t, c))

	empty := build(t, &catalog.Builder{Now: at("2026-11-20 12:02:17.678295")})
	sameFiles(t, map[string]string{
		"catalog.attrs": `{"created":"20261120T120217.678295Z","last-modified":"20261120T120217.678295Z","package-count":0,"package-version-count":0,"parts":{},"updates":{},"version":1,"_SIGNATURE":{"sha-1":"002dd646e81ffec950066dac69eba8ae5d7f78c8"}}` + "\n",
	}, files(t, empty))

	dir := asFS(t, c)
	remove := &catalog.Builder{Base: c, Now: at("2020-01-02 03:04:06"), Logs: dir}
	for p := range c.All() {
		if err := remove.Remove(p.FMRI()); err != nil {
			t.Fatal(err)
		}
	}
	gone := files(t, build(t, remove))
	if want := `{"_SIGNATURE":{"sha-1":"5f36b2ea290645ee34d943220a14b54ee5ea5be5"}}` + "\n"; gone["catalog.base.C"] != want {
		t.Errorf("empty part is %s", gone["catalog.base.C"])
	}
	if n := strings.Count(gone["update.20200102T03Z.C"], `"op-type":"remove"`); n != 2 {
		t.Errorf("log has %d removals: %s", n, gone["update.20200102T03Z.C"])
	}
}

// TestRouting checks which action goes to which part.
func TestRouting(t *testing.T) {
	manifest := []string{
		"pkg://test.org/app/hello@1.0",
		"set name=pkg.fmri value=pkg://test.org/app/hello@1.0",
		`set name=pkg.summary value="Hello demo application"`,
		`set name=pkg.summary:fr value="Démo bonjour"`,
		"set name=info.source-url value=http://x",
		"set name=variant.arch value=i386 value=sparc",
		"set name=publisher value=me",
		`set name=org.multi value="alpha beta" value=gamma`,
		"depend fmri=pkg:/system/library@0.5.11 type=require",
		"set name=pkg.depend.install-hold value=core",
		"file path=x owner=root group=bin mode=0444",
	}
	for keep, want := range map[bool][]string{
		false: {`set name=pkg.summary value="Hello demo application"`, `set name=org.multi value="alpha beta" value=gamma`},
		true: {`set name=pkg.summary value="Hello demo application"`, "set name=info.source-url value=http://x", "set name=publisher value=me",
			`set name=org.multi value="alpha beta" value=gamma`},
	} {
		b := &catalog.Builder{KeepSource: keep}
		add(t, b, manifest)
		c := build(t, b)
		got := content(t, c)["pkg://test.org/app/hello@1.0,5.11"]
		delete(got, "digest")
		if diff := cmp.Diff(map[string]any{
			"obsolete": false, "renamed": false, "metadata": "",
			"catalog.dependency.C": []string{"depend fmri=pkg:/system/library@0.5.11 type=require",
				"set name=variant.arch value=i386 value=sparc", "set name=pkg.depend.install-hold value=core"},
			"catalog.summary.C":  want,
			"catalog.summary.fr": []string{`set name=pkg.summary:fr value="Démo bonjour"`},
		}, got); diff != "" {
			t.Errorf("KeepSource %v (-want +got):\n%s", keep, diff)
		}
	}
}

// TestZero uses the zero Catalog.
func TestZero(t *testing.T) {
	var c catalog.Catalog
	if c.Len() != 0 || len(c.Parts()) != 0 || len(fmris(&c)) != 0 {
		t.Error("is not empty")
	}
	if _, ok := c.Lookup(fmri.MustParse("pkg://p/a@1")); ok {
		t.Error("has something")
	}
	for range catalog.Diff(&c, &c) {
		t.Error("differs from itself")
	}
	for range c.Newest() {
		t.Error("has something newest")
	}
	read(t, asFS(t, &c), nil)
	if table, err := c.Table(catalog.Dependency); err != nil || table.Len() != 0 {
		t.Error("has actions")
	}
	if x, err := index(t, &c).Catalog(); err != nil || x.Len() != 0 {
		t.Errorf("index: %v", err)
	}
}

// TestQueries asks a catalog for its content in all ways there are.
func TestQueries(t *testing.T) {
	c := catalogtest.MustParse(`
lib/ssl@1.0-1
lib/ssl@1.1-1
lib/ssl@1.10-1 obsolete
web@1
//other/lib/ssl@2
//other/tls@1 renamed
	require lib/ssl@2
`)
	names := func(seq func(func(catalog.Package) bool)) string {
		var out []string
		for p := range seq {
			out = append(out, strings.TrimPrefix(p.String(), "pkg://"))
		}
		return strings.Join(out, " ")
	}
	match := func(pattern string) string { return names(c.Match(fmri.MustParsePattern(pattern))) }
	for got, want := range map[string]string{
		names(c.Newest()):                                    "other/lib/ssl@2,5.11 other/tls@1,5.11 test/lib/ssl@1.10,5.11-1 test/web@1,5.11",
		names(c.Versions("test", "lib/ssl")):                 "test/lib/ssl@1.10,5.11-1 test/lib/ssl@1.1,5.11-1 test/lib/ssl@1.0,5.11-1",
		names(c.Versions("test", "none")):                    "",
		names(c.Versions("none", "web")):                     "",
		match("ssl@1.1"):                                     "test/lib/ssl@1.1,5.11-1",
		match("//other/lib/ssl"):                             "other/lib/ssl@2,5.11",
		match("*ss*@latest"):                                 "other/lib/ssl@2,5.11",
		match("//test/lib/ssl@latest"):                       "test/lib/ssl@1.10,5.11-1",
		match("web"):                                         "test/web@1,5.11",
		match("b"):                                           "",
		strings.Join(slices.Collect(c.Publishers()), " "):    "other test",
		strings.Join(slices.Collect(c.Stems("other")), " "):  "lib/ssl tls",
		strings.Join(slices.Collect(c.Stems("nobody")), " "): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for p := range c.All() {
		q, ok := c.Lookup(p.FMRI())
		if !ok || q != p || c.At(p.ID()) != p || p.Compare(q) != 0 {
			t.Errorf("Lookup of %s: %v", p, q)
		}
	}
	if _, ok := c.Lookup(fmri.MustParse("pkg://test/lib/ssl@1.0,5.10-1")); ok {
		t.Error("Lookup ignores the build")
	}
	for p := range c.Match(fmri.MustParsePattern("tls")) {
		for d, err := range p.Depends() {
			if err != nil || d.FMRIs[0].Name() != "lib/ssl" || !p.Renamed() || p.Obsolete() {
				t.Errorf("%s: %v, %v", p, d, err)
			}
		}
	}
}

// TestBuilder goes through the life of a repository's catalog and compares each state with
// what is read from its files, and with a catalog made anew.
func TestBuilder(t *testing.T) {
	dir := fstest.MapFS{}
	b := &catalog.Builder{Now: at("2020-01-01 00:59:59.5"), Logs: dir}
	x1, x2 := []string{"pkg://p/x@1", "depend fmri=y type=require"}, []string{"pkg://p/x@2", "set name=pkg.summary:de value=ja"}
	add(t, b, x2, []string{"pkg://p/y@1", "set name=pkg.summary value=y"}, x1)
	c := build(t, b)
	update(t, dir, c)
	first := read(t, dir, nil)
	same(t, c, first)

	b = &catalog.Builder{Base: c, Now: at("2019-01-01 00:00:00"), Logs: dir} // the clock went back
	add(t, b, []string{"pkg://q/z@1", "depend fmri=y type=require"})
	if err := b.Remove(fmri.MustParse("pkg://p/y@1")); err != nil {
		t.Fatal(err)
	}
	next := build(t, b)
	if got := next.Modified().Sub(c.Modified()); got != time.Microsecond {
		t.Errorf("modified %s later", got)
	}
	written := update(t, dir, next)
	if diff := cmp.Diff([]string{"update.20200101T00Z.C", "catalog.base.C", "catalog.dependency.C", "catalog.summary.C", "catalog.attrs"}, written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	same(t, next, read(t, dir, nil))
	fresh := &catalog.Builder{}
	add(t, fresh, x1, x2, []string{"pkg://q/z@1", "depend fmri=y type=require"})
	same(t, build(t, fresh), next)

	got, err := catalog.Refresh(first, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, read(t, dir, nil)), files(t, got))

	b = &catalog.Builder{Base: next}
	if same := build(t, b); same != next {
		t.Error("without a change there is another catalog")
	}
}

func TestBuilderErrors(t *testing.T) {
	c := catalogtest.MustParse("a@1\n")
	f := fmri.MustParse("pkg://test/a@1")
	b := &catalog.Builder{Base: c}
	var bad *catalog.EntryError
	if err := b.Add(f, nil); !errors.Is(err, fs.ErrExist) || !errors.As(err, &bad) || bad.FMRI != f {
		t.Errorf("Add: %v", err)
	}
	if err := b.Remove(fmri.MustParse("pkg://test/a@2")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Remove: %v", err)
	}
	for _, name := range []string{"pkg:/a@1", "pkg://test/a"} {
		if err := b.Add(fmri.MustParse(name), nil); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(b.Remove(f), b.Add(f, nil)); err != nil {
		t.Errorf("Remove and Add: %v", err)
	}
	if err := b.SetMetadata(f, []byte(`[1]`)); err == nil {
		t.Error("metadata that is no object is accepted")
	}
	logged := &catalog.Builder{Base: c, Logs: fstest.MapFS{}}
	if err := logged.SetMetadata(f, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SetMetadata with logs: %v", err)
	}
	partial := read(t, asFS(t, small(t)), &catalog.ReadOptions{Parts: []catalog.Part{}})
	b = &catalog.Builder{Base: partial}
	add(t, b, []string{"pkg://p/new@1"})
	if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), "was not read") {
		t.Errorf("Build on a part of a catalog: %v", err)
	}
	if _, err := partial.Table(catalog.Dependency); err == nil {
		t.Error("a part that was not read has a table")
	}
}

// TestMetadata makes an image's catalog.
func TestMetadata(t *testing.T) {
	c := small(t)
	b := &catalog.Builder{Unsigned: true, Now: at("2020-01-01 00:00:00")}
	for p := range c.All() {
		var metadata []byte
		if p.Publisher() == "a.org" {
			metadata = []byte(`{"states": [0, 2], "last-install": "20200101T000000Z"}`)
		}
		if err := b.AddPackage(p, metadata); err != nil {
			t.Fatal(err)
		}
	}
	image := build(t, b)
	fsys := asFS(t, image)
	for name, f := range fsys {
		if bytes.Contains(f.Data, []byte("_SIGNATURE")) {
			t.Errorf("%s is signed", name)
		}
	}
	again := read(t, fsys, nil)
	same(t, image, again)
	if got := string(again.At(0).Metadata()); got != `{"last-install":"20200101T000000Z","states":[0,2]}` {
		t.Errorf("metadata %s", got)
	}
	change := &catalog.Builder{Base: again, Unsigned: true}
	if err := change.SetMetadata(again.At(0).FMRI(), nil); err != nil {
		t.Fatal(err)
	}
	next := build(t, change)
	if next.At(0).Metadata() != nil || next.At(1).Metadata() == nil {
		t.Error("metadata of the wrong entry was removed")
	}
	var changed []string
	for f := range next.Files() {
		if f.Modified {
			changed = append(changed, f.Name)
		}
	}
	if !slices.Equal(changed, []string{"catalog.base.C", "catalog.attrs"}) {
		t.Errorf("modified %v", changed)
	}
	var all catalog.Builder
	if err := errors.Join(all.AddAll(again), all.AddAll(c)); err != nil {
		t.Fatal(err)
	}
	same(t, again, build(t, &all))
}

func TestSalvage(t *testing.T) {
	a := artefacts(t, "catalog-sequence.tar.gz")[0]
	dirs, _ := a.steps(t)
	fsys := asFS(t, read(t, a.sub(t, dirs[2]), nil))
	fsys["catalog.dependency.C"] = asFS(t, read(t, a.sub(t, dirs[4]), nil))["catalog.dependency.C"]
	if _, err := catalog.Read(fsys, nil); err == nil {
		t.Fatal("a mixture is accepted")
	}
	c := read(t, fsys, &catalog.ReadOptions{Salvage: true})
	want, _ := a.steps(t)
	_ = want
	if c.Len() != read(t, a.sub(t, dirs[2]), nil).Len() {
		t.Errorf("%d versions", c.Len())
	}
	read(t, asFS(t, c), nil)
}

func TestDiff(t *testing.T) {
	old := catalogtest.MustParse("a@1\na@2\nb@1\nc@1\nd@1\ne@1\n\tsummary one\n")
	new := catalogtest.MustParse("a@1\na@3\nb@1\nb@2 obsolete\nc@2 renamed\n\trequire a\ne@1\n\tsummary two\nf@1\n")
	text := func(seq func(func(catalog.Change) bool)) string {
		var b strings.Builder
		if err := catalog.WriteChanges(&b, seq); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(b.String(), "pkg://test/", "")
	}
	if diff := cmp.Diff(`removed a@2,5.11
added a@3,5.11
obsoleted b@2,5.11
removed c@1,5.11
renamed c@2,5.11
removed d@1,5.11
republished e@1,5.11
added f@1,5.11
`, text(catalog.Diff(old, new))); diff != "" {
		t.Errorf("Diff (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(`updated a@2,5.11 -> 3,5.11
obsoleted b@1,5.11 -> 2,5.11
renamed c@1,5.11 -> 2,5.11
removed d@1,5.11
republished e@1,5.11
added f@1,5.11
`, text(catalog.DiffNewest(old, new))); diff != "" {
		t.Errorf("DiffNewest (-want +got):\n%s", diff)
	}
	for ch := range catalog.DiffNewest(old, new) {
		got, err := json.Marshal(ch)
		if want := `{"change":"updated","old":"pkg://test/a@2,5.11","new":"pkg://test/a@3,5.11"}`; err != nil || string(got) != want {
			t.Errorf("JSON is %s, error %v", got, err)
		}
		break
	}
	for range catalog.DiffNewest(new, new) {
		t.Error("a catalog differs from itself")
	}
}

// TestDiffAllocs compares catalogs that differ, without allocating for each entry.
func TestDiffAllocs(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 2000})
	if err != nil {
		t.Fatal(err)
	}
	other, err := catalog.Filter(c, func(p catalog.Package) bool { return p.ID()%10 != 0 })
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(5, func() {
		for range catalog.Diff(c, other) {
		}
	}); n > 20 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(5, func() {
		for p := range c.All() {
			_ = p.FMRI()
		}
	}); n > 20 {
		t.Errorf("listing: %v allocations", n)
	}
}

// TestMergeFilter compares merges and filters with what maps make of them.
func TestMergeFilter(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 3000})
	if err != nil {
		t.Fatal(err)
	}
	other, err := catalogtest.Generate(&catalogtest.Options{Versions: 500, Publisher: "other"})
	if err != nil {
		t.Fatal(err)
	}
	filter := func(k int) *catalog.Catalog {
		out, err := catalog.Filter(c, func(p catalog.Package) bool { return p.ID()%k == 0 })
		if err != nil {
			t.Fatal(err)
		}
		read(t, asFS(t, out), nil)
		return out
	}
	merged, err := catalog.Merge(filter(2), other, filter(3), &catalog.Catalog{}, filter(2))
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]map[string]any{}, content(t, merged)
	for _, c := range []*catalog.Catalog{filter(2), other, filter(3)} {
		for name, entry := range content(t, c) {
			want[name] = entry
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%.2000s", diff)
	}
	read(t, asFS(t, merged), nil)
}

// TestConcurrent uses one catalog from several goroutines; the race detector watches.
func TestConcurrent(t *testing.T) {
	x := index(t, small(t))
	c, err := x.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for p := range c.All() {
				for range p.Actions(catalog.Dependency) {
				}
			}
			_, _ = c.Attrs()
			_, _ = x.Stem("a.org", "web")
			b := &catalog.Builder{Base: c}
			if err := b.Add(fmri.MustParse("pkg://a.org/new@1"), pkg(t, "depend fmri=x type=require")); err != nil {
				t.Error(err)
			}
			if _, err := b.Build(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
