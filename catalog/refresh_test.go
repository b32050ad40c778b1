package catalog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// TestPlanRefresh goes through the table of decisions.
func TestPlanRefresh(t *testing.T) {
	day := func(clock string) time.Time { return at("2020-01-02 " + clock) }
	file := func(name, clock string) catalog.FileAttrs {
		return catalog.FileAttrs{Name: name, Modified: day(clock)}
	}
	attrs := func(modified string, parts []catalog.FileAttrs, updates ...catalog.FileAttrs) *catalog.Attrs {
		return &catalog.Attrs{Created: day("00:00:00"), Modified: day(modified), Parts: parts, Updates: updates}
	}
	base := func(clock string) []catalog.FileAttrs { return []catalog.FileAttrs{file("catalog.base.C", clock)} }
	log := func(hour, clock string) catalog.FileAttrs { return file("update.20200102T"+hour+"Z.C", clock) }
	two := func(first, second string) []catalog.FileAttrs {
		return []catalog.FileAttrs{file("catalog.base.C", first), file("catalog.summary.C", second)}
	}
	old := attrs("03:10:00", base("03:10:00"))
	french := []catalog.FileAttrs{file("catalog.base.C", "03:10:00"), file("catalog.summary.fr", "03:05:00")}
	tests := []struct {
		name     string
		old, new *catalog.Attrs
		want     string
	}{
		{"no catalog yet", nil, attrs("04:00:00", french), "full [catalog.base.C]"},
		{"nothing changed", old, attrs("03:10:00", base("03:10:00")), "nothing []"},
		{"only the attributes", old, attrs("03:20:00", base("03:10:00")), "[]"},
		{"same hour", old, attrs("03:40:00", base("03:40:00"), log("03", "03:40:00")), "[update.20200102T03Z.C]"},
		{"several hours", old, attrs("06:00:00", base("06:00:00"), log("02", "02:59:00"), log("03", "03:40:00"), log("06", "06:00:00")),
			"[update.20200102T03Z.C update.20200102T06Z.C]"},
		{"log of the old hour is missing", attrs("02:59:00", base("02:59:00")), attrs("03:40:00", base("03:40:00"), log("03", "03:40:00")), "[catalog.base.C]"},
		{"part went back", old, attrs("04:00:00", base("03:00:00")), "full [catalog.base.C] catalog went back"},
		{"part is gone", old, attrs("04:00:00", nil), "full [] not the same catalog"},
		{"created anew", old, &catalog.Attrs{Created: day("01:00:00"), Modified: day("03:10:00"), Parts: base("03:10:00")}, "full [catalog.base.C] not the same catalog"},
		{"new part in C", old, attrs("04:00:00", append(base("03:10:00"), file("catalog.summary.C", "04:00:00"))), "[catalog.summary.C]"},
		{"new language", old, attrs("04:00:00", append(base("04:00:00"), file("catalog.summary.fr", "04:00:00")), log("03", "03:10:00"), log("04", "04:00:00")),
			"[update.20200102T04Z.C]"},
		{"language that the client has", attrs("03:10:00", french), attrs("03:50:00",
			[]catalog.FileAttrs{file("catalog.base.C", "03:50:00"), file("catalog.summary.fr", "03:50:00")}, log("03", "03:50:00"), file("update.20200102T03Z.fr", "03:50:00")),
			"[update.20200102T03Z.C update.20200102T03Z.fr]"},
		{"parts of several hours", attrs("03:10:00", two("03:10:00", "03:05:00")), attrs("04:00:00", two("04:00:00", "04:00:00"), log("03", "03:10:00"), log("04", "04:00:00")),
			"[update.20200102T04Z.C]"},
		{"a new part between others", attrs("03:10:00", two("03:10:00", "03:10:00")), attrs("04:00:00",
			append(two("04:00:00", "04:00:00"), file("catalog.dependency.C", "04:00:00"))), "[catalog.base.C catalog.dependency.C catalog.summary.C]"},
		{"a part that nobody knows", old, attrs("04:00:00", append(base("04:00:00"), file("catalog.other.C", "04:00:00")), log("03", "04:00:00")), "[update.20200102T03Z.C]"},
	}
	for _, tt := range tests {
		p := catalog.PlanRefresh(tt.old, tt.new)
		got := fmt.Sprint(p.Files)
		if p.Full {
			got = "full " + got
		}
		if p.Nothing {
			got = "nothing " + got
		}
		if p.Reason != nil {
			reason, _, _ := strings.Cut(p.Reason.Error(), ":")
			got += " " + reason
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A repository writes states of a catalog into a directory.
type repository struct {
	t    *testing.T
	dir  fstest.MapFS
	last *catalog.Catalog
}

func (r *repository) publish(now string, remove string, pkgs ...[]string) {
	r.t.Helper()
	b := &catalog.Builder{Base: r.last, Logs: r.dir, Now: at(now)}
	if remove != "" {
		if err := b.Remove(fmri.MustParse(remove)); err != nil {
			r.t.Fatal(err)
		}
	}
	add(r.t, b, pkgs...)
	r.last = build(r.t, b)
	update(r.t, r.dir, r.last)
}

// TestLanguages keeps a client with a translation up to date.
func TestLanguages(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary:fr value=un"})
	full, partial := read(t, r.dir, nil), read(t, r.dir, &catalog.ReadOptions{Parts: []catalog.Part{catalog.Dependency, catalog.Summary}})
	if c, err := catalog.Refresh(nil, r.dir, nil); err != nil || slices.Contains(c.Parts(), catalog.SummaryIn("fr")) {
		t.Errorf("fetches a language that nobody asked for, error %v", err)
	}
	r.publish("2020-01-01 01:10:00", "pkg://p/a@1", []string{"pkg://p/a@1", "set name=pkg.summary:fr value=deux"}, []string{"pkg://p/b@1", "set name=pkg.summary value=b"})
	r.publish("2020-01-01 02:10:00", "", []string{"pkg://p/b@2", "set name=pkg.summary:fr value=b"})
	for _, old := range []*catalog.Catalog{full, partial} {
		c, err := catalog.Refresh(old, r.dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range [][]string{fmris(c)} {
			if !slices.Equal(f, []string{"pkg://p/a@1,5.11", "pkg://p/b@1,5.11", "pkg://p/b@2,5.11"}) {
				t.Errorf("has %v", f)
			}
		}
		if state(t, c) != state(t, r.last) {
			t.Error("the attributes are not those of the repository")
		}
	}
}

// TestRefreshErrors offers logs that lead astray. The client reads everything instead.
func TestRefreshErrors(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "depend fmri=x type=require"}, []string{"pkg://p/b@1"})
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "pkg://p/b@1", []string{"pkg://p/c@1", "depend fmri=y type=require"})
	attrs, err := r.last.Attrs()
	if err != nil {
		t.Fatal(err)
	}
	name, listed := attrs.Updates[0].Name, attrs.Updates[0].Signature
	log := string(r.dir[name].Data)
	tests := []struct {
		name, log string
		want      error
	}{
		{"adds what is there", resigned(t, log, `"c":[`, `"a":[`, `"a":[`, `"aa":[`), fs.ErrExist},
		{"removes what is not there", resigned(t, log, `"b":[`, `"z":[`), fs.ErrNotExist},
		{"unknown operation", resigned(t, log, `"op-type":"remove"`, `"op-type":"rename"`), catalog.ErrUpdateType},
		{"leads elsewhere", resigned(t, log, `"c":[`, `"d":[`), nil},
		{"is damaged", log[:len(log)/2], nil},
		{"is not the one listed", resigned(t, log, `"a":[`, `"aa":[`), nil},
	}
	for _, tt := range tests {
		u, err := catalog.ReadUpdate(name, strings.NewReader(tt.log), nil)
		if err == nil {
			_, err = catalog.Apply(old, attrs, []*catalog.Update{u}, nil)
		}
		if tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: Apply: %v", tt.name, err)
		}
		dir := maps.Clone(r.dir)
		dir[name] = &fstest.MapFile{Data: []byte(tt.log)}
		if text, _, ok := strings.Cut(tt.log, `,"_SIGNATURE"`); ok && !strings.Contains(tt.name, "listed") {
			sum := fmt.Sprintf("%x", sha1Sum(text+"}\n"))
			dir["catalog.attrs"] = &fstest.MapFile{Data: []byte(resigned(t, string(r.dir["catalog.attrs"].Data), listed, sum))}
		}
		c, err := catalog.Refresh(old, dir, nil)
		if err != nil {
			t.Errorf("%s: Refresh: %v", tt.name, err)
			continue
		}
		sameFiles(t, files(t, read(t, dir, nil)), files(t, c))
	}
	if _, err := catalog.Refresh(old, fstest.MapFS{}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without attributes: %v", err)
	}
	delete(r.dir, name)
	if c, err := catalog.Refresh(old, r.dir, nil); err != nil || state(t, c) != state(t, r.last) {
		t.Errorf("without the log: %v", err)
	}
}

