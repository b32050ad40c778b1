package catalog

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

const digestKey = "signature-sha-1"

// A baseDecoder makes columns of a base part. Entries usually come in order; what
// does not is sorted at the end.
type baseDecoder struct {
	s        *scan.Scanner
	limits   *Limits
	text     textBuilder
	pubs     []publisher
	stems    []stemRun
	versions []version
	extra    []uint32 // by version
	extras   memberSets
	batch    []batchEntry // of the current stem
	order    fileOrder
	disorder bool // of publishers or stems
}

// A stemRun is a stem with its versions as they lie in the file.
type stemRun struct {
	ref
	first, end uint32
	place      int   // among the stems of the file
	at         int64 // offset in the file
}

// A batchEntry is an entry before it is known whether its stem's are in order.
type batchEntry struct {
	version
	parsed fmri.Version
	extra  uint32
	at     int64
}

func (d *baseDecoder) publisher(name []byte) {
	if d.s.Err() != nil {
		return
	}
	p := publisher{name: string(name), lo: len(d.stems), hi: len(d.stems)}
	if err := fmri.CheckPublisher(p.name); err != nil {
		d.s.Fail(d.s.Start(), brief(err, name))
		return
	}
	if n := len(d.pubs); n > 0 && d.pubs[n-1].name > p.name {
		d.disorder = true
		if slices.ContainsFunc(d.pubs, func(q publisher) bool { return q.name == p.name }) {
			d.s.Fail(d.s.Start(), scan.DuplicateKey(name))
		}
	}
	d.pubs = append(d.pubs, p)
}

func (d *baseDecoder) stem(name []byte) {
	if !d.room(len(name)) {
		return
	}
	run := stemRun{ref: d.text.add(name), first: uint32(len(d.versions)), place: len(d.stems), at: d.s.Start()}
	stem := d.text.at(run.ref)
	if err := fmri.CheckName(stem); err != nil {
		d.s.Fail(run.at, brief(err, name))
		return
	}
	p := &d.pubs[len(d.pubs)-1]
	if n := len(d.stems); n > p.lo && d.text.at(d.stems[n-1].ref) > stem {
		d.disorder = true
	}
	d.stems = append(d.stems, run)
	p.hi = len(d.stems)
}

// room checks that n bytes and another version fit into columns.
func (d *baseDecoder) room(n int) bool {
	switch {
	case !d.text.room(n):
		d.s.Fail(d.s.Start(), errors.New("names take more than 4 GiB"))
	case len(d.versions)+len(d.batch) >= d.limits.Versions:
		d.s.Fail(d.s.Start(), fmt.Errorf("more than %d versions", d.limits.Versions))
	}
	return d.s.Err() == nil
}

func (d *baseDecoder) entry() {
	var e batchEntry
	var extra []scan.Member
	for d.s.Begin('{'); d.s.More('}'); {
		key := d.s.Key()
		if string(key) == "version" {
			d.version(&e)
			continue
		}
		if string(key) == digestKey && e.marks != 0 {
			d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
		}
		if string(key) == digestKey && d.s.Peek() == '"' {
			text := d.s.Str()
			if e.setDigest(text) {
				continue
			}
			m := scan.Member{Key: digestKey, JSON: string(scan.AppendString(nil, text))}
			extra = d.s.Insert(extra, m, d.s.Start())
			continue
		}
		extra = d.s.InsertValue(extra, string(key))
	}
	if e.n == 0 && d.s.Err() == nil {
		d.s.Fail(d.s.Offset(), errors.New("entry without a version"))
	}
	e.extra = d.extras.id(extra)
	d.batch = append(d.batch, e)
}

// setDigest records a digest if text is one in its canonical form.
func (v *version) setDigest(text []byte) bool {
	if len(text) != 2*len(v.digest) {
		return false
	}
	for _, c := range text {
		if 'A' <= c && c <= 'F' {
			return false
		}
	}
	if _, err := hex.Decode(v.digest[:], text); err != nil {
		return false
	}
	v.marks |= markDigest
	return true
}

// version reads the version of an entry.
func (d *baseDecoder) version(e *batchEntry) {
	text := d.s.Str()
	e.at = d.s.Start()
	if e.n != 0 {
		d.s.Fail(e.at, scan.DuplicateKey("version"))
	}
	if !d.room(2 * len(text)) {
		return
	}
	r := d.text.add(text)
	v, err := fmri.ParseVersion(d.text.at(r))
	if err != nil {
		d.s.Fail(e.at, brief(err, text))
		return
	}
	if len(v.String()) != len(text) { // the build was not written
		d.s.Loosen()
		r = d.text.add([]byte(v.String()))
	}
	e.off, e.n, e.parsed = r.off, uint16(r.n), v
}

