package catalog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// These tests call Apply themselves: Refresh would read everything and hide what went wrong.

// applyAll applies all logs of a directory.
func applyAll(t *testing.T, old *catalog.Catalog, dir fstest.MapFS, opts *catalog.ReadOptions) (*catalog.Catalog, error) {
	t.Helper()
	attrs, err := catalog.ParseAttrs(dir["catalog.attrs"].Data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var logs []*catalog.Update
	for _, f := range attrs.Updates {
		u, err := catalog.ReadUpdate(f.Name, strings.NewReader(string(dir[f.Name].Data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, u)
	}
	return catalog.Apply(old, attrs, logs, opts)
}

// checkApply demands that logs lead from an old state to that of the repository.
func checkApply(t *testing.T, name string, old *catalog.Catalog, r *repository) *catalog.Catalog {
	t.Helper()
	c, err := applyAll(t, old, r.dir, nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	want := files(t, read(t, r.dir, nil))
	got := files(t, c)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "update.") })
	sameFiles(t, want, got)
	return c
}

// resigned returns the text of a file after some replacements, signed anew.
func resigned(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %s in %s", pairs[i], text)
		}
	}
	text, _, _ = strings.Cut(strings.NewReplacer(pairs...).Replace(text), `,"_SIGNATURE"`)
	return text + fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(text+"}\n")) + "\n"
}

