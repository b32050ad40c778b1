package catalog_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// An artefact is an archive of catalogs that the reference wrote.
type artefact struct {
	name string
	fs   fstest.MapFS
}

// artefacts returns those of testdata/vectors and of the directory that IPS_VECTORS names,
// if their names match the pattern.
func artefacts(t testing.TB, pattern string) []artefact {
	t.Helper()
	var list []artefact
	dirs := []string{"testdata/vectors"}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, dir, filepath.Join(dir, "artefacts"))
	}
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			list = append(list, artefact{name, untar(t, name)})
		}
	}
	if len(list) == 0 {
		t.Fatalf("no artefact %s", pattern)
	}
	return list
}

// untar reads the regular files of an archive.
func untar(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fsys
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		fsys[path.Clean(h.Name)] = &fstest.MapFile{Data: data, ModTime: h.ModTime, Mode: 0o644}
	}
}

// catalogs returns the directories with a catalog, in order.
func (a artefact) catalogs() []string {
	var dirs []string
	for name := range a.fs {
		if path.Base(name) == "catalog.attrs" {
			dirs = append(dirs, path.Dir(name))
		}
	}
	slices.Sort(dirs)
	return dirs
}

func (a artefact) sub(t testing.TB, dir string) fs.FS {
	t.Helper()
	fsys, err := fs.Sub(a.fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

// expected is one step of the expected.json beside a sequence of catalogs.
type expected struct {
	Step  int
	FMRIs []string
	Attrs json.RawMessage
}

// steps returns the directories of a sequence and what is expected of each.
func (a artefact) steps(t testing.TB) (dirs []string, want []expected) {
	t.Helper()
	for name, f := range a.fs {
		if path.Base(name) == "expected.json" {
			if err := json.Unmarshal(f.Data, &want); err != nil {
				t.Fatal(err)
			}
		}
	}
	return a.catalogs(), want
}

func read(t testing.TB, fsys fs.FS, opts *catalog.ReadOptions) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Read(fsys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// files returns what a catalog writes.
func files(t testing.TB, c *catalog.Catalog) map[string]string {
	t.Helper()
	out := map[string]string{}
	last := ""
	for f := range c.Files() {
		var b bytes.Buffer
		n, err := f.WriteTo(&b)
		if err != nil || n != int64(b.Len()) {
			t.Fatalf("%s: wrote %d of %d bytes, error %v", f.Name, b.Len(), n, err)
		}
		out[f.Name] = b.String()
		last = f.Name
	}
	if last != "catalog.attrs" {
		t.Errorf("the last file is %q", last)
	}
	return out
}

// asFS returns what a catalog writes as a directory.
func asFS(t testing.TB, c *catalog.Catalog) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files(t, c) {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// update writes the modified files of a catalog over a directory and returns their names.
func update(t testing.TB, fsys fstest.MapFS, c *catalog.Catalog) []string {
	t.Helper()
	var names []string
	for f := range c.Files() {
		if !f.Modified {
			continue
		}
		var b bytes.Buffer
		if _, err := f.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		fsys[f.Name] = &fstest.MapFile{Data: b.Bytes(), ModTime: f.ModTime}
		names = append(names, f.Name)
	}
	return names
}

// fmris returns the names of all entries.
func fmris(c *catalog.Catalog) []string {
	out := []string{}
	for p := range c.All() {
		out = append(out, p.FMRI().String())
	}
	return out
}

// content returns all that a catalog says of all entries, in a form that can be compared.
func content(t testing.TB, c *catalog.Catalog) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for p := range c.All() {
		e := map[string]any{"obsolete": p.Obsolete(), "renamed": p.Renamed(), "metadata": string(p.Metadata())}
		if d, ok := p.ManifestDigest(); ok {
			e["digest"] = d.Hex()
		}
		for _, part := range c.Parts() {
			var texts []string
			for text, err := range p.Texts(part) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
			if texts != nil {
				e[string(part)] = texts
			}
		}
		out[p.String()] = e
	}
	return out
}

// same fails the test if two catalogs differ in content.
func same(t testing.TB, want, got *catalog.Catalog) {
	t.Helper()
	if diff := cmp.Diff(content(t, want), content(t, got)); diff != "" {
		t.Errorf("content differs (-want +got):\n%s", diff)
	}
	for ch := range catalog.Diff(want, got) {
		t.Errorf("Diff: %s", ch)
	}
}

// sameFiles fails the test if two sets of files differ.
func sameFiles(t testing.TB, want, got map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files differ (-want +got):\n%.4000s", diff)
	}
}

// index returns an index of a catalog.
func index(t testing.TB, c *catalog.Catalog) *catalog.Index {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteIndex(&b); err != nil {
		t.Fatal(err)
	}
	x, err := catalog.OpenIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// at parses a time such as "2020-01-02 03:04:05.000006".
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

// pkg returns the manifest of lines.
func pkg(t testing.TB, lines ...string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("test", []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// add adds packages to a builder. Each is an FMRI and, after it, lines of a manifest.
func add(t testing.TB, b *catalog.Builder, pkgs ...[]string) {
	t.Helper()
	for _, p := range pkgs {
		if err := b.Add(fmri.MustParse(p[0]), pkg(t, p[1:]...)); err != nil {
			t.Fatal(err)
		}
	}
}

func build(t testing.TB, b *catalog.Builder) *catalog.Catalog {
	t.Helper()
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// files2fs returns a directory of files.
func files2fs(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func sha1Sum(s string) [20]byte { return sha1.Sum([]byte(s)) }

// state returns the state that a catalog is in.
func state(t testing.TB, c *catalog.Catalog) upkeep.State {
	t.Helper()
	a, err := c.Attrs()
	if err != nil {
		t.Fatal(err)
	}
	return upkeep.StateOf(a)
}
