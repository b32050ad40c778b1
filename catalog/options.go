package catalog

import (
	"cmp"
	"math"
	"runtime"

	"github.com/goips/ips/catalog/internal/scan"
)

// ReadOptions adjusts reading. Nil and the zero value mean the defaults.
type ReadOptions struct {
	// Parts are the parts to read besides the base part, if the catalog has
	// them. Nil means all. Without the dependency part no version is known to
	// be obsolete or renamed.
	Parts []Part

	// Signed demands that files have a signature of their own, as those of repositories
	// do and those of images do not. [Refresh] always demands it.
	Signed bool

	// Salvage accepts files that do not fit the attributes or each other, as long
	// as each agrees with its own signature: what an interrupted writer leaves
	// behind. Entries that the base part does not have are dropped.
	Salvage bool

	// Index, if set, is used in the place of the parts if it was made of this very
	// catalog, or of an earlier state of it from which the update logs in the
	// directory lead to this one. Otherwise it is not used.
	Index *Index

	// TrustLogs lets a refresh take the state that update logs lead to without
	// computing the parts' signatures, which costs as much as writing all of
	// them. The logs themselves are verified. Then the time of a refresh is that
	// of the change, but a repository whose logs and parts disagree is not noticed.
	TrustLogs bool

	// Parallel is how many parts are read at once. Zero means one per CPU. The result
	// does not depend on it.
	Parallel int

	Limits Limits
}

// Limits bound what a catalog may ask for. In each field zero means the default.
type Limits struct {
	File     int64 // bytes in one file; 4 GiB
	String   int   // bytes in one string, such as an action, or in an unknown value; 4 MiB
	Depth    int   // nesting of JSON; 32
	Versions int   // package versions; 16,777,216
}

// limits returns the limits with the defaults filled in.
func (o *ReadOptions) limits() *Limits {
	var l Limits
	if o != nil {
		l = o.Limits
	}
	return &Limits{
		File:     cmp.Or(l.File, math.MaxUint32),
		String:   min(cmp.Or(l.String, 4<<20), math.MaxInt32),
		Depth:    cmp.Or(l.Depth, 32),
		Versions: min(cmp.Or(l.Versions, 1<<24), math.MaxInt32),
	}
}

func (l *Limits) scan() scan.Limits {
	return scan.Limits{String: l.String, Depth: l.Depth, Size: l.File}
}

func (o *ReadOptions) parallel() int {
	if o == nil || o.Parallel <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Parallel
}

func (o *ReadOptions) wantsSigned() bool { return o != nil && o.Signed }

func (o *ReadOptions) trustsLogs() bool { return o != nil && o.TrustLogs }
