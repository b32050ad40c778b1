package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/solver"
)

// install makes a new image and installs the package from the first build, which the
// incorporation holds it to.
func (t *tour) install(ctx context.Context) error {
	if err := os.RemoveAll(t.path("image")); err != nil {
		return err
	}
	opts := &image.Options{Openers: t.openers, Progress: t.imageProgress}
	config := image.Config{Publishers: []image.Publisher{{Name: publisher, Origins: []string{t.path("repo")}}}}
	var err error
	if t.image, err = image.Create(ctx, t.path("image"), config, opts); err != nil {
		return err
	}
	t.close = append(t.close, t.image.Close)
	if err := t.image.Refresh(ctx); err != nil {
		return err
	}
	return t.carryOut(ctx, solver.Request{Patterns: []fmri.Pattern{
		pattern("%s@%s", incorporation, t.build(1).short()), t.wanted(),
	}})
}

// imageProgress shows how far an operation on the image has come.
func (t *tour) imageProgress(e repo.Event) { t.out.progress(e.Op, e.Done, e.Total) }

// carryOut plans a request, prints the plan's figures and executes it.
func (t *tour) carryOut(ctx context.Context, req solver.Request) error {
	p, err := t.image.Plan(ctx, req)
	if err != nil {
		return err
	}
	packages, steps := 0, 0
	for range p.Plan.Packages() {
		packages++
	}
	for range p.Plan.Steps() {
		steps++
	}
	if err := t.image.Execute(ctx, p.Plan); err != nil {
		return err
	}
	t.out.line("   %d packages, %d steps; now %d packages are installed", packages, steps, t.image.Installed().Len())
	return nil
}

// update brings everything that is installed to the newest build.
func (t *tour) update(ctx context.Context) error {
	return t.carryOut(ctx, solver.Request{Op: solver.Update})
}

// verify compares the image with its manifests, edits a file, and compares again.
func (t *tour) verify(ctx context.Context) error {
	findings, err := t.findings(ctx)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return fmt.Errorf("%d findings, the first: %s", len(findings), findings[0])
	}
	edited := path.Join(installed, t.subject(), t.release.file(t.subject()))
	t.out.line("   as it should be; now somebody edits %s", edited)
	if err := os.WriteFile(t.path("image/"+edited), []byte("// edited\n"), 0o644); err != nil {
		return err
	}
	if findings, err = t.findings(ctx); err != nil {
		return err
	}
	if len(findings) == 0 {
		return errors.New("the edited file was not found")
	}
	for _, f := range findings {
		t.out.line("   %s: %s", f.Package.Format(fmri.Short), f)
	}
	return nil
}

func (t *tour) findings(ctx context.Context) ([]image.Finding, error) {
	var all []image.Finding
	for f, err := range t.image.Verify(ctx, nil) {
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// uninstall removes the package and all that was installed with it.
func (t *tour) uninstall(ctx context.Context) error {
	var patterns []fmri.Pattern
	for p := range t.image.Installed().All() {
		patterns = append(patterns, fmri.Exactly(p.FMRI().Stem()))
	}
	return t.carryOut(ctx, solver.Request{Op: solver.Uninstall, Patterns: patterns})
}

// impossible asks for packages of two builds at once and prints why there is no answer.
func (t *tour) impossible(ctx context.Context) error {
	req := solver.Request{Patterns: []fmri.Pattern{
		pattern("%s@%s", incorporation, t.build(1).short()),
		pattern("/%s%s@%s", prefix, t.subject(), t.build(2).short()),
	}}
	_, err := t.image.Plan(ctx, req)
	var conflict *solver.ConflictError
	if !errors.As(err, &conflict) {
		return fmt.Errorf("a conflict was expected, not %v", err)
	}
	t.out.line("   pkg install %s", strings.Trim(fmt.Sprint(req.Patterns), "[]"))
	for line := range strings.Lines(conflict.Error()) {
		t.out.line("   %s", strings.TrimRight(line, "\n"))
	}
	return nil
}
