package plan

import (
	"fmt"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A place is an object that the operation touches, with all that deliver it.
type place struct {
	before, after []delivery
}

// A delivery is one action of one package at a place.
type delivery struct {
	pkg      fmri.FMRI
	action   manifest.Action
	implicit bool // a directory that follows from the path of something in it
}

// survey finds out who delivers what the items touch, before and after. It reads the
// manifest of every package in the image once and keeps only what concerns them.
func (b *builder) survey() error {
	b.touch()
	defer b.sortPlaces()
	b.links = map[string][]delivery{}
	changed := map[fmri.FMRI]bool{}
	for i, c := range b.changes {
		changed[c.From] = true
		v := visitor{b: b, pkg: c.From, before: true}
		v.visit(b.old[i], nil)
		v = visitor{b: b, pkg: c.To, after: true}
		v.visit(b.new[i], nil)
	}
	if b.in.Installed == nil {
		return nil
	}
	for f := range b.in.Installed {
		if changed[f] {
			continue
		}
		m, err := b.in.Manifest(f)
		if err != nil {
			return fmt.Errorf("manifest of %v: %w", f, err)
		}
		v := visitor{b: b, pkg: f, before: true, after: true}
		v.visit(m, b.after)
	}
	return nil
}

// sortPlaces makes what follows independent of the order of the packages.
func (b *builder) sortPlaces() {
	byPackage := func(x, y delivery) int { return x.pkg.Compare(y.pkg) }
	for _, p := range b.places {
		slices.SortStableFunc(p.before, byPackage)
		slices.SortStableFunc(p.after, byPackage)
	}
}

// touch makes the places: the objects of all items, and the directories that new
// ones bring with them.
func (b *builder) touch() {
	b.places = map[object]*place{}
	for _, it := range b.items {
		b.places[it.object] = &place{}
		if it.Phase != Install || it.object.group != manifest.KindDir {
			continue
		}
		for dir := range parents(it.object.key) {
			o := object{manifest.KindDir, dir}
			if b.places[o] == nil {
				b.places[o] = &place{}
			}
		}
	}
}

// A visitor notes the deliveries of one package at the places of a builder.
type visitor struct {
	b             *builder
	pkg           fmri.FMRI
	before, after bool
	dirs          map[string]bool // implicit directories seen
}

// visit walks the actions of m, those that are allowed.
// Actions without a valid path are passed over: they were refused, or were there before.
func (v *visitor) visit(m *manifest.Manifest, allow *manifest.Filter) {
	v.dirs = map[string]bool{}
	for a := range m.All() {
		o, ok, err := objectOf(&a, v.pkg)
		if !ok || err != nil || !allow.Allows(a) {
			continue
		}
		if p := v.b.places[o]; p != nil {
			v.note(p, delivery{pkg: v.pkg, action: a})
		}
		if a.Kind == manifest.KindHardlink && v.after {
			v.link(a)
		}
		if m, ok := a.Mediation(); ok {
			v.mediated(mediatedLink{object: o, pkg: v.pkg, action: a, mediation: m})
		}
		if name, err := deliveredPath(&a); err == nil && name != "" {
			v.implied(name)
		}
	}
}

// implied notes the directories above a path.
func (v *visitor) implied(name string) {
	for dir := range parents(name) {
		if v.dirs[dir] {
			return
		}
		v.dirs[dir] = true
		if p := v.b.places[object{manifest.KindDir, dir}]; p != nil {
			v.note(p, delivery{pkg: v.pkg, action: implicitDir(dir), implicit: true})
		}
	}
}

func (v *visitor) note(p *place, d delivery) {
	if v.before {
		p.before = put(p.before, d)
	}
	if v.after {
		p.after = put(p.after, d)
	}
}

// put adds d to the deliveries of a place. A directory that a package names hides
// that it is also implied; the deliveries of one package follow each other.
func put(ds []delivery, d delivery) []delivery {
	n := len(ds)
	if n == 0 || ds[n-1].pkg != d.pkg || ds[n-1].action.Kind != d.action.Kind {
		return append(ds, d)
	}
	switch {
	case d.implicit:
		return ds
	case ds[n-1].implicit:
		ds = slices.Clone(ds)
		ds[n-1] = d
		return ds
	}
	return append(ds, d)
}

func (v *visitor) mediated(l mediatedLink) {
	if v.before {
		v.b.linksBefore = append(v.b.linksBefore, l)
	}
	if v.after {
		v.b.linksAfter = append(v.b.linksAfter, l)
	}
}

func (v *visitor) link(a manifest.Action) {
	if target, err := a.Target(); err == nil {
		v.b.links[target] = append(v.b.links[target], delivery{pkg: v.pkg, action: a})
	}
}
