package upkeep

import (
	"cmp"
	"fmt"
	"time"

	"github.com/goips/ips/catalog"
)

// State identifies one state of a catalog. A client keeps that of the catalog it saw last
// for each origin, and compares the next one with [State.Check]: a repository that was
// restored from a backup, a mirror that lags behind, and an attacker who plays back
// an old catalog all show there. The zero State stands for no catalog.
//
// States are comparable. Their JSON is theirs to keep.
type State struct {
	Created   time.Time `json:"created"`
	Modified  time.Time `json:"last-modified"`
	Packages  int       `json:"package-count"`
	Versions  int       `json:"package-version-count"`
	Signature string    `json:"signature-sha-1,omitempty"`
}

// StateOf returns the state that the attributes of a catalog tell of.
func StateOf(a *catalog.Attrs) State {
	return State{Created: a.Created, Modified: a.Modified, Packages: a.Packages, Versions: a.Versions, Signature: a.Signature}
}

// A Regression is one thing about a catalog that a client has reason to ask about.
type Regression uint8

// The regressions. What follows from them is for the caller to decide.
const (
	// Recreated: it was created at another time. A repository that was rebuilt looks so.
	Recreated Regression = iota + 1
	// WentBack: its last change is before that of the state known.
	WentBack
	// Forked: it was changed at the same time, but its content is different.
	Forked
	// Shrunk: it has fewer versions.
	Shrunk
	// FromFuture: its last change is yet to come.
	FromFuture
	// Stale: its last change is longer ago than the caller finds likely. A
	// repository that is held back from a client looks so.
	Stale
)

// String describes the regression.
func (r Regression) String() string {
	switch r {
	case Recreated:
		return "created anew"
	case WentBack:
		return "went back"
	case Forked:
		return "same time, other content"
	case Shrunk:
		return "has fewer versions"
	case FromFuture:
		return "modified in the future"
	case Stale:
		return "not modified for long"
	}
	return fmt.Sprintf("Regression(%d)", uint8(r))
}

// CheckOptions are what [State.Check] takes for normal. Nil and zero fields mean that
// it does not look at the matter.
type CheckOptions struct {
	Now    time.Time     // the client's time
	Skew   time.Duration // by how much the repository's clock may be ahead of it
	MaxAge time.Duration // after what time without a change a catalog is stale
	Shrink int           // by how many percent the number of versions may fall, at least 1
}

// Check compares a later state with s and returns what is wrong with it, in the order of
// the constants.
func (s State) Check(next State, opts *CheckOptions) []Regression {
	var found []Regression
	note := func(r Regression, is bool) {
		if is {
			found = append(found, r)
		}
	}
	if s != (State{}) {
		same := next.Created.Equal(s.Created)
		note(Recreated, !same)
		note(WentBack, next.Modified.Before(s.Modified))
		note(Forked, same && next.Modified.Equal(s.Modified) && !s.sameContent(next))
	}
	if opts == nil {
		return found
	}
	note(Shrunk, opts.Shrink > 0 && next.Versions < s.Versions-s.Versions*opts.Shrink/100)
	if !opts.Now.IsZero() {
		note(FromFuture, next.Modified.After(opts.Now.Add(opts.Skew)))
		note(Stale, opts.MaxAge > 0 && opts.Now.Sub(next.Modified) > opts.MaxAge)
	}
	return found
}

// sameContent compares what two states say of the content.
func (s State) sameContent(next State) bool {
	return cmp.Or(s.Signature, next.Signature) == cmp.Or(next.Signature, s.Signature) &&
		s.Packages == next.Packages && s.Versions == next.Versions
}
