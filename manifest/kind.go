package manifest

import (
	"iter"
	"slices"
	"strconv"
)

// A Kind is the type of an action, its first word. The zero Kind is invalid.
type Kind uint8

// The kinds, in the order in which a sorted manifest lists them.
const (
	KindSet Kind = iota + 1
	KindDepend
	KindGroup
	KindUser
	KindDir
	KindFile
	KindHardlink
	KindLink
	KindDriver
	KindUnknown // the kind named "unknown", which archive readers make; not an unlisted word
	KindLicense
	KindLegacy
	KindSignature
)

// A kindInfo is a row of the kind table.
type kindInfo struct {
	name    string
	key     string   // key attribute
	group   Kind     // whose keys it shares; zero is its own
	payload bool     // may carry a payload
	noHash  bool     // a payload that is not given reads as NOHASH
	shared  bool     // reference-counted
	unique  []string // attributes that deliveries of one object agree in
}

// kinds is the one place that knows what distinguishes the kinds.
var kinds = [...]kindInfo{
	KindSet:    {name: "set", key: "name"},
	KindDepend: {name: "depend", key: "fmri"},
	KindGroup:  {name: "group", key: "groupname"},
	KindUser:   {name: "user", key: "username"},
	KindDir: {
		name: "dir", key: "path", shared: true,
		unique: []string{"path", "mode", "owner", "group"},
	},
	KindFile: {
		name: "file", key: "path", group: KindDir, payload: true, noHash: true,
		unique: []string{"path", "mode", "owner", "group", "preserve", "sysattr"},
	},
	KindHardlink: {
		name: "hardlink", key: "path", group: KindDir, shared: true,
		unique: []string{"path", "target"},
	},
	KindLink: {
		name: "link", key: "path", group: KindDir, shared: true,
		unique: []string{"path", "target"},
	},
	KindDriver:  {name: "driver", key: "name"},
	KindUnknown: {name: "unknown"},
	KindLicense: {
		name: "license", key: "license", payload: true, noHash: true, shared: true,
		unique: []string{"license"},
	},
	KindLegacy: {
		name: "legacy", key: "pkg", shared: true,
		unique: []string{
			"category", "desc", "hotline", "name", "pkg", "vendor", "version",
			"basedir", "pkginst", "pstamp", "sunw_prodvers",
		},
	},
	KindSignature: {name: "signature", key: "value", payload: true},
}

// NoHash is the payload of a file or license whose text names none.
const NoHash = "NOHASH"

// ParseKind returns the kind with the given name, which is case-sensitive.
func ParseKind(name string) (k Kind, ok bool) {
	for k := KindSet; k <= KindSignature; k++ {
		if kinds[k].name == name {
			return k, true
		}
	}
	return 0, false
}

// IsValid reports whether k is one of the constants.
func (k Kind) IsValid() bool { return k-1 < KindSignature }

// info returns the row of k, an empty one for an invalid kind.
func (k Kind) info() *kindInfo {
	if !k.IsValid() {
		k = 0
	}
	return &kinds[k]
}

// String returns the word that begins an action of this kind.
func (k Kind) String() string {
	if !k.IsValid() {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return k.info().name
}

// KeyAttr names the attribute that identifies an action among those of its
// group. It is "" for [KindUnknown], which has none.
func (k Kind) KeyAttr() string { return k.info().key }

// HasPayload reports whether actions of this kind may carry a payload.
func (k Kind) HasPayload() bool { return k.info().payload }

// Group returns the kind that stands for all kinds sharing one space of keys:
// [KindDir] for everything that has a path, k itself otherwise.
func (k Kind) Group() Kind {
	if g := k.info().group; g != 0 {
		return g
	}
	return k
}

// RefCounted reports whether several packages may deliver the same object.
func (k Kind) RefCounted() bool { return k.info().shared }

// UniqueAttrs yields the names of the attributes that must agree where several
// packages deliver the same object.
func (k Kind) UniqueAttrs() iter.Seq[string] { return slices.Values(k.info().unique) }