// A broken directory fails at one file, as one does that fetches files.
type broken struct {
	fs.FS
	name string
	err  error
}

func (b broken) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, b.err
	}
	return b.FS.Open(name)
}

// TestRefreshBroken does not read everything because a log cannot be fetched just now.
func TestRefreshBroken(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1"})
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1"})
	if _, err := catalog.Refresh(old, broken{r.dir, "update.20200101T01Z.C", errFault}, nil); !errors.Is(err, errFault) {
		t.Errorf("got error %v", err)
	}
}

// TestRefreshUnsigned refuses a repository that signs nothing, or not all.
func TestRefreshUnsigned(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1"})
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1"})
	unsign := func(name string) fstest.MapFS {
		dir := maps.Clone(r.dir)
		text, _, _ := strings.Cut(string(dir[name].Data), `,"_SIGNATURE"`)
		dir[name] = &fstest.MapFile{Data: []byte(text + "}\n")}
		return dir
	}
	for _, opts := range []*catalog.ReadOptions{nil, {}, {TrustLogs: true}} {
		for _, name := range []string{"catalog.attrs", "catalog.base.C"} {
			var bad *catalog.SignatureError
			if _, err := catalog.Refresh(nil, unsign(name), opts); !errors.As(err, &bad) || bad.File != name {
				t.Errorf("%s without a signature: %v", name, err)
			}
		}
		dir := unsign("update.20200101T01Z.C")
		delete(dir, "catalog.base.C") // cannot be read in the place of the log
		if _, err := catalog.Refresh(old, dir, opts); err == nil {
			t.Error("log without a signature: no error")
		}
	}
}

