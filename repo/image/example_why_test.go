package image_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/solver"
)

// What would an update do, and why is something held back? Whoever may read an image can ask,
// whoever else is at work on it.
func ExampleProposal_Why() {
	ctx := context.Background()
	root, err := installed(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)

	img, err := image.Open(ctx, root, &image.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer img.Close()
	p, err := img.Plan(ctx, solver.Request{Op: solver.Update})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p.Plan)
	for f := range p.Solution.Blocked() {
		why, err := p.Why(ctx, f.Name())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(why.Instead)
	}
	// Output:
	// nothing to do
	// the request cannot be met:
	//   a newer lib is requested
	//   app@1.0 is installed
	//     app@1.0 admits only lib@1.0
}

// installed makes an image where app holds lib back.
func installed(ctx context.Context) (root string, err error) {
	r, err := repo.Create(ctx, store.Memory(), repo.Config{DefaultPublisher: "example.org"}, nil)
	if err != nil {
		return "", err
	}
	for _, p := range []struct{ name, depends string }{
		{"app@1.0", "depend type=incorporate fmri=lib@1.0"}, {"lib@1.0", ""}, {"lib@2.0", ""},
	} {
		tx, err := r.Begin(ctx, fmri.MustParse("pkg://example.org/"+p.name))
		if err == nil && p.depends != "" {
			err = tx.Add(ctx, manifest.MustParseAction(p.depends), nil)
		}
		if err == nil {
			_, err = tx.Commit(ctx)
		}
		if err != nil {
			return "", err
		}
	}
	if root, err = os.MkdirTemp("", "image"); err != nil {
		return "", err
	}
	img, err := image.Create(ctx, root, image.Config{
		Publishers: []image.Publisher{{Name: "example.org", Origins: []string{"mem:///"}}},
	}, &image.Options{Openers: repo.Openers{"mem": repo.Opened(r)}})
	if err != nil {
		return root, err
	}
	defer img.Close()
	if err := img.Refresh(ctx); err != nil {
		return root, err
	}
	p, err := img.Plan(ctx, solver.Request{Patterns: []fmri.Pattern{fmri.MustParsePattern("app"), fmri.MustParsePattern("lib@1.0")}})
	if err != nil {
		return root, err
	}
	return root, img.Execute(ctx, p.Plan)
}
