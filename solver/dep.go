package solver

import (
	"errors"
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
func (k depKind) needs() bool { return k <= groupAny }

// isGroup reports whether dependencies of kind k have members.
func (k depKind) isGroup() bool { return k == group || k == groupAny }

// A dep is one depend action, of any number of packages. The text of dep i is
// Model.texts[i].
type dep struct {
	kind      depKind
	versioned bool  // one of its FMRIs has a version
	rootImage bool  // for an origin: it is about the live root
	gaps      bool  // for a limit: hull has parts that are not in set
	tag       int32 // index into Model.tags; 0 for none
	slot      sat.Slot
	// hull spans set, where that is of one slot: optional, incorporate, exclude.
	hull sat.Span
	// set is what must be selected (require, require-any, conditional, group,
	// group-any), or what may (optional, incorporate, exclude), in order of
	// preference. Parts of Model.spans.
	set part
	// cond is when a conditional counts: the versions of predicate.
	cond      part
	predicate target
	// targets are the packages named. Part of Model.targets.
	targets part
}

// A part is a part of some slice.
type part struct{ first, end int32 }

// A target is a package that a dependency names.
type target struct {
	slot      sat.Slot // sat.None if it is unknown
	versioned bool
}

// self is the name that stands for the depending package itself.
const self = "feature/package/dependency/self"

// errDepend is what an action gives that cannot be understood.
var errDepend = errors.New("unsupported dependency")

// A depend is a depend action as it was read.
type depend struct {
	kind      depKind
	fmris     []fmri.FMRI
	predicate fmri.FMRI
	rootImage bool
}

// parseDepend reads the attributes of a depend action.
func parseDepend(a manifest.Action) (d depend, err error) {
	var ok bool
	typ, _ := a.Attrs.Get("type")
	if d.kind, ok = depKinds[typ]; !ok {
		d.kind = otherKind
	}
	for text := range a.Attrs.Values("fmri") {
		f, err := fmri.Parse(text)
		if err != nil {
			return d, err
		}
		d.fmris = append(d.fmris, f)
	}
	if len(d.fmris) == 0 {
		return d, errDepend
	}
	text, ok := a.Attrs.Get("predicate")
	if d.kind == conditional || d.kind == otherKind && ok {
		if d.predicate, err = fmri.Parse(text); err != nil {
			return d, err
		}
	}
	root, _ := a.Attrs.Get("root-image")
	d.rootImage = strings.EqualFold(root, "true")
	return d, nil
}

// dependOf reads the text of dependency i again.
func (m *Model) dependOf(i int32) depend {
	a, err := manifest.ParseAction(m.texts[i])
	if err != nil {
		return depend{}
	}
	d, err := parseDepend(a)
	if err != nil {
		return depend{}
	}
	return d
}

// addDep compiles d and returns its index.
func (m *Model) addDep(d depend, text string, tag int32) int32 {
	c := dep{kind: d.kind, rootImage: d.rootImage, tag: tag, slot: sat.None, predicate: target{slot: sat.None}}
	c.targets.first = int32(len(m.targets))
	c.set.first = int32(len(m.spans))
	for i, f := range d.fmris {
		t := target{sat.None, f.Version().IsValid()}
		if s, ok := m.slot(f.Name()); ok {
			t.slot = s
			m.spans = m.appendAdmitted(m.spans, d.kind, s, f.Version())
		}
		if i == 0 {
			c.slot = t.slot
		}
		c.versioned = c.versioned || t.versioned
		m.targets = append(m.targets, t)
	}
	c.targets.end = int32(len(m.targets))
	c.set.end = int32(len(m.spans))
	c.cond = part{c.set.end, c.set.end}
	if d.predicate.IsValid() {
		c.predicate.versioned = d.predicate.Version().IsValid()
		c.versioned = c.versioned || c.predicate.versioned
		if s, ok := m.slot(d.predicate.Name()); ok {
			c.predicate.slot = s
		}
	}
	switch {
	case d.kind == conditional && c.predicate.slot != sat.None:
		m.spans = m.appendAtLeast(m.spans, c.predicate.slot, d.predicate.Version())
		c.cond.end = int32(len(m.spans))
	case !d.kind.needs() && c.slot != sat.None:
		c.hull, c.gaps = m.hull(c.slot, m.setOf(&c))
	}
	m.deps = append(m.deps, c)
	m.texts = append(m.texts, text)
	return int32(len(m.deps) - 1)
}

// hull returns the span from the lowest to the highest id of set, which is of
// slot s and descends, and whether it holds others.
func (m *Model) hull(s sat.Slot, set []sat.Span) (hull sat.Span, gaps bool) {
	if len(set) == 0 {
		return sat.Span{Lo: m.layout.Base[s], Hi: m.layout.Base[s]}, false
	}
	return sat.Span{Lo: set[len(set)-1].Lo, Hi: set[0].Hi}, len(set) > 1
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

// setOf returns the spans of d.
func (m *Model) setOf(d *dep) []sat.Span { return m.spans[d.set.first:d.set.end] }

// gapsOf returns the parts of d.hull that are not in its set.
func (m *Model) gapsOf(d *dep) []sat.Span {
	if !d.gaps {
		return nil
	}
	var gaps []sat.Span
	set := m.setOf(d)
	for k := 1; k < len(set); k++ {
		gaps = append(gaps, sat.Span{Lo: set[k].Hi, Hi: set[k-1].Lo})
	}
	return gaps
}

// condOf returns when d counts.
func (m *Model) condOf(d *dep) []sat.Span { return m.spans[d.cond.first:d.cond.end] }

// targetsOf returns the packages that d names.
func (m *Model) targetsOf(d *dep) []target { return m.targets[d.targets.first:d.targets.end] }

// A tag is a set of variants and facets under which actions count.
type tag struct {
	action manifest.Action // with these and nothing else
	// usual says that it counts in an image without facets: it names no
	// variants, and facets that are true unless they are set.
	usual bool
}

// tagOf returns the variants and facets of a as an action, and a text that
// identifies them, "" if there are none.
func tagOf(a manifest.Action) (t tag, key string) {
	t = tag{action: manifest.Action{Kind: a.Kind}, usual: true}
	var b strings.Builder
	for _, at := range a.Attrs {
		isFacet := strings.HasPrefix(at.Name, "facet.")
		if !isFacet && !strings.HasPrefix(at.Name, "variant.") {
			continue
		}
		t.action.Attrs = append(t.action.Attrs, at)
		t.usual = t.usual && isFacet &&
			!strings.HasPrefix(at.Name, "facet.debug.") && !strings.HasPrefix(at.Name, "facet.optional.")
		b.WriteString(at.Name)
		b.WriteByte('=')
		b.WriteString(at.Value)
		b.WriteByte('\n')
	}
	return t, b.String()
}
