package plan

import (
	"iter"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// A mediated link is there only while the image has settled on its mediation. So what
// a plan does with one follows not only from the packages: the links of packages that
// stay may come and go.

// A mediatedLink is a delivery of a mediated link.
type mediatedLink struct {
	object    object
	pkg       fmri.FMRI
	action    manifest.Action
	mediation manifest.Mediation
}

// choices are what an image has settled on, by mediator.
type choices map[string]manifest.Mediation

func choicesOf(list []manifest.Choice) choices {
	c := choices{}
	for _, choice := range list {
		c[choice.Mediator] = choice.Mediation()
	}
	return c
}

// has reports whether a link with mediation m is there. A link that says neither
// version nor implementation is no alternative to anything and always there.
func (c choices) has(m manifest.Mediation) bool {
	if m.Version == "" && m.Implementation == "" {
		return true
	}
	choice, ok := c[m.Mediator]
	return ok && m.Matches(choice)
}

// hasAction is like has for a link or hardlink; one that is not mediated is there.
func (c choices) hasAction(a *manifest.Action) bool {
	m, mediated := a.Mediation()
	return !mediated || c.has(m)
}

// mediate settles the mediators and adapts the items to that.
func (b *builder) mediate() {
	b.mediators = manifest.Mediate(offers(b.linksAfter), b.in.Mediators)
	b.was, b.is = choicesOf(b.in.OldMediators), choicesOf(b.mediators)
	for _, it := range b.items {
		if !it.dead {
			b.adapt(it)
		}
	}
	before := map[object]map[manifest.Mediation]bool{}
	for _, l := range b.linksBefore {
		if before[l.object] == nil {
			before[l.object] = map[manifest.Mediation]bool{}
		}
		before[l.object][l.mediation] = true
	}
	for _, l := range b.linksAfter {
		if before[l.object][l.mediation] && !b.isPlanned(l.object.key) {
			b.switchLink(l)
		}
	}
}

func offers(links []mediatedLink) iter.Seq[manifest.Mediation] {
	return func(yield func(manifest.Mediation) bool) {
		for _, l := range links {
			if !yield(l.mediation) {
				return
			}
		}
	}
}

// adapt makes an item do only what is to be done about a link that is mediated.
func (b *builder) adapt(it *item) {
	old := it.Old != nil && b.was.hasAction(it.Old)
	new := it.New != nil && b.is.hasAction(it.New)
	switch {
	case !old && !new:
		it.dead = true
	case !old && it.Phase == Update:
		it.Phase, it.Old = Install, nil
	case !new && it.Phase == Update:
		it.Phase, it.New = Remove, nil
	}
}

// switchLink brings or takes away a link that a package has before and after.
func (b *builder) switchLink(l mediatedLink) {
	was, is := b.was.has(l.mediation), b.is.has(l.mediation)
	if was == is {
		return
	}
	s := Step{Phase: Install, Package: solver.Change{From: l.pkg, To: l.pkg}}
	s.New = &l.action
	if was {
		s.Phase, s.Old, s.New = Remove, &l.action, nil
	}
	b.append(&item{Step: s, object: l.object})
}

// linkStays reports whether the resulting image has a link of a kind at a place.
func (b *builder) linkStays(o object, k manifest.Kind) bool {
	if p := b.places[o]; p != nil && slices.ContainsFunc(p.after, func(d delivery) bool {
		return d.action.Kind == k && b.is.hasAction(&d.action)
	}) {
		return true
	}
	return slices.ContainsFunc(b.linksAfter, func(l mediatedLink) bool {
		return l.object == o && l.action.Kind == k && b.is.has(l.mediation)
	})
}
