package manifest

// Duplicates returns the groups of actions of one kind and with one key that differ in
// other things, in the order of the manifest. Many belong to different variants; so filter
// the manifest before.
func (m *Manifest) Duplicates() [][]Action {
	type group struct {
		actions   []Action
		different bool
	}
	groups := map[object]*group{}
	var order []*group
	for i := range m.actions {
		a := &m.actions[i]
		o, ok := a.object()
		if !ok {
			continue
		}
		if a.Kind != KindDepend {
			o.more = ""
		}
		g := groups[o]
		if g == nil {
			g = new(group)
			groups[o] = g
			order = append(order, g)
		}
		g.different = g.different || len(g.actions) > 0 && g.actions[0].Different(*a, PolicyDefault)
		g.actions = append(g.actions, *a)
	}
	var duplicates [][]Action
	for _, g := range order {
		if g.different {
			duplicates = append(duplicates, g.actions)
		}
	}
	return duplicates
}
