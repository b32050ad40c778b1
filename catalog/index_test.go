package catalog_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
)

// TestIndexStem takes single packages out of an index.
func TestIndexStem(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 3000})
	if err != nil {
		t.Fatal(err)
	}
	x := index(t, c)
	n := 0
	for p := range c.Newest() {
		if n++; n%40 != 0 && p.Name() != "entire" {
			continue
		}
		got, err := x.Stem(p.Publisher(), p.Name())
		if err != nil {
			t.Fatal(err)
		}
		want, err := catalog.Filter(c, func(q catalog.Package) bool { return q.Name() == p.Name() })
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	}
	for _, name := range []string{"", "none", "zzz"} {
		if got, err := x.Stem("test", name); err != nil || got.Len() != 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got, err := x.Stem("nobody", "entire"); err != nil || got.Len() != 0 {
		t.Errorf("nobody: %v", err)
	}
}

// TestIndexUse reads directories with an index that fits, is behind, is of another catalog
// or is damaged.
func TestIndexUse(t *testing.T) {
	a := artefacts(t, "catalog-sequence.tar.gz")[0]
	dirs, _ := a.steps(t)
	want := read(t, a.sub(t, dirs[5]), nil)
	other := index(t, small(t))
	for name, x := range map[string]*catalog.Index{
		"fits": index(t, want), "is behind": index(t, read(t, a.sub(t, dirs[1]), nil)),
		"is ahead": index(t, read(t, a.sub(t, dirs[6]), nil)), "is of another catalog": other,
	} {
		for _, trust := range []bool{false, true} {
			got := read(t, a.sub(t, dirs[5]), &catalog.ReadOptions{Index: x, TrustLogs: trust})
			sameFiles(t, files(t, want), files(t, got))
			for f := range got.Files() {
				if f.Modified {
					t.Errorf("index %s: %s is modified", name, f.Name)
				}
			}
		}
	}
	// An index that fits, or is behind with its logs, needs no part.
	for _, i := range []int{1, 5} {
		dir := fstest.MapFS{}
		for name, text := range files(t, want) {
			if name == "catalog.attrs" {
				dir[name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		attrs, _ := want.Attrs()
		for _, u := range attrs.Updates {
			dir[u.Name] = a.fs[dirs[5]+"/"+u.Name]
		}
		same(t, want, read(t, dir, &catalog.ReadOptions{Index: index(t, read(t, a.sub(t, dirs[i]), nil))}))
	}
}

// TestIndexDamage changes a bit of every byte of an index, and cuts it. It must be refused when
// it is opened or used, and a catalog that is read with it must be right.
func TestIndexDamage(t *testing.T) {
	c := small(t)
	dir := asFS(t, c)
	var good bytes.Buffer
	if err := c.WriteIndex(&good); err != nil {
		t.Fatal(err)
	}
	for i := range good.Len() {
		src := bytes.Clone(good.Bytes())
		src[i] ^= 1 << (i % 8)
		useIndex(t, src)
		x, err := catalog.OpenIndex(bytes.NewReader(src), int64(len(src)))
		if err != nil {
			continue
		}
		got := read(t, dir, &catalog.ReadOptions{Index: x})
		if len(fmris(got)) != c.Len() || files(t, got)["catalog.dependency.C"] != files(t, c)["catalog.dependency.C"] {
			t.Fatalf("byte %d changed: another catalog", i)
		}
	}
	for n := 0; n < good.Len(); n += 7 {
		if _, err := catalog.OpenIndex(bytes.NewReader(good.Bytes()[:n]), int64(n)); err == nil {
			t.Fatalf("cut at %d: no error", n)
		} else {
			checkIndexError(t, err)
		}
	}
	src := bytes.Clone(good.Bytes())
	src[8]++
	reseal(src)
	if _, err := catalog.OpenIndex(bytes.NewReader(src), int64(len(src))); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("another version: %v", err)
	}
}

// TestIndexUnusual takes catalogs through an index that have what others do not, or nothing.
func TestIndexUnusual(t *testing.T) {
	empty := build(t, &catalog.Builder{Now: at("2020-01-01 00:00:00")})
	emptied := &catalog.Builder{Base: small(t)}
	for p := range small(t).All() {
		if err := emptied.Remove(p.FMRI()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]*catalog.Catalog{"unusual": unusual(t), "empty": empty, "empty, read": read(t, asFS(t, empty), nil), "emptied": build(t, emptied), "small": small(t)} {
		got, err := index(t, c).Catalog()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := files(t, c)
		maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "update.") })
		sameFiles(t, want, files(t, got))
		same(t, c, got)
	}
}

// TestIndexDeterministic writes an index twice, and one of a catalog that came from it.
func TestIndexDeterministic(t *testing.T) {
	c := small(t)
	var first, second, third bytes.Buffer
	d, err := index(t, c).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.WriteIndex(&first), c.WriteIndex(&second), d.WriteIndex(&third)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) || !bytes.Equal(first.Bytes(), third.Bytes()) {
		t.Error("differ")
	}
	if !strings.HasPrefix(first.String(), "IPSINDEX") || !strings.HasSuffix(first.String(), "IPSINDEX") {
		t.Error("lacks its marks")
	}
}
