package solver

import "github.com/goips/ips/fmri"

// A Request is what is asked for. The zero Request installs nothing: it makes
// the image fit its variants, facets and parent.
type Request struct {
	Op Op

	// Patterns select packages, in order of preference: where two of them
	// cannot both be the newest, the first one is. [Install] and
	// [ExactInstall] match all known versions; [Update] and [Uninstall] match
	// names of installed packages. An [Update] without patterns is an update
	// of everything, with rules of its own.
	Patterns []fmri.Pattern

	// Reject selects names that must be absent afterwards. Versions in
	// these patterns are ignored.
	Reject []fmri.Pattern

	// IgnoreMissing lets [Update] and [Uninstall] pass over patterns that
	// match nothing installed.
	IgnoreMissing bool

	// Downgrade lets every installed package become older where nothing else
	// will do, and lets installed incorporations go. Without it a package
	// becomes older only if just older versions of it are requested, or if a
	// newly chosen incorporation says so.
	Downgrade bool
}

// An Op is a kind of request.
type Op uint8

const (
	Install      Op = iota // these packages, at the best version
	Update                 // newer versions of these, or of everything
	Uninstall              // without these packages
	ExactInstall           // these, what they need, and nothing else
)

// String returns the operation's name as on a command line: "exact-install".
func (o Op) String() string {
	switch o {
	case Install:
		return "install"
	case Update:
		return "update"
	case Uninstall:
		return "uninstall"
	case ExactInstall:
		return "exact-install"
	}
	return "unknown operation"
}
