package solver

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// A Repair is a change of a request or an image that was tried and found to work.
type Repair struct {
	Kind RepairKind
	Name string // the package concerned; for [RepairFacet] the facet

	// Version is the version of Name that there will be, if any.
	Version fmri.FMRI
}

// A RepairKind is a kind of repair.
type RepairKind uint8

const (
	RepairUnfreeze  RepairKind = iota + 1 // take back the freeze of Name
	RepairAccept                          // do not reject Name
	RepairVersion                         // ask for Name without a version
	RepairAlso                            // ask for Name, too
	RepairFacet                           // set the facet Name to false
	RepairUninstall                       // reject Name, which is installed
)

var repairNames = [...]string{"", "unfreeze", "accept", "version", "also", "facet", "uninstall"}

// String returns the kind as it stands in JSON: "unfreeze".
func (k RepairKind) String() string { return repairNames[k] }

// MarshalText returns the kind as String does.
func (k RepairKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String says in words what to do.
func (r Repair) String() string {
	gives := ""
	if r.Version.IsValid() {
		gives = ", which gives " + r.Version.Version().Short()
	}
	switch r.Kind {
	case RepairUnfreeze:
		return "unfreeze " + r.Name + gives
	case RepairAccept:
		return "do not reject " + r.Name + gives
	case RepairVersion:
		return "ask for any " + r.Name + gives
	case RepairAlso:
		return "ask for " + r.Name + ", too" + gives
	case RepairFacet:
		return "set " + r.Name + " to false"
	}
	return "remove " + r.Name
}

// MarshalJSON writes the repair as data and in words.
func (r Repair) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind    RepairKind `json:"kind"`
		Name    string     `json:"name"`
		Version string     `json:"version,omitempty"`
		Text    string     `json:"text"`
	}{r.Kind, r.Name, r.Version.String(), r.String()})
}

const (
	maxAttempts        = 4  // how many repairs are tried
	maxRepairConflicts = 48 // how hard, in all
	maxGlances         = 16 // how many versions isPlausible looks at
)

// repairs tries changes that the facts of a conflict suggest, the least
// invasive ones first, and returns those after which there is an answer.
func (s *Solver) repairs(ctx context.Context, img *Image, req Request, facts []Fact) []Repair {
	var found []Repair
	w := s.acquire()
	defer s.release(w)
	tries := attemptsFor(facts, req)
	effort := maxRepairConflicts
	for i := 0; i < min(len(tries), maxAttempts) && len(found) < s.opts.MaxRepairs && effort > 0; i++ {
		w.reset()
		w.effort = effort
		if r := tries[i]; w.try(ctx, img, req, &r) {
			found = append(found, r)
		}
		effort -= w.main.eng.Stats.Conflicts
	}
	w.effort = 0
	return found
}

// try reports whether there is an answer after the repair r, and enters the
// version that results.
func (w *work) try(ctx context.Context, img *Image, req Request, r *Repair) bool {
	img, req = r.applyTo(img, req)
	if w.problem.prepare(img, req) != nil || !w.isPlausible() {
		return false
	}
	if ok, err := w.search(ctx); !ok || err != nil || w.problem.isUpdateAll() && w.wouldStick(ctx) {
		return false
	}
	if r.Kind == RepairFacet || r.Kind == RepairUninstall {
		return true
	}
	s, ok := w.problem.m.slot(r.Name)
	id := w.main.eng.Selected(s)
	if ok && !w.problem.isNewSlot(s) && id != sat.None && !w.problem.m.is(id, obsolete) {
		r.Version = w.problem.m.fmri(id)
	}
	if r.Kind == RepairAlso && ok && id == w.problem.installedIn(s) {
		return false // it would not tell what changes
	}
	return r.Version.IsValid() || r.Kind == RepairUnfreeze || r.Kind == RepairAccept
}

// isPlausible reports whether each name that is asked for has a version against
// which nothing speaks at first sight. Most repairs that do not help fail here,
// before all that is installed is looked at.
func (w *work) isPlausible() bool {
	e := &w.probe
	e.noGroups = true
	e.start()
	for i := range w.problem.proposals {
		ids := w.problem.proposals[i].candidates
		if len(ids) <= maxGlances && !slices.ContainsFunc(ids, func(id sat.ID) bool {
			return e.eng.Consider(append(w.problem.mem.spans.list(1), sat.Span{Lo: id, Hi: id + 1}))
		}) {
			return false
		}
	}
	return true
}

