package solver

import (
	"maps"
	"slices"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// A relevant knows which dependencies and versions count under the variants and facets
// of an image.
type relevant struct {
	m        *Model
	filter   *manifest.Filter
	noFacets bool             // all that is usual counts
	varcets  manifest.Varcets // that the rest was filled in with
	tags     []counting       // by tag
	counting []counting       // by dependency
}

// read readies the filter for actions. What it has decided holds as
// long as variants and facets are the same.
func (r *relevant) read(v manifest.Varcets) {
	r.noFacets = len(v.Facets) == 0 && len(v.Inherited) == 0
	if r.filter != nil && maps.Equal(v.Variants, r.varcets.Variants) &&
		maps.Equal(v.Facets, r.varcets.Facets) && maps.Equal(v.Inherited, r.varcets.Inherited) {
		return
	}
	r.varcets = manifest.Varcets{Variants: maps.Clone(v.Variants),
		Facets: maps.Clone(v.Facets), Inherited: maps.Clone(v.Inherited)}
	r.filter = v.Filter()
	clear(r.tags)
	clear(r.counting)
}

// A counting says whether dependencies count, or 0 if nobody has asked.
type counting uint8

const (
	counted counting = iota + 1
	ignored
)

// counts reports whether dependency i counts under the image's variants and facets.
func (r *relevant) counts(i int32) bool {
	if r.noFacets && r.m.info[i].usual {
		return true
	}
	if r.counting == nil {
		r.counting = make([]counting, len(r.m.info))
	}
	if r.counting[i] == 0 {
		r.counting[i] = r.allows(r.m.dep(i).tag)
	}
	return r.counting[i] == counted
}

// allows finds out whether what has tag t counts.
func (r *relevant) allows(t *tag) counting {
	if t == nil {
		return counted
	}
	if n := t.number + 1 - len(r.tags); n > 0 {
		r.tags = append(r.tags, make([]counting, n)...)
	}
	known := &r.tags[t.number]
	if *known == 0 {
		*known = ignored
		switch {
		case t.usual && (r.noFacets || r.filter.AllowsFacets(t.action)),
			!t.usual && r.filter.Allows(t.action):
			*known = counted
		}
	}
	return *known
}

// forVariants reports whether version id is for the image's variants.
func (r *relevant) forVariants(id sat.ID) bool {
	if !r.m.is(id, variant) {
		return true
	}
	for _, v := range r.m.variants[id] {
		if value, ok := r.varcets.Variants[v.name]; ok && !slices.Contains(v.values, value) {
			return false
		}
	}
	return true
}
