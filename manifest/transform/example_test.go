package transform_test

import (
	"fmt"
	"io/fs"
	"log"
	"os"
	"testing/fstest"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/transform"
)

const rules = `
# Everything below /usr belongs to root, and what is in usr/bin is in bin too.
<transform file dir path=usr -> set owner root>
<transform file path=usr/bin/(.+) -> emit link path=bin/%<1> target=../%(path)>
<transform file path=usr/share/doc -> drop>
<transform file -> print %{pkg.fmri.name} delivers %(path)>
`

func Example() {
	m, err := manifest.Parse("editor.p5m", []byte(`
set name=pkg.fmri value=pkg:/editor@1.2,5.11-1
file NOHASH path=usr/bin/editor owner=me group=bin mode=0555
file NOHASH path=usr/share/doc/editor.txt owner=me group=bin mode=0444
`))
	if err != nil {
		log.Fatal(err)
	}
	r, err := transform.Parse([]transform.File{{Name: "local.mog", Text: []byte(rules)}}, nil)
	if err != nil {
		log.Fatal(err) // all errors, with file and line
	}
	out, err := r.Apply("editor.p5m", m)
	if err != nil {
		log.Fatal(err) // an *ExitError if a rule ends the run
	}
	changed, err := out.Manifest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Printed)
	os.Stdout.Write(changed.Text())
	// Output:
	// [editor delivers usr/bin/editor]
	// set name=pkg.fmri value=pkg:/editor@1.2,5.11-1
	// file NOHASH group=bin mode=0555 owner=root path=usr/bin/editor
	// link path=bin/editor target=../usr/bin/editor
}

// A run reads rules and manifests alike, and keeps comments. Where files are looked up is
// the caller's business.
func ExampleRules_Run() {
	lib := fstest.MapFS{"defaults.mog": {Data: []byte("<transform dir -> default mode 0755>\n")}}
	const editor = `# The editor.
<include defaults.mog>
$(NEW)dir path=$(PREFIX)/bin owner=root group=bin
`
	r, err := transform.Parse([]transform.File{{Name: "editor.p5m", Text: []byte(editor)}}, &transform.Options{
		Includes: []fs.FS{lib},
		Macros:   []transform.Macro{{Name: "PREFIX", Value: "opt"}, {Name: "NEW"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	out, err := r.Run()
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(out.Text())
	// Output:
	// # The editor.
	// dir group=bin mode=0755 owner=root path=opt/bin
}