// wouldStick reports whether the selection in the engine is that of an update
// that is stuck.
func (w *work) wouldStick(ctx context.Context) bool {
	selected, err := w.improve(ctx)
	return err != nil || w.problem.stuck(w.problem.solution(selected)) != nil
}

// attemptsFor returns the repairs that facts suggest, each once.
func attemptsFor(facts []Fact, req Request) []Repair {
	var tries []Repair
	for kind := RepairUnfreeze; kind <= RepairUninstall; kind++ {
		for i := range facts {
			for _, name := range suggested(kind, &facts[i], req) {
				r := Repair{Kind: kind, Name: name}
				if !slices.Contains(tries, r) {
					tries = append(tries, r)
				}
			}
		}
	}
	return tries
}

// suggested returns the names for which a fact suggests a kind of repair.
func suggested(kind RepairKind, f *Fact, req Request) []string {
	switch {
	case kind == RepairUnfreeze && f.Kind == FactFrozen,
		kind == RepairAccept && f.Kind == FactRejected && len(req.Reject) > 0,
		kind == RepairVersion && f.Kind == FactRequested && !f.All,
		kind == RepairAlso && f.Kind == FactInstalled && req.asksForSome(),
		kind == RepairUninstall && f.Kind == FactInstalled && req.Op != ExactInstall:
		return []string{f.Name}
	case kind == RepairAlso && f.Kind == FactHeld && req.asksForSome(),
		kind == RepairUninstall && f.Kind == FactHeld:
		return []string{f.top}
	case kind == RepairFacet && (f.Kind == FactDepend || f.Kind == FactHeld):
		return versionLocks(f)
	}
	return nil
}

// asksForSome reports whether the request names packages to install or update.
func (r *Request) asksForSome() bool {
	return r.Op == Install && len(r.Patterns) > 0 || r.Op == Update && len(r.Patterns) > 0
}

// versionLocks returns the facets that switch off the incorporations of a fact.
func versionLocks(f *Fact) []string {
	var names []string
	for _, d := range f.Depends {
		for _, text := range d.Actions {
			a, err := manifest.ParseAction(text)
			if err != nil || depKinds[d.Type] != incorporate {
				continue
			}
			for _, at := range a.Attrs {
				if strings.HasPrefix(at.Name, "facet.version-lock.") && !slices.Contains(names, at.Name) {
					names = append(names, at.Name)
				}
			}
		}
	}
	return names
}

// applyTo returns img and req after the repair.
func (r Repair) applyTo(img *Image, req Request) (*Image, Request) {
	next := *img
	switch r.Kind {
	case RepairUnfreeze:
		next.Frozen = slices.DeleteFunc(slices.Clone(img.Frozen), func(f Freeze) bool {
			return f.Package.Name() == r.Name
		})
	case RepairAccept:
		req.Reject = slices.DeleteFunc(slices.Clone(req.Reject), func(p fmri.Pattern) bool {
			return p.MatchesName(r.Name)
		})
	case RepairFacet:
		next.Varcets.Facets = maps.Clone(img.Varcets.Facets)
		if next.Varcets.Facets == nil {
			next.Varcets.Facets = map[string]bool{}
		}
		next.Varcets.Facets[r.Name] = false
	case RepairVersion:
		req.Patterns = slices.Clone(req.Patterns)
		for i, p := range req.Patterns {
			if p.MatchesName(r.Name) {
				req.Patterns[i] = exactly(r.Name)
			}
		}
	case RepairAlso:
		req.Patterns = append(slices.Clone(req.Patterns), exactly(r.Name))
	case RepairUninstall:
		req.Reject = append(slices.Clone(req.Reject), exactly(r.Name))
	}
	return &next, req
}

// exactly returns the pattern of one name, which must be one.
func exactly(name string) fmri.Pattern {
	f, err := fmri.New("", name, fmri.Version{})
	if err != nil {
		return fmri.Pattern{}
	}
	return fmri.Exactly(f)
}
