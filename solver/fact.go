package solver

import "github.com/goips/ips/fmri"

// A Fact is one reason of a conflict.
type Fact struct {
	Kind FactKind

	// Name is the package that the fact is about.
	Name string

	// Packages are the versions of it that the fact is about, ascending:
	// those of which one must be there, those that have the dependencies, or
	// those that are forbidden. Versions that do not matter are left out. All
	// says that these are all known versions.
	Packages []fmri.FMRI
	All      bool

	// Depends are the dependencies of a [FactDepend], which each of Packages
	// has, and what decides a [FactHeld], [FactOrigin] or [FactParent].
	Depends []Dependency

	// By is the package behind the fact: of a [FactInstalled] and a
	// [FactPublisher] what is installed, of a FactHeld the incorporation, of a
	// [FactFrozen] the version frozen at.
	By fmri.FMRI

	// Renamed says, of a [FactDepend], that Packages are renamed to what they depend on.
	Renamed bool

	top string // of a FactHeld: the incorporation above all that hold By

	// Comment is that of a freeze. Of a [FactRequested] it is the pattern.
	Comment string
}

// A Dependency is what several versions say about the same packages. They may
// say it in different words, usually for different versions.
type Dependency struct {
	Type string   // "require", "incorporate", …
	On   []string // the names of the packages, of a group those members that count
	// Actions are the distinct depend actions, those of newer versions last.
	// Each version that has the dependency has one of them.
	Actions []string
	// Missing says that no known version, other than obsolete ones, would do.
	Missing bool
	// Obsolete is, if Missing, the version from which on the package is obsolete.
	Obsolete fmri.FMRI
}

// A FactKind says what makes a fact true.
type FactKind uint8

const (
	// Demands: one of Packages must be there.
	FactRequested FactKind = iota + 1 // the request asks for it
	FactInstalled                     // By is installed, and may not vanish or become older
	FactDecided                       // something that counts more has been decided so

	FactDepend // each of Packages has the dependencies Depends

	// Rules that are told as the demands behind them.
	notAsked    // they are not what the request asks for
	upgradeOnly // they are older than what is installed
	undecided   // they are not what has been decided

	// Rules: none of Packages may be there.
	FactRejected    // the request rejects them
	FactUnsupported // their dependencies cannot be understood
	FactVariant     // they are for other variants
	FactPublisher   // their publisher may not supply them
	FactFrozen      // a freeze
	FactHeld        // the installed incorporation By
	FactExplicit    // they want to be asked for by name
	FactOrigin      // an origin dependency of theirs is not met
	FactParent      // a parent dependency of theirs is not met

	firstRule, lastRule = notAsked, FactParent
)

var factKindNames = [...]string{
	"", "requested", "installed", "decided", "depend", "", "", "", "rejected", "unsupported", "variant",
	"publisher", "frozen", "held", "explicit", "origin", "parent",
}

// String returns the kind as it stands in JSON: "upgrade-only".
func (k FactKind) String() string { return factKindNames[k] }

// MarshalText returns the kind as String does.
func (k FactKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
