package solver

import (
	"encoding/json"
	"strings"
)

// A ConflictError says why no set of packages meets a request.
//
// Facts contradict each other, and none can be spared: without any one of them
// the others could be met. What the facts say is what counts; which versions
// exist is known besides. Error prints them as a derivation, in a few lines;
// [ConflictError.Derivation] prints all of it.
type ConflictError struct {
	Facts   []Fact
	Repairs []Repair // changes of the request or image after which it can be met

	// Loose says that to find out which facts can be spared would have taken too
	// long: some of them may be.
	Loose bool

	// Err is that of the context, if it ended while the facts were looked through,
	// and else nil.
	Err error
}

// Unwrap returns Err.
func (e *ConflictError) Unwrap() error { return e.Err }

// Error prints the facts as a tree, and the repairs, in a few lines.
func (e *ConflictError) Error() string { return e.print(brief(e.Facts)) }

// Derivation prints what Error does, and each fact in a line of its own.
func (e *ConflictError) Derivation() string { return e.print(derive(e.Facts, true)) }

// print prints the lines of a derivation with what stands around it.
func (e *ConflictError) print(lines []string) string {
	lines = append([]string{"the request cannot be met:"}, indent(lines)...)
	switch {
	case len(e.Facts) == 0 && e.Err != nil:
		lines = append(lines, "  the time was over before it was clear why")
	case e.Loose:
		lines = append(lines, "whether all of this is needed was not tried: it would take too long")
	}
	if len(e.Repairs) > 0 {
		lines = append(lines, "what would help:")
		for _, r := range e.Repairs {
			lines = append(lines, "  "+r.String())
		}
	}
	return strings.Join(lines, "\n")
}

func indent(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// MarshalJSON writes all facts, the repairs and the whole printed form.
func (e *ConflictError) MarshalJSON() ([]byte, error) {
	type fact struct {
		Kind     FactKind     `json:"kind"`
		Name     string       `json:"name"`
		All      bool         `json:"all,omitempty"`
		Packages []string     `json:"packages,omitempty"`
		Depends  []Dependency `json:"depends,omitempty"`
		By       string       `json:"by,omitempty"`
		Comment  string       `json:"comment,omitempty"`
	}
	out := struct {
		Facts   []fact   `json:"facts"`
		Loose   bool     `json:"loose,omitempty"`
		Ended   bool     `json:"interrupted,omitempty"`
		Repairs []Repair `json:"repairs"`
		Text    string   `json:"text"`
	}{[]fact{}, e.Loose, e.Err != nil, e.Repairs, e.Derivation()}
	for _, f := range e.Facts {
		j := fact{f.Kind, f.Name, f.All, nil, f.Depends, f.By.String(), f.Comment}
		for _, p := range f.Packages {
			j.Packages = append(j.Packages, p.String())
		}
		out.Facts = append(out.Facts, j)
	}
	if out.Repairs == nil {
		out.Repairs = []Repair{}
	}
	return json.Marshal(out)
}
