package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// TestArtefacts reads every catalog that the reference wrote and writes it back.
func TestArtefacts(t *testing.T) {
	for _, a := range artefacts(t, "*.tar.gz") {
		for _, dir := range a.catalogs() {
			t.Run(a.name+"/"+dir, func(t *testing.T) {
				c := read(t, a.sub(t, dir), nil)
				testWriteBack(t, a, dir, c)
				x, err := index(t, c).Catalog()
				if err != nil {
					t.Fatal(err)
				}
				testWriteBack(t, a, dir, x)
				same(t, c, x)
				testLogs(t, a, dir, c)
			})
		}
	}
}

// testWriteBack compares what a catalog writes with the files that it was read from.
func testWriteBack(t *testing.T, a artefact, dir string, c *catalog.Catalog) {
	t.Helper()
	for f := range c.Files() {
		want := a.fs[path.Join(dir, f.Name)]
		var b bytes.Buffer
		if _, err := f.WriteTo(&b); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(b.Bytes(), want.Data) {
			t.Errorf("%s is written as\n%s\nwant\n%s", f.Name, &b, want.Data)
		}
		if f.Modified || !f.ModTime.Equal(want.ModTime) {
			t.Errorf("%s: modified %v, at %s, want %s", f.Name, f.Modified, f.ModTime, want.ModTime)
		}
	}
}

// testLogs reads the update logs of a catalog and writes them back.
func testLogs(t *testing.T, a artefact, dir string, c *catalog.Catalog) {
	t.Helper()
	attrs, err := c.Attrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range attrs.Updates {
		want := a.fs[path.Join(dir, f.Name)]
		if want == nil {
			continue // clients keep none
		}
		u, err := catalog.ReadUpdate(f.Name, bytes.NewReader(want.Data), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		var b bytes.Buffer
		if _, err := u.WriteTo(&b); err != nil || !bytes.Equal(b.Bytes(), want.Data) {
			t.Errorf("%s is written as\n%s\nwant\n%s", f.Name, &b, want.Data)
		}
		if !u.Modified().Equal(f.Modified) {
			t.Errorf("%s: modified %s, want %s", f.Name, u.Modified(), f.Modified)
		}
	}
}

// TestSequences brings every state of a repository to every later one.
func TestSequences(t *testing.T) {
	for _, a := range append(artefacts(t, "catalog-sequence.tar.gz"), artefacts(t, "repo-single-catalogs.tar.gz")...) {
		t.Run(a.name, func(t *testing.T) {
			dirs, want := a.steps(t)
			if len(dirs) != len(want) || len(dirs) == 0 {
				t.Fatalf("%d catalogs, %d expected", len(dirs), len(want))
			}
			for i, dir := range dirs {
				c := read(t, a.sub(t, dir), nil)
				if diff := cmp.Diff(want[i].FMRIs, fmris(c)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", dir, diff)
				}
				compareAttrs(t, c, want[i].Attrs)
				for _, later := range dirs[i:] {
					testRefresh(t, a, c, later)
				}
			}
		})
	}
}

// compareAttrs compares the attributes of a catalog with JSON, if there is any.
func compareAttrs(t *testing.T, c *catalog.Catalog, want json.RawMessage) {
	t.Helper()
	if want == nil {
		return
	}
	var b bytes.Buffer
	if err := c.WriteAttrs(&b); err != nil {
		t.Fatal(err)
	}
	var v, w any
	if json.Unmarshal(b.Bytes(), &v) != nil || json.Unmarshal(want, &w) != nil || !reflect.DeepEqual(v, w) {
		t.Errorf("attributes %s, want %s", &b, want)
	}
}

// testRefresh refreshes old with the files of a later step, with logs where the plan says so.
func testRefresh(t *testing.T, a artefact, old *catalog.Catalog, dir string) {
	t.Helper()
	fsys := a.sub(t, dir)
	want := read(t, fsys, nil)
	oldAttrs, _ := old.Attrs()
	newAttrs, _ := want.Attrs()
	plan := catalog.PlanRefresh(oldAttrs, newAttrs)
	if plan.Full {
		t.Errorf("%s: full: %v", dir, plan.Reason)
	}
	var logs []*catalog.Update
	for _, name := range plan.Files {
		if !strings.HasPrefix(name, "update.") {
			logs = nil
			break
		}
		u, err := catalog.ReadUpdate(name, bytes.NewReader(a.fs[path.Join(dir, name)].Data), nil)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, u)
	}
	if logs != nil {
		c, err := catalog.Apply(old, newAttrs, logs, nil)
		if err != nil {
			t.Errorf("%s: applying %v: %v", dir, plan.Files, err)
			return
		}
		sameFiles(t, files(t, want), files(t, c))
		same(t, want, c)
	}
	got, err := catalog.Refresh(old, fsys, nil)
	if err != nil {
		t.Errorf("%s: refresh: %v", dir, err)
		return
	}
	sameFiles(t, files(t, want), files(t, got))
	if plan.Nothing != (got == old) {
		t.Errorf("%s: nothing to do: %v", dir, plan.Nothing)
	}
}

