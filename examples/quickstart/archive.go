package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver"
)

// archive writes the package to install and all it needs to a p5p archive and reads it back.
func (t *tour) archive(ctx context.Context) error {
	packages, err := t.closure(ctx)
	if err != nil {
		return err
	}
	name := t.path("closure.p5p")
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := t.writeArchive(ctx, name, packages); err != nil {
		return err
	}
	return t.readArchive(ctx, name, packages)
}

// closure returns what an empty image would contain with that package of the second build.
func (t *tour) closure(ctx context.Context) ([]fmri.FMRI, error) {
	known, err := t.repo.Catalog(ctx, publisher)
	if err != nil {
		return nil, err
	}
	model, err := solver.NewModel(solver.FromCatalog(known))
	if err != nil {
		return nil, err
	}
	img := &solver.Image{Publishers: []solver.Publisher{{Name: publisher, Sticky: true}}}
	solution, err := solver.Solve(ctx, model, img, solver.Request{Patterns: []fmri.Pattern{t.wanted()}})
	if err != nil {
		return nil, err
	}
	return slices.Collect(solution.Packages()), nil
}

// writeArchive writes the packages to a new archive.
func (t *tour) writeArchive(ctx context.Context, name string, packages []fmri.FMRI) error {
	w, err := archive.Create(name, nil)
	if err != nil {
		return err
	}
	defer w.Abort()
	for i, f := range packages {
		m, err := t.repo.Manifest(ctx, f)
		if err != nil {
			return err
		}
		open := func(p manifest.Payload) (io.ReadCloser, error) {
			return t.repo.Payload(ctx, f.Publisher(), p.Name())
		}
		if err := w.Add(f, m, open); err != nil {
			return err
		}
		t.out.progress("packages", i+1, len(packages))
	}
	return w.Close()
}

// readArchive opens the archive and verifies every manifest and payload in it.
func (t *tour) readArchive(ctx context.Context, name string, packages []fmri.FMRI) error {
	a, err := t.openers.OpenSource(ctx, name)
	if err != nil {
		return err
	}
	defer a.Close()
	opts := &repo.VerifyOptions{Progress: func(e repo.Event) { t.out.progress("verified", e.Done, e.Total) }}
	for finding, err := range repo.Verify(ctx, a, slices.Values(packages), opts) {
		if err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", finding.FMRI, finding.Err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	t.out.line("   %d packages, %.1f MB, all verified", len(packages), float64(info.Size())/1e6)
	return nil
}
