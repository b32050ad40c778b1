package catalog

import (
	"sort"
	"strings"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/manifest"
)

// A table holds the distinct actions of one part and which version has which, as
// package rows describes it.
type table struct {
	text  text
	refs  []ref    // of actions, by id
	marks []mark   // of actions, by id
	first []uint32 // where in ids the actions of a version begin; one more at the end
	ids   []uint32
	odd   []oddity // sorted by version
}

// An oddity is an entry of a part that is there although it has no actions, or
// that has members besides actions and version.
type oddity struct {
	version uint32
	missing bool          // no member "actions"
	extra   []scan.Member // further members
}

// Len returns the number of distinct actions.
func (t *table) Len() int { return len(t.refs) }

// Text returns the text of an action, for manifest.ParseAction.
func (t *table) Text(id uint32) string { return t.text.at(t.refs[id]) }

// list returns the actions of a version, in the manifest's order.
func (t *table) list(version int) []uint32 {
	return t.ids[t.first[version]:t.first[version+1]:t.first[version+1]]
}

// Has reports whether the part has an entry for the version.
func (t *table) Has(version int) bool {
	return t.first[version] < t.first[version+1] || t.oddity(version) != nil
}

// oddity returns what is unusual with the entry of a version, or nil.
func (t *table) oddity(version int) *oddity {
	i := t.searchOdd(version)
	if i == len(t.odd) || t.odd[i].version != uint32(version) {
		return nil
	}
	return &t.odd[i]
}

// searchOdd returns the place of the first oddity of a version or a later one.
func (t *table) searchOdd(version int) int {
	return sort.Search(len(t.odd), func(i int) bool { return t.odd[i].version >= uint32(version) })
}

// states returns which versions are obsolete or renamed.
func (t *table) states() []mark {
	states := make([]mark, len(t.first)-1)
	for v := range states {
		for _, id := range t.list(v) {
			states[v] |= t.marks[id] & markStates
		}
	}
	return states
}

// A mark is what needs to be known of an action again and again.
type mark uint8

const (
	markObsolete mark = 1 << iota // set name=pkg.obsolete value=true
	markRenamed                   // set name=pkg.renamed value=true
	markEscaped                   // needs escapes in JSON
	markDigest                    // of a version: its manifest's digest is known

	markStates = markObsolete | markRenamed
)

// markOf looks at the text of an action.
func markOf(action string) mark {
	var m mark
	if !scan.Plain(action) {
		m |= markEscaped
	}
	if !strings.HasPrefix(action, "set ") {
		return m
	}
	switch {
	case strings.Contains(action, "pkg.obsolete"):
		return m | stateOf(action, "pkg.obsolete", markObsolete)
	case strings.Contains(action, "pkg.renamed"):
		return m | stateOf(action, "pkg.renamed", markRenamed)
	}
	return m
}

// stateOf returns m if the action sets name to true.
func stateOf(action, name string, m mark) mark {
	if action == "set name="+name+" value=true" {
		return m
	}
	a, err := manifest.ParseAction(action)
	if err != nil {
		return 0
	}
	got, _ := a.Attrs.Get("name")
	if value, _ := a.Attrs.Get("value"); got == name && strings.EqualFold(value, "true") {
		return m
	}
	return 0
}
