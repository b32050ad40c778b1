package catalog_test

import (
	"bytes"
	"fmt"
	"os"
	"testing/fstest"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A repository publishes a package, and a client that has the catalog so far follows.
func Example() {
	dir := fstest.MapFS{} // of the repository
	write := func(c *catalog.Catalog) {
		for f := range c.Files() {
			if !f.Modified {
				continue
			}
			var b bytes.Buffer
			if _, err := f.WriteTo(&b); err != nil {
				fmt.Println(err)
			}
			dir[f.Name] = &fstest.MapFile{Data: b.Bytes(), ModTime: f.ModTime}
			fmt.Println("wrote", f.Name)
		}
	}
	publish := func(base *catalog.Catalog, now time.Time, name, text string) *catalog.Catalog {
		m, err := manifest.Parse(name, []byte(text))
		if err != nil {
			fmt.Println(err)
		}
		b := catalog.Builder{Base: base, Logs: dir, Now: now}
		if err := b.Add(fmri.MustParse(name), m); err != nil {
			fmt.Println(err)
		}
		c, err := b.Build()
		if err != nil {
			fmt.Println(err)
		}
		return c
	}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	published := publish(nil, now, "pkg://example.org/lib/ssl@1.0", "set name=pkg.summary value=TLS\n")
	write(published)

	client, err := catalog.Refresh(nil, dir, nil)
	if err != nil {
		fmt.Println(err)
	}
	write(publish(published, now.Add(time.Minute), "pkg://example.org/web@2.0", "depend fmri=lib/ssl@1 type=require\n"))

	later, err := catalog.Refresh(client, dir, nil) // reads the update log
	if err != nil {
		fmt.Println(err)
	}
	for change := range catalog.Diff(client, later) {
		fmt.Println(change)
	}
	// Output:
	// wrote update.20260301T09Z.C
	// wrote catalog.base.C
	// wrote catalog.summary.C
	// wrote catalog.attrs
	// wrote update.20260301T09Z.C
	// wrote catalog.base.C
	// wrote catalog.dependency.C
	// wrote catalog.attrs
	// added pkg://example.org/web@2.0,5.11
}

func ExampleDiffNewest() {
	installed := catalogtest.MustParse("web@1.0\nold@1\n")
	known := catalogtest.MustParse("web@1.0\nweb@1.1\nold@2 obsolete\n")
	updates := func(yield func(catalog.Change) bool) {
		for ch := range catalog.DiffNewest(installed, known) {
			if ch.Old.IsValid() && !yield(ch) {
				return
			}
		}
	}
	if err := catalog.WriteChanges(os.Stdout, updates); err != nil {
		fmt.Println(err)
	}
	// Output:
	// obsoleted pkg://test/old@1,5.11 -> 2,5.11
	// updated pkg://test/web@1.0,5.11 -> 1.1,5.11
}

func ExampleOpenIndex() {
	var b bytes.Buffer
	if err := catalogtest.MustParse("web@1\nweb@2\nlib@1\n").WriteIndex(&b); err != nil {
		fmt.Println(err)
	}
	x, err := catalog.OpenIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		fmt.Println(err)
	}
	web, err := x.Stem("test", "web")
	if err != nil {
		fmt.Println(err)
	}
	for p := range web.All() {
		fmt.Println(p.FMRI())
	}
	// Output:
	// pkg://test/web@1,5.11
	// pkg://test/web@2,5.11
}
