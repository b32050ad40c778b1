package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A ConflictKind says in which way actions cannot be installed together.
type ConflictKind uint8

const (
	Duplicate  ConflictKind = iota + 1 // something that only one package may deliver
	Types                              // different kinds of things at one path
	Attributes                         // the same thing with different attributes
)

var conflictTexts = [...]string{
	"conflict", "delivered more than once", "delivered as different types", "delivered with different attributes",
}

func (k ConflictKind) String() string {
	if int(k) >= len(conflictTexts) {
		k = 0
	}
	return conflictTexts[k]
}

// A ConflictError says that packages of the resulting image deliver things to one
// place that cannot be there together.
type ConflictError struct {
	Kind    ConflictKind
	Key     string            // the path, or the name of a user, group, driver ...
	Actions []manifest.Action // what is delivered
	Owners  []fmri.FMRI       // by which package, in the same order
}

// Error names the place and, line by line, each package with what it delivers.
// If all of it comes from one package, that package must be corrected.
func (e *ConflictError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %v", e.Key, e.Kind)
	for i, a := range e.Actions {
		fmt.Fprintf(&s, "\n  %v: %v", e.Owners[i], e.describe(a))
	}
	if len(slices.Compact(slices.Clone(e.Owners))) == 1 {
		s.WriteString("\n  the package must be corrected by its maker")
	}
	return s.String()
}

// describe prints what matters about one of the actions.
func (e *ConflictError) describe(a manifest.Action) string {
	text := a.Kind.String()
	if a.Attrs.Has("implicit") {
		return text + ", implied by what it delivers below"
	}
	if e.Kind == Attributes {
		for name := range a.Kind.UniqueAttrs() {
			if v, ok := a.Attrs.Get(name); ok && name != a.Kind.KeyAttr() {
				text += " " + name + "=" + v
			}
		}
	}
	for _, name := range []string{"mediator", "mediator-version", "mediator-implementation"} {
		if v, ok := a.Attrs.Get(name); ok && !strings.Contains(text, " "+name+"=") {
			text += " " + name + "=" + v
		}
	}
	return text
}

// resolveConflicts looks at every touched place. A conflict that was there before and
// does not get worse is no reason to refuse the operation.
func (b *builder) resolveConflicts() error {
	var conflicts []error
	for _, o := range slices.SortedFunc(maps.Keys(b.places), compareObjects) {
		p := b.places[o]
		v, owners := p.judge()
		switch v {
		case leave:
			b.killRemovals(o)
		case fixup:
			b.killRemovals(o)
			b.reinstall(o, p)
		case overlaid:
			b.overlay(o, p)
		case duplicate, types, attributes:
			conflicts = append(conflicts, newConflict(v, o, owners))
		}
	}
	return errors.Join(conflicts...)
}

func compareObjects(a, b object) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.key, b.key))
}

func newConflict(v verdict, o object, ds []delivery) *ConflictError {
	e := &ConflictError{Kind: ConflictKind(v - duplicate + 1), Key: o.key}
	for _, d := range ds {
		e.Actions = append(e.Actions, d.action)
		e.Owners = append(e.Owners, d.pkg)
	}
	return e
}

// A verdict says what follows from the deliveries at a place.
type verdict uint8

const (
	fine     verdict = iota
	leave            // an old conflict stays: remove nothing
	fixup            // an old conflict ends: install what remains once more
	overlaid         // one file may lie over another
	duplicate
	types
	attributes
)

// judge applies the three rules to a place. It returns the deliveries that the
// verdict is about.
func (p *place) judge() (verdict, []delivery) {
	if v := p.judgeTypes(); v != fine {
		return v, p.after
	}
	if len(p.after) == 0 && len(p.before) < 2 {
		return fine, nil
	}
	if !anyOf(p).action.Kind.RefCounted() {
		return p.judgeDuplicates(), p.after
	}
	return p.judgeAttributes(), explicit(p.after)
}

