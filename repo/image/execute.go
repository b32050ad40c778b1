package image

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/internal/ini"
	"github.com/goips/ips/solver/plan"
)

// A LicenseError says that a license has not been accepted.
type LicenseError struct {
	Package fmri.FMRI
	License string
}

func (e *LicenseError) Error() string {
	return fmt.Sprintf("license %q of %v must be accepted", e.License, e.Package)
}

// A StepError says which step of a plan cannot be carried out.
type StepError struct {
	Step plan.Step
	Err  error
}

func (e *StepError) Error() string {
	a := e.Step.Action()
	key, _ := a.Key()
	return fmt.Sprintf("%v %v %s: %s", e.Step.Phase, a.Kind, key, plainly(e.Err))
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

func stepError(s plan.Step, err error) error {
	if err == nil {
		return nil
	}
	return &StepError{Step: s, Err: err}
}

// Execute carries out a plan.
//
// Before anything is changed, the plan is checked against the disk and all payloads
// are fetched and verified. Then the plan itself is written down, and its steps are
// carried out. At last the image notes what is installed, and history is written.
//
// If the process stops in between, or ctx ends, the next operation on the image first
// finishes the plan, for which everything is on disk. If a step fails, Execute stops
// there with a [*StepError]: the image has what it had noted before, some files are new
// already, and the same plan made again carries on.
func (i *Image) Execute(ctx context.Context, p *plan.Plan) (err error) {
	defer wrap(&err, "execute", i.path)
	return i.change(ctx, func() error {
		start := i.now()
		err := i.execute(ctx, p)
		return errors.Join(err, i.record(p, start, err))
	})
}

func (i *Image) execute(ctx context.Context, p *plan.Plan) error {
	if p.IsEmpty() {
		return nil
	}
	s := i.state.Load()
	if p.Token() != s.token() {
		return ErrStale
	}
	if err := i.checkProperties(s.config); err != nil {
		return err
	}
	if err := i.checkLicenses(p); err != nil {
		return err
	}
	e := i.newExecution(p, i.now().Format(stampLayout))
	if err := e.check(); err != nil {
		return err
	}
	needs, err := e.needs(ctx)
	if err != nil {
		return err
	}
	if err := i.ensureManifests(ctx, p); err != nil {
		return err
	}
	if err := i.fetch(ctx, needs); err != nil {
		return err
	}
	if err := i.begin(e); err != nil {
		return err
	}
	return i.finish(ctx, e)
}

// finish carries out a plan that is written down, from wherever it stopped.
func (i *Image) finish(ctx context.Context, e *execution) error {
	err := e.run(ctx)
	if err == nil {
		err = i.commit(e)
	}
	var failed *StepError
	if errors.As(err, &failed) {
		return errors.Join(err, i.forgetJournal())
	}
	return err
}

func (i *Image) checkLicenses(p *plan.Plan) error {
	for s := range p.Steps() {
		if s.New == nil || s.New.Kind != manifest.KindLicense || !s.ContentChanged() {
			continue
		}
		must, _ := s.New.Attrs.Get("must-accept")
		if !strings.EqualFold(must, "true") {
			continue
		}
		if i.opts.Accept == nil || !i.opts.Accept(s.Package.To, *s.New) {
			name, _ := s.New.Key()
			return &LicenseError{Package: s.Package.To, License: name}
		}
	}
	return nil
}

// ensureManifests makes sure that the manifests of what is to be installed are on disk:
// the plan may have been made elsewhere.
func (i *Image) ensureManifests(ctx context.Context, p *plan.Plan) error {
	ms := i.manifests(i.state.Load(), i.tree)
	defer ms.close()
	for c := range p.Packages() {
		if !c.To.IsValid() {
			continue
		}
		if err := ms.keep(ctx, c.To); err != nil {
			return err
		}
	}
	i.fetched.clear()
	return nil
}

// commit notes what is installed from now on. Writing the state flushes the files of the
// packages, too.
func (i *Image) commit(e *execution) error {
	i.opts.Progress(repo.Event{Op: "commit"})
	s := i.state.Load()
	next, err := s.changed(e.plan, i.now())
	if err != nil {
		return err
	}
	next.avoid = e.plan.Avoid()
	_, v := e.plan.Varcets()
	next.config.Varcets = cloneVarcets(v)
	if err := i.writeState(next); err != nil {
		return err
	}
	next.config.Mediators = e.plan.Mediators()
	if err := i.writeSettings(s, next); err != nil {
		return err
	}
	i.state.Store(next)
	return i.tidy(e)
}

// writeSettings writes the configuration if the plan has changed it.
func (i *Image) writeSettings(old, next *state) error {
	if sameVarcets(old.config.Varcets, next.config.Varcets) && slices.Equal(old.config.Mediators, next.config.Mediators) {
		return nil
	}
	file, err := ini.Parse(configFile, old.file.Text())
	if err != nil {
		return err
	}
	next.file = file
	return i.writeConfig(next)
}

// tidy removes what is of no use after a plan is carried out: manifests of packages
// that are gone, tables that other programs derive from the installed packages, the
// stage, and at last the journal.
func (i *Image) tidy(e *execution) error {
	for c := range e.plan.Packages() {
		if !c.From.IsValid() || c.From == c.To {
			continue
		}
		name := i.manifestPath(c.From)
		cache := i.meta("cache/publisher", c.From.Publisher(), "pkg", path.Base(path.Dir(name)), path.Base(name))
		for _, gone := range []string{name, cache} {
			if err := i.tree.removeAll(gone); err != nil {
				return err
			}
		}
		if err := i.removeEmpty(path.Dir(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"actions.stripped", "actions.offsets", "keys.conflicting"} {
		if err := i.tree.remove(i.meta("cache", name)); err != nil {
			return err
		}
	}
	if err := i.clearDir(i.meta("cache/index")); err != nil {
		return err
	}
	if err := i.touch(); err != nil {
		return err
	}
	return i.forgetJournal()
}

// clearDir removes what is in a directory.
func (i *Image) clearDir(name string) error {
	entries, err := i.tree.readDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := i.tree.removeAll(path.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeEmpty removes a directory of the image's own if there is nothing in it.
func (i *Image) removeEmpty(name string) error {
	entries, err := i.tree.readDir(name)
	if err != nil || len(entries) > 0 {
		return err
	}
	return i.tree.remove(name)
}
