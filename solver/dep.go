package solver

import (
	"iter"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// A depKind is the type of a dependency.
type depKind uint8

const (
	require depKind = iota
	requireAny
	conditional
	group
	groupAny
	optional
	incorporate
	exclude
	originOf
	parentOf
	otherKind // of a type that is not known
	badDepend // an action that cannot be understood
	noDepend  // one that is no dependency
)

// depKinds maps the type attribute of a depend action.
var depKinds = map[string]depKind{
	"require":     require,
	"require-any": requireAny,
	"conditional": conditional,
	"group":       group,
	"group-any":   groupAny,
	"optional":    optional,
	"incorporate": incorporate,
	"exclude":     exclude,
	"origin":      originOf,
	"parent":      parentOf,
}

var depKindNames = [...]string{"require", "require-any", "conditional", "group", "group-any",
	"optional", "incorporate", "exclude", "origin", "parent", "unknown"}

// String returns the kind as it stands in a depend action.
func (k depKind) String() string { return depKindNames[k] }

// needs reports whether dependencies of kind k want something to be present.
func (k depKind) needs() bool { return needKinds.has(k) }

// isGroup reports whether dependencies of kind k have members.
func (k depKind) isGroup() bool { return groupKinds.has(k) }

// A kindSet is a set of kinds.
type kindSet uint16

const (
	groupKinds kindSet = 1<<group | 1<<groupAny
	needKinds          = groupKinds | 1<<require | 1<<requireAny | 1<<conditional
	allKinds   kindSet = 1<<badDepend - 1
)

func (s kindSet) has(k depKind) bool { return s>>k&1 != 0 }

// A dep is one depend action, of any number of packages, compiled.
type dep struct {
	kind      depKind
	rootImage bool     // for an origin: it is about the live root
	slot      sat.Slot // of the first package
	tag       *tag     // nil for none
	// set is what must be selected (require, require-any, conditional, group,
	// group-any), or what may (optional, incorporate, exclude), in order of
	// preference.
	set []sat.Span
	// hull spans set, where that is of one slot: optional, incorporate, exclude.
	hull [1]sat.Span
	// cond is when a conditional counts: the versions of predicate.
	cond      []sat.Span
	predicate target
	targets   []target // the packages named
	one       [1]target
}

// A target is a package that a dependency names.
type target struct {
	slot      sat.Slot // sat.None if it is unknown
	versioned bool
}

// self is the name that stands for the depending package itself.
const self = "feature/package/dependency/self"

// compile makes a dep of action i.
func (m *Model) compile(i int32) *dep {
	r := m.reader()
	defer m.readers.Put(r)
	d, err := r.read(m.text(i))
	if err != nil {
		return &dep{kind: badDepend, slot: sat.None, predicate: target{slot: sat.None}}
	}
	c := &dep{kind: d.kind, rootImage: d.rootImage, tag: m.tagOf(d.varcets), predicate: m.target(d.predicate)}
	c.targets = c.one[:0]
	for _, f := range d.fmris {
		c.targets = append(c.targets, m.target(f))
	}
	c.slot = c.targets[0].slot
	if d.kind == conditional && c.predicate.slot != sat.None {
		c.cond = m.appendAtLeast(nil, c.predicate.slot, d.predicate.Version())
	}
	c.set = c.hull[:0:1]
	for k, t := range c.targets {
		if t.slot != sat.None && (k == 0 || d.kind.needs()) {
			c.set = m.appendAdmitted(c.set, d.kind, t.slot, d.fmris[k].Version())
		}
	}
	c.set = slices.Clip(c.set)
	if !d.kind.needs() && c.slot != sat.None {
		c.hull[0] = m.hull(c.slot, c.set)
	}
	return c
}

// target returns the package of f, which may be the zero FMRI.
func (m *Model) target(f fmri.FMRI) target {
	if s, ok := m.slot(f.Name()); ok {
		return target{s, f.Version().IsValid()}
	}
	return target{sat.None, f.Version().IsValid()}
}

// hull returns the span from the lowest to the highest id of set, which is of
// slot s and descends.
func (m *Model) hull(s sat.Slot, set []sat.Span) sat.Span {
	if len(set) == 0 {
		return sat.Span{Lo: m.layout.Base[s], Hi: m.layout.Base[s]}
	}
	return sat.Span{Lo: set[len(set)-1].Lo, Hi: set[0].Hi}
}

// gaps yields the parts of the hull that are not in the set.
func (d *dep) gaps() iter.Seq[sat.Span] {
	return func(yield func(sat.Span) bool) {
		for k := 1; k < len(d.set); k++ {
			if !yield(sat.Span{Lo: d.set[k].Hi, Hi: d.set[k-1].Lo}) {
				return
			}
		}
	}
}

// appendAdmitted appends what a dependency of kind k on slot s at v is about:
// see dep.set.
func (m *Model) appendAdmitted(spans []sat.Span, k depKind, s sat.Slot, v fmri.Version) []sat.Span {
	all := m.all(s)
	switch k {
	case require, requireAny, conditional:
		return m.appendAtLeast(spans, s, v)
	case incorporate:
		return m.appendMatching(spans, s, v)
	case optional:
		if v.IsValid() {
			all.Lo = m.from(s, v)
		}
	case exclude:
		all.Hi = all.Lo
		if v.IsValid() {
			all.Hi = m.from(s, v)
		}
	case originOf, parentOf, otherKind:
		return spans
	}
	return append(spans, all)
}

// A tag is a set of variants and facets under which actions count.
type tag struct {
	number int
	action manifest.Action // with these and nothing else
	usual  bool            // it counts in an image without facets: see [isUsual]
}

// tagOf returns the tag of variants and facets, which is the same for the same
// ones, nil for none.
func (m *Model) tagOf(varcets manifest.Attrs) *tag {
	if len(varcets) == 0 {
		return nil
	}
	a := manifest.Action{Kind: manifest.KindDepend, Attrs: slices.Clone(varcets)}
	key := a.String()
	m.tagging.Lock()
	defer m.tagging.Unlock()
	t := m.tags[key]
	if t == nil {
		t = &tag{len(m.tags), a, isUsual(varcets)}
		m.tags[key] = t
	}
	return t
}

// isUsual reports whether what has these variants and facets counts in every
// image without facets: they are no variants, and facets that are true unless
// they are set.
func isUsual(varcets manifest.Attrs) bool {
	return !slices.ContainsFunc(varcets, func(a manifest.Attr) bool {
		return !strings.HasPrefix(a.Name, "facet.") ||
			strings.HasPrefix(a.Name, "facet.debug.") || strings.HasPrefix(a.Name, "facet.optional.")
	})
}