// TestBack offers clients earlier states. The client reads them in full and can tell.
func TestBack(t *testing.T) {
	for _, a := range artefacts(t, "catalog-sequence.tar.gz") {
		dirs, _ := a.steps(t)
		for i := range dirs[1:] {
			old, back := read(t, a.sub(t, dirs[i+1]), nil), read(t, a.sub(t, dirs[i]), nil)
			from, _ := old.Attrs()
			to, _ := back.Attrs()
			plan := catalog.PlanRefresh(from, to)
			if !plan.Full || !errors.Is(plan.Reason, catalog.ErrObsoleteCatalog) {
				t.Errorf("%s: plan %v", dirs[i], plan)
			}
			got, err := catalog.Refresh(old, a.sub(t, dirs[i]), nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, back, got)
			if found := state(t, old).Check(state(t, got), nil); len(found) != 1 || found[0] != upkeep.WentBack {
				t.Errorf("%s: found %v", dirs[i], found)
			}
		}
	}
}

// TestFromManifests makes catalogs of the manifests of repositories and compares them with
// those that the reference made of them.
func TestFromManifests(t *testing.T) {
	for _, a := range append(artefacts(t, "repo-single.tar.gz"), artefacts(t, "repo-two.tar.gz")...) {
		for _, dir := range a.catalogs() {
			want := read(t, a.sub(t, dir), nil)
			got := build(t, builderOf(t, a, path.Join(path.Dir(dir), "pkg")))
			same(t, want, got)
			for _, part := range want.Parts() {
				var v, w bytes.Buffer
				if err := errors.Join(want.WritePart(&v, part), got.WritePart(&w, part)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(unsigned(v.String()), unsigned(w.String())); diff != "" {
					t.Errorf("%s/%s (-want +got):\n%s", dir, part, diff)
				}
			}
		}
	}
}

// builderOf adds all packages of a repository's directory of manifests to a Builder.
func builderOf(t *testing.T, a artefact, dir string) *catalog.Builder {
	t.Helper()
	publisher := path.Base(path.Dir(dir))
	b := &catalog.Builder{}
	err := fs.WalkDir(a.fs, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := fmri.ParsePath(publisher, strings.TrimPrefix(name, dir+"/"))
		if err != nil {
			return err
		}
		m, err := manifest.Parse(name, a.fs[name].Data)
		if err != nil {
			return err
		}
		return b.Add(f, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unsigned cuts the signature off, and the member that some versions of the reference add.
func unsigned(text string) string {
	text = strings.Replace(text, `"_FEATURE":[],`, "", 1)
	text, _, _ = strings.Cut(text, `,"_SIGNATURE"`)
	return text
}
