package catalog

import (
	"cmp"
	"slices"

	"github.com/goips/ips/catalog/internal/scan"
)

// Stats says how large a catalog is and what makes it so. Bytes are those that the
// files take, of canonical form and not compressed.
type Stats struct {
	Publishers, Packages, Versions int
	Obsolete, Renamed              int         // versions
	Bytes                          int64       // of all parts
	Parts                          []PartSize  // sorted by name
	Stems                          []StemSize  // the largest first
	Largest                        []EntrySize // versions, the largest first
	Actions                        []ActionSize
}

// PartSize is the size of one part.
type PartSize struct {
	Part     Part
	Entries  int
	Actions  int // in all entries
	Distinct int // different ones among them
	Bytes    int64
}

// StemSize is what the versions of one package take in all parts.
type StemSize struct {
	Publisher, Name   string
	Versions, Actions int
	Bytes             int64
}

// EntrySize is what one version takes in all parts.
type EntrySize struct {
	Package Package
	Actions int
	Bytes   int64
}

// ActionSize is what all occurrences of one action take.
type ActionSize struct {
	Part  Part
	Text  string
	Count int
	Bytes int64
}

// Stats measures the catalog. Of packages, versions and actions it returns the top
// largest ones.
func (c *Catalog) Stats(top int) (*Stats, error) {
	m, err := newMeasure(c)
	if err != nil {
		return nil, err
	}
	s := &Stats{Versions: c.Len(), Packages: len(c.stems)}
	for range c.Publishers() {
		s.Publishers++
	}
	for i := range c.stems {
		s.addStem(c, m, i, top)
	}
	s.Stems = largest(s.Stems, top, func(z StemSize) int64 { return z.Bytes })
	s.Largest = largest(s.Largest, top, func(z EntrySize) int64 { return z.Bytes })
	for _, t := range m.tables {
		s.Actions = append(s.Actions, t.actions(top)...)
	}
	s.Actions = largest(s.Actions, top, func(z ActionSize) int64 { return z.Bytes })
	for _, p := range c.parts {
		if !p.skipped {
			size, err := c.size(p, m)
			if err != nil {
				return nil, err
			}
			s.Parts = append(s.Parts, size)
			s.Bytes += size.Bytes
		}
	}
	return s, nil
}

// addStem measures the versions of a stem.
func (s *Stats) addStem(c *Catalog, m *measure, i, top int) {
	stem := StemSize{Publisher: c.publisherOf(i).name, Name: c.stem(i)}
	for id := int(c.first[i]); id < int(c.first[i+1]); id++ {
		z := m.entry(id)
		stem.Versions++
		stem.Actions += z.Actions
		stem.Bytes += z.Bytes
		s.Largest = append(s.Largest, z)
		if z.Package.Obsolete() {
			s.Obsolete++
		}
		if z.Package.Renamed() {
			s.Renamed++
		}
	}
	s.Stems = append(s.Stems, stem)
	if len(s.Largest) > 4*top+1024 { // the others need not be remembered
		s.Largest = largest(s.Largest, top, func(z EntrySize) int64 { return z.Bytes })
	}
}

// largest sorts by size and returns the first ones.
func largest[T any](list []T, top int, size func(T) int64) []T {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(size(b), size(a)) })
	return list[:min(top, len(list))]
}

// size measures a part.
func (c *Catalog) size(p *part, m *measure) (PartSize, error) {
	size := PartSize{Part: Part(p.Name), Entries: c.Len()}
	var n counter
	if _, err := c.encode(&n, p); err != nil {
		return size, err
	}
	size.Bytes = n.n
	for _, t := range m.tables {
		if t.part != size.Part {
			continue
		}
		size.Actions = len(t.ids)
		size.Entries = 0
		for id := range c.Len() {
			if t.has(id) {
				size.Entries++
			}
		}
		for _, n := range t.counts() {
			if n > 0 {
				size.Distinct++
			}
		}
	}
	return size, nil
}

// A measure knows what the entries of a catalog take.
type measure struct {
	c      *Catalog
	tables []measuredTable
}

type measuredTable struct {
	*Table
	part Part
	size []uint32 // of each action in JSON
}

func newMeasure(c *Catalog) (*measure, error) {
	m := &measure{c: c}
	for _, p := range c.parts {
		t, err := p.actions()
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		mt := measuredTable{Table: t, part: Part(p.Name), size: make([]uint32, t.Len())}
		var buf []byte
		for id := range mt.size {
			buf = scan.AppendString(buf[:0], t.Text(uint32(id)))
			mt.size[id] = uint32(len(buf))
		}
		m.tables = append(m.tables, mt)
	}
	return m, nil
}

// What entries have around their actions and text, commas included.
const (
	baseFrame  = len(`{"`+digestKey+`":"","version":""},`) + 40
	tableFrame = len(`{"actions":[],"version":""},`)
)

// entry measures a version.
func (m *measure) entry(id int) EntrySize {
	n := len(m.c.version(id))
	z := EntrySize{Package: m.c.At(id), Bytes: int64(baseFrame + n)}
	for _, extra := range m.c.extraOf(id) {
		z.Bytes += int64(len(extra.Key) + len(extra.JSON) + len(`"":,`))
	}
	for _, t := range m.tables {
		if !t.has(id) {
			continue
		}
		ids := t.IDs(id)
		z.Actions += len(ids)
		z.Bytes += int64(tableFrame + n + max(0, len(ids)-1))
		for _, action := range ids {
			z.Bytes += int64(t.size[action])
		}
	}
	return z
}

// counts returns how often each action occurs.
func (t *Table) counts() []int {
	counts := make([]int, t.Len())
	for _, id := range t.ids {
		counts[id]++
	}
	return counts
}

// actions returns the actions that take the most.
func (t *measuredTable) actions(top int) []ActionSize {
	counts := t.counts()
	list := make([]ActionSize, 0, len(counts))
	for id, n := range counts {
		list = append(list, ActionSize{t.part, t.Text(uint32(id)), n, int64(n) * int64(t.size[id]+1)})
	}
	return largest(list, top, func(z ActionSize) int64 { return z.Bytes })
}
