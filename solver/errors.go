package solver

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goips/ips/fmri"
)

// A Category is a kind of failure, as an integrator reports it.
type Category uint8

const (
	NoCategory      Category = iota // not a failure of the request
	NoMatch                         // a pattern matches nothing
	MultipleMatches                 // a pattern without wildcards matches several names
	MultiSpec                       // patterns ask for different versions of one name
	WrongPublishers                 // only publishers that may not replace the installed one
	NonLeaf                         // an installed package requires what is to be removed
	Stuck                           // an update changes nothing although it should
	NoSolution                      // the dependencies cannot be satisfied
)

var categoryNames = [...]string{"", "no_match", "multiple_matches", "multispec",
	"wrong_publishers", "non_leaf", "stuck", "no_solution"}

// String returns the category in the form "no_match", and "" for NoCategory.
func (c Category) String() string { return categoryNames[c] }

// CategoryOf returns the category of an error of [Solver.Solve]; of several,
// that of the first.
func CategoryOf(err error) Category {
	if e := (*PatternError)(nil); errors.As(err, &e) {
		return e.Category
	}
	if e := (*NonLeafError)(nil); errors.As(err, &e) {
		return NonLeaf
	}
	if e := (*StuckError)(nil); errors.As(err, &e) {
		return Stuck
	}
	if e := (*ConflictError)(nil); errors.As(err, &e) {
		return NoSolution
	}
	return NoCategory
}

// PatternErrors are all complaints about the patterns of a request.
type PatternErrors []*PatternError

// add appends one complaint.
func (e *PatternErrors) add(p *PatternError) { *e = append(*e, p) }

// Error lists the complaints, one to a line.
func (e PatternErrors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the complaints.
func (e PatternErrors) Unwrap() []error {
	list := make([]error, len(e))
	for i, p := range e {
		list[i] = p
	}
	return list
}

// A PatternError says what is wrong with one pattern, or with several that
// hit the same package. A pattern that matches nothing is an [fs.ErrNotExist].
type PatternError struct {
	Category Category // NoMatch, MultipleMatches, MultiSpec or WrongPublishers
	Reason   Reason   // for NoMatch: why
	Patterns []fmri.Pattern
	Matches  []fmri.FMRI // what matched but could not be taken
}

// A Reason says why a pattern matches nothing.
type Reason uint8

const (
	NoReason     Reason = iota
	Unknown             // no such package is known
	NotInstalled        // no such package is installed
	IsRejected          // only rejected packages match
	OtherVariant        // only versions for other variants match
)

var reasonTexts = [...]string{"", "no known package matches", "no installed package matches",
	"what matches is rejected", "what matches is for other variants"}

// String returns the reason as a phrase.
func (r Reason) String() string { return reasonTexts[r] }

// Error says what is wrong in one line.
func (e *PatternError) Error() string {
	texts := make([]string, len(e.Patterns))
	for i, p := range e.Patterns {
		texts[i] = p.String()
	}
	text := strings.Join(texts, ", ")
	switch e.Category {
	case NoMatch:
		return fmt.Sprintf("%s: %s", text, e.Reason)
	case MultipleMatches:
		return fmt.Sprintf("%s: matches several packages: %s", text, shortList(e.Matches))
	case MultiSpec:
		return fmt.Sprintf("%s: different versions of the same package", text)
	default:
		return fmt.Sprintf("%s: matches only %s, which may not replace the installed publisher's",
			text, shortList(e.Matches))
	}
}

// Is reports a pattern that matches nothing as [fs.ErrNotExist].
func (e *PatternError) Is(target error) bool {
	return target == fs.ErrNotExist && e.Category == NoMatch
}

// shortList prints packages in short form.
func shortList(list []fmri.FMRI) string {
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.Format(fmri.Short)
	}
	return strings.Join(texts, ", ")
}

// A NonLeafError says that packages cannot be removed because installed
// packages that stay require them.
type NonLeafError struct{ Packages []Dependents }

// Dependents are the installed packages that require one package.
type Dependents struct {
	Package fmri.FMRI
	By      []fmri.FMRI
}

// Error names each package and what requires it, one to a line.
func (e *NonLeafError) Error() string {
	lines := make([]string, len(e.Packages))
	for i, d := range e.Packages {
		lines[i] = fmt.Sprintf("%s is required by %s", d.Package.Format(fmri.Short), shortList(d.By))
	}
	return strings.Join(lines, "\n")
}

// A StuckError says that an update of everything changes nothing, although
// packages that hold the image together have newer versions.
type StuckError struct {
	Packages []Change  // from what is installed to the newest candidate
	Solution *Solution // the unchanged image
}

// Error names the packages that should have moved.
func (e *StuckError) Error() string {
	texts := make([]string, len(e.Packages))
	for i, c := range e.Packages {
		texts[i] = c.String()
	}
	return "nothing can be updated, although newer versions are known: " + strings.Join(texts, ", ")
}

// An ImageError says that an image contradicts itself or its model.
type ImageError struct {
	Package fmri.FMRI
	Msg     string
}

// Error names the package and what is wrong with it.
func (e *ImageError) Error() string { return fmt.Sprintf("%s: %s", e.Package, e.Msg) }

// A LimitError says that a search was ended by a limit of [Options].
type LimitError struct {
	Limit string // name of the field
	Max   int
}

// Error names the limit.
func (e *LimitError) Error() string { return fmt.Sprintf("more than %d (%s)", e.Max, e.Limit) }
