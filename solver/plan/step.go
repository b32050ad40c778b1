package plan

import (
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// A Phase is a part of a plan. Removals come first, so that nothing is in the way of
// what is new; updates come last, so that a file can change its owner to a user that
// the same plan creates.
type Phase uint8

const (
	Remove  Phase = iota + 1 // Old goes
	Install                  // New comes
	Update                   // Old becomes New
)

var phaseNames = [...]string{"invalid", "remove", "install", "update"}

// String returns "remove", "install" or "update".
func (p Phase) String() string {
	if int(p) >= len(phaseNames) {
		p = 0
	}
	return phaseNames[p]
}

// A Step is one change of one object.
type Step struct {
	Phase Phase

	// Package is on whose behalf: From delivered Old and To delivers New. They have
	// different names where an object moves between packages. In a removal, To is
	// what replaces the package, and is zero when the package is uninstalled.
	Package solver.Change

	// Change holds the actions: Old alone in a removal, New alone in an install,
	// both in an update. An install has both if its file was elsewhere before:
	// an earlier removal with Keep set has put the content by.
	manifest.Change

	// Keep, in a removal, says that an install step with the same Old wants the
	// content of the file.
	Keep bool
}

// Action returns the action that the step is about: New, or Old in a removal.
func (s Step) Action() manifest.Action {
	if s.New != nil {
		return *s.New
	}
	if s.Old != nil {
		return *s.Old
	}
	return manifest.Action{}
}

// Moved reports whether the step brings the content of a file to another path.
func (s Step) Moved() bool { return s.Phase == Install && s.Old != nil }

// ContentChanged reports whether the step delivers other bytes than before:
// always where there is no old action, and never in a removal.
func (s Step) ContentChanged() bool {
	if s.New == nil || !s.New.Kind.HasPayload() {
		return false
	}
	return s.Old == nil || !sameContent(*s.Old, *s.New)
}

// sameContent compares two payloads by the best hash that either of them has.
func sameContent(a, b manifest.Action) bool {
	p, err := a.Payload()
	if err != nil {
		return false
	}
	q, err := b.Payload()
	return err == nil && p.IsValid() && p.Content.Best() == q.Content.Best()
}