// anyOf returns a delivery that stands for the type of a place.
func anyOf(p *place) delivery {
	if len(p.after) > 0 {
		return p.after[0]
	}
	return p.before[0]
}

// judgeTypes is the rule that everything at one path is of one type.
func (p *place) judgeTypes() verdict {
	before, after := kinds(p.before), kinds(p.after)
	switch {
	case len(after) == 0, len(after) == 1 && len(before) <= 1:
		return fine
	case len(after) == 1:
		return fixup
	case len(after) < len(before):
		return leave
	case maps.Equal(before, after) && sameOwners(p.before, p.after):
		return leave
	}
	return types
}

func kinds(ds []delivery) map[manifest.Kind]bool {
	set := map[manifest.Kind]bool{}
	for _, d := range ds {
		set[d.action.Kind] = true
	}
	return set
}

// sameOwners reports whether the same packages, in whatever version, deliver.
func sameOwners(a, b []delivery) bool {
	names := func(ds []delivery) map[string]bool {
		set := map[string]bool{}
		for _, d := range ds {
			set[d.pkg.Name()] = true
		}
		return set
	}
	return maps.Equal(names(a), names(b))
}

// judgeDuplicates is the rule that only one package delivers a file, driver, user or
// group, unless one file is an overlay of the other.
func (p *place) judgeDuplicates() verdict {
	before := alone(p.before)
	n, m := len(p.after), len(before)
	switch {
	case isOverlay(before) && n < 2:
		return overlaid
	case n == 0, n == 1 && m < 2:
		return fine
	case n == 1 && p.after[0].action.Attrs.Has("preserve"):
		return leave
	case n == 1:
		return fixup
	case isOverlay(p.after):
		return judgeOverlay(p.after)
	case n < m, n == m && sameOwners(before, p.after):
		return leave
	}
	return duplicate
}

// alone returns the deliveries of what only one package may deliver. Where a directory or
// link was that several have, which a file follows, nothing was wrong.
func alone(ds []delivery) []delivery {
	return slices.DeleteFunc(slices.Clone(ds), func(d delivery) bool { return d.action.Kind.RefCounted() })
}

// isOverlay reports whether ds are a file that may be overlaid and its overlay.
func isOverlay(ds []delivery) bool {
	return len(ds) == 2 && (overlays(ds[1], ds[0]) || overlays(ds[0], ds[1]))
}

// overlays reports whether over may lie on top of base.
func overlays(over, base delivery) bool {
	allow, _ := base.action.Attrs.Get("overlay")
	is, _ := over.action.Attrs.Get("overlay")
	return base.action.Kind == manifest.KindFile && over.action.Kind == manifest.KindFile &&
		manifest.Overlay(allow) == manifest.OverlayAllow && base.action.Attrs.Has("preserve") && manifest.Overlay(is) == manifest.OverlayTrue
}

// judgeOverlay compares the attributes of the two files of an overlay.
func judgeOverlay(ds []delivery) verdict {
	a, b := ds[0].action.Attrs, ds[1].action.Attrs
	denied := false
	for _, attrs := range []manifest.Attrs{a, b} {
		v, _ := attrs.Get("overlay-attributes")
		denied = denied || v == "deny"
	}
	if !denied {
		return overlaid
	}
	for _, name := range []string{"owner", "group", "mode", "sysattr"} {
		if uniqueValue(a, name) != uniqueValue(b, name) {
			return attributes
		}
	}
	return overlaid
}

// judgeAttributes is the rule that several deliveries of one thing agree.
func (p *place) judgeAttributes() verdict {
	now, then := disagreements(p.after), disagreements(p.before)
	switch {
	case now > then:
		return attributes
	case now > 0:
		return leave
	case then > 0 && len(explicit(p.after)) > 0:
		return fixup
	}
	return fine
}

