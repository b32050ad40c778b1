package image

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// A Proposal is what an operation would do to an image, and why.
type Proposal struct {
	// Plan is what Execute carries out; if there is nothing to do, it is empty.
	Plan *plan.Plan

	// Solution is the solver's answer: its Blocked are the packages that are held back.
	Solution *solver.Solution

	// Image and Model are what was asked about and what was known.
	Image *solver.Image
	Model *solver.Model

	request solver.Request
	solver  *solver.Solver
}

// Why explains why the package of a name is there after the operation, at which version,
// and what holds it back; or why it is not there. Errors are those of
// [solver.Solver.Why].
func (p *Proposal) Why(ctx context.Context, name string) (*solver.Explanation, error) {
	return p.solver.Why(ctx, p.Image, p.request, name)
}

// Plan solves a request against what is known since the last Refresh and returns what
// would be done. It changes nothing, and takes no lock; manifests that were fetched for
// it are kept in memory. Only where an earlier plan was interrupted and may be finished
// by this process, that is done first.
//
// Errors are those of [solver.Solver.Solve] and [plan.New], and of fetching.
func (i *Image) Plan(ctx context.Context, req solver.Request) (_ *Proposal, err error) {
	defer wrap(&err, "plan", i.path)
	return i.propose(ctx, req, func(*Config) {})
}

// PlanVarcets returns what it takes to change the variants and facets to v. Executing
// the plan also records them.
func (i *Image) PlanVarcets(ctx context.Context, v manifest.Varcets) (_ *Proposal, err error) {
	defer wrap(&err, "plan", i.path)
	return i.propose(ctx, solver.Request{}, func(c *Config) { c.Varcets = cloneVarcets(v) })
}

// PlanMediators returns what it takes to follow the administrator's choices, which are
// the parts of list whose source is [manifest.SourceLocal]. Of mediators that are not in
// the list, the administrator chooses nothing. Executing the plan also records them.
func (i *Image) PlanMediators(ctx context.Context, list []manifest.Choice) (_ *Proposal, err error) {
	defer wrap(&err, "plan", i.path)
	return i.propose(ctx, solver.Request{}, func(c *Config) { c.Mediators = slices.Clone(list) })
}

