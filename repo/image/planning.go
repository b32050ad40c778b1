package image

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
	"github.com/goips/ips/solver/plan"
)

// Plan solves a request against what is known since the last Refresh and returns what
// would be done. Nothing that is installed changes; manifests that were fetched for it
// are kept. If there is nothing to do, the plan is empty.
//
// Errors are those of [solver.Solver.Solve] and [plan.New], and of fetching.
func (i *Image) Plan(ctx context.Context, req solver.Request) (p *plan.Plan, err error) {
	err = i.change(ctx, "plan", func() error {
		c := i.state.Load().config
		p, err = i.plan(ctx, req, c.Varcets, c.Mediators)
		return err
	})
	return p, err
}

// PlanVarcets returns what it takes to change the variants and facets to v. Executing
// the plan also records them.
func (i *Image) PlanVarcets(ctx context.Context, v manifest.Varcets) (p *plan.Plan, err error) {
	err = i.change(ctx, "plan", func() error {
		p, err = i.plan(ctx, solver.Request{}, cloneVarcets(v), i.state.Load().config.Mediators)
		return err
	})
	return p, err
}

// PlanMediators returns what it takes to follow the administrator's choices, which are
// the parts of list whose source is [manifest.SourceLocal]. Of mediators that are not in
// the list, the administrator chooses nothing. Executing the plan also records them.
func (i *Image) PlanMediators(ctx context.Context, list []manifest.Choice) (p *plan.Plan, err error) {
	err = i.change(ctx, "plan", func() error {
		p, err = i.plan(ctx, solver.Request{}, i.state.Load().config.Varcets, slices.Clone(list))
		return err
	})
	return p, err
}

func (i *Image) plan(ctx context.Context, req solver.Request, v manifest.Varcets, m []manifest.Choice) (*plan.Plan, error) {
	i.opts.Progress(Event{Stage: Planning})
	s := i.state.Load()
	model, err := solver.NewModel(solver.FromCatalog(s.known), solver.FromCatalog(s.installed))
	if err != nil {
		return nil, err
	}
	sol, err := solver.New(model, nil).Solve(ctx, s.solverImage(v), req)
	if err != nil {
		return nil, err
	}
	srcs := i.sources()
	defer srcs.Close()
	ms := manifests{image: i, srcs: srcs}
	return plan.New(plan.Input{
		Changes:   i.counted(sol.Changes()),
		Installed: i.packages(),
		Manifest:  func(f fmri.FMRI) (*manifest.Manifest, error) { return ms.get(ctx, f) },
		Old:       s.config.Varcets,
		New:       v,
		Metadata:  i.meta(),
		Token:     s.token(),

		OldMediators: s.config.Mediators,
		Mediators:    m,
		OldAvoid:     s.avoid,
		Avoid:        sol.Avoid(),
	})
}

// counted tells of every package change that is looked at.
func (i *Image) counted(changes iter.Seq[solver.Change]) iter.Seq[solver.Change] {
	return func(yield func(solver.Change) bool) {
		n := 0
		for c := range changes {
			n++
			i.opts.Progress(Event{Stage: Planning, Name: c.To.Name(), Done: n})
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
