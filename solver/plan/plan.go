package plan

import (
	"iter"
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// An Input is everything a plan follows from.
type Input struct {
	// Changes are the package transitions, as the solver chose them.
	// Packages that stay as they are need not be among them.
	Changes iter.Seq[solver.Change]

	// Installed are all packages of the image before the operation;
	// nil means that there are none.
	Installed iter.Seq[fmri.FMRI]

	// Manifest returns the manifest of a package that is installed or to be.
	Manifest func(fmri.FMRI) (*manifest.Manifest, error)

	// Old and New are the variants and facets of the image before and after.
	// When they differ, every installed package is looked at again.
	Old, New manifest.Varcets

	// OldMediators are what the image has settled on before, and Mediators the same
	// with what the administrator changes; only parts set by him count there.
	OldMediators, Mediators []manifest.Choice

	// OldAvoid and Avoid are what groups do not bring in, before and after.
	OldAvoid, Avoid solver.AvoidSet

	// Requested are the names of packages that the operation was asked to install;
	// nil means none.
	Requested iter.Seq[string]

	// Excludes reports whether the administrator wants an action of a package left out.
	// What is there already stays until its package goes. Nil means none.
	Excludes func(manifest.Action) bool

	// Metadata is the image's metadata directory below its root, whose
	// reserved places no package may deliver into. Empty means "var/pkg".
	Metadata string

	// Token identifies the state of the image that the plan is made for.
	// A plan keeps it; an image refuses plans with another one.
	Token string
}

// A Plan is what an operation will do, in order. It is data: it prints, and
// marshals to JSON and back. The zero Plan does nothing.
type Plan struct {
	token     string
	old, new  manifest.Varcets
	mediators []manifest.Choice
	avoid     solver.AvoidSet
	requested []string // sorted
	settings  bool     // mediators or avoid differ from what they were
	changes   []solver.Change
	steps     []Step
	actuators []Actuator
}

// Token returns the Token of the Input.
func (p *Plan) Token() string { return p.token }

// Varcets returns the variants and facets before and after the operation.
func (p *Plan) Varcets() (old, new manifest.Varcets) { return p.old, p.new }

// Mediators returns what the image settles on for each mediator, sorted by name.
func (p *Plan) Mediators() []manifest.Choice { return slices.Clone(p.mediators) }

// Avoid returns the packages that groups do not bring in after the operation.
func (p *Plan) Avoid() solver.AvoidSet { return p.avoid }

// Requested returns the names of the packages that were asked for, sorted, and not only
// brought in by others.
func (p *Plan) Requested() iter.Seq[string] { return slices.Values(p.requested) }

// Packages returns the package transitions, sorted by name. Where only a change
// of variants or facets touches a package, From and To are equal.
func (p *Plan) Packages() iter.Seq[solver.Change] { return slices.Values(p.changes) }

// Steps returns what is to be done, in the order in which it is to be done:
// removals, then installs, then updates.
func (p *Plan) Steps() iter.Seq[Step] { return slices.Values(p.steps) }

// Actuators returns the services and flags that actions of the plan name, sorted.
func (p *Plan) Actuators() iter.Seq[Actuator] { return slices.Values(p.actuators) }

// Payloads returns what must be fetched before the first step, each payload once and
// in the order of its first use: the content of files and licenses that are new or have
// changed. What to do about edited files is decided on disk, so that a payload may turn
// out not to be needed, or that of an unchanged file to be missing.
func (p *Plan) Payloads() iter.Seq[manifest.Payload] {
	return func(yield func(manifest.Payload) bool) {
		seen := map[manifest.Digest]bool{}
		for _, s := range p.steps {
			if !s.ContentChanged() {
				continue
			}
			pay, err := s.New.Payload()
			if err != nil || !pay.IsValid() || seen[pay.Name()] {
				continue
			}
			seen[pay.Name()] = true
			if !yield(pay) {
				return
			}
		}
	}
}

// IsEmpty reports whether there is nothing to do.
func (p *Plan) IsEmpty() bool {
	return len(p.changes) == 0 && len(p.steps) == 0 && !p.settings && sameVarcets(p.old, p.new)
}

func sameVarcets(a, b manifest.Varcets) bool {
	return maps.Equal(a.Variants, b.Variants) && maps.Equal(a.Facets, b.Facets) &&
		maps.Equal(a.Inherited, b.Inherited)
}

func sameAvoid(a, b solver.AvoidSet) bool {
	return slices.Equal(a.Avoided, b.Avoided) && slices.Equal(a.Implicit, b.Implicit) &&
		slices.Equal(a.Obsolete, b.Obsolete)
}
