package solver

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/rows"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver/internal/sat"
)

// NewModel makes a model of the packages of the sources: usually the catalogs of
// all publishers, and the installed packages, which need not be in any catalog. A
// version that occurs several times counts once, as its first source has it.
//
// A version whose dependencies cannot be understood is kept but never chosen.
//
// The first catalog among the sources stays in use; a model needs little
// memory besides. Further sources are copied.
func NewModel(sources ...Source) (*Model, error) {
	b := modelBuilder{m: &Model{}, texts: map[string]uint32{}}
	b.m.lists.start = []int32{0}
	for _, src := range sources {
		if err := b.addSource(src); err != nil {
			return nil, err
		}
	}
	b.addEntries()
	if err := b.index(); err != nil {
		return nil, err
	}
	b.readActions()
	b.markTraits()
	b.m.findIncorporations()
	b.m.onDemand()
	return b.m, nil
}

// A modelBuilder collects packages and makes a Model of them.
type modelBuilder struct {
	m       *Model
	main    rows.Catalog // of the table
	texts   map[string]uint32
	entries []entry // versions that are not in main; their lists are in order
	runs    []run
	seen    int32                      // versions so far
	sets    map[uint32]manifest.Action // the set actions
}

// An entry is one version as a source gave it.
type entry struct {
	fmri  fmri.FMRI
	order int32
}

// A run is versions of one name and publisher. Those of main have neighbouring rows.
type run struct {
	name, publisher string
	row, n          int32
	order           int32 // what occurs twice counts as the lowest order has it
}

// addSource takes all versions of a source.
func (b *modelBuilder) addSource(src Source) error {
	if s, ok := src.(catalogSource); ok && b.main == nil {
		return b.addCatalog(s.c)
	}
	for p, err := range src.Packages() {
		if err != nil {
			return err
		}
		if p.FMRI.Publisher() == "" || !p.FMRI.Version().IsValid() {
			return fmt.Errorf("package %s: publisher or version is missing", p.FMRI)
		}
		lists := &b.m.lists
		for _, text := range p.Actions {
			lists.items = append(lists.items, b.action(text))
		}
		lists.start = append(lists.start, int32(len(lists.items)))
		b.entries = append(b.entries, entry{p.FMRI, b.seen})
		b.seen++
	}
	return nil
}

// action returns the place of a text among the distinct ones that are not of a table.
func (b *modelBuilder) action(text string) uint32 {
	i, ok := b.texts[text]
	if !ok {
		i = uint32(len(b.m.texts))
		b.texts[text] = i
		b.m.texts = append(b.m.texts, text)
	}
	return i
}

// addCatalog takes the catalog whose table the model keeps.
func (b *modelBuilder) addCatalog(c *catalog.Catalog) (err error) {
	b.main = c.Rows()
	if b.m.table, err = b.main.Table(string(catalog.Dependency)); err != nil {
		return err
	}
	b.m.tableLen, b.m.tableRows = b.m.table.Len(), c.Len()
	for publisher := range c.Publishers() {
		for name := range c.Stems(publisher) {
			lo, hi := b.main.Span(publisher, name)
			b.runs = append(b.runs, run{name, publisher, int32(lo), int32(hi - lo), b.seen + int32(lo)})
		}
	}
	b.seen += int32(c.Len())
	return nil
}

// addEntries makes runs of the entries, and numbers of their actions.
func (b *modelBuilder) addEntries() {
	for i, e := range b.entries {
		b.runs = append(b.runs, run{e.fmri.Name(), e.fmri.Publisher(), int32(b.m.tableRows + i), 1, e.order})
	}
	for i := range b.m.lists.items {
		b.m.lists.items[i] += uint32(b.m.tableLen)
	}
	slices.SortFunc(b.runs, func(x, y run) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.order, y.order))
	})
}

