package search_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"testing/fstest"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// A package is indexed, and found by the end of a file's name.
func Example() {
	f := fmri.MustParse("pkg://example.org/library/tls@3.0,5.11-1:20260101T000000Z")
	manifest := []byte(`set name=pkg.fmri value=pkg://example.org/library/tls@3.0,5.11-1:20260101T000000Z
set name=pkg.summary value="Transport layer security"
file 1fcb path=usr/lib/libtls.so.3 owner=root group=bin mode=0755
`)
	var b search.Builder
	if err := b.Add(f, manifest); err != nil {
		log.Fatal(err)
	}
	dir := directory{}
	if err := b.Write(dir); err != nil {
		log.Fatal(err)
	}

	index, err := search.Open(fstest.MapFS(dir))
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	query, err := search.ParseQuery("basename:libtls.so.* OR 'layer security'")
	if err != nil {
		log.Fatal(err)
	}
	manifests := func(context.Context, fmri.FMRI) ([]byte, error) { return manifest, nil }
	for hit, err := range index.Search(context.Background(), query, manifests, nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s %s\n\t%s\n", hit.FMRI, hit.Kind, hit.Value, hit.Line)
	}
	// Output:
	// pkg:/library/tls@3.0,5.11-1:20260101T000000Z: file basename
	// 	file 1fcb path=usr/lib/libtls.so.3 owner=root group=bin mode=0755
	// pkg:/library/tls@3.0,5.11-1:20260101T000000Z: set Transport layer security
	// 	set name=pkg.summary value="Transport layer security"
}

// A directory is Files in memory.
type directory fstest.MapFS

type file struct {
	*fstest.MapFile
}

func (d directory) Create(name string) (io.WriteCloser, error) {
	d[name] = new(fstest.MapFile)
	return file{d[name]}, nil
}

func (f file) Write(p []byte) (int, error) {
	f.Data = append(f.Data, p...)
	return len(p), nil
}

func (f file) Close() error { return nil }

// Where an error is in a query.
func ExampleParseQuery() {
	_, err := search.ParseQuery("file:path:*.so AND")
	if bad, ok := err.(*search.QueryError); ok {
		fmt.Println(bad.Caret())
	}
	q, err := search.ParseQuery("pkgs<ssl> OR <path:/etc/*>")
	fmt.Println(q, err)
	// Output:
	// file:path:*.so AND
	//                   ^ a word is missing
	// (p<:::ssl> OR p<::path:/etc/*>) <nil>
}
