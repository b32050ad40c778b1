package solver

import (
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// A Solution is the answer to a request: the packages the image shall contain.
type Solution struct {
	installed []fmri.FMRI
	changes   []Change
	avoid     AvoidSet
	blocked   []fmri.FMRI
}

// A Change is one package's transition. A zero From installs, a zero To
// removes. A change of publisher alone is a change.
type Change struct{ From, To fmri.FMRI }

// String returns the change in the form "a@1 -> a@2", with "none" for what is
// not there.
func (c Change) String() string {
	text := func(f fmri.FMRI) string {
		if !f.IsValid() {
			return "none"
		}
		return f.Format(fmri.Short)
	}
	return text(c.From) + " -> " + text(c.To)
}

// Changes yields what differs from the image before, sorted by name.
func (s *Solution) Changes() iter.Seq[Change] { return slices.Values(s.changes) }

// Packages yields the complete image, sorted by name.
func (s *Solution) Packages() iter.Seq[fmri.FMRI] { return slices.Values(s.installed) }

// Avoid returns the sets that the image must remember with this answer.
func (s *Solution) Avoid() AvoidSet { return s.avoid }

// Blocked yields, for an update of everything, the installed packages that
// stay behind a newer version which the request would admit, sorted.
// [Solver.Why] says for each what is in the way.
func (s *Solution) Blocked() iter.Seq[fmri.FMRI] { return slices.Values(s.blocked) }

// String lists the changes, one to a line.
func (s *Solution) String() string {
	var b strings.Builder
	for _, c := range s.changes {
		b.WriteString(c.String())
		b.WriteByte('\n')
	}
	return b.String()
}
