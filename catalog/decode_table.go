package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// A tableDecoder makes a table of a dependency or summary part. It walks along the
// columns of the base part, which usually has the same stems and versions in
// the same order.
type tableDecoder struct {
	s        *scan.Scanner
	cols     *columns
	salvage  bool // drop entries that the base part does not have
	queue    *internQueue
	fresh    uint32   // actions put into the queue
	ids      []uint32 // actions by their places in the queue
	before   recent   // actions of the entry before the current one
	now      recent
	spans    []span // by version: its actions in ids
	seen     []bool // by version
	odd      []oddity
	pub      *publisher // nil to drop everything
	at       int        // next stem
	lo, hi   int        // versions of the current stem
	next     int        // next version
	list     []uint32   // versions of the current stem as they come
	order    fileOrder
	disorder bool // entries are not in the order of versions
}

// A span is part of a list.
type span struct{ lo, hi uint32 }

func newTableDecoder(s *scan.Scanner, cols *columns, salvage bool) *tableDecoder {
	n := len(cols.versions)
	return &tableDecoder{s: s, cols: cols, salvage: salvage, queue: newInternQueue(), spans: make([]span, n), seen: make([]bool, n)}
}

// missing notes that the base part does not have something.
func (d *tableDecoder) missing(what string, name []byte) {
	if !d.salvage {
		d.s.Fail(d.s.Start(), wrongEntry(what, name))
	}
	d.s.Loosen()
	d.lo, d.hi, d.next = 0, 0, 0
}

func (d *tableDecoder) publisher(name []byte) {
	if d.pub = d.cols.publisher(string(name)); d.pub == nil {
		d.missing("publisher", name)
		return
	}
	d.disorder = d.disorder || d.pub.lo < d.at
	d.at = d.pub.lo
}

func (d *tableDecoder) stem(name []byte) {
	if d.pub == nil {
		return
	}
	for d.at < d.pub.hi && d.cols.stem(d.at) < string(name) {
		d.at++
	}
	if d.at == d.pub.hi || d.cols.stem(d.at) != string(name) {
		at, ok := d.cols.find(d.pub, string(name))
		if !ok {
			d.missing("stem", name)
			return
		}
		d.at, d.disorder = at, true
	}
	d.lo, d.hi = int(d.cols.first[d.at]), int(d.cols.first[d.at+1])
	d.next = d.lo
	d.at++
}

// endStem remembers the order of the stem's versions if it is unusual.
func (d *tableDecoder) endStem() {
	if !slices.IsSorted(d.list) {
		d.order.set(d.at-1, slices.Clone(d.list))
		d.disorder = true
	}
	d.list = d.list[:0]
}

func (d *tableDecoder) entry() {
	list := span{uint32(len(d.ids)), uint32(len(d.ids))}
	o := oddity{missing: true}
	id := -1
	for d.s.Begin('{'); d.s.More('}'); {
		switch key := d.s.Key(); {
		case string(key) == "version":
			if id >= 0 {
				d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
			}
			id = d.version()
		case string(key) == "actions":
			if !o.missing {
				d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
			}
			o.missing = false
			d.actions()
			list.hi = uint32(len(d.ids))
		default:
			o.extra = d.s.InsertValue(o.extra, string(key))
		}
	}
	switch {
	case d.s.Err() != nil:
	case id < 0:
		d.s.Fail(d.s.Offset(), errors.New("entry without a version"))
	case id == math.MaxInt:
		d.disorder = true // the list is not used
	default:
		d.keep(id, list, o)
	}
}

// keep assigns a list to a version.
func (d *tableDecoder) keep(id int, list span, o oddity) {
	if d.seen[id] {
		d.s.Fail(d.s.Start(), fmt.Errorf("duplicate version %s", d.cols.version(id)))
		return
	}
	d.seen[id] = true
	if list.lo == list.hi || len(o.extra) > 0 {
		o.version = uint32(id)
		d.odd = append(d.odd, o)
	}
	d.spans[id] = list
	d.list = append(d.list, uint32(id))
	d.next = id + 1
}