// index gives slots to names and ids to versions.
func (b *modelBuilder) index() error {
	b.indexPublishers()
	b.makeColumns()
	var same []known
	for runs := b.runs; len(runs) > 0; {
		n := 1
		for n < len(runs) && runs[n].name == runs[0].name {
			n++
		}
		same = b.gather(same[:0], runs[:n])
		if err := b.addName(runs[0].name, same); err != nil {
			return err
		}
		runs = runs[n:]
	}
	m := b.m
	m.layout.Base = append(m.layout.Base, sat.ID(len(m.versions)))
	for s := range m.heads {
		m.whole = append(m.whole, sat.Span{Lo: m.layout.Base[s], Hi: m.layout.Base[s+1]})
	}
	b.entries, b.runs = nil, nil
	return nil
}

// makeColumns makes room for all names and versions.
func (b *modelBuilder) makeColumns() {
	names, versions := 0, int(b.seen)
	for i := range b.runs {
		if i == 0 || b.runs[i].name != b.runs[i-1].name {
			names++
		}
	}
	m := b.m
	m.slotOf = make(map[string]sat.Slot, names)
	m.heads, m.whole = make([]fmri.FMRI, 0, names), make([]sat.Span, 0, names)
	m.layout.Base = make([]sat.ID, 0, names+1)
	m.slots, m.versions = make([]sat.Slot, 0, versions), make([]fmri.Version, 0, versions)
	m.publisher, m.rows = make([]int32, 0, versions), make([]uint32, 0, versions)
}

// indexPublishers numbers the publishers.
func (b *modelBuilder) indexPublishers() {
	m := b.m
	for i := range b.runs {
		if p := b.runs[i].publisher; !slices.Contains(m.publishers, p) {
			m.publishers = append(m.publishers, p)
		}
	}
	slices.Sort(m.publishers)
}

// A known is one version of a name.
type known struct {
	version   fmri.Version
	publisher int32
	row       uint32
	order     int32
}

// gather appends the versions of runs in the order of ids, each once.
func (b *modelBuilder) gather(all []known, runs []run) []known {
	for _, r := range runs {
		p, _ := slices.BinarySearch(b.m.publishers, r.publisher)
		for k := range r.n {
			all = append(all, known{b.version(int(r.row + k)), int32(p), uint32(r.row + k), r.order + k})
		}
	}
	if !slices.IsSortedFunc(all, known.compare) {
		slices.SortFunc(all, known.compare)
	}
	return slices.CompactFunc(all, func(x, y known) bool { return x.version == y.version && x.publisher == y.publisher })
}

// version returns the version of a row.
func (b *modelBuilder) version(row int) fmri.Version {
	if row < b.m.tableRows {
		return b.main.Version(row)
	}
	return b.entries[row-b.m.tableRows].fmri.Version()
}

func (x known) compare(y known) int {
	return cmp.Or(x.version.Compare(y.version), cmp.Compare(x.publisher, y.publisher),
		cmp.Compare(x.version.String(), y.version.String()), cmp.Compare(x.order, y.order))
}

// addName gives a slot to a name and ids to its versions.
func (b *modelBuilder) addName(name string, versions []known) error {
	m := b.m
	s := sat.Slot(len(m.heads))
	head, err := fmri.New(m.publishers[versions[0].publisher], name, fmri.Version{})
	if err != nil {
		return err
	}
	m.heads = append(m.heads, head)
	m.slotOf[name] = s
	m.layout.Base = append(m.layout.Base, sat.ID(len(m.versions)))
	for k, v := range versions {
		if !v.version.IsValid() {
			return fmt.Errorf("package %s: publisher or version is missing", head)
		}
		if k > 0 && versions[k-1].version.Compare(v.version) == 0 {
			b.markEqual(len(m.versions))
		}
		m.slots = append(m.slots, s)
		m.versions = append(m.versions, v.version)
		m.publisher = append(m.publisher, v.publisher)
		m.rows = append(m.rows, v.row)
	}
	return nil
}

