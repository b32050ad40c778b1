package solver_test

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver"
)

// A list is a source of packages written down by hand.
type list []string

func (l list) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		for _, line := range l {
			name, actions, _ := strings.Cut(line, " ")
			f, err := fmri.Parse("pkg://example.org/" + name)
			p := solver.Package{FMRI: f}
			if actions != "" {
				p.Actions = strings.Split(actions, "; ")
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

func Example() {
	model, err := solver.NewModel(list{
		"editor@1 depend type=require fmri=library@1",
		"editor@2 depend type=require fmri=library@2",
		"library@1",
		"library@2",
		"release@1 depend type=incorporate fmri=library@1",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := solver.New(model, nil)
	img := &solver.Image{Installed: []fmri.FMRI{fmri.MustParse("pkg://example.org/release@1")}}

	sol, err := s.Solve(context.Background(), img, solver.Request{
		Patterns: []fmri.Pattern{fmri.MustParsePattern("editor")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(sol)

	_, err = s.Solve(context.Background(), img, solver.Request{
		Patterns: []fmri.Pattern{fmri.MustParsePattern("editor@2")},
	})
	fmt.Println(err)
	// Output:
	// none -> pkg://example.org/editor@1
	// none -> pkg://example.org/library@1
	// the request cannot be met:
	//   editor@2 is requested
	//     editor@2 requires library@2 or newer
	//       release@1 is installed and admits only library@1
	// what would help:
	//   ask for any editor, which gives 1
	//   remove release
}
