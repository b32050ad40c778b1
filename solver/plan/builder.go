package plan

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// New makes the plan for in.
//
// It fails with a [*ConflictError] for each place where packages of the resulting image
// cannot be together, with an [*ActionError] for each action that cannot be installed or
// delivers where none may, and with the error of Manifest. Several errors are joined, one
// a line, sorted by place or by package.
func New(in Input) (*Plan, error) {
	b := builder{in: in, before: in.Old.Filter(), after: in.New.Filter(), byObject: map[object][]*item{}}
	if err := b.collect(); err != nil {
		return nil, err
	}
	if err := b.checkBoundaries(); err != nil {
		return nil, err
	}
	if len(b.items) == 0 && slices.Equal(in.OldMediators, in.Mediators) {
		b.mediators = in.OldMediators
		return b.plan(), nil
	}
	if err := b.survey(); err != nil {
		return nil, err
	}
	if err := b.resolveConflicts(); err != nil {
		return nil, err
	}
	b.mediate()
	b.consolidate()
	return b.plan(), nil
}

// A builder turns an Input into a Plan.
type builder struct {
	in       Input
	before   *manifest.Filter
	after    *manifest.Filter
	changes  []solver.Change
	old, new []*manifest.Manifest // filtered, of each change; empty if it has no such side
	items    []*item
	byObject map[object][]*item
	idle     []item // changes of actions that do nothing to a file system
	places   map[object]*place
	links    map[string][]delivery // hardlinks of the resulting image by target

	linksBefore, linksAfter []mediatedLink // of the image before and after
	mediators               []manifest.Choice
	was, is                 choices
}

// An item is a step in the making.
type item struct {
	Step
	object object
	dead   bool // will not become a step
}

// An object is what actions of the same identity deliver. Things with a path share
// one space of names; a license belongs to the package that delivers it.
type object struct {
	group manifest.Kind
	key   string
}

// objectOf returns the object an action delivers; ok is false if it delivers none.
func objectOf(a *manifest.Action, pkg fmri.FMRI) (o object, ok bool, err error) {
	if !effective(a.Kind) {
		return object{}, false, nil
	}
	group := a.Kind.Group()
	if group == manifest.KindDir {
		name, err := localPath(a)
		return object{group, name}, true, err
	}
	key, _ := a.Key()
	if a.Kind == manifest.KindLicense {
		key = pkg.Name() + "\x00" + key
	}
	return object{group, key}, true, nil
}

// effective reports whether installing an action of kind k does something.
func effective(k manifest.Kind) bool {
	switch k {
	case manifest.KindSet, manifest.KindDepend, manifest.KindSignature, manifest.KindUnknown:
		return false
	}
	return k.IsValid()
}

// collect finds the package changes and what each of them changes.
func (b *builder) collect() error {
	b.changes = slices.Collect(b.allChanges())
	slices.SortFunc(b.changes, compareChanges)
	for _, c := range b.changes {
		old, err := b.manifest(c.From, b.before)
		if err != nil {
			return err
		}
		new, err := b.manifest(c.To, b.after)
		if err != nil {
			return err
		}
		if old, new, err = b.exclude(old, new); err != nil {
			return err
		}
		b.old, b.new = append(b.old, old), append(b.new, new)
		if err := b.difference(c, old, new); err != nil {
			return err
		}
	}
	return nil
}

// allChanges yields the changes of the input that change something and, where the
// variants or facets do, all packages that stay.
func (b *builder) allChanges() iter.Seq[solver.Change] {
	return func(yield func(solver.Change) bool) {
		moving := map[fmri.FMRI]bool{}
		for c := range b.in.Changes {
			if c.From == c.To {
				continue
			}
			moving[c.From] = true
			if !yield(c) {
				return
			}
		}
		if b.in.Installed == nil || sameVarcets(b.in.Old, b.in.New) {
			return
		}
		for f := range b.in.Installed {
			if !moving[f] && !yield(solver.Change{From: f, To: f}) {
				return
			}
		}
	}
}

