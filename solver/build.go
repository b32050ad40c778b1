package solver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// NewModel compiles the packages of the sources: usually the catalogs of all
// publishers, and the installed packages, which need not be in any catalog. A
// version that occurs several times counts once, as its first source has it.
//
// A version whose dependencies cannot be understood is kept but never chosen.
func NewModel(sources ...Source) (*Model, error) {
	b := modelBuilder{m: &Model{}, texts: map[string]int32{}}
	for _, src := range sources {
		if err := b.addSource(src); err != nil {
			return nil, err
		}
	}
	b.sort()
	b.index()
	b.compile()
	return b.m, nil
}

// A modelBuilder collects packages and makes a Model of them.
type modelBuilder struct {
	m       *Model
	texts   map[string]int32 // index into actions of each distinct text
	actions []string
	entries []entry
	refs    []int32 // that entries refer to: indexes into actions

	tags     map[string]int32 // index into Model.tags
	lastSeen []int            // by slot: version that incorporates it, plus one
}

// An entry is one version as it was given.
type entry struct {
	fmri       fmri.FMRI
	first, end int32 // in refs
	order      int32
}

// addSource takes all versions of a source.
func (b *modelBuilder) addSource(src Source) error {
	if s, ok := src.(catalogSource); ok {
		return b.addCatalog(s.c)
	}
	for p, err := range src.Packages() {
		if err != nil {
			return err
		}
		first := len(b.refs)
		for _, text := range p.Actions {
			b.refs = append(b.refs, b.action(text))
		}
		if err := b.add(p.FMRI, first); err != nil {
			return err
		}
	}
	return nil
}

// addCatalog takes all versions of a catalog. Its actions are distinct already, so
// that each text is looked up once and not once a version.
func (b *modelBuilder) addCatalog(c *catalog.Catalog) error {
	table, err := c.Table(catalog.Dependency)
	if err != nil {
		return err
	}
	refs := make([]int32, table.Len()) // by id in the table: index into actions, plus one
	for i := range c.Len() {
		first := len(b.refs)
		for _, id := range table.IDs(i) {
			if refs[id] == 0 {
				refs[id] = b.action(table.Text(id)) + 1
			}
			b.refs = append(b.refs, refs[id]-1)
		}
		if err := b.add(c.At(i).FMRI(), first); err != nil {
			return err
		}
	}
	return nil
}

// action returns the index of a text among the distinct ones.
func (b *modelBuilder) action(text string) int32 {
	i, ok := b.texts[text]
	if !ok {
		i = int32(len(b.actions))
		b.texts[text] = i
		b.actions = append(b.actions, text)
	}
	return i
}

// add takes one version, whose actions are those in refs from first on.
func (b *modelBuilder) add(f fmri.FMRI, first int) error {
	if f.Publisher() == "" || !f.Version().IsValid() {
		return fmt.Errorf("package %s: publisher or version is missing", f)
	}
	b.entries = append(b.entries, entry{fmri: f, first: int32(first), end: int32(len(b.refs)), order: int32(len(b.entries))})
	return nil
}

// sort brings the versions into the order of ids, each once.
func (b *modelBuilder) sort() {
	slices.SortFunc(b.entries, func(x, y entry) int {
		if c := compareFMRIs(x.fmri, y.fmri); c != 0 {
			return c
		}
		return int(x.order - y.order)
	})
	b.entries = slices.CompactFunc(b.entries, func(x, y entry) bool { return x.fmri == y.fmri })
}

// index gives slots to names and ids to versions.
func (b *modelBuilder) index() {
	m := b.m
	n := len(b.entries)
	m.fmris = make([]fmri.FMRI, n)
	m.slots = make([]sat.Slot, n)
	m.publisher = make([]int32, n)
	m.traits = make([]traits, n)
	m.slotOf = map[string]sat.Slot{}
	m.tails = map[string][]sat.Slot{}
	m.holds = map[sat.ID][]string{}
	m.variants = map[sat.ID][]variants{}
	pubs := map[string]int32{}
	for i, e := range b.entries {
		f := e.fmri
		m.fmris[i] = f
		pubs[f.Publisher()] = 0
		if i == 0 || b.entries[i-1].fmri.Name() != f.Name() {
			b.addName(f.Name(), sat.ID(i))
		} else if m.fmris[i-1].Version().Compare(f.Version()) == 0 {
			b.markEqual(i)
		}
		m.slots[i] = sat.Slot(len(m.names) - 1)
	}
	m.layout.Base = append(m.layout.Base, sat.ID(n))
	for s := range m.names {
		m.whole = append(m.whole, m.all(sat.Slot(s)))
	}
	for p := range pubs {
		m.publishers = append(m.publishers, p)
	}
	slices.Sort(m.publishers)
	for i, p := range m.publishers {
		pubs[p] = int32(i)
	}
	for i, f := range m.fmris {
		m.publisher[i] = pubs[f.Publisher()]
	}
}

