package image

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/goips/ips/catalog"
)

// What an image knows about a package version beyond what its publisher says is a JSON
// object in the base part of its catalogs. The numbers of the states are persistent.
const (
	stateKnown      = 0 // some publisher offers it
	stateInstalled  = 2
	stateUpgradable = 4 // a newer version is known
	stateV1         = 7 // from a catalog of version 1
	stateObsolete   = 8
	stateRenamed    = 9
	stateFrozen     = 11
	stateRequested  = 13 // by name, and not brought in by another package
)

// derived are the states that are worked out anew whenever the catalogs are built.
var derived = []int{stateKnown, stateInstalled, stateUpgradable, stateV1, stateObsolete, stateRenamed, stateFrozen, stateRequested}

// A Status is what an image notes about a package version.
type Status struct {
	Installed  bool
	Upgradable bool // a newer version of the name is known, of whatever publisher
	Obsolete   bool
	Renamed    bool
	Frozen     bool
	Requested  bool // installed by name, and not for another package

	// LastInstall is when the first version of the package was installed that has been
	// there ever since, and LastUpdate when this version took its place; zero if not.
	LastInstall, LastUpdate time.Time
}

// StatusOf returns what an image notes about an entry of one of its catalogs, the zero
// Status for an entry of another.
func StatusOf(p catalog.Package) Status {
	m := readMetadata(p)
	return Status{
		Installed:   m.has(stateInstalled),
		Upgradable:  m.has(stateUpgradable),
		Obsolete:    m.has(stateObsolete),
		Renamed:     m.has(stateRenamed),
		Frozen:      m.has(stateFrozen),
		Requested:   m.has(stateRequested),
		LastInstall: m.time("last-install"),
		LastUpdate:  m.time("last-update"),
	}
}

// A metadata is the object of one version. Members that are not ours are kept.
type metadata map[string]json.RawMessage

// readMetadata returns what c keeps about a version; what cannot be read is empty.
func readMetadata(p catalog.Package) metadata {
	m := metadata{}
	if p.IsValid() {
		if src := p.Metadata(); src != nil && json.Unmarshal(src, &m) != nil {
			return metadata{}
		}
	}
	return m
}

// states returns the numbers, ascending.
func (m metadata) states() []int {
	var list []int
	if json.Unmarshal(m["states"], &list) != nil {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (m metadata) has(state int) bool { return slices.Contains(m.states(), state) }

// setStates replaces the derived states and keeps the others.
func (m metadata) setStates(list []int) {
	others := slices.DeleteFunc(m.states(), func(s int) bool { return slices.Contains(derived, s) })
	list = append(list, others...)
	slices.Sort(list)
	m["states"], _ = json.Marshal(slices.Compact(list)) // numbers marshal
}

// setTime records when something happened; the zero time forgets it.
func (m metadata) setTime(name string, t time.Time) {
	if t.IsZero() {
		delete(m, name)
		return
	}
	m[name], _ = json.Marshal(formatTime(t)) // strings marshal
}

// time returns what setTime has recorded, zero if nothing.
func (m metadata) time(name string) time.Time {
	var text string
	if json.Unmarshal(m[name], &text) != nil {
		return time.Time{}
	}
	t, err := time.Parse("20060102T150405Z", text) // takes a fraction, too
	if err != nil {
		return time.Time{}
	}
	return t
}

// text returns the object with its members sorted.
func (m metadata) text() []byte {
	text, _ := json.Marshal(m) // every member is the text of a value
	return text
}

// formatTime prints a time as catalogs do: without a fraction if it is zero.
func formatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("20060102T150405Z")
	}
	return t.Format("20060102T150405.000000Z")
}
