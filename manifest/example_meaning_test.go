package manifest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Actions are read through the types that name their attributes.
func ExampleAction_Decode() {
	m, err := manifest.Parse("editor.p5m", []byte(`set name=pkg.summary value="An editor"
depend fmri=pkg:/library/c@1.0 type=require
dir group=sys mode=0755 owner=root path=usr
link path=usr/bin/ed target=editor facet.compat=true
`))
	if err != nil {
		log.Fatal(err)
	}
	for a := range m.All() {
		value, err := a.Decode()
		if err != nil {
			log.Fatal(err)
		}
		switch v := value.(type) {
		case manifest.Set:
			fmt.Println(v.Name, "is", v.Values[0])
		case manifest.Depend:
			fmt.Println("needs", v.FMRIs[0].Name(), v.Type)
		case manifest.Dir:
			fmt.Println(v.Mode, v.Path)
		case manifest.Link:
			fmt.Println(v.Path, "->", v.Target, v.Extra)
		}
	}
	// Output:
	// pkg.summary is An editor
	// needs library/c require
	// -rwxr-xr-x usr
	// usr/bin/ed -> editor [{facet.compat true}]
}

// A manifest is built of the same types.
func ExampleDecoded() {
	var m manifest.Manifest
	err := m.Add(
		manifest.Set{Name: "pkg.summary", Values: []string{"An editor"}}.Action(),
		manifest.Depend{Type: manifest.DependRequire, FMRIs: []fmri.FMRI{fmri.MustParse("library/c@1.0")}}.Action(),
		manifest.Dir{Path: "usr", Owner: "root", Group: "sys", Mode: 0o755}.Action(),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", m.Text())
	fmt.Println(m.Validate())
	// Output:
	// set name=pkg.summary value="An editor"
	// depend fmri=pkg:/library/c@1.0 type=require
	// dir group=sys mode=0755 owner=root path=usr
	// no errors
}

// A publisher makes the stored form of a file and says in the action what it is. Who gets it
// reads it through [manifest.Payload.Verify].
func ExamplePacker() {
	content := strings.NewReader("abc")
	var stored bytes.Buffer
	p, err := manifest.NewPacker(nil).Pack(&stored, content, content.Size())
	if err != nil {
		log.Fatal(err)
	}
	f := manifest.File{Path: "etc/x", Owner: "root", Group: "sys", Mode: 0o644, Payload: p}
	a := f.Action()
	fmt.Println("published as", a.Hash)

	p, err = a.Payload()
	if err != nil {
		log.Fatal(err)
	}
	b, err := io.ReadAll(p.Verify(&stored))
	fmt.Printf("received %q, %v\n", b, err)

	_, err = io.ReadAll(p.VerifyContent(strings.NewReader("abd")))
	var wrong *manifest.HashError
	if errors.As(err, &wrong) {
		fmt.Println("refused because of the", wrong.Want.Algorithm())
	}
	// Output:
	// published as a9993e364706816aba3e25717850c26c9cd0d89d
	// received "abc", <nil>
	// refused because of the sha512t_256
}

// What an image gets depends on its variants and facets.
func ExampleManifest_Filter() {
	m, err := manifest.Parse("", []byte(`file 1 path=lib/x.so variant.arch=i386
file 2 path=lib/x.so variant.arch=sparc
file 3 path=share/locale/de/x facet.locale.de=true
file 4 path=share/locale/fr/x facet.locale.fr=true
`))
	if err != nil {
		log.Fatal(err)
	}
	image := manifest.Varcets{
		Variants: map[string]string{"variant.arch": "i386"},
		Facets:   map[string]bool{"facet.locale.*": false, "facet.locale.de": true},
	}
	fmt.Printf("%s", m.Filter(image.Filter()).Text())
	// Output:
	// file 1 path=lib/x.so variant.arch=i386
	// file 3 facet.locale.de=true path=share/locale/de/x
}

func ExampleDiff() {
	old, err := manifest.Parse("", []byte("dir path=a mode=0755\nfile 1 path=a/b\nfile 3 path=a/c\n"))
	if err != nil {
		log.Fatal(err)
	}
	new, err := manifest.Parse("", []byte("file 2 path=a/b\nfile 3 path=a/c\ndir path=d mode=0755\n"))
	if err != nil {
		log.Fatal(err)
	}
	for c := range manifest.Diff(old, new) {
		switch {
		case c.New == nil:
			fmt.Println("remove", c.Old)
		case c.Old == nil:
			fmt.Println("add", c.New)
		default:
			fmt.Println("change", c.Old, "to", c.New)
		}
	}
	// Output:
	// remove dir mode=0755 path=a
	// change file 1 path=a/b to file 2 path=a/b
	// add dir mode=0755 path=d
}
