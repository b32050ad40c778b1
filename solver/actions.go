package solver

import (
	"iter"
	"sync"
	"sync/atomic"

	"github.com/goips/ips/internal/rows"
	"github.com/goips/ips/solver/internal/sat"
)

// Actions are the distinct actions of a model, by number, and which version has
// which. Those of a catalog stay where they are.
type actions struct {
	table     *rows.Table // has the first numbers; nil if there is none
	tableLen  int         // how many
	tableRows int         // how many versions the table knows
	texts     []string    // the further actions

	rows  []uint32      // by id: row of the table or, behind those, of lists
	lists lists[uint32] // of what is not in the table

	info []actionInfo          // by number
	deps []atomic.Pointer[dep] // by number, nil until somebody asks

	readers sync.Pool

	tagging sync.Mutex
	tags    map[string]*tag
}

// noDep stands where there is no dependency whose number it could be.
const noDep = -1

// An actionInfo is what is known of an action from the beginning.
type actionInfo struct {
	slot      sat.Slot // the first package named, or sat.None
	kind      depKind
	versioned bool // one of its FMRIs has a version
	several   bool // it names several packages
	usual     bool // it counts in an image without facets: see [tag]
}

// list returns the numbers of the actions of id, in order.
func (a *actions) list(id sat.ID) []uint32 {
	row := int(a.rows[id])
	if row < a.tableRows {
		return a.table.Actions(row)
	}
	return a.lists.of(row - a.tableRows)
}

// text returns the text of action i.
func (a *actions) text(i int32) string {
	if n := int(i); n >= a.tableLen {
		return a.texts[n-a.tableLen]
	}
	return a.table.Text(uint32(i))
}

// reader returns a reader, to be put back into readers.
func (a *actions) reader() *depReader {
	if r, ok := a.readers.Get().(*depReader); ok {
		return r
	}
	return new(depReader)
}

// kind returns the kind of action i.
func (a *actions) kind(i int32) depKind { return a.info[i].kind }

// dependencies yields the numbers of the dependencies of id that are of one of
// the kinds, in order.
func (a *actions) dependencies(id sat.ID, kinds kindSet) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for _, n := range a.list(id) {
			if kinds.has(a.info[n].kind) && !yield(int32(n)) {
				return
			}
		}
	}
}

// single reports whether an action names one package and nothing besides.
func (a *actionInfo) single() bool { return !a.several && a.kind != conditional && a.kind != otherKind }

// dependOf reads the text of dependency i again.
func (m *Model) dependOf(i int32) depend { return readDepend(m.text(i)) }

// dep returns dependency i. It may be called by several goroutines.
func (m *Model) dep(i int32) *dep {
	if d := m.deps[i].Load(); d != nil {
		return d
	}
	m.deps[i].CompareAndSwap(nil, m.compile(i))
	return m.deps[i].Load()
}
