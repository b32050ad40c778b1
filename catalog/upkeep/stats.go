package upkeep

import (
	"cmp"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/internal/rows"
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
	Part     catalog.Part
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
	Package catalog.Package
	Actions int
	Bytes   int64
}

// ActionSize is what all occurrences of one action take.
type ActionSize struct {
	Part  catalog.Part
	Text  string
	Count int
	Bytes int64
}

// Measure measures a catalog. Of packages, versions and actions it returns the top
// largest ones.
func Measure(c *catalog.Catalog, top int) (*Stats, error) {
	m, err := newMeasure(c)
	if err != nil {
		return nil, err
	}
	s := &Stats{Versions: len(m.packages)}
	for publisher := range c.Publishers() {
		s.Publishers++
		for name := range c.Stems(publisher) {
			s.Packages++
			s.addStem(m, StemSize{Publisher: publisher, Name: name}, top)
		}
	}
	s.Stems = largest(s.Stems, top, func(z StemSize) int64 { return z.Bytes })
	s.Largest = largest(s.Largest, top, func(z EntrySize) int64 { return z.Bytes })
	for _, t := range m.tables {
		s.Actions = append(s.Actions, t.actions(top)...)
	}
	s.Actions = largest(s.Actions, top, func(z ActionSize) int64 { return z.Bytes })
	for _, part := range c.Parts() {
		size, err := m.part(part)
		if err != nil {
			return nil, err
		}
		s.Parts = append(s.Parts, size)
		s.Bytes += size.Bytes
	}
	return s, nil
}

// addStem measures the versions of a package.
func (s *Stats) addStem(m *measure, stem StemSize, top int) {
	lo, hi := m.rows.Span(stem.Publisher, stem.Name)
	for row := lo; row < hi; row++ {
		z := m.entry(row)
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

// A measure knows what the entries of a catalog take.
type measure struct {
	c        *catalog.Catalog
	rows     rows.Catalog
	packages []catalog.Package // by row
	tables   []measuredTable
}

type measuredTable struct {
	*rows.Table
	part catalog.Part
	size []uint32 // of each action in JSON
}

func newMeasure(c *catalog.Catalog) (*measure, error) {
	m := &measure{c: c, rows: c.Rows(), packages: packages(c)}
	for _, part := range c.Parts() {
		if part == catalog.Base {
			continue
		}
		t, err := m.rows.Table(string(part))
		if err != nil {
			return nil, err
		}
		mt := measuredTable{Table: t, part: part, size: make([]uint32, t.Len())}
		var buf []byte
		for action := range mt.size {
			buf = scan.AppendString(buf[:0], t.Text(uint32(action)))
			mt.size[action] = uint32(len(buf))
		}
		m.tables = append(m.tables, mt)
	}
	return m, nil
}

// packages returns the versions of a catalog by row.
func packages(c *catalog.Catalog) []catalog.Package {
	return slices.AppendSeq(make([]catalog.Package, 0, c.Len()), c.All())
}

// A byteCount counts what is written to it.
type byteCount int64

func (n *byteCount) Write(p []byte) (int, error) {
	*n += byteCount(len(p))
	return len(p), nil
}

// part measures a part.
func (m *measure) part(part catalog.Part) (PartSize, error) {
	size := PartSize{Part: part, Entries: len(m.packages)}
	var n byteCount
	if err := m.c.WritePart(&n, part); err != nil {
		return size, err
	}
	size.Bytes = int64(n)
	for _, t := range m.tables {
		if t.part != part {
			continue
		}
		size.Actions = len(t.Numbers)
		size.Entries = 0
		for row := range m.packages {
			if t.Has(row) {
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

// What entries have around their actions and text, commas included.
const (
	baseFrame     = len(`{"signature-sha-1":"","version":""},`) + 40
	metadataFrame = len(`"metadata":,`)
	tableFrame    = len(`{"actions":[],"version":""},`)
)

// entry measures the version of a row.
func (m *measure) entry(row int) EntrySize {
	p := m.packages[row]
	n := len(p.Version().String())
	z := EntrySize{Package: p, Bytes: int64(baseFrame + n)}
	if metadata := p.Metadata(); metadata != nil {
		z.Bytes += int64(metadataFrame + len(metadata))
	}
	for _, t := range m.tables {
		if !t.Has(row) {
			continue
		}
		actions := t.Table.Actions(row)
		z.Actions += len(actions)
		z.Bytes += int64(tableFrame + n + max(0, len(actions)-1))
		for _, action := range actions {
			z.Bytes += int64(t.size[action])
		}
	}
	return z
}

// counts returns how often each action occurs.
func (t *measuredTable) counts() []int {
	counts := make([]int, t.Len())
	for _, action := range t.Numbers {
		counts[action]++
	}
	return counts
}

// actions returns the actions that take the most.
func (t *measuredTable) actions(top int) []ActionSize {
	counts := t.counts()
	list := make([]ActionSize, 0, len(counts))
	for action, n := range counts {
		list = append(list, ActionSize{t.part, t.Text(uint32(action)), n, int64(n) * int64(t.size[action]+1)})
	}
	return largest(list, top, func(z ActionSize) int64 { return z.Bytes })
}
