package fmri

import "strconv"

// A Constraint says how much of two versions must agree for [Version.Succeeds].
type Constraint uint8

const (
	// None: the version is newer.
	None Constraint = iota
	// Auto: every part that the other version has is matched. Its release and
	// branch are prefixes (see [Dots.HasPrefix]), its timestamp is equal.
	Auto
	// Release: the other release is a prefix.
	Release
	// ReleaseMajor: the first number of the releases is equal.
	ReleaseMajor
	// ReleaseMinor: the first two numbers of the releases are equal.
	ReleaseMinor
	// Branch: both versions have a branch, and the other one is a prefix.
	Branch
	// BranchMajor: both versions have a branch, and its first number is equal.
	BranchMajor
	// BranchMinor: both versions have a branch of two or more numbers, and its
	// first two are equal.
	BranchMinor
)

// String returns the name of the constraint, such as "release-major".
func (c Constraint) String() string {
	switch c {
	case None:
		return "none"
	case Auto:
		return "auto"
	case Release:
		return "release"
	case ReleaseMajor:
		return "release-major"
	case ReleaseMinor:
		return "release-minor"
	case Branch:
		return "branch"
	case BranchMajor:
		return "branch-major"
	case BranchMinor:
		return "branch-minor"
	}
	return "Constraint(" + strconv.Itoa(int(c)) + ")"
}

// Succeeds reports whether v may stand where w is asked for, under c. No level
// looks at the build, and levels that ask for agreement in one part of the
// versions look at no other. An unknown constraint is met by nothing.
//
// The reference fails where a sequence has fewer numbers than a level looks at,
// and tests releases where BranchMajor and BranchMinor ask for branches. Here the
// first is no agreement, and the levels do what their names say.
func (v Version) Succeeds(w Version, c Constraint) bool {
	switch c {
	case None:
		return v.Compare(w) > 0
	case Auto:
		return v.Release().HasPrefix(w.Release()) && v.Branch().HasPrefix(w.Branch()) &&
			(w.stamp == 0 || v.Timestamp() == w.Timestamp())
	case Release:
		return v.Release().HasPrefix(w.Release())
	case ReleaseMajor:
		return agree(v.Release(), w.Release(), 1)
	case ReleaseMinor:
		return agree(v.Release(), w.Release(), 2)
	case Branch:
		return w.branch != 0 && v.Branch().HasPrefix(w.Branch())
	case BranchMajor:
		return agree(v.Branch(), w.Branch(), 1)
	case BranchMinor:
		return agree(v.Branch(), w.Branch(), 2)
	}
	return false
}