// markEqual notes that id i has the version of id i-1.
func (b *modelBuilder) markEqual(i int) {
	if b.m.layout.Equal == nil {
		b.m.layout.Equal = make([]bool, b.seen)
	}
	b.m.layout.Equal[i] = true
}

// readActions finds out of each action what is known of it from the beginning.
func (b *modelBuilder) readActions() {
	m := b.m
	n := m.tableLen + len(m.texts)
	m.info = make([]actionInfo, n)
	m.deps = make([]atomic.Pointer[dep], n)
	m.tags = map[string]*tag{}
	b.sets = map[uint32]manifest.Action{}
	var wg sync.WaitGroup
	var mu sync.Mutex
	const chunk = 8192
	for lo := 0; lo < n; lo += chunk {
		wg.Go(func() {
			var r depReader
			for i := lo; i < min(lo+chunk, n); i++ {
				m.info[i] = b.readAction(&r, m.text(int32(i)))
				if m.info[i].kind != noDepend {
					continue
				}
				if a, err := manifest.ParseAction(m.text(int32(i))); err == nil && a.Kind == manifest.KindSet {
					mu.Lock()
					b.sets[uint32(i)] = a
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}

// readAction returns what there is to know of an action.
func (b *modelBuilder) readAction(r *depReader, text string) actionInfo {
	d, err := r.read(text)
	switch {
	case errors.Is(err, errNoDepend):
		return actionInfo{kind: noDepend, slot: sat.None}
	case err != nil:
		return actionInfo{kind: badDepend, slot: sat.None}
	}
	a := actionInfo{kind: d.kind, slot: sat.None, several: len(d.fmris) > 1, usual: isUsual(d.varcets)}
	if s, ok := b.m.slot(d.fmris[0].Name()); ok {
		a.slot = s
	}
	a.versioned = d.predicate.Version().IsValid()
	for _, f := range d.fmris {
		a.versioned = a.versioned || f.Version().IsValid()
	}
	return a
}

// kindTraits are the traits that a version has because of a dependency.
var kindTraits = [...]traits{group: groups, groupAny: groups, incorporate: incorporates, originOf: origin,
	parentOf: parent, otherKind: unsupported, badDepend: unsupported, noDepend: 0}

// markTraits finds the traits of all versions.
func (b *modelBuilder) markTraits() {
	m := b.m
	m.traits, m.special = make([]traits, m.Len()), make([]traits, len(m.heads))
	m.holds, m.variants = map[sat.ID][]string{}, map[sat.ID][]variants{}
	m.actuators = map[sat.ID][]actuator{}
	lastSeen := make([]sat.ID, len(m.heads)) // by slot: version that incorporates it, plus one
	for id := range sat.ID(m.Len()) {
		for _, n := range m.list(id) {
			a := &m.info[n]
			m.traits[id] |= kindTraits[a.kind]
			switch {
			case a.kind == noDepend:
				if set, ok := b.sets[n]; ok {
					b.set(id, set)
				}
			case a.kind == incorporate && a.slot != sat.None:
				if lastSeen[a.slot] == id+1 {
					m.traits[id] |= repeats
				}
				lastSeen[a.slot] = id + 1
			}
		}
		m.special[m.slots[id]] |= m.traits[id]
	}
	for s, t := range m.special {
		if t&ruled != 0 {
			m.restricted = append(m.restricted, sat.Slot(s))
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
	case name == updateOnUninstall || name == uninstallOnUninstall:
		b.actuate(id, name, a)
	case name == "pkg.depend.install-hold":
		m.traits[id] |= hold
		m.holds[id] = slices.AppendSeq(m.holds[id], a.Attrs.Values("value"))
	case strings.HasPrefix(name, "variant."):
		m.traits[id] |= variant
		m.variants[id] = append(m.variants[id], variants{name, slices.Collect(a.Attrs.Values("value"))})
	}
}
