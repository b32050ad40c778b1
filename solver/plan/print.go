package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/goips/ips/solver"
)

// String prints the plan for a person: the packages, then the steps, one per line,
// then the actuators. An empty plan prints "nothing to do".
func (p *Plan) String() string {
	if p.IsEmpty() {
		return "nothing to do\n"
	}
	var s strings.Builder
	w := tabwriter.NewWriter(&s, 0, 0, 1, ' ', 0)
	for _, c := range p.changes {
		verb, text := describe(c)
		fmt.Fprintf(w, "%s\tpackage\t%s\n", verb, text)
	}
	for _, step := range p.steps {
		a := step.Action()
		key, _ := a.Key()
		fmt.Fprintf(w, "%v\t%v\t%s%s\n", step.Phase, a.Kind, key, step.remark())
	}
	for _, a := range p.actuators {
		fmt.Fprintf(w, "actuate\t%s\t%s\n", a.Name, a.Value)
	}
	w.Flush()
	return s.String()
}

// describe returns what happens to a package, and which it is.
func describe(c solver.Change) (verb, text string) {
	switch {
	case !c.From.IsValid():
		return "install", c.To.String()
	case !c.To.IsValid():
		return "remove", c.From.String()
	case c.From == c.To:
		return "adapt", c.To.String()
	}
	if c.To.Version().Compare(c.From.Version()) < 0 {
		return "downgrade", fmt.Sprintf("%v from %v", c.To, c.From.Version())
	}
	return "update", fmt.Sprintf("%v from %v", c.To, c.From.Version())
}

// remark tells where a file comes from that moves within the image.
func (s Step) remark() string {
	switch {
	case s.Keep:
		return " (content moves)"
	case s.Moved():
		old, _ := s.Old.Key()
		return " from " + old
	}
	return ""
}
