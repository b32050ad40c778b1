package solver

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/solver/internal/sat"
)

// A Model is everything known, ready for solving. It does not change and may
// be shared by any number of solvers. Build it once, with [NewModel].
//
// Names and versions are columns, and of a dependency there is no more at first
// than its type and the name it is on. The rest is worked out when a solve
// comes upon it, and kept for later ones.
type Model struct {
	// Names are sorted; the slot of a name is its place. The versions of a
	// name are a run of ids from the oldest to the newest, those of one
	// version sorted by publisher.
	heads    []fmri.FMRI // by slot: the name, with the publisher of its first version
	slotOf   map[string]sat.Slot
	layout   sat.Layout
	slots    []sat.Slot     // by id
	versions []fmri.Version // by id
	whole    []sat.Span     // by slot: all its ids

	publishers []string // sorted
	publisher  []int32  // by id: index into publishers
	traits     []traits // by id
	special    []traits // by slot: the traits that any of its versions has

	actions
	incorporations
	needs func() *needs // what is needed by whom, worked out when first asked for

	holds    map[sat.ID][]string   // pkg.depend.install-hold
	variants map[sat.ID][]variants // what set variant.* actions say

	actuators map[sat.ID][]actuator // what goes, or changes, with a version
	// restricted are the slots with versions that may be no candidates
	// for what they are.
	restricted []sat.Slot

	tails func() map[string][]sat.Slot // by the last part of a name
}

// Traits are what a version's set actions and dependencies make of it.
type traits uint16

const (
	obsolete     traits = 1 << iota
	renamed             // pkg.renamed
	explicit            // pkg.depend.explicit-install
	unsupported         // has an action that cannot be understood
	variant             // says for which variants it is
	hold                // pkg.depend.install-hold
	origin              // has an origin dependency
	parent              // has a parent dependency
	incorporates        // has an incorporate dependency
	repeats             // has several on one name
	groups              // has a group or group-any dependency
)

// Ruled are the traits for which there are rules that can forbid a version.
const ruled = unsupported | explicit | variant | origin | parent

// A variants is one variant that a version declares, with its values.
type variants struct {
	name   string
	values []string
}

// Len returns the number of package versions.
func (m *Model) Len() int { return len(m.versions) }

// slot returns the slot of a name.
func (m *Model) slot(name string) (sat.Slot, bool) {
	s, ok := m.slotOf[name]
	return s, ok
}

// all returns the ids of slot s.
func (m *Model) all(s sat.Slot) sat.Span { return m.whole[s] }

// layoutSpan returns all ids of slot s as a set.
func (m *Model) layoutSpan(s sat.Slot) []sat.Span { return m.whole[s : s+1] }

// slotAt returns the slot to which id belongs.
func (m *Model) slotAt(id sat.ID) sat.Slot { return m.slots[id] }

// nameOf returns the name of slot s.
func (m *Model) nameOf(s sat.Slot) string { return m.heads[s].Name() }

// name returns the name of the package id.
func (m *Model) name(id sat.ID) string { return m.nameOf(m.slots[id]) }

// version returns the version of id.
func (m *Model) version(id sat.ID) fmri.Version { return m.versions[id] }

// fmri returns the package id.
func (m *Model) fmri(id sat.ID) fmri.FMRI {
	head := m.heads[m.slots[id]]
	if p := m.publishers[m.publisher[id]]; p != head.Publisher() {
		head, _ = fmri.New(p, head.Name(), fmri.Version{}) // both were in FMRIs
	}
	return head.WithVersion(m.versions[id])
}

// is reports whether id has one of the traits t.
func (m *Model) is(id sat.ID, t traits) bool { return m.traits[id]&t != 0 }

// lookup returns the id of f. Builds must agree, too.
func (m *Model) lookup(f fmri.FMRI) (sat.ID, bool) {
	s, ok := m.slot(f.Name())
	if !ok {
		return sat.None, false
	}
	p := m.sameVersion(s, f.Version())
	for id := p.Lo; id < p.Hi; id++ {
		if m.fmri(id) == f {
			return id, true
		}
	}
	return sat.None, false
}

