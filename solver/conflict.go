package solver

import (
	"encoding/json"
	"strings"
)

// A ConflictError says why no set of packages meets a request.
//
// Facts contradict each other, and none can be spared: without any one of them
// the others could be met. What the facts say is what counts; which versions
// exist is known besides. Error prints them as a derivation.
type ConflictError struct {
	Facts   []Fact
	Repairs []Repair // changes of the request or image after which it can be met
}

// Error prints the facts as a tree, and the repairs.
func (e *ConflictError) Error() string {
	lines := append([]string{"the request cannot be met:"}, indent(derive(e.Facts))...)
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

// MarshalJSON writes facts, repairs and the printed form.
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
		Repairs []Repair `json:"repairs"`
		Text    string   `json:"text"`
	}{[]fact{}, e.Repairs, e.Error()}
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
