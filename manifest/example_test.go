package manifest_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/goips/ips/manifest"
)

const editor = `# An editor.
set name=pkg.fmri value=pkg:/editor@1.2,5.11-1
depend type=require fmri=pkg:/library/c
file build/editor path=usr/bin/editor owner=root group=bin \
    mode=0555
`

func Example() {
	m, err := manifest.Parse("editor.p5m", []byte(editor))
	if err != nil {
		log.Fatal(err)
	}
	for a := range m.All() {
		decoded, err := a.Decode()
		if err != nil {
			log.Fatal(err)
		}
		switch x := decoded.(type) {
		case manifest.Depend:
			fmt.Println("needs", x.FMRIs[0])
		case manifest.File:
			fmt.Println("delivers", x.Path, "as", x.Mode)
		}
	}
	// Output:
	// needs pkg:/library/c
	// delivers usr/bin/editor as -r-xr-xr-x
}

func ExampleParse() {
	m, err := manifest.Parse("editor.p5m", []byte(editor))
	if err != nil {
		log.Fatal(err)
	}
	name, _ := m.FMRI()
	fmt.Println(name, "has", m.Len(), "actions")
	for a := range m.Kind(manifest.KindFile) {
		path, _ := a.Key()
		mode, _ := a.Attrs.Get("mode")
		fmt.Println(path, "with mode", mode, "in line", a.Pos.Line)
	}
	// Output:
	// pkg:/editor@1.2,5.11-1 has 3 actions
	// usr/bin/editor with mode 0555 in line 4
}

func ExampleParse_errors() {
	_, err := manifest.Parse("editor.p5m", []byte("dir path=usr mode 0755\nfile path=usr/bin/editor owner=\"root\n"))
	if err := manifest.PrintError(os.Stdout, err); err != nil {
		log.Fatal(err)
	}
	// Output:
	// editor.p5m:1:18: blank in attribute name
	// 	dir path=usr mode 0755
	// 	                 ^
	// editor.p5m:2:37: unfinished quoted value "owner"
	// 	file path=usr/bin/editor owner="root
	// 	                                    ^
}

func ExampleActions() {
	for a, err := range manifest.Actions("editor.p5m", strings.NewReader(editor)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a)
	}
	// Output:
	// set name=pkg.fmri value=pkg:/editor@1.2,5.11-1
	// depend fmri=pkg:/library/c type=require
	// file build/editor group=bin mode=0555 owner=root path=usr/bin/editor
}

func ExampleManifest_Add() {
	m, err := manifest.Parse("editor.p5m", []byte(editor))
	if err != nil {
		log.Fatal(err)
	}
	link := manifest.Link{Path: "usr/bin/ed", Target: "editor"}
	if err := m.Add(link.Action()); err != nil {
		log.Fatal(err)
	}
	if _, err := m.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// # An editor.
	// set name=pkg.fmri value=pkg:/editor@1.2,5.11-1
	// depend type=require fmri=pkg:/library/c
	// file build/editor path=usr/bin/editor owner=root group=bin \
	//     mode=0555
	// link path=usr/bin/ed target=editor
}
