package catalog

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
)

// A Change is one difference: zero Old is an addition, zero New a removal.
type Change struct{ Old, New Package }

// ChangeKind classifies a [Change].
type ChangeKind uint8

// The kinds of changes. A new version that is obsolete or renamed counts as that,
// whether there was an older one or not.
const (
	Added       ChangeKind = iota + 1 // there is no older version to compare with
	Removed                           // it is gone
	Updated                           // another version takes its place
	Obsoleted                         // the new version says that there is no such package any more
	Renamed                           // the new version says that the package has another name
	Republished                       // the same version has another manifest, or other facts in the catalog
)

var changeNames = [...]string{
	Added: "added", Removed: "removed", Updated: "updated",
	Obsoleted: "obsoleted", Renamed: "renamed", Republished: "republished",
}

// String returns the kind in lower case.
func (k ChangeKind) String() string {
	if int(k) < len(changeNames) && k > 0 {
		return changeNames[k]
	}
	return fmt.Sprintf("ChangeKind(%d)", uint8(k))
}

// MarshalText returns the kind in lower case.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Kind classifies the change.
func (ch Change) Kind() ChangeKind {
	switch {
	case !ch.New.IsValid():
		return Removed
	case ch.Old.IsValid() && ch.Old.text() == ch.New.text():
		return Republished
	case ch.New.Obsolete():
		return Obsoleted
	case ch.New.Renamed():
		return Renamed
	case !ch.Old.IsValid():
		return Added
	}
	return Updated
}

func (p Package) text() string { return p.c.version(p.row()) }

// AppendText appends the change as one line without its end: the kind, and what it
// is about.
//
//	added pkg://p/web/server@1.0,5.11-1:20200102T030405Z
//	updated pkg://p/web/server@1.0,5.11-1:20200102T030405Z -> 1.1,5.11-1:20200202T030405Z
func (ch Change) AppendText(b []byte) ([]byte, error) {
	b = append(append(b, ch.Kind().String()...), ' ')
	switch {
	case !ch.Old.IsValid():
		b = append(b, ch.New.String()...)
	case !ch.New.IsValid() || ch.Old.text() == ch.New.text():
		b = append(b, ch.Old.String()...)
	default:
		b = append(append(b, ch.Old.String()...), " -> "...)
		b = append(b, ch.New.text()...)
	}
	return b, nil
}

// String returns the text of the change.
func (ch Change) String() string {
	b, _ := ch.AppendText(nil)
	return string(b)
}

// MarshalJSON returns an object with the members "change", a kind, and of "old" and
// "new", the FMRIs, those that there are.
func (ch Change) MarshalJSON() ([]byte, error) {
	out := struct {
		Change ChangeKind `json:"change"`
		Old    string     `json:"old,omitempty"`
		New    string     `json:"new,omitempty"`
	}{Change: ch.Kind()}
	if ch.Old.IsValid() {
		out.Old = ch.Old.String()
	}
	if ch.New.IsValid() {
		out.New = ch.New.String()
	}
	return json.Marshal(out)
}

// WriteChanges writes changes as text, one to a line.
func WriteChanges(w io.Writer, changes iter.Seq[Change]) error {
	var line []byte
	for ch := range changes {
		line, _ = ch.AppendText(line[:0])
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// Diff returns the differences between two catalogs, version by version, in the order
// of [Catalog.All]. Changes of a version that both have are of kind
// [Republished]: its manifest has another digest, or one of the parts that both
// catalogs have says something else of it.
func Diff(old, new *Catalog) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		w := newWalk(old, new)
		i, j := 0, 0
		for i < old.Len() || j < new.Len() {
			switch c := w.compare(i, j); {
			case c < 0:
				if !yield(Change{Old: old.at(i)}) {
					return
				}
				i++
			case c > 0:
				if !yield(Change{New: new.at(j)}) {
					return
				}
				j++
			default:
				if !w.same(i, j) && !yield(Change{old.at(i), new.at(j)}) {
					return
				}
				i++
				j++
			}
		}
	}
}

// DiffNewest compares only the newest version of each package. With the installed
// set as old and a repository's catalog as new it tells what an update could do.
// A version that is not newer than the old one is no change unless it was republished.
func DiffNewest(old, new *Catalog) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		w := newWalk(old, new)
		i, j := 0, 0
		for i < len(old.stems) || j < len(new.stems) {
			var ch Change
			switch c := w.compareStems(i, j); {
			case c < 0:
				ch.Old = old.newest(i)
				i++
			case c > 0:
				ch.New = new.newest(j)
				j++
			default:
				ch = w.newest(i, j)
				i++
				j++
			}
			if ch != (Change{}) && !yield(ch) {
				return
			}
		}
	}
}

// newest returns the newest version of a stem.
func (c *Catalog) newest(stem int) Package { return c.at(int(c.first[stem+1]) - 1) }

// A walk compares two catalogs on the way through both.
type walk struct {
	old, new *Catalog
	tables   [][2]*table // of the parts that both have

	oldStem, newStem uint32 // last compared, plus one
	stems            int    // result
}

func newWalk(old, new *Catalog) *walk {
	w := &walk{old: old, new: new}
	for _, p := range old.parts {
		q := new.part(Part(p.Name))
		if p.Name == string(Base) || q == nil || p.skipped || q.skipped {
			continue
		}
		t, err := p.actions()
		u, err2 := q.actions()
		if err == nil && err2 == nil {
			w.tables = append(w.tables, [2]*table{t, u})
		}
	}
	return w
}

// compare orders the version i of old and j of new; one behind the end comes last.
func (w *walk) compare(i, j int) int {
	switch {
	case i == w.old.Len():
		return 1
	case j == w.new.Len():
		return -1
	}
	s, t := w.old.versions[i].stem, w.new.versions[j].stem
	if s+1 != w.oldStem || t+1 != w.newStem {
		w.oldStem, w.newStem = s+1, t+1
		w.stems = compareStems(w.old, s, w.new, t)
	}
	if w.stems != 0 {
		return w.stems
	}
	return compareTexts(w.old, i, w.new, j)
}

// compareStems orders the stem i of old and j of new; one behind the end comes last.
func (w *walk) compareStems(i, j int) int {
	switch {
	case i == len(w.old.stems):
		return 1
	case j == len(w.new.stems):
		return -1
	}
	return compareStems(w.old, uint32(i), w.new, uint32(j))
}

// newest returns the change of a stem that both have.
func (w *walk) newest(i, j int) Change {
	ch := Change{w.old.newest(i), w.new.newest(j)}
	switch c := compareTexts(w.old, ch.Old.row(), w.new, ch.New.row()); {
	case c < 0, c == 0 && !w.same(ch.Old.row(), ch.New.row()):
		return ch
	}
	return Change{}
}

// same reports whether both catalogs say the same of a version. What an image has
// noted with it does not count.
func (w *walk) same(i, j int) bool {
	v, u := &w.old.versions[i], &w.new.versions[j]
	if v.marks != u.marks || v.digest != u.digest {
		return false
	}
	if v.marks&markDigest != 0 {
		return true // of one manifest, catalogs say the same
	}
	for _, t := range w.tables {
		if !sameLists(t[0], i, t[1], j) {
			return false
		}
	}
	return true
}

// sameLists reports whether two tables have the same actions for a version.
func sameLists(t *table, i int, u *table, j int) bool {
	return slices.EqualFunc(t.list(i), u.list(j), func(a, b uint32) bool { return t.Text(a) == u.Text(b) })
}
