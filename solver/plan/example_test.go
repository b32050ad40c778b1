package plan_test

import (
	"fmt"
	"log"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// An update replaces one file, removes another and installs a third.
func Example() {
	texts := map[string]string{
		"pkg://example.org/web@1.0-0": `
dir path=etc/web mode=0755 owner=root group=sys
file 3f786850e387550fdab836ed7e6dc881de23001b path=etc/web/conf mode=0644 owner=root group=sys preserve=true
file 89e6c98d92887913cadf06b2adb97f26cde4849b path=etc/web/old mode=0644 owner=root group=sys
`,
		"pkg://example.org/web@2.0-0": `
dir path=etc/web mode=0755 owner=root group=sys
file 2b66fd261ee5c6cfc8de7fa466bab600bcfe4f69 path=etc/web/conf mode=0644 owner=root group=sys preserve=true restart_fmri=svc:/web
link path=etc/web/new target=conf
`,
	}
	from, to := fmri.MustParse("pkg://example.org/web@1.0-0"), fmri.MustParse("pkg://example.org/web@2.0-0")
	p, err := plan.New(plan.Input{
		Changes: func(yield func(solver.Change) bool) { yield(solver.Change{From: from, To: to}) },
		Manifest: func(f fmri.FMRI) (*manifest.Manifest, error) {
			return manifest.Parse(f.Name(), []byte(texts[f.Format(fmri.Short)]))
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p)
	for s := range p.Steps() {
		if s.Editable() {
			d := s.Decide(plan.Disk{Exists: true}) // neither the old content nor the new
			fmt.Println("an edited file is replaced:", d.Deliver)
		}
	}
	// Output:
	// update  package      pkg://example.org/web@2.0,5.11-0 from 1.0,5.11-0
	// remove  file         etc/web/old
	// install link         etc/web/new
	// update  file         etc/web/conf
	// actuate restart_fmri svc:/web
	// an edited file is replaced: false
}