// endStem checks the order of a stem's versions and keeps them.
func (d *baseDecoder) endStem() {
	if d.s.Err() != nil {
		return
	}
	byVersion := func(a, b batchEntry) int { return a.parsed.Compare(b.parsed) }
	if !slices.IsSortedFunc(d.batch, byVersion) {
		d.sortBatch(byVersion)
	}
	for i, e := range d.batch {
		for j := i - 1; j >= 0 && byVersion(d.batch[j], e) == 0; j-- {
			if d.batch[j].parsed == e.parsed {
				d.s.Fail(e.at, fmt.Errorf("duplicate version %s", e.parsed))
			}
		}
		e.stem = uint32(len(d.stems) - 1)
		d.versions = append(doubled(d.versions), e.version)
		d.extra = append(doubled(d.extra), e.extra)
	}
	last := len(d.stems) - 1
	if d.stems[last].end = uint32(len(d.versions)); len(d.batch) == 0 {
		d.stems = d.stems[:last]
		d.pubs[len(d.pubs)-1].hi--
	}
	d.batch = d.batch[:0]
}

// sortBatch puts the versions of a stem in order and remembers how they lie in the file.
func (d *baseDecoder) sortBatch(byVersion func(a, b batchEntry) int) {
	files := slices.Clone(d.batch)
	slices.SortStableFunc(d.batch, byVersion)
	ids := make([]uint32, len(files))
	for i, e := range files {
		at := slices.IndexFunc(d.batch, func(b batchEntry) bool { return b.at == e.at })
		ids[i] = uint32(len(d.versions) + at)
	}
	d.order.set(len(d.stems)-1, ids)
}

// columns returns what was read, in order.
func (d *baseDecoder) columns() (*columns, error) {
	if d.disorder {
		d.sort()
		if d.s.Err() != nil {
			return nil, d.s.Err()
		}
	}
	d.pubs = slices.DeleteFunc(d.pubs, func(p publisher) bool { return p.lo == p.hi })
	c := &columns{pubs: d.pubs, versions: trimmed(d.versions), extras: d.extras.sets}
	c.stems = make([]ref, len(d.stems))
	c.first = make([]uint32, len(d.stems)+1)
	for i, run := range d.stems {
		c.stems[i] = run.ref
		c.first[i+1] = run.end
	}
	if len(c.extras) > 1 {
		c.extra = d.extra
	}
	c.text = d.text.done()
	return c, nil
}

// sort puts publishers and stems in order.
func (d *baseDecoder) sort() {
	d.s.Loosen()
	slices.SortFunc(d.pubs, func(p, q publisher) int { return cmp.Compare(p.name, q.name) })
	old := *d
	d.stems, d.versions, d.extra, d.order = nil, nil, nil, nil
	for i := range d.pubs {
		p := &d.pubs[i]
		runs := old.stems[p.lo:p.hi]
		slices.SortStableFunc(runs, func(a, b stemRun) int {
			return cmp.Compare(old.text.at(a.ref), old.text.at(b.ref))
		})
		p.lo = len(d.stems)
		for j, run := range runs {
			if j > 0 && d.text.at(runs[j-1].ref) == d.text.at(run.ref) {
				d.s.Fail(run.at, scan.DuplicateKey(d.text.at(run.ref)))
			}
			d.move(&old, run)
		}
		p.hi = len(d.stems)
	}
}

// move appends a stem and its versions, which lie in old.
func (d *baseDecoder) move(old *baseDecoder, run stemRun) {
	if ids := old.order[run.place]; ids != nil {
		moved := make([]uint32, len(ids))
		for i, id := range ids {
			moved[i] = id - run.first + uint32(len(d.versions))
		}
		d.order.set(len(d.stems), moved)
	}
	for id := run.first; id < run.end; id++ {
		v := old.versions[id]
		v.stem = uint32(len(d.stems))
		d.versions = append(d.versions, v)
		d.extra = append(d.extra, old.extra[id])
	}
	run.end = uint32(len(d.versions))
	d.stems = append(d.stems, run)
}
