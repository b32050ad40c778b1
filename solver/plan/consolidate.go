package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// consolidate makes one list of changes out of those of the single packages.
func (b *builder) consolidate() {
	b.keepShared()
	b.moveFiles()
	b.pairUp()
	b.relink()
	b.once()
}

// keepShared drops removals of what the resulting image still delivers, and of
// directories that no image is without.
func (b *builder) keepShared() {
	for it := range b.live(Remove) {
		switch it.Old.Kind {
		case manifest.KindDir:
			it.dead = delivers(b.places[it.object].after, manifest.KindDir) || b.isFixture(it.object.key)
		case manifest.KindLink, manifest.KindHardlink:
			it.dead = b.linkStays(it.object, it.Old.Kind)
		case manifest.KindLegacy:
			it.dead = len(b.places[it.object].after) > 0
		}
	}
}

func delivers(ds []delivery, k manifest.Kind) bool {
	return slices.ContainsFunc(ds, func(d delivery) bool { return d.action.Kind == k })
}

// isFixture reports whether a directory stays whatever happens.
func (b *builder) isFixture(name string) bool {
	switch name {
	case "var", "var/sadm", "var/sadm/install", b.metadata():
		return true
	}
	return false
}

// moveFiles joins files that were renamed with what they were called before. The
// attribute original_name is "package:path"; a file without it was always itself.
func (b *builder) moveFiles() {
	gone := map[string]*item{}
	for it := range b.live(Remove) {
		if it.Old.Kind == manifest.KindFile {
			gone[originalName(it)] = it
		}
	}
	for it := range b.live(Install) {
		name, ok := it.New.Attrs.Get("original_name")
		was := gone[name]
		if !ok || was == nil || it.New.Kind != manifest.KindFile {
			continue
		}
		delete(gone, name)
		if was.object == it.object {
			join(was, it)
			continue
		}
		was.Keep = true
		it.Old, it.Package.From = was.Old, was.Package.From
	}
}

func originalName(it *item) string {
	if name, ok := it.Old.Attrs.Get("original_name"); ok {
		return name
	}
	return it.Package.From.Name() + ":" + it.object.key
}

// pairUp makes one update of the removal and the install of the same thing, which
// moves from one package to another.
func (b *builder) pairUp() {
	for it := range b.live(Install) {
		if it.Old != nil {
			continue
		}
		for _, was := range b.byObject[it.object] {
			if was.Phase == Remove && !was.dead && !was.Keep && was.Old.Kind == it.New.Kind {
				join(was, it)
				break
			}
		}
	}
}

// join turns the install it into an update from the removal was.
func join(was, it *item) {
	was.dead = true
	it.Phase, it.Old, it.Package.From = Update, was.Old, was.Package.From
	it.dead = !it.Old.Different(*it.New, manifest.PolicyDefault)
}

// relink makes the hardlinks of updated files anew, and those of their hardlinks: an
// updated file is another file under the same name. Hardlinks that are new have to wait
// for the update, too.
func (b *builder) relink() {
	var targets []string
	for _, it := range b.items {
		if !it.dead && remade(it) {
			targets = append(targets, it.object.key)
		}
	}
	done := map[string]bool{}
	for len(targets) > 0 {
		target := targets[0]
		targets = targets[1:]
		if done[target] {
			continue
		}
		done[target] = true
		for _, l := range b.links[target] {
			if name, err := l.action.Path(); err == nil {
				b.relinkOne(object{manifest.KindDir, name}, l)
				targets = append(targets, name)
			}
		}
	}
}

// remade reports whether an item makes another file of one that is there.
func remade(it *item) bool {
	if it.Phase == Install {
		return it.New.Kind == manifest.KindFile && it.Package.From == it.Package.To
	}
	return it.Phase == Update && (it.New.Kind == manifest.KindFile || it.New.Kind == manifest.KindHardlink)
}

// relinkOne makes one hardlink anew after its target.
func (b *builder) relinkOne(o object, l delivery) {
	for _, it := range b.byObject[o] {
		if it.dead || it.Phase == Remove {
			continue
		}
		if it.Phase == Install {
			it.Phase, it.Old = Update, it.New
		}
		return
	}
	s := Step{Phase: Update, Package: solver.Change{From: l.pkg, To: l.pkg}}
	s.Old, s.New = &l.action, &l.action
	b.append(&item{Step: s, object: o})
}

// isPlanned reports whether something is installed or updated at a path anyway.
func (b *builder) isPlanned(name string) bool {
	return slices.ContainsFunc(b.byObject[object{manifest.KindDir, name}], func(it *item) bool {
		return !it.dead && it.Phase != Remove
	})
}

// once drops what several packages do to one thing that they share: the first of them
// does it. Directories that take in salvaged content do so for each package.
func (b *builder) once() {
	type deed struct {
		phase Phase
		kind  manifest.Kind
		what  object
	}
	done := map[deed]bool{}
	for _, it := range b.items {
		a := it.Action()
		if it.dead || !a.Kind.RefCounted() || a.Attrs.Has("salvage-from") {
			continue
		}
		d := deed{it.Phase, a.Kind, it.object}
		it.dead = done[d]
		done[d] = true
	}
}