// addName gives a slot to a name, whose first id is id.
func (b *modelBuilder) addName(name string, id sat.ID) {
	m := b.m
	s := sat.Slot(len(m.names))
	m.names = append(m.names, name)
	m.slotOf[name] = s
	m.layout.Base = append(m.layout.Base, id)
	tail := name[strings.LastIndexByte(name, '/')+1:]
	m.tails[tail] = append(m.tails[tail], s)
}

// markEqual notes that id i has the version of id i-1.
func (b *modelBuilder) markEqual(i int) {
	if b.m.layout.Equal == nil {
		b.m.layout.Equal = make([]bool, len(b.entries))
	}
	b.m.layout.Equal[i] = true
}

// compile reads all actions and gives the versions what they say.
func (b *modelBuilder) compile() {
	m := b.m
	b.markTraits() // spans depend on what is obsolete
	m.tags = make([]tag, 1)
	b.tags = map[string]int32{}
	depOf := make([]int32, len(b.actions)) // index into deps, or one of those below
	for i, text := range b.actions {
		depOf[i] = b.compileAction(text)
	}
	m.depStart = make([]int32, 1, len(b.entries)+1)
	m.special = make([]traits, len(m.names))
	b.lastSeen = make([]int, len(m.names))
	for i, e := range b.entries {
		for _, a := range b.refs[e.first:e.end] {
			b.give(i, depOf[a])
		}
		b.markRepeats(i)
		m.depStart = append(m.depStart, int32(len(m.depOf)))
		m.special[m.slots[i]] |= m.traits[i]
	}
	m.buildIndex()
}

const (
	noDep  = -1 // an action that is no dependency
	badDep = -2 // a dependency that cannot be understood
)

// compileAction returns the index of the dependency that text is, or noDep or badDep.
func (b *modelBuilder) compileAction(text string) int32 {
	m := b.m
	a, err := manifest.ParseAction(text)
	switch {
	case err != nil:
		return badDep
	case a.Kind != manifest.KindDepend:
		return noDep
	}
	d, err := parseDepend(a)
	if err != nil {
		return badDep
	}
	t, key := tagOf(a)
	if key == "" {
		return m.addDep(d, text, 0)
	}
	n, ok := b.tags[key]
	if !ok {
		n = int32(len(m.tags))
		b.tags[key] = n
		m.tags = append(m.tags, t)
	}
	return m.addDep(d, text, n)
}

// give adds dependency d to version i.
func (b *modelBuilder) give(i int, d int32) {
	m := b.m
	if d == badDep {
		m.traits[i] |= unsupported
	}
	if d < 0 {
		return
	}
	m.depOf = append(m.depOf, d)
	switch m.deps[d].kind {
	case incorporate:
		m.traits[i] |= incorporates
	case group, groupAny:
		m.traits[i] |= groups
	case originOf:
		m.traits[i] |= origin
	case parentOf:
		m.traits[i] |= parent
	case otherKind:
		m.traits[i] |= unsupported
	}
}

// markRepeats notes whether version i, the last one given its dependencies,
// incorporates a name more than once.
func (b *modelBuilder) markRepeats(i int) {
	m := b.m
	if m.traits[i]&incorporates == 0 {
		return
	}
	for _, d := range m.depOf[m.depStart[i]:] {
		s := m.deps[d].slot
		if m.deps[d].kind != incorporate || s == sat.None {
			continue
		}
		if b.lastSeen[s] == i+1 {
			m.traits[i] |= repeats
		}
		b.lastSeen[s] = i + 1
	}
}

// markTraits reads the set actions.
func (b *modelBuilder) markTraits() {
	sets := map[int32]manifest.Action{}
	for i, text := range b.actions {
		if strings.HasPrefix(text, "set ") {
			if a, err := manifest.ParseAction(text); err == nil {
				sets[int32(i)] = a
			}
		}
	}
	for i, e := range b.entries {
		for _, ref := range b.refs[e.first:e.end] {
			if a, ok := sets[ref]; ok {
				b.set(sat.ID(i), a)
			}
		}
	}
}

// set applies a set action to version id.
func (b *modelBuilder) set(id sat.ID, a manifest.Action) {
	m := b.m
	name, _ := a.Attrs.Get("name")
	value, _ := a.Attrs.Get("value")
	is := func(t traits) {
		if strings.EqualFold(value, "true") {
			m.traits[id] |= t
		}
	}
	switch {
	case name == "pkg.obsolete":
		is(obsolete)
	case name == "pkg.renamed":
		is(renamed)
	case name == "pkg.depend.explicit-install":
		is(explicit)
	case name == "pkg.depend.install-hold":
		m.traits[id] |= hold
		m.holds[id] = slices.AppendSeq(m.holds[id], a.Attrs.Values("value"))
	case strings.HasPrefix(name, "variant."):
		m.traits[id] |= variant
		m.variants[id] = append(m.variants[id], variants{name, slices.Collect(a.Attrs.Values("value"))})
	}
}