// from returns the first id of slot s that is not older than v.
func (m *Model) from(s sat.Slot, v fmri.Version) sat.ID {
	p := m.all(s)
	n := sort.Search(int(p.Hi-p.Lo), func(i int) bool {
		return m.version(p.Lo+sat.ID(i)).Compare(v) >= 0
	})
	return p.Lo + sat.ID(n)
}

// sameVersion returns the ids of slot s that compare as equal to v.
func (m *Model) sameVersion(s sat.Slot, v fmri.Version) sat.Span {
	p := sat.Span{Lo: m.from(s, v), Hi: m.layout.Base[s+1]}
	for id := p.Lo; id < p.Hi; id++ {
		if m.version(id).Compare(v) != 0 {
			p.Hi = id
		}
	}
	return p
}

// firstEqual returns the first id of the same version as id.
func (m *Model) firstEqual(id sat.ID) sat.ID {
	for m.layout.Equal != nil && m.layout.Equal[id] {
		id--
	}
	return id
}

// lastEqual returns the last id of the same version as id.
func (m *Model) lastEqual(id sat.ID) sat.ID {
	for m.layout.Equal != nil && int(id)+1 < m.Len() && m.layout.Equal[id+1] {
		id++
	}
	return id
}

// appendMatching appends the runs of ids of slot s that match v as an
// incorporation wants it, the newest first. A zero v matches all.
func (m *Model) appendMatching(runs []sat.Span, s sat.Slot, v fmri.Version) []sat.Span {
	p := m.all(s)
	if !v.IsValid() {
		return append(runs, p)
	}
	// Releases that begin with that of v lie together.
	r := v.Release()
	first := sort.Search(int(p.Hi-p.Lo), func(i int) bool {
		return m.version(p.Lo+sat.ID(i)).Release().Compare(r) >= 0
	})
	n := len(runs)
	for id := p.Lo + sat.ID(first); id < p.Hi && m.version(id).Release().HasPrefix(r); id++ {
		if m.version(id).Succeeds(v, fmri.Auto) {
			runs = extend(runs, n, id)
		}
	}
	slices.Reverse(runs[n:])
	return runs
}

// appendAtLeast appends the runs of ids of slot s that are not obsolete and not
// older than v, the newest first. A zero v admits all.
func (m *Model) appendAtLeast(runs []sat.Span, s sat.Slot, v fmri.Version) []sat.Span {
	p := m.all(s)
	if v.IsValid() {
		p.Lo = m.from(s, v)
	}
	n := len(runs)
	for id := p.Lo; id < p.Hi; id++ {
		if !m.is(id, obsolete) {
			runs = extend(runs, n, id)
		}
	}
	slices.Reverse(runs[n:])
	return runs
}

// extend adds id to the last of the rising runs from number n on, or begins a
// new one.
func extend(runs []sat.Span, n int, id sat.ID) []sat.Span {
	if k := len(runs); k > n && runs[k-1].Hi == id {
		runs[k-1].Hi++
		return runs
	}
	return append(runs, sat.Span{Lo: id, Hi: id + 1})
}

// find returns the id of slot s among the ascending ids, or sat.None.
func (m *Model) find(ids []sat.ID, s sat.Slot) sat.ID {
	i, _ := slices.BinarySearch(ids, m.layout.Base[s])
	if i < len(ids) && ids[i] < m.layout.Base[s+1] {
		return ids[i]
	}
	return sat.None
}

// onDemand makes functions that work out a part of the model when it is first
// asked for.
func (m *Model) onDemand() {
	m.needs = sync.OnceValue(m.findNeeds)
	m.tails = sync.OnceValue(func() map[string][]sat.Slot {
		tails := map[string][]sat.Slot{}
		for s := range m.heads {
			tail := lastPart(m.nameOf(sat.Slot(s)))
			tails[tail] = append(tails[tail], sat.Slot(s))
		}
		return tails
	})
}

// lastPart returns what follows the last slash of a name.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
