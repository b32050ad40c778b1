package solver

import (
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// A Solution is the answer to a request: the packages the image shall contain.
//
// It refers to the [Model], which it keeps in memory.
type Solution struct {
	m       *Model
	old     []sat.ID // what is installed, ascending
	next    []sat.ID // what shall be
	avoid   AvoidSet
	blocked []fmri.FMRI
}

// A Change is one package's transition. A zero From installs, a zero To
// removes. A change of publisher alone is a change.
type Change struct{ From, To fmri.FMRI }

// String returns the change in the form "a@1 -> a@2", with "none" for what is
// not there. Versions that differ in nothing else have their timestamps.
func (c Change) String() string {
	form := fmri.Short
	if c.From != c.To && c.From.Format(form) == c.To.Format(form) {
		form = fmri.OmitScheme
	}
	text := func(f fmri.FMRI) string {
		if !f.IsValid() {
			return "none"
		}
		return f.Format(form)
	}
	return text(c.From) + " -> " + text(c.To)
}

// Changes yields what differs from the image before, sorted by name.
func (s *Solution) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		old, next := s.old, s.next
		for len(old) > 0 || len(next) > 0 {
			var c Change
			switch {
			case len(next) == 0 || len(old) > 0 && s.m.slotAt(old[0]) < s.m.slotAt(next[0]):
				c.From = s.m.fmri(old[0])
				old = old[1:]
			case len(old) == 0 || s.m.slotAt(next[0]) < s.m.slotAt(old[0]):
				c.To = s.m.fmri(next[0])
				next = next[1:]
			default:
				if old[0] != next[0] {
					c = Change{s.m.fmri(old[0]), s.m.fmri(next[0])}
				}
				old, next = old[1:], next[1:]
			}
			if c != (Change{}) && !yield(c) {
				return
			}
		}
	}
}

// Packages yields the complete image, sorted by name.
func (s *Solution) Packages() iter.Seq[fmri.FMRI] {
	return func(yield func(fmri.FMRI) bool) {
		for _, id := range s.next {
			if !yield(s.m.fmri(id)) {
				return
			}
		}
	}
}

// Avoid returns the sets that the image must remember with this answer.
func (s *Solution) Avoid() AvoidSet { return s.avoid }

// Blocked yields, for an update of everything, the installed packages that
// stay behind a newer version which the request would admit, sorted.
// [Solver.Why] says for each what is in the way.
func (s *Solution) Blocked() iter.Seq[fmri.FMRI] { return slices.Values(s.blocked) }

// String lists the changes, one to a line.
func (s *Solution) String() string {
	var b strings.Builder
	for c := range s.Changes() {
		b.WriteString(c.String())
		b.WriteByte('\n')
	}
	return b.String()
}