// plan puts the steps in order.
func (b *builder) plan() *Plan {
	p := &Plan{token: b.in.Token, old: b.in.Old, new: b.in.New, avoid: b.in.Avoid, mediators: b.mediators}
	p.settings = !sameAvoid(b.in.OldAvoid, b.in.Avoid) || !slices.Equal(b.in.OldMediators, b.mediators)
	p.steps = slices.Concat(b.steps(Remove), b.steps(Install), b.steps(Update))
	p.changes = b.effectiveChanges(p.steps)
	p.actuators = b.actuators(p.steps)
	if b.in.Requested != nil {
		p.requested = slices.Compact(slices.Sorted(b.in.Requested))
	}
	return p
}

// steps returns the items of a phase as steps in order: by kind, then by name,
// removals the other way round, and hardlinks after what they name.
func (b *builder) steps(phase Phase) []Step {
	items := slices.SortedStableFunc(b.live(phase), compareItems)
	if phase == Remove {
		slices.Reverse(items)
	} else {
		items = targetsFirst(items)
	}
	steps := make([]Step, len(items))
	for i, it := range items {
		steps[i] = it.Step
	}
	return steps
}

func compareItems(x, y *item) int {
	a, b := x.Action(), y.Action()
	if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	if a.Kind == manifest.KindUser || a.Kind == manifest.KindGroup || a.Kind == manifest.KindDriver {
		return a.Compare(b)
	}
	return cmp.Compare(x.object.key, y.object.key)
}

// targetsFirst moves every hardlink to another hardlink of the list behind it.
// Those that name each other in a circle come last.
func targetsFirst(items []*item) []*item {
	from := slices.IndexFunc(items, isHardlink)
	if from < 0 {
		return items
	}
	to := from
	waiting := map[string]*item{}
	for ; to < len(items) && isHardlink(items[to]); to++ {
		waiting[items[to].object.key] = items[to]
	}
	var done, rest []*item
	for _, it := range items[from:to] {
		done = appendAfterTargets(done, it, waiting)
	}
	for _, it := range items[from:to] {
		if waiting[it.object.key] != nil {
			rest = append(rest, it)
		}
	}
	return slices.Concat(items[:from], done, rest, items[to:])
}

// appendAfterTargets adds it to done after the chain of hardlinks that it depends on,
// taking them out of waiting. A chain that closes to a circle stays in waiting.
func appendAfterTargets(done []*item, it *item, waiting map[string]*item) []*item {
	var chain []*item
	onChain := map[*item]bool{}
	for it != nil && waiting[it.object.key] == it {
		if onChain[it] {
			return done
		}
		onChain[it] = true
		chain = append(chain, it)
		target, _ := it.New.Target()
		it = waiting[target]
	}
	slices.Reverse(chain)
	for _, it := range chain {
		delete(waiting, it.object.key)
	}
	return append(done, chain...)
}

func isHardlink(it *item) bool { return it.New != nil && it.New.Kind == manifest.KindHardlink }

// effectiveChanges returns the package changes without the packages that stay and
// have no step.
func (b *builder) effectiveChanges(steps []Step) []solver.Change {
	busy := map[solver.Change]bool{}
	for _, s := range steps {
		busy[s.Package] = true
	}
	for _, it := range b.idle {
		busy[it.Package] = true
	}
	return slices.DeleteFunc(slices.Clone(b.changes), func(c solver.Change) bool {
		return c.From == c.To && !busy[c]
	})
}

// An Actuator is one thing to do for the system that the files belong to, such as the
// name "restart_fmri" with the value "svc:/network/ssh:default".
type Actuator struct{ Name, Value string }

// compareActuators orders by name, then value.
func compareActuators(a, b Actuator) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}

// actuatorNames are the attributes that count in each phase.
func actuatorNames(p Phase) []string {
	switch p {
	case Remove:
		return []string{"refresh_fmri", "restart_fmri", "disable_fmri", "reboot-needed"}
	case Update:
		return []string{"refresh_fmri", "restart_fmri", "suspend_fmri", "reboot-needed"}
	}
	return []string{"refresh_fmri", "restart_fmri"}
}

// actuators collects the attributes of all changed actions, each pair once.
func (b *builder) actuators(steps []Step) []Actuator {
	set := map[Actuator]bool{}
	scan := func(s Step) {
		for _, a := range []*manifest.Action{s.Old, s.New} {
			if a == nil {
				continue
			}
			for _, name := range actuatorNames(s.Phase) {
				for v := range a.Attrs.Values(name) {
					if name != "reboot-needed" || v == "true" {
						set[Actuator{name, v}] = true
					}
				}
			}
		}
	}
	for _, s := range steps {
		scan(s)
	}
	for _, it := range b.idle {
		scan(it.Step)
	}
	return slices.SortedFunc(maps.Keys(set), compareActuators)
}