// TestApplyTwice applies logs to every state that they have gone through, the last
// one too: an operation counts only for parts that were modified before it.
func TestApplyTwice(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	var states []*catalog.Catalog
	step := func(now, remove string, pkgs ...[]string) {
		r.publish(now, remove, pkgs...)
		states = append(states, read(t, r.dir, nil))
	}
	step("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "depend fmri=x type=require", "set name=pkg.summary value=a", "set name=pkg.summary:fr value=a"})
	step("2020-01-01 01:10:00", "", []string{"pkg://p/b@1", "set name=pkg.summary value=b"})
	step("2020-01-01 01:20:00", "pkg://p/b@1")
	step("2020-01-01 02:00:00", "pkg://p/a@1", []string{"pkg://p/a@1", "depend fmri=y type=require", "set name=pkg.summary:fr value=b"})
	step("2020-01-01 02:00:00.000002", "pkg://p/a@1", []string{"pkg://p/a@1", "set name=pkg.summary:fr value=c"}, []string{"pkg://p/b@1"})
	step("2020-01-01 03:00:00", "pkg://p/a@1", []string{"pkg://p/a@1", "set name=pkg.summary value=d"})
	step("2020-01-01 04:00:00", "", []string{"pkg://p/c@1"})
	for i, old := range states {
		checkApply(t, fmt.Sprintf("from state %d", i), old, r)
	}
}

// TestApplyBehind has a client whose parts are of different states.
func TestApplyBehind(t *testing.T) {
	for _, locale := range []string{"fr", "AA"} { // one comes before C
		r := &repository{t: t, dir: fstest.MapFS{}}
		old := fstest.MapFS{}
		r.publish("2020-01-01 01:00:00", "",
			[]string{"pkg://p/a@1", "set name=pkg.summary:" + locale + " value=a"}, []string{"pkg://p/b@1", "set name=pkg.summary:" + locale + " value=b"})
		maps.Copy(old, r.dir)
		r.publish("2020-01-01 01:10:00", "pkg://p/a@1", []string{"pkg://p/a@1", "set name=pkg.summary value=c"})
		r.publish("2020-01-01 01:11:00", "pkg://p/b@1", []string{"pkg://p/b@1", "set name=pkg.summary value=d", "set name=pkg.summary:" + locale + " value=d"})
		// All but the translation is new already.
		behind := catalog.SummaryIn(locale)
		for _, name := range []string{"catalog.base.C", "catalog.summary.C"} {
			old[name] = r.dir[name]
		}
		attrs, err := r.last.Attrs()
		if err != nil {
			t.Fatal(err)
		}
		fr, _ := attrs.Part(behind)
		before, err := catalog.ParseAttrs(old["catalog.attrs"].Data, nil)
		if err != nil {
			t.Fatal(err)
		}
		was, _ := before.Part(behind)
		old["catalog.attrs"] = &fstest.MapFile{Data: []byte(resigned(t, string(r.dir["catalog.attrs"].Data), fr.Signature, was.Signature,
			string(behind)+`":{"last-modified":"20200101T011100Z`, string(behind)+`":{"last-modified":"20200101T010000Z`))}
		checkApply(t, locale, read(t, old, nil), r)
	}
}

// TestApplyNewLocale has operations on entries that the logs of C bring, and on some that
// they take away.
func TestApplyNewLocale(t *testing.T) {
	for _, locale := range []string{"fr", "AA"} {
		r := &repository{t: t, dir: fstest.MapFS{}}
		summary := func(of string) string { return "set name=pkg.summary:" + locale + " value=" + of }
		r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", summary("a")}, []string{"pkg://p/z@1", "depend fmri=x type=require"})
		old := read(t, r.dir, nil)
		r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1", "depend fmri=x type=require", summary("b")}, []string{"pkg://p/c@1", summary("c")})
		r.publish("2020-01-01 02:10:00", "pkg://p/c@1", []string{"pkg://p/d@1", summary("d")})
		checkApply(t, locale, old, r)
	}
}

// TestApplyConflicts offers logs that add what is there, or something like it.
func TestApplyConflicts(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "depend fmri=x type=require"}, []string{"pkg://p/b@1"})
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/c@1", "depend fmri=x type=require", "set name=pkg.fmri value=c"})
	name := "update.20200101T01Z.C"
	log := string(r.dir[name].Data)
	digest := func(f string) string {
		p, _ := r.last.Lookup(fmri.MustParse(f))
		d, _ := p.ManifestDigest()
		return d.Hex()
	}
	a, b, c := digest("pkg://p/a@1"), digest("pkg://p/b@1"), digest("pkg://p/c@1")
	late := `"op-time":"20200101T011000Z","op-type":"add","version":"1,5.11"`
	tests := []struct {
		name  string
		pairs []string
		want  error
	}{
		{"the same, and the new one not", []string{`"c":[`, `"a":[`, `"a":[`, `"aa":[`, c, a}, nil},
		{"another digest", []string{`"c":[`, `"a":[`, `"a":[`, `"aa":[`}, fs.ErrExist},
		{"no digest", []string{`"c":[`, `"a":[`, `"a":[`, `"aa":[`, `"signature-sha-1":"` + c + `",`, ""}, fs.ErrExist},
		{"other actions", []string{`"c":[`, `"a":[`, `"a":[`, `"aa":[`, c, a, `"depend fmri=x type=require"`, `"depend fmri=y type=require"`}, fs.ErrExist},
		{"actions where there are none", []string{`"c":[`, `"b":[`, `"b":[`, `"bb":[`, c, b}, fs.ErrExist},
		{"removes what is not there", []string{late, strings.Replace(late, "add", "remove", 1)}, fs.ErrNotExist},
	}
	for _, tt := range tests {
		u, err := catalog.ReadUpdate(name, strings.NewReader(resigned(t, log, tt.pairs...)), nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		attrs, err := r.last.Attrs()
		if err != nil {
			t.Fatal(err)
		}
		_, err = catalog.Apply(old, attrs, []*catalog.Update{u}, nil)
		var format *catalog.FormatError // tolerated, but then the counts do not fit
		if tt.want == nil && !errors.As(err, &format) || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestApplyChecks has new attributes that the logs do not lead to.
func TestApplyChecks(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary value=a", "depend fmri=x type=require"})
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1", "depend fmri=x type=require"}, []string{"pkg://p/c@1", "set name=pkg.summary:fr value=b"})
	attrs, err := r.last.Attrs()
	if err != nil {
		t.Fatal(err)
	}
	zeros := strings.Repeat("0", 40)
	base, _ := attrs.Part(catalog.Base)
	summary, _ := attrs.Part(catalog.Summary)
	good := string(r.dir["catalog.attrs"].Data)
	for name, pairs := range map[string][]string{
		"another number of packages":  {`"package-count":3`, `"package-count":4`},
		"another number of versions":  {`"package-version-count":3`, `"package-version-count":4`},
		"a part that changed":         {base.Signature, zeros},
		"a part that did not":         {summary.Signature, zeros},
		"without one of the parts":    {`"catalog.dependency.C":{`, `"catalog.dependenci.C":{`},
		"without a part that changed": {`"catalog.base.C":{`, `"catalog.basis.C":{`},
	} {
		dir := maps.Clone(r.dir)
		dir["catalog.attrs"] = &fstest.MapFile{Data: []byte(resigned(t, good, pairs...))}
		if _, err := applyAll(t, old, dir, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		_, err := applyAll(t, old, dir, &catalog.ReadOptions{TrustLogs: true})
		if trusted := strings.HasPrefix(name, "a part"); trusted != (err == nil) {
			t.Errorf("%s, trusting logs: %v", name, err)
		}
		if strings.HasPrefix(name, "without") && !errors.Is(err, catalog.ErrIdentity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestApplyModified says which files a client must write afterwards.
func TestApplyModified(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary value=a"}, []string{"pkg://p/b@1", "depend fmri=x type=require"})
	good := maps.Clone(r.dir)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/c@1", "depend fmri=x type=require"})
	summary := func(f func(string) string) *catalog.Catalog {
		dir := maps.Clone(good)
		dir["catalog.summary.C"] = &fstest.MapFile{Data: []byte(f(string(good["catalog.summary.C"].Data)))}
		return read(t, dir, nil)
	}
	for name, tt := range map[string]struct {
		old  *catalog.Catalog
		want string
	}{
		"as it was written": {summary(func(s string) string { return s }), "catalog.base.C catalog.dependency.C catalog.attrs"},
		"with white space":  {summary(func(s string) string { return " " + s }), "catalog.base.C catalog.dependency.C catalog.summary.C catalog.attrs"},
	} {
		c := checkApply(t, name, tt.old, r)
		if got := strings.Join(update(t, fstest.MapFS{}, c), " "); got != tt.want {
			t.Errorf("%s: modified are %s, want %s", name, got, tt.want)
		}
	}
}

// TestApplyNothing has new attributes and the same parts.
func TestApplyNothing(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1"})
	old := read(t, r.dir, nil)
	r.dir["catalog.attrs"] = &fstest.MapFile{Data: []byte(resigned(t, string(r.dir["catalog.attrs"].Data),
		`"last-modified":"20200101T010000Z","package`, `"last-modified":"20200101T020000Z","package`))}
	c := checkApply(t, "only attributes", old, r)
	if got := update(t, fstest.MapFS{}, c); len(got) != 1 || got[0] != "catalog.attrs" {
		t.Errorf("modified are %v", got)
	}
}

// TestApplyKeeps has a part that no operation concerns, with something unusual in it: a member
// that is no publisher, which stays, or entries that are not in order, which are sorted.
func TestApplyKeeps(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to, modified string
	}{
		"a member": {`{"p":{`, `{"_FEATURE":["ooce:utf8"],"p":{`, "catalog.base.C catalog.dependency.C catalog.attrs"},
		"an order": {`"1,5.11"},{"actions":["set name=pkg.summary value=b"],"version":"2,5.11"}`,
			`"2,5.11"},{"actions":["set name=pkg.summary value=b"],"version":"1,5.11"}`,
			"catalog.base.C catalog.dependency.C catalog.summary.C catalog.attrs"},
	} {
		r := &repository{t: t, dir: fstest.MapFS{}}
		r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary value=a", "depend fmri=x type=require"},
			[]string{"pkg://p/a@2", "set name=pkg.summary value=b"})
		attrs, err := r.last.Attrs()
		if err != nil {
			t.Fatal(err)
		}
		was, _ := attrs.Part(catalog.Summary)
		text := resigned(t, string(r.dir["catalog.summary.C"].Data), tt.from, tt.to)
		unsigned, _, _ := strings.Cut(text, `,"_SIGNATURE"`)
		sum := fmt.Sprintf("%x", sha1Sum(unsigned+"}\n"))
		r.dir["catalog.summary.C"] = &fstest.MapFile{Data: []byte(text)}
		r.dir["catalog.attrs"] = &fstest.MapFile{Data: []byte(resigned(t, string(r.dir["catalog.attrs"].Data), was.Signature, sum))}
		old := read(t, r.dir, nil)
		r.last = old
		r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/c@1", "depend fmri=y type=require"})
		c := checkApply(t, name, old, r)
		if c == nil {
			continue
		}
		if got := strings.Join(update(t, fstest.MapFS{}, c), " "); got != tt.modified {
			t.Errorf("%s: modified are %s, want %s", name, got, tt.modified)
		}
	}
}

// TestApplyPartial applies logs to a catalog of which not all was read.
func TestApplyPartial(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary value=a", "depend fmri=x type=require"})
	opts := &catalog.ReadOptions{Parts: []catalog.Part{catalog.Dependency}}
	old := read(t, r.dir, opts)
	r.publish("2020-01-01 01:10:00", "pkg://p/a@1", []string{"pkg://p/a@1", "set name=pkg.summary value=b"}, []string{"pkg://p/b@1", "depend fmri=y type=require"})
	c, err := applyAll(t, old, r.dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	same(t, read(t, r.dir, opts), c)
	if _, err := c.Table(catalog.Summary); err == nil || len(c.Parts()) != 2 {
		t.Errorf("has parts %v, and a summary: %v", c.Parts(), err)
	}
	if names := update(t, fstest.MapFS{}, c); len(names) != 3 {
		t.Errorf("modified are %v", names)
	}
	x, err := index(t, c).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, x)
}