func compareChanges(a, b solver.Change) int {
	name := func(c solver.Change) string { return cmp.Or(c.To.Name(), c.From.Name()) }
	return cmp.Or(cmp.Compare(name(a), name(b)), a.From.Compare(b.From), a.To.Compare(b.To))
}

// manifest returns the actions of f that a filter allows; nothing for no package.
func (b *builder) manifest(f fmri.FMRI, allow *manifest.Filter) (*manifest.Manifest, error) {
	if !f.IsValid() {
		return new(manifest.Manifest), nil
	}
	m, err := b.in.Manifest(f)
	if err != nil {
		return nil, fmt.Errorf("manifest of %v: %w", f, err)
	}
	return m.Filter(allow), nil
}

// exclude leaves out of a package what the administrator does not want: on both sides, so
// that it is neither installed nor, if it is there already, removed.
func (b *builder) exclude(old, new *manifest.Manifest) (o, n *manifest.Manifest, err error) {
	if b.in.Excludes == nil {
		return old, new, nil
	}
	unwanted := map[object]bool{}
	for a := range new.All() {
		if obj, ok, err := objectOf(&a, fmri.FMRI{}); ok && err == nil && b.in.Excludes(a) {
			unwanted[obj] = true
		}
	}
	if o, err = without(old, unwanted); err != nil {
		return nil, nil, err
	}
	n, err = without(new, unwanted)
	return o, n, err
}

// without returns the actions of a manifest that do not deliver certain objects.
func without(m *manifest.Manifest, unwanted map[object]bool) (*manifest.Manifest, error) {
	if len(unwanted) == 0 {
		return m, nil
	}
	kept := new(manifest.Manifest)
	for a := range m.All() {
		if obj, ok, err := objectOf(&a, fmri.FMRI{}); ok && err == nil && unwanted[obj] {
			continue
		}
		if err := kept.Add(a); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// difference adds the items of one package change.
func (b *builder) difference(c solver.Change, old, new *manifest.Manifest) error {
	for d := range manifest.Diff(old, new) {
		if err := b.add(c, d); err != nil {
			return err
		}
	}
	after := directories(new)
	for name := range directories(old) {
		if !after[name] { // of one that is named, too, the first removal counts
			dir := implicitDir(name)
			if err := b.add(c, manifest.Change{Old: &dir}); err != nil {
				return err
			}
		}
	}
	return nil
}

// directories returns the paths of all directories a package has, whether it names
// them or they follow from the paths in them. Paths that are none are passed over.
func directories(m *manifest.Manifest) map[string]bool {
	dirs := map[string]bool{}
	for a := range m.All() {
		name, err := deliveredPath(&a)
		if err != nil || name == "" {
			continue
		}
		if a.Kind == manifest.KindDir {
			dirs[name] = true
		}
		for dir := range parents(name) {
			if dirs[dir] {
				break
			}
			dirs[dir] = true
		}
	}
	return dirs
}

// add makes an item of one changed action.
func (b *builder) add(c solver.Change, d manifest.Change) error {
	s := Step{Phase: Update, Package: c, Change: d}
	switch {
	case d.New == nil:
		s.Phase = Remove
	case d.Old == nil:
		s.Phase = Install
	}
	act := s.Action()
	o, ok, err := objectOf(&act, cmp.Or(c.To, c.From))
	if err == nil && d.New != nil {
		_, err = d.New.Decode()
	}
	if err != nil {
		return &ActionError{Package: cmp.Or(c.To, c.From), Action: act, Err: err}
	}
	if !ok {
		b.idle = append(b.idle, item{Step: s})
		return nil
	}
	b.append(&item{Step: s, object: o})
	return nil
}

func (b *builder) append(it *item) {
	b.items = append(b.items, it)
	b.byObject[it.object] = append(b.byObject[it.object], it)
}

// live yields the items of a phase that are still to become steps.
func (b *builder) live(p Phase) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		for _, it := range b.items {
			if it.Phase == p && !it.dead && !yield(it) {
				return
			}
		}
	}
}