// Why explains why the package of a name would be there after a request, at which
// version, or why not, without making a plan. The zero Request asks about the image as it
// is: which of the other packages need this one. An update of everything asks what holds
// it back.
func (i *Image) Why(ctx context.Context, req solver.Request, name string) (_ *solver.Explanation, err error) {
	defer wrap(&err, "explain", i.path)
	s, err := i.current(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.ask(req, s.config.Varcets)
	if err != nil {
		return nil, err
	}
	e, err := p.Why(ctx, name)
	if err != nil || req.Op != solver.Install || len(req.Patterns)+len(req.Reject) > 0 {
		return e, err
	}
	needed, err := p.without(name).Why(ctx, name)
	if err == nil && needed.Package == e.Package {
		e.Chain = needed.Chain
	}
	return e, ctx.Err()
}

// without returns the proposal for an image where a package is not installed, and may only
// come at the version that is.
func (p *Proposal) without(name string) *Proposal {
	q, img := *p, *p.Image
	q.Image, img.Installed = &img, nil
	for _, f := range p.Image.Installed {
		if f.Name() != name {
			img.Installed = append(img.Installed, f)
			continue
		}
		img.Frozen = append(slices.Clone(img.Frozen), solver.Freeze{Package: f})
	}
	return &q
}

// ask returns a proposal without an answer.
func (s *state) ask(req solver.Request, v manifest.Varcets) (*Proposal, error) {
	model, err := solver.NewModel(solver.FromCatalog(s.known), solver.FromCatalog(s.installed))
	if err != nil {
		return nil, err
	}
	return &Proposal{Image: s.solverImage(v), Model: model, request: req, solver: solver.New(model, nil)}, nil
}

// propose solves a request and plans it for an image whose configuration is adjusted.
func (i *Image) propose(ctx context.Context, req solver.Request, adjust func(*Config)) (*Proposal, error) {
	i.opts.Progress(repo.Event{Op: "plan"})
	s, err := i.current(ctx)
	if err != nil {
		return nil, err
	}
	c := s.config.clone()
	adjust(&c)
	p, err := s.ask(req, c.Varcets)
	if err != nil {
		return nil, err
	}
	if p.Solution, err = p.solver.Solve(ctx, p.Image, req); err != nil {
		return nil, err
	}
	p.Plan, err = i.plan(ctx, s, c, p)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// current returns the state to plan for: that on the disk, which another process may have
// changed, or of an image that is only read, what was opened or refreshed last.
func (i *Image) current(ctx context.Context) (*state, error) {
	seen := i.state.Load()
	if i.opts.ReadOnly {
		return seen, ctx.Err()
	}
	t := i.newTree()
	defer t.forget()
	if _, err := t.lstat(i.meta(journalFile)); err == nil {
		if err := i.change(ctx, func() error { return nil }); err != nil && !mayNot(err) {
			return nil, err
		}
		seen = i.state.Load()
	}
	s, err := i.loadState(t)
	if err != nil {
		return nil, err
	}
	i.state.CompareAndSwap(seen, s) // but what a goroutine has stored meanwhile is newer
	return s, ctx.Err()
}

// mayNot reports whether an image cannot be changed now, by this process.
func mayNot(err error) bool {
	var locked *LockedError
	return errors.As(err, &locked) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)
}

// plan makes the plan that leads from s to the solution of p, and to the configuration c.
func (i *Image) plan(ctx context.Context, s *state, c Config, p *Proposal) (*plan.Plan, error) {
	ms := i.manifests(s, i.newTree())
	defer ms.close()
	if err := i.checkProperties(c); err != nil {
		return nil, err
	}
	excludes, err := i.excludes(c)
	if err != nil {
		return nil, err
	}
	return plan.New(plan.Input{
		Changes:   i.counted(p.Solution.Changes()),
		Installed: s.packages(),
		Manifest:  func(f fmri.FMRI) (*manifest.Manifest, error) { return ms.get(ctx, f) },
		Old:       s.config.Varcets,
		New:       c.Varcets,
		Excludes:  excludes,
		Metadata:  i.meta(),
		Token:     s.token(),

		OldMediators: s.config.Mediators,
		Mediators:    c.Mediators,
		OldAvoid:     s.avoid,
		Avoid:        p.Solution.Avoid(),
		Requested:    p.requested(),
	})
}

// requested yields the names of the packages that an installation asks for.
func (p *Proposal) requested() iter.Seq[string] {
	return func(yield func(string) bool) {
		if p.request.Op != solver.Install && p.request.Op != solver.ExactInstall {
			return
		}
		for f := range p.Solution.Packages() {
			named := slices.ContainsFunc(p.request.Patterns, func(pat fmri.Pattern) bool { return pat.Matches(f) })
			if named && !yield(f.Name()) {
				return
			}
		}
	}
}

// counted tells of every package change that is looked at.
func (i *Image) counted(changes iter.Seq[solver.Change]) iter.Seq[solver.Change] {
	return func(yield func(solver.Change) bool) {
		n := 0
		for c := range changes {
			n++
			i.opts.Progress(repo.Event{Op: "plan", FMRI: cmp.Or(c.To, c.From), Done: n})
			if !yield(c) {
				return
			}
		}
	}
}

// solverImage is what the solver must know about the image.
func (s *state) solverImage(v manifest.Varcets) *solver.Image {
	img := &solver.Image{Varcets: v, Avoid: s.avoid, Frozen: s.frozen}
	for p := range s.installed.All() {
		img.Installed = append(img.Installed, p.FMRI())
	}
	for _, p := range s.config.Publishers {
		img.Publishers = append(img.Publishers, solver.Publisher{
			Name: p.Name, Sticky: !p.NonSticky, Disabled: p.Disabled,
		})
	}
	return img
}

func sameVarcets(a, b manifest.Varcets) bool {
	return maps.Equal(a.Variants, b.Variants) && maps.Equal(a.Facets, b.Facets) &&
		maps.Equal(a.Inherited, b.Inherited)
}
