package manifest

import (
	"iter"
	"slices"
	"strings"
)

// A Change is how one object of a package differs between two manifests. Old is nil if it
// is added, and New is nil if it is removed.
type Change struct{ Old, New *Action }

// DiffOptions say what counts as a difference. A nil *DiffOptions has the defaults.
type DiffOptions struct {
	Policy   Policy  // for payloads
	Old, New *Filter // for the actions of the two manifests; nil for all
}

// Diff yields the differences with the default options.
func Diff(old, new *Manifest) iter.Seq[Change] { return (*DiffOptions)(nil).Diff(old, new) }

// Diff yields what is to be done to get from old to new: what is removed, in descending
// order of [Action.Compare], then what is changed and what is added, in ascending order.
// Actions that compare equal keep the order of their manifest.
//
// Two actions are about the same object if they have the same kind and key, which for a
// dependency on several packages is the list of them, and if they are mediated links, the
// same mediator-version and mediator-implementation. Of several actions of one manifest about
// the same object the last counts. An action of the kind unknown has no object in common
// with any other. See [Action.Different] for what is changed.
func (o *DiffOptions) Diff(old, new *Manifest) iter.Seq[Change] {
	var opts DiffOptions
	if o != nil {
		opts = *o
	}
	return func(yield func(Change) bool) {
		d := newDiffer(len(old.actions), len(new.actions))
		d.add(old, opts.Old, func(c *Change) **Action { return &c.Old })
		d.add(new, opts.New, func(c *Change) **Action { return &c.New })
		for _, c := range d.changes(opts.Policy) {
			if !yield(c) {
				return
			}
		}
	}
}

// A differ brings together the actions about the same object.
type differ struct {
	pairs    []Change
	byObject map[object]int32 // index into pairs
}

func newDiffer(old, new int) *differ {
	n := max(old, new)
	return &differ{make([]Change, 0, n), make(map[object]int32, n)}
}

// add puts the actions of a manifest into one side of the pairs.
func (d *differ) add(m *Manifest, f *Filter, side func(*Change) **Action) {
	for i := range m.actions {
		a := &m.actions[i]
		if !f.Allows(*a) {
			continue
		}
		o, ok := a.object()
		at, found := d.byObject[o]
		if !ok || !found {
			at = int32(len(d.pairs))
			d.pairs = append(d.pairs, Change{})
		}
		if ok && !found {
			d.byObject[o] = at
		}
		*side(&d.pairs[at]) = a
	}
}

// changes returns the pairs that are different, in order.
func (d *differ) changes(p Policy) []Change {
	var removed, changed, added []Change
	for _, c := range d.pairs {
		switch {
		case c.New == nil:
			removed = append(removed, c)
		case c.Old == nil:
			added = append(added, c)
		case c.Old.Different(*c.New, p):
			changed = append(changed, c)
		}
	}
	byNew := func(a, b Change) int { return a.New.Compare(*b.New) }
	slices.SortStableFunc(removed, func(a, b Change) int { return b.Old.Compare(*a.Old) })
	slices.SortStableFunc(changed, byNew)
	slices.SortStableFunc(added, byNew)
	return slices.Concat(removed, changed, added)
}

// An object is what an action is about.
type object struct {
	kind Kind
	key  string
	more string // the other keys, or the mediation
}

// object returns what a is about. It reports false if no other action is about that.
func (a *Action) object() (object, bool) {
	name := a.Kind.KeyAttr()
	i := slices.IndexFunc(a.Attrs, func(x Attr) bool { return x.Name == name })
	if name == "" || i < 0 {
		return object{}, false
	}
	o := object{kind: a.Kind, key: a.Attrs[i].Value}
	switch a.Kind {
	case KindDepend:
		o.more = joined(a.Attrs[i+1:], name)
	case KindLink, KindHardlink:
		if m, _ := a.Attrs.Get("mediator"); m != "" {
			o.more = "\n" + joined(a.Attrs, "mediator-version") + "\n" + joined(a.Attrs, "mediator-implementation")
		}
	}
	return o, true
}

// joined returns the values of a name as one text. They have no line ends.
func joined(attrs Attrs, name string) string {
	if !attrs.Has(name) {
		return ""
	}
	return strings.Join(slices.Collect(attrs.Values(name)), "\r")
}
