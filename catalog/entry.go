package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// An entry is all that a catalog knows of one package version, apart from any
// catalog: a thing to be added or removed.
type entry struct {
	fmri   fmri.FMRI
	base   bool // has an entry in the base part
	row    version
	extra  []scan.Member // of the entry in the base part
	lists  []list        // sorted by part
	source Package       // where the lists are instead, if valid
}

// A list is the entry of one part.
type list struct {
	part    Part
	actions []string
	oddity
}

// unusual reports whether a table must note more than the actions.
func (l *list) unusual() bool { return len(l.actions) == 0 || len(l.extra) > 0 }

func compareLists(l, m list) int { return cmp.Compare(l.part, m.part) }

// expand returns the entry with its lists, if these are elsewhere.
func (e *entry) expand() (*entry, error) {
	if !e.source.IsValid() {
		return e, nil
	}
	full, err := entryOf(e.source)
	if err == nil {
		full.extra = e.extra
	}
	return full, err
}

// newEntry returns the entry of a package with a manifest, which may be nil. Equal
// texts of actions share memory through texts.
func newEntry(f fmri.FMRI, m *manifest.Manifest, keepSource bool, texts map[string]string) *entry {
	e := &entry{fmri: f, base: true}
	if m == nil {
		return e
	}
	e.row.digest = m.SHA1()
	e.row.marks = markDigest
	for _, kind := range []manifest.Kind{manifest.KindDepend, manifest.KindSet} {
		for a := range m.Kind(kind) {
			part, ok := partOf(a, keepSource)
			if !ok {
				continue
			}
			text := a.String()
			if old, ok := texts[text]; ok {
				text = old
			} else {
				texts[text] = text
			}
			e.add(part, text)
		}
	}
	return e
}

// add adds an action to a part.
func (e *entry) add(part Part, action string) {
	i, ok := slices.BinarySearchFunc(e.lists, part, func(l list, part Part) int { return cmp.Compare(l.part, part) })
	if !ok {
		e.lists = slices.Insert(e.lists, i, list{part: part})
	}
	e.lists[i].actions = append(e.lists[i].actions, action)
}

// partOf returns the part that an action belongs to, if it is one for a catalog.
func partOf(a manifest.Action, keepSource bool) (Part, bool) {
	if a.Kind == manifest.KindDepend {
		return Dependency, true
	}
	name, _ := a.Attrs.Get("name")
	switch {
	case name == "fmri", name == "pkg.fmri":
		return "", false
	case hasPrefix(name, "variant", "facet", "pkg.depend."), name == "pkg.obsolete", name == "pkg.renamed", name == "pkg.legacy":
		return Dependency, true
	case !keepSource && (name == "publisher" || hasPrefix(name, "info.source-url", "pkg.debug", "pkg.linted")):
		return "", false
	}
	if _, locale, ok := strings.Cut(name, ":"); ok {
		locale, _, _ = strings.Cut(locale, ":")
		return SummaryIn(locale), true
	}
	return Summary, true
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// entryOf returns the entry that p is a handle on.
func entryOf(p Package) (*entry, error) {
	e := &entry{fmri: p.FMRI(), base: true, row: *p.data(), extra: p.c.extraOf(p.row())}
	for _, part := range p.c.parts {
		t, err := part.actions()
		if err != nil {
			return nil, err
		}
		if t == nil || !t.Has(p.row()) {
			continue
		}
		l := list{part: Part(part.Name)}
		if o := t.oddity(p.row()); o != nil {
			l.oddity = *o
		}
		for _, id := range t.list(p.row()) {
			l.actions = append(l.actions, t.Text(id))
		}
		e.lists = append(e.lists, l)
	}
	return e, nil
}
