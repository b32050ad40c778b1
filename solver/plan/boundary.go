package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// ErrReserved is why an action is refused that delivers into a place of the image's own, or
// of what runs in it.
var ErrReserved = errors.New("no package may deliver here: the place is reserved")

// reservedBelow are the places of the metadata directory that belong to the image.
var reservedBelow = []string{
	"cache", "gui_cache", "history", "license", "linked", "lost+found", "publisher", "ssl", "state",
}

// volatile are directories that may be delivered but nothing in them.
var volatile = []string{"var/tmp", "var/share", "tmp", "system/volatile"}

func (b *builder) metadata() string { return cmp.Or(b.in.Metadata, "var/pkg") }

// checkBoundaries refuses what packages add in reserved places. What is there already
// may be changed and removed.
func (b *builder) checkBoundaries() error {
	var errs []error
	for it := range b.live(Install) {
		if it.object.group == manifest.KindDir && b.isReserved(it.object.key) {
			errs = append(errs, &ActionError{Package: it.Package.To, Action: *it.New, Err: ErrReserved})
		}
	}
	return errors.Join(errs...)
}

func (b *builder) isReserved(name string) bool {
	if slices.ContainsFunc(volatile, func(dir string) bool { return strings.HasPrefix(name, dir+"/") }) {
		return true
	}
	rest, inside := strings.CutPrefix(name, b.metadata()+"/")
	if !inside {
		return false
	}
	first, _, _ := strings.Cut(rest, "/")
	return slices.Contains(reservedBelow, first) || rest == "pkg5.image" || rest == "lock"
}

// An ActionError says that an action of a package cannot be installed.
type ActionError struct {
	Package fmri.FMRI
	Action  manifest.Action
	Err     error
}

// Error names the package, the action and the reason.
func (e *ActionError) Error() string {
	key, _ := e.Action.Key()
	return fmt.Sprintf("%v: %v %s: %v", e.Package, e.Action.Kind, key, e.Err)
}

// Unwrap returns the reason.
func (e *ActionError) Unwrap() error { return e.Err }