// version reads the version of an entry and returns its id. For one that is to be
// dropped it returns math.MaxInt.
func (d *tableDecoder) version() int {
	if d.next < d.hi && scan.Skip(d.s, d.cols.version(d.next)) {
		return d.next
	}
	text := d.s.Str()
	for id := d.next; id < min(d.hi, d.next+8); id++ {
		if d.cols.version(id) == string(text) {
			return id
		}
	}
	if d.s.Err() != nil {
		return -1
	}
	v, err := fmri.ParseVersion(string(text))
	if err != nil {
		d.s.Fail(d.s.Start(), brief(err, text))
		return -1
	}
	if v.String() != string(text) {
		d.s.Loosen()
	}
	if id, ok := d.cols.search(d.lo, d.hi, v); ok {
		return id
	}
	if !d.salvage {
		d.s.Fail(d.s.Start(), wrongEntry("version", bytes.Clone(text)))
		return -1
	}
	return math.MaxInt
}

// actions reads the actions of an entry. Since those of successive versions are
// mostly the same, each is first compared with what the entry before has there.
func (d *tableDecoder) actions() {
	d.now.clear()
	at := 0
	for d.s.Begin('['); d.s.More(']'); at++ {
		var place uint32
		if i := d.repeated(at); i >= 0 {
			place, at = d.before.list[i].place, i
			d.now.add(d.before.at(i), place)
		} else {
			place = d.action()
		}
		if d.s.Err() != nil {
			return
		}
		d.ids = append(doubled(d.ids), place)
	}
	d.before, d.now = d.now, d.before
}

// repeated consumes an action if it is the one at a place of the entry before, or beside it
// because one was added or taken away. It returns where it was found, or -1.
func (d *tableDecoder) repeated(at int) int {
	for _, i := range [...]int{at, at + 1, at - 1} {
		if d.before.plain(i) && scan.Skip(d.s, d.before.at(i)) {
			return i
		}
	}
	return -1
}

// action reads an action and returns its place in the queue.
func (d *tableDecoder) action() uint32 {
	text := d.s.Str()
	if d.fresh == math.MaxInt32 {
		d.s.Fail(d.s.Start(), errors.New("too many actions"))
	}
	if d.s.Err() != nil {
		return 0
	}
	d.queue.add(text)
	if !d.s.Plain() {
		text = nil
	}
	place := d.fresh
	d.now.add(text, place)
	d.fresh++
	return place
}

// table returns what was read.
func (d *tableDecoder) table() (*table, error) {
	in, ids, err := d.queue.finish()
	if err != nil {
		return nil, &scan.Error{Offset: d.s.Offset(), Err: err}
	}
	t := &table{odd: d.odd, refs: trimmed(in.refs), marks: trimmed(in.marks), text: in.done()}
	t.ids = make([]uint32, 0, len(d.ids))
	t.first = make([]uint32, 1, len(d.spans)+1)
	for _, list := range d.spans {
		for _, place := range d.ids[list.lo:list.hi] {
			t.ids = append(t.ids, ids[place])
		}
		t.first = append(t.first, uint32(len(t.ids)))
	}
	if d.disorder {
		slices.SortFunc(t.odd, func(a, b oddity) int { return cmp.Compare(a.version, b.version) })
	}
	return t, nil
}

// A recent list has the texts of the first actions of an entry.
type recent struct {
	text []byte
	list []recentAction
}

// A recentAction has no text if that needs escapes.
type recentAction struct {
	ref
	place uint32 // in the queue
}

const (
	maxRecent     = 64 << 10
	maxRecentText = 16 << 20
)

func (r *recent) clear() { r.text, r.list = r.text[:0], r.list[:0] }

func (r *recent) add(text []byte, place uint32) {
	if len(r.list) < maxRecent && len(r.text) < maxRecentText {
		r.list = append(r.list, recentAction{ref{uint32(len(r.text)), uint32(len(text))}, place})
		r.text = append(r.text, text...)
	}
}

// plain reports whether there is an action at i whose text stands for itself in JSON.
func (r *recent) plain(i int) bool { return i >= 0 && i < len(r.list) && r.list[i].n > 0 }

func (r *recent) at(i int) []byte {
	a := r.list[i]
	return r.text[a.off:][:a.n]
}
