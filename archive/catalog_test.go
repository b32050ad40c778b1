package archive_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// TestCatalog compares the generated catalogs with what the reference lists, and their
// entries with the manifests.
func TestCatalog(t *testing.T) {
	for _, name := range artefacts {
		t.Run(name, func(t *testing.T) {
			a, want := openArtefact(t, name)
			var listed, got []fmri.FMRI
			for _, p := range want.List {
				listed = append(listed, p.FMRI)
			}
			publishers, err := a.Publishers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, publisher := range publishers {
				c, err := a.Catalog(t.Context(), publisher)
				if err != nil {
					t.Fatal(err)
				}
				for p := range c.All() {
					got = append(got, p.FMRI())
					checkEntry(t, &a.Reader, p)
				}
				checkTimes(t, c)
				if again, err := a.Catalog(t.Context(), publisher); again != c || err != nil {
					t.Errorf("asked again: %p, %v; want %p", again, err, c)
				}
			}
			slices.SortFunc(listed, fmri.FMRI.Compare)
			if !slices.Equal(got, listed) {
				t.Errorf("packages: %v\nwant %v", got, listed)
			}
		})
	}
}

// checkEntry compares an entry with the manifest.
func checkEntry(t *testing.T, a *archive.Reader, p catalog.Package) {
	t.Helper()
	m, err := a.Manifest(t.Context(), p.FMRI())
	if err != nil {
		t.Fatal(err)
	}
	sum := m.SHA1()
	digest, ok := p.ManifestDigest()
	if !ok || digest.Hex() != hex.EncodeToString(sum[:]) {
		t.Errorf("%v: digest %v; want %x", p.FMRI(), digest, sum)
	}
	obsolete, _ := m.Attribute("pkg.obsolete")
	value, _ := obsolete.Attrs.Get("value")
	if p.Obsolete() != (value == "true") {
		t.Errorf("%v: obsolete %t; manifest has %q", p.FMRI(), p.Obsolete(), value)
	}
}

// checkTimes: a catalog was last modified when its newest package was published.
func checkTimes(t *testing.T, c *catalog.Catalog) {
	t.Helper()
	var latest time.Time
	for p := range c.All() {
		if when, _ := p.Version().Time(); when.After(latest) {
			latest = when
		}
	}
	if !c.Modified().Equal(latest) {
		t.Errorf("modified %v; want %v", c.Modified(), latest)
	}
}

// TestStoredCatalog reads an archive that has a catalog.
func TestStoredCatalog(t *testing.T) {
	a, _ := openArtefact(t, "one")
	c, err := a.Catalog(t.Context(), "one.public.example")
	if err != nil {
		t.Fatal(err)
	}
	const dir = "publisher/one.public.example"
	files := []file{directory("publisher"), directory(dir), directory(dir + "/catalog")}
	for f := range c.Files() {
		var b bytes.Buffer
		if _, err := f.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		files = append(files, regular(dir+"/catalog/"+f.Name, b.String()))
	}
	stored, err := newReader(t, makeTar(t, files...)).Catalog(t.Context(), "one.public.example")
	if err != nil {
		t.Fatal(err)
	}
	for change := range catalog.Diff(c, stored) {
		t.Errorf("%v", change)
	}
	if stored.Len() != c.Len() {
		t.Errorf("%d versions; want %d", stored.Len(), c.Len())
	}
	_, err = newReader(t, makeTar(t, files[:4]...)).Catalog(t.Context(), "one.public.example")
	if err == nil {
		t.Error("part of a catalog is a catalog")
	}
}

// TestCancel: what takes time ends when it is told to.
func TestCancel(t *testing.T) {
	a, _ := openArtefact(t, "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Catalog(ctx, "one.public.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("catalog: %v", err)
	}
	if _, err := a.Manifest(ctx, packages(t, &a.Reader)[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("manifest: %v", err)
	}
	if _, err := a.Publishers(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("publishers: %v", err)
	}
	if _, err := a.Catalog(t.Context(), "one.public.example"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := a.Catalog(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unknown publisher: %v", err)
	}
}
