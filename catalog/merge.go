package catalog

import "time"

// Merge returns a catalog of everything in cs. Of entries for one version the first is
// kept, whatever the others say. The result is not signed and was modified when
// the last of cs was.
func Merge(cs ...*Catalog) (*Catalog, error) {
	size := 0
	var modified time.Time
	var trunk *Catalog
	heads := make([]Package, 0, len(cs))
	for _, c := range cs {
		size += c.Len()
		if c.modified.After(modified) {
			modified = c.modified
		}
		if trunk == nil || c.Len() > trunk.Len() {
			trunk = c
		}
		heads = append(heads, Package{c, 0})
	}
	a := newAssembler(trunk, size)
	for {
		first, end := nextRun(heads)
		if first < 0 {
			break
		}
		h := &heads[first]
		a.run(h.c, h.row(), end)
		h.id = uint32(end)
		skipSame(heads, first)
	}
	out := &Catalog{modified: modified, unsigned: true, attrsChanged: true}
	return out, a.finish(out)
}

// nextRun returns the head that comes first, and how far its catalog goes before another's
// turn comes. If there is nothing left, the head is -1.
func nextRun(heads []Package) (first, end int) {
	first, second := -1, -1
	for i, h := range heads {
		switch {
		case h.row() >= h.c.Len():
		case first < 0 || h.Compare(heads[first]) < 0:
			first, second = i, first
		case second < 0 || h.Compare(heads[second]) < 0:
			second = i
		}
	}
	if first < 0 {
		return -1, 0
	}
	h := heads[first]
	if second < 0 {
		return first, h.c.Len()
	}
	return first, max(h.row()+1, h.c.bound(h.row(), heads[second]))
}

// bound returns the first id of c, at least from, that is not before p.
func (c *Catalog) bound(from int, p Package) int {
	step, hi := 1, from
	for hi < c.Len() && c.at(hi).Compare(p) < 0 { // most runs are short or very long
		from, hi, step = hi+1, hi+step, step*2
	}
	hi = min(hi, c.Len())
	for from < hi {
		mid := (from + hi) / 2
		if c.at(mid).Compare(p) < 0 {
			from = mid + 1
		} else {
			hi = mid
		}
	}
	return from
}

// skipSame moves those heads on that have the version which one has just passed.
func skipSame(heads []Package, passed int) {
	last := Package{heads[passed].c, heads[passed].id - 1}
	for i := range heads {
		if h := &heads[i]; i != passed && h.row() < h.c.Len() && h.Compare(last) == 0 {
			h.id++
		}
	}
}

// Filter returns a catalog of those packages of c that keep approves of. It has the
// attributes of c, but the digests of its parts are those of what is left.
func Filter(c *Catalog, keep func(Package) bool) (*Catalog, error) {
	var runs [][2]int
	left := 0
	for p := range c.All() {
		if !keep(p) {
			continue
		}
		left++
		if n := len(runs); n > 0 && runs[n-1][1] == p.row() {
			runs[n-1][1]++
		} else {
			runs = append(runs, [2]int{p.row(), p.row() + 1})
		}
	}
	trunk := c
	if left < c.Len()/4*3 {
		trunk = nil // the text of what is gone need not be kept
	}
	a := newAssembler(trunk, left)
	for _, r := range runs {
		a.run(c, r[0], r[1])
	}
	out := &Catalog{
		created: c.created, modified: c.modified, v0: c.v0, unsigned: c.unsigned,
		members: c.members, attrsChanged: true,
	}
	if err := a.finish(out); err != nil {
		return nil, err
	}
	for _, p := range out.parts {
		if old := c.part(Part(p.Name)); old != nil {
			p.meta = old.meta
		}
	}
	return out, nil
}
