package image_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/solver"
)

// A package is published, installed into a new image, verified and uninstalled.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	source, err := publish(ctx)
	if err != nil {
		log.Fatal(err)
	}
	img, err := image.Create(ctx, filepath.Join(dir, "root"), image.Config{
		Publishers: []image.Publisher{{Name: "example.org", Origins: []string{"mem://packages"}}},
	}, &image.Options{
		Openers: repo.Openers{"mem": repo.Opened(source)},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer img.Close()
	if err := img.Refresh(ctx); err != nil {
		log.Fatal(err)
	}

	hello := []fmri.Pattern{fmri.MustParsePattern("hello")}
	do := func(req solver.Request) {
		p, err := img.Plan(ctx, req)
		if err != nil {
			log.Fatal(err)
		}
		for s := range p.Plan.Steps() {
			name, _ := s.Action().Key()
			fmt.Println(s.Phase, s.Action().Kind, name)
		}
		if err := img.Execute(ctx, p.Plan); err != nil {
			log.Fatal(err)
		}
	}
	do(solver.Request{Op: solver.Install, Patterns: hello})
	name := filepath.Join(img.Root(), "usr/share/hello")
	if err := os.WriteFile(name, []byte("goodbye\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	for f, err := range img.Verify(ctx, nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("verify:", f.Package.Name(), f.Problem)
	}
	do(solver.Request{Op: solver.Uninstall, Patterns: hello})
	// Output:
	// install file usr/share/hello
	// verify: hello hash
	// remove file usr/share/hello
	// remove dir usr/share
	// remove dir usr
}

// publish makes a repository in memory with one package.
func publish(ctx context.Context) (repo.Source, error) {
	r, err := repo.Create(ctx, store.Memory(), repo.Config{DefaultPublisher: "example.org"}, nil)
	if err != nil {
		return nil, err
	}
	tx, err := r.Begin(ctx, fmri.MustParse("pkg://example.org/hello@1.0"))
	if err != nil {
		return nil, err
	}
	file := manifest.File{Path: "usr/share/hello", Owner: "root", Group: "root", Mode: 0o644}
	if err := tx.Add(ctx, file.Action(), strings.NewReader("hello\n")); err != nil {
		return nil, err
	}
	_, err = tx.Commit(ctx)
	return r, err
}
