package solver

import (
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// An Image is what the solver must know about a system. It is plain data; a
// solve does not change it. The zero Image is empty, has no publishers and
// takes packages of any publisher.
type Image struct {
	// Installed are the installed packages, at most one version of a name.
	// The [Model] must know all of them.
	Installed []fmri.FMRI

	// Publishers are the configured publishers by rank, the best first.
	// A publisher that is not listed ranks behind those that are, is not
	// sticky, and may supply only what is installed.
	// With an empty list every publisher is equal.
	Publishers []Publisher

	// OwnRanks gives every publisher a rank of its own, as OmniOS does.
	// False: adjacent publishers that are not sticky share a rank.
	OwnRanks bool

	// Varcets are the variants and facets of the image. To change them, ask
	// for an [Install] of nothing with the new ones in place.
	Varcets manifest.Varcets

	// Avoid are the packages that group dependencies do not bring in.
	// Only Avoided has an influence.
	Avoid AvoidSet

	// Frozen are the packages held to a version: a release such as "1.2"
	// admits 1.2.3. The publisher is ignored.
	Frozen []Freeze

	// Linked says that the image is the child of another one, whose
	// installed packages are Parent. Parent dependencies count only then.
	Linked bool
	Parent []fmri.FMRI

	// Root are the packages of the live root image, for origin dependencies
	// with root-image=true. A package that is not listed is not installed.
	Root []fmri.FMRI
}

// A Publisher is one entry of the publisher search order.
type Publisher struct {
	Name     string
	Sticky   bool // its installed packages are not replaced from elsewhere
	Disabled bool // it supplies only what is installed
}

// A Freeze holds one package to a version.
type Freeze struct {
	Package fmri.FMRI // with version
	Comment string    // why, for messages
}

// An AvoidSet is the state that group dependencies keep about their members.
// The lists hold package names, sorted.
type AvoidSet struct {
	Avoided  []string // not to be brought in by a group: the administrator's wish
	Implicit []string // left out by the solver; tried again next time
	Obsolete []string // wanted by a group, but obsolete
}
