package solver

import (
	"context"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// An Explanation says why a package is in a solution, at the version it has,
// or is not in it.
type Explanation struct {
	Name    string
	Package fmri.FMRI // zero if it is not in the solution

	// Chain leads to the package from one that is requested or installed: each
	// fact but the first is a [FactDepend] on what the next one is about. It
	// is empty if the package is not in the solution.
	Chain []Fact

	// Instead says why there is no newer version, or none at all: why that
	// could not be had besides what counts more. It is nil if it could: then
	// nothing asks for it.
	Instead *ConflictError
}

// String tells the explanation.
func (e *Explanation) String() string {
	var lines []string
	if e.Package.IsValid() {
		lines = append(lines, e.Package.Format(fmri.OmitScheme|fmri.OmitPublisher|fmri.Short)+" is there:")
		t := tree{facts: e.Chain, told: make([]bool, len(e.Chain)), form: formFor(e.Chain)}
		for i := range e.Chain {
			t.told[i] = true
			first, _ := t.sentence(&e.Chain[i])
			t.line(1, first)
		}
		lines = append(lines, t.lines...)
	} else {
		lines = append(lines, e.Name+" is not there:")
	}
	switch {
	case e.Instead != nil && e.Package.IsValid():
		lines = append(lines, "not newer, because these do not go together:")
		lines = append(lines, indent(brief(e.Instead.Facts))...)
	case e.Instead != nil:
		lines = append(lines, indent(brief(e.Instead.Facts))...)
	case !e.Package.IsValid():
		lines = append(lines, "  nothing asks for it")
	}
	return strings.Join(lines, "\n")
}

// Why answers why a package is in the answer to req, at its version, or is not
// in it. If there is no answer, the error is that of [Solver.Solve].
func (s *Solver) Why(ctx context.Context, img *Image, req Request, name string) (*Explanation, error) {
	w := s.acquire()
	defer s.release(w)
	slot, ok := s.model.slot(name)
	if !ok {
		return nil, &PatternError{Category: NoMatch, Reason: Unknown, Patterns: []fmri.Pattern{exactly(name)}}
	}
	if err := w.problem.prepare(img, req); err != nil {
		return nil, err
	}
	selected, ok, err := w.choose(ctx)
	switch {
	case err != nil:
		return nil, w.searchError(err)
	case !ok:
		_, err := s.Solve(ctx, img, req)
		return nil, err
	}
	e := &Explanation{Name: name}
	if id := w.problem.m.find(w.problem.final(selected), slot); id != sat.None {
		e.Package = w.problem.m.fmri(id)
		e.Chain = w.problem.chain(selected, id)
	}
	if e.Instead, err = w.instead(ctx, selected, slot); err != nil {
		return nil, w.searchError(err)
	}
	return e, nil
}

// chain returns a shortest way from what is requested or installed to id.
func (p *problem) chain(selected []sat.ID, id sat.ID) []Fact {
	from := map[sat.ID]use{} // how each was reached
	var todo []sat.ID
	for _, installed := range []bool{false, true} {
		for _, r := range selected {
			st := &p.slots[p.m.slotAt(r)]
			if _, seen := from[r]; !seen && (st.proposal != 0 || installed && p.staysIn(p.m.slotAt(r)) != sat.None) {
				from[r] = use{sat.None, noDep}
				todo = append(todo, r)
			}
		}
	}
	for k := 0; k < len(todo) && from[id] == (use{}); k++ {
		todo = p.reached(todo, from, selected, todo[k])
	}
	x := explainer{problem: p}
	var facts []Fact
	for at := id; at != sat.None; at = from[at].id {
		step := from[at]
		if step.id == sat.None {
			facts = append(facts, x.root(at))
			break
		}
		facts = append(facts, Fact{
			Kind:     FactDepend,
			Name:     p.m.name(step.id),
			Packages: []fmri.FMRI{p.m.fmri(step.id)},
			Depends:  []Dependency{x.dependency([]use{step})},
		})
	}
	slices.Reverse(facts)
	return facts
}

// root returns the fact that id is requested or installed.
func (x *explainer) root(id sat.ID) Fact {
	s := x.problem.m.slotAt(id)
	k := FactInstalled
	if x.problem.slots[s].proposal != 0 {
		k = FactRequested
	}
	return x.fact(&ground{groundKey: groundKey{kind: k, slot: s}})
}

// reached appends to todo what of selected id needs, noting how it was reached.
func (p *problem) reached(todo []sat.ID, from map[sat.ID]use, selected []sat.ID, id sat.ID) []sat.ID {
	for i := range p.m.dependencies(id, needKinds) {
		d := p.m.dep(i)
		if !p.relevant.counts(i) || d.kind == conditional && !p.holds(d.cond, selected) {
			continue
		}
		set := d.set
		if d.kind.isGroup() {
			set = p.groupSet(d)
		}
		for _, q := range set {
			t := p.m.find(selected, p.m.slotAt(q.Lo))
			if _, seen := from[t]; t != sat.None && q.Contains(t) && !seen {
				from[t] = use{id, i}
				todo = append(todo, t)
			}
		}
	}
	return todo
}

// holds reports whether one of the ids of spans is selected.
func (p *problem) holds(spans []sat.Span, selected []sat.ID) bool {
	return slices.ContainsFunc(spans, func(q sat.Span) bool {
		return q.Contains(p.m.find(selected, p.m.slotAt(q.Lo)))
	})
}

// instead finds out why there is no version of slot s that is preferred to the
// selected one: what it contradicts of that which counts more. It returns nil
// if there is no contradiction.
func (w *work) instead(ctx context.Context, selected []sat.ID, s sat.Slot) (*ConflictError, error) {
	wanted := w.problem.preferred(s, w.problem.m.find(selected, s))
	if len(wanted) == 0 || w.problem.keeps(s, selected) {
		return nil, nil
	}
	other := proposal{slot: s, candidates: wanted, text: w.problem.wish(s, selected)}
	before := w.problem.before(s)
	for {
		end := w.problem.suppose(selected, before, other)
		w.main.relaxed = true
		w.main.start()
		w.main.demandAll()
		if ok, err := w.main.eng.Search(ctx); ok || err != nil {
			return nil, err
		}
		end() // whether a group dependency is blocked has nothing to do with it
		core, err := w.main.eng.Core(ctx)
		if err != nil {
			return nil, err
		}
		found, err := w.probeGroups(ctx, w.suspects(core))
		if err != nil {
			return nil, err
		}
		if !found {
			w.problem.suppose(selected, before, other)
			return w.explain(ctx, &w.main)
		}
	}
}

// suppose decides the slots before as selected, and asks for other instead.
// What it returns takes that back.
func (p *problem) suppose(selected []sat.ID, before []sat.Slot, other proposal) (end func()) {
	for _, t := range before {
		p.info(t).decided = p.m.find(selected, t) + 1
	}
	p.proposals = append(p.proposals, other)
	p.info(other.slot).wish = int32(len(p.proposals))
	p.supposing = true
	return func() {
		for _, t := range before {
			p.slots[t].decided = 0
		}
		p.slots[other.slot].wish = 0
		p.proposals = p.proposals[:len(p.proposals)-1]
		p.supposing = false
	}
}

// rulesBefore returns the rules of slot s without what is supposed.
func (p *problem) rulesBefore(s sat.Slot) rules {
	st := p.slots[s]
	st.decided, st.wish = 0, 0
	return p.rulesFor(s, &st)
}

// wish describes the versions that are asked for instead.
func (p *problem) wish(s sat.Slot, selected []sat.ID) string {
	if p.m.find(selected, s) == sat.None {
		return p.m.nameOf(s)
	}
	return "a newer " + p.m.nameOf(s)
}

// preferred returns the ids of slot s that are preferred to id, all if that is
// sat.None, ascending.
func (p *problem) preferred(s sat.Slot, id sat.ID) []sat.ID {
	var ids []sat.ID
	all := p.m.all(s)
	for i := all.Lo; i < all.Hi; i++ {
		if id == sat.None || i != id && p.prefers(i, id) {
			ids = append(ids, i)
		}
	}
	return ids
}

// keeps reports whether slot s just stays as it is, because nothing asks for
// a change.
func (p *problem) keeps(s sat.Slot, selected []sat.ID) bool {
	inst := p.staysIn(s)
	return !p.isUpdateAll() && p.slots[s].proposal == 0 && inst != sat.None && p.m.find(selected, s) == inst
}

// before returns the slots that are decided before slot s.
func (p *problem) before(s sat.Slot) []sat.Slot {
	var slots []sat.Slot
	for i := range p.proposals {
		if p.proposals[i].slot == s {
			return slots
		}
		slots = append(slots, p.proposals[i].slot)
	}
	for _, t := range p.unproposed() {
		if t == s {
			return slots
		}
		slots = append(slots, t)
	}
	return slots
}