// TestRefreshPart refreshes a client that does not want all parts, and then does.
func TestRefreshPart(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/a@1", "set name=pkg.summary value=a", "depend fmri=x type=require", "set name=pkg.summary:fr value=a"})
	opts := &catalog.ReadOptions{Parts: []catalog.Part{catalog.Dependency}}
	full, partial := read(t, r.dir, nil), read(t, r.dir, opts)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1", "depend fmri=y type=require"})
	c, err := catalog.Refresh(partial, r.dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	same(t, read(t, r.dir, opts), c)
	if got := fmt.Sprint(c.Parts()); got != "[catalog.base.C catalog.dependency.C]" {
		t.Errorf("has %s", got)
	}
	for _, f := range []string{"catalog.base.C", "catalog.dependency.C", "catalog.summary.C"} {
		dir := maps.Clone(r.dir) // without any part: the log is enough
		delete(dir, f)
		if _, err := catalog.Refresh(full, dir, nil); err != nil {
			t.Errorf("without %s: %v", f, err)
		}
		if _, err := catalog.Refresh(partial, dir, opts); err != nil {
			t.Errorf("%v, without %s: %v", opts.Parts, f, err)
		}
		if c, err := catalog.Read(dir, &catalog.ReadOptions{Parts: opts.Parts, Index: index(t, partial)}); err != nil || state(t, c) != state(t, r.last) {
			t.Errorf("index of %v, without %s: %v", opts.Parts, f, err)
		}
	}
	c, err = catalog.Refresh(partial, r.dir, nil) // now the summary is wanted
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Parts()); got != "[catalog.base.C catalog.dependency.C catalog.summary.C]" {
		t.Errorf("has %s", got)
	}
}

// TestTruncatedTime is the client of a repository that lists the time of a part in whole
// seconds, although its last operation was later.
func TestTruncatedTime(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00.7", "", []string{"pkg://p/a@1", "depend fmri=x type=require"})
	cut := func(fsys fstest.MapFS) {
		text, _, _ := strings.Cut(string(fsys["catalog.attrs"].Data), `,"_SIGNATURE"`)
		text = strings.Replace(text, `"catalog.base.C":{"last-modified":"20200101T010000.700000Z"`, `"catalog.base.C":{"last-modified":"20200101T010000Z"`, 1)
		text += fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(text+"}\n")) + "\n"
		fsys["catalog.attrs"] = &fstest.MapFile{Data: []byte(text)}
	}
	cut(r.dir)
	old := read(t, r.dir, nil)
	r.publish("2020-01-01 01:10:00", "", []string{"pkg://p/b@1"})
	attrs, _ := r.last.Attrs()
	u, err := catalog.ReadUpdate(attrs.Updates[0].Name, strings.NewReader(string(r.dir[attrs.Updates[0].Name].Data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Apply(old, attrs, []*catalog.Update{u}, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, r.last, c)
}

// TestReplaceParts refreshes where no log says what changed, and one part did not.
func TestReplaceParts(t *testing.T) {
	r := &repository{t: t, dir: fstest.MapFS{}}
	r.publish("2020-01-01 01:00:00", "", []string{"pkg://p/b@1", "set name=pkg.summary value=b", "depend fmri=x type=require"})
	old := read(t, r.dir, nil)
	b := &catalog.Builder{Base: r.last, Now: at("2020-01-01 05:00:00")} // no log is written
	add(t, b, []string{"pkg://p/a@1", "depend fmri=x type=require"})
	r.last = build(t, b)
	update(t, r.dir, r.last)
	text := strings.Replace(string(r.dir["catalog.attrs"].Data), "update.20200101T01Z.C", "update.20190101T01Z.C", 1)
	text, _, _ = strings.Cut(text, `,"_SIGNATURE"`)
	text += fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(text+"}\n")) + "\n"
	r.dir["catalog.attrs"] = &fstest.MapFile{Data: []byte(text)}
	delete(r.dir, "catalog.summary.C") // it must not be needed
	c, err := catalog.Refresh(old, r.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, r.last, c)
	for f := range c.Files() {
		if f.Modified == (f.Name == "catalog.summary.C") {
			t.Errorf("%s: modified %v", f.Name, f.Modified)
		}
	}
}
