package manifest

import (
	"maps"
	"slices"
	"strings"
)

// Varcets are the variants and facets of an image, which decide what actions it gets.
// The zero Varcets has none set.
type Varcets struct {
	// Variants are what the image is, such as "variant.arch": "i386". Names have
	// the prefix "variant.". One that is not set is as good as "false".
	Variants map[string]string

	// Facets are what the image wants, such as "facet.doc": false. Names have the prefix
	// "facet." and may be patterns with *, ? and [...].
	Facets map[string]bool

	// Inherited are facets that come from the image that this one is linked to. They
	// precede Facets.
	Inherited map[string]bool
}

// Filter returns a Filter for v, which does not change with v afterwards.
func (v Varcets) Filter() *Filter {
	f := &Filter{
		variants: maps.Clone(v.Variants),
		facets:   maps.Clone(v.Facets),
	}
	if f.facets == nil {
		f.facets = map[string]bool{}
	}
	maps.Copy(f.facets, v.Inherited)
	f.patterns = append(patterns(v.Inherited), patterns(v.Facets)...)
	return f
}

// Allows is [Filter.Allows] for one action. For many, make a Filter.
func (v Varcets) Allows(a Action) bool { return v.Filter().Allows(a) }

// patterns returns the facets whose names are patterns in the order in which
// they are tried: the longer first, then by code point.
func patterns(facets map[string]bool) []facetPattern {
	var list []facetPattern
	for name, value := range facets {
		if strings.ContainsAny(name, "*?[") {
			list = append(list, facetPattern{compileGlob(name), value})
		}
	}
	slices.SortFunc(list, func(a, b facetPattern) int {
		if len(a.glob.runes) != len(b.glob.runes) {
			return len(b.glob.runes) - len(a.glob.runes)
		}
		return strings.Compare(a.glob.text, b.glob.text)
	})
	return list
}

type facetPattern struct {
	glob  glob
	value bool
}

// A Filter decides which actions an image gets. It does not change, so several
// goroutines may use it at once. A nil *Filter allows everything.
//
// An action is allowed if its variants and its facets are. The tags variant.NAME and
// facet.NAME among its attributes say what it is for:
//
//   - Each variant must have the value that the image has, "false" if it has none. One
//     that is repeated has no such value.
//   - Each facet tagged "all" must be true.
//   - Of the other facets, tagged "true" or any other text, even "false", at least one must
//     be true, unless there are none. One that is repeated is among these.
type Filter struct {
	variants map[string]string
	facets   map[string]bool // both layers, inherited ones over local ones
	patterns []facetPattern  // in the order in which they are tried
}

const (
	variantPrefix = "variant."
	facetPrefix   = "facet."
)

// Allows reports whether the image gets a. It does not allocate unless a has very many
// attributes.
func (f *Filter) Allows(a Action) bool { return f.AllowsVariants(a) && f.AllowsFacets(a) }

// AllowsVariants reports whether the variants of a are those of the image.
func (f *Filter) AllowsVariants(a Action) bool {
	if f == nil {
		return true
	}
	lists := lists{attrs: a.Attrs}
	for i := range a.Attrs {
		x := &a.Attrs[i]
		if !strings.HasPrefix(x.Name, variantPrefix) {
			continue
		}
		if x.Value != f.Variant(x.Name) || lists.has(x.Name) {
			return false
		}
	}
	return true
}

// Variant returns the value of a variant of the image, "false" if it is not set.
func (f *Filter) Variant(name string) string {
	if v, ok := f.variants[name]; ok {
		return v
	}
	return "false"
}

// AllowsFacets reports whether the image wants the facets of a.
func (f *Filter) AllowsFacets(a Action) bool {
	if f == nil {
		return true
	}
	lists := lists{attrs: a.Attrs}
	anyOf, oneTrue := false, false
	for i := range a.Attrs {
		x := &a.Attrs[i]
		if !strings.HasPrefix(x.Name, facetPrefix) {
			continue
		}
		switch wanted := f.Facet(x.Name); {
		case x.Value != "all" || lists.has(x.Name):
			anyOf = true
			oneTrue = oneTrue || wanted
		case !wanted:
			return false
		}
	}
	return oneTrue || !anyOf
}

// lists tells which names of attributes repeat.
type lists struct {
	attrs  Attrs
	counts map[string]int // made if there are many attributes
}

// has reports whether name repeats.
func (l *lists) has(name string) bool {
	const few = 64
	if len(l.attrs) <= few {
		return l.attrs.Count(name) > 1
	}
	if l.counts == nil {
		l.counts = make(map[string]int, len(l.attrs))
		for i := range l.attrs {
			l.counts[l.attrs[i].Name]++
		}
	}
	return l.counts[name] > 1
}

// Facet returns whether the image wants a facet. If its name is set that decides, the
// inherited value before the local one. Otherwise the first pattern that matches does:
// inherited ones first, longer ones first, and then by code point. Otherwise it is
// true, except for names with the prefixes facet.debug. and facet.optional.
//
// So a name that is set here precedes a pattern that is inherited, as it does in the
// reference.
func (f *Filter) Facet(name string) bool {
	if value, ok := f.facets[name]; ok {
		return value
	}
	for i := range f.patterns {
		if f.patterns[i].glob.match(name) {
			return f.patterns[i].value
		}
	}
	return !strings.HasPrefix(name, "facet.debug.") && !strings.HasPrefix(name, "facet.optional.")
}

// Supports reports whether the package is made for an image with these variants. A
// package says with a set action such as variant.arch which values it supports. Where it
// says nothing, or the image has no such variant, all are.
func (f *Filter) Supports(m *Manifest) bool {
	if f == nil {
		return true
	}
	for name, value := range f.variants {
		if a, ok := m.Attribute(name); ok && !slices.Contains(slices.Collect(a.Attrs.Values("value")), value) {
			return false
		}
	}
	return true
}

// Filter returns a manifest of the actions that f allows, in their order. It is m
// itself if f is nil, and shares attributes with it.
func (m *Manifest) Filter(f *Filter) *Manifest {
	if f == nil {
		return m
	}
	kept := new(Manifest)
	for i := range m.actions {
		if f.Allows(m.actions[i]) {
			kept.actions = append(kept.actions, m.actions[i])
		}
	}
	return kept
}