// explicit returns the deliveries that have an action of their own.
func explicit(ds []delivery) []delivery {
	return slices.DeleteFunc(slices.Clone(ds), func(d delivery) bool { return d.implicit })
}

// disagreements counts the pairs of explicit deliveries that do not agree. Equal
// ones are counted together: many packages may deliver one directory.
func disagreements(ds []delivery) int {
	type class struct {
		d delivery
		n int
	}
	var classes []class
	index := map[string]int{}
	for _, d := range explicit(ds) {
		id := signature(d.action)
		i, ok := index[id]
		if !ok {
			i, index[id] = len(classes), len(classes)
			classes = append(classes, class{d: d})
		}
		classes[i].n++
	}
	pairs := 0
	for i, a := range classes {
		for _, b := range classes[i+1:] {
			if disagree(a.d.action, b.d.action) {
				pairs += a.n * b.n
			}
		}
	}
	return pairs
}

// signature is equal for actions that disagree with the same others.
func signature(a manifest.Action) string {
	var s strings.Builder
	for _, name := range slices.AppendSeq(slices.Clone(mediation), a.Kind.UniqueAttrs()) {
		fmt.Fprintf(&s, "%q ", uniqueValue(a.Attrs, name))
	}
	return s.String()
}

var mediation = []string{"mediator", "mediator-version", "mediator-implementation"}

// disagree compares the attributes that must be equal. Links of one mediator that
// differ in its version or implementation are alternatives to each other.
func disagree(a, b manifest.Action) bool {
	if alternatives(a.Attrs, b.Attrs) {
		return false
	}
	for name := range a.Kind.UniqueAttrs() {
		if uniqueValue(a.Attrs, name) != uniqueValue(b.Attrs, name) {
			return true
		}
	}
	return false
}

func alternatives(a, b manifest.Attrs) bool {
	m, ok := a.Get("mediator")
	if n, _ := b.Get("mediator"); !ok || m != n {
		return false
	}
	return uniqueValue(a, mediation[1]) != uniqueValue(b, mediation[1]) ||
		uniqueValue(a, mediation[2]) != uniqueValue(b, mediation[2])
}

// uniqueValue returns an attribute in a form that compares: modes are numbers,
// lists have no order.
func uniqueValue(a manifest.Attrs, name string) string {
	if name == "mode" {
		v, _ := a.Get(name)
		return strings.TrimLeft(v, "0")
	}
	if a.Count(name) < 2 {
		v, _ := a.Get(name)
		return v
	}
	return strings.Join(slices.Sorted(a.Values(name)), "\x00")
}

// killRemovals drops the removals at an object.
func (b *builder) killRemovals(o object) {
	for _, it := range b.byObject[o] {
		if it.Phase == Remove {
			it.dead = true
		}
	}
}

// reinstall adds an install of what remains at a place, unless one is planned.
func (b *builder) reinstall(o object, p *place) {
	for _, it := range b.byObject[o] {
		if it.Phase != Remove && !it.dead {
			return
		}
	}
	d := p.after[0]
	if named := explicit(p.after); len(named) > 0 {
		d = named[0]
	}
	s := Step{Phase: Install}
	s.Package.From, s.Package.To, s.New = d.pkg, d.pkg, &d.action
	b.append(&item{Step: s, object: o})
}

// overlay keeps the file that is overlaid, and what an overlay left, as they are.
func (b *builder) overlay(o object, p *place) {
	for _, it := range b.byObject[o] {
		switch {
		case it.Phase == Remove && len(p.after) > 0:
			it.dead = true
		case it.Phase == Remove:
			it.dead = isBase(it.Old)
		case len(p.after) == 2:
			it.dead = isBase(it.New)
		}
	}
}

// isBase reports whether a is a file that others may overlay.
func isBase(a *manifest.Action) bool {
	v, _ := a.Attrs.Get("overlay")
	return manifest.Overlay(v) == manifest.OverlayAllow
}
