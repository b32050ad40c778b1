package manifest

import "strconv"

// A DependType is what a dependency asks for. The zero DependType is invalid.
type DependType uint8

// The types. "At least" means the version of the FMRI or a newer one, any version if it
// has none.
const (
	DependRequire     DependType = iota + 1 // must be installed, at least
	DependRequireAny                        // one of the FMRIs must be installed, at least
	DependOptional                          // if installed, then at least
	DependConditional                       // require, if the predicate is installed, at least
	DependIncorporate                       // if installed, the version must match in the sense of [fmri.Auto]
	DependExclude                           // must not be installed, at least
	DependGroup                             // require any version, unless the image avoids the package
	DependGroupAny                          // one of the FMRIs, unless the image avoids it
	DependOrigin                            // if installed before the operation, then at least
	DependParent                            // the image that this one is linked to must have it
)

var dependTypes = [...]string{
	DependRequire:     "require",
	DependRequireAny:  "require-any",
	DependOptional:    "optional",
	DependConditional: "conditional",
	DependIncorporate: "incorporate",
	DependExclude:     "exclude",
	DependGroup:       "group",
	DependGroupAny:    "group-any",
	DependOrigin:      "origin",
	DependParent:      "parent",
}

// badDependType is what is wrong with a type that is none of these.
const badDependType = "not a type of dependency"

// ParseDependType returns the type that dependencies call by name.
func ParseDependType(name string) (t DependType, ok bool) {
	for t := DependRequire; t.IsValid(); t++ {
		if dependTypes[t] == name {
			return t, true
		}
	}
	return 0, false
}

// IsValid reports whether t is one of the constants.
func (t DependType) IsValid() bool { return t-1 < DependParent }

// String returns the name of t, such as "require-any".
func (t DependType) String() string {
	if !t.IsValid() {
		return "DependType(" + strconv.Itoa(int(t)) + ")"
	}
	return dependTypes[t]
}

// takesList reports whether a dependency of type t may name several packages.
func (t DependType) takesList() bool { return t == DependRequireAny || t == DependGroupAny }
