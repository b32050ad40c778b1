package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Suspects returns what may be published but is most likely a mistake, each an [*Error]
// that wraps an [*AttrError], in the order of the text:
//
//   - a macro that was not filled in: "$(NAME)" in a value or in the place of a payload,
//   - a dependency on __TBD, which was not resolved,
//   - a path that two actions deliver to the same image. Directories may be there twice if
//     they are alike; links of different mediation, and actions for different values of
//     a variant, do not meet.
func (m *Manifest) Suspects() ErrorList {
	var errs ErrorList
	suspect := func(a *Action, name, value, reason string) {
		e := a.fault(&AttrError{Name: name, Value: value, Reason: reason})
		errs = append(errs, e)
	}
	delivered := map[string][]*Action{}
	for i := range m.actions {
		a := &m.actions[i]
		if macro := macroIn(a.Hash); macro != "" {
			suspect(a, "", "", "the macro "+macro+" in the name of the payload was not filled in")
		}
		for _, x := range a.Attrs {
			if macro := macroIn(x.Value); macro != "" {
				suspect(a, x.Name, x.Value, "the macro "+macro+" was not filled in")
			}
			if a.Kind == KindDepend && x.Value == unresolved && (x.Name == "fmri" || x.Name == "predicate") {
				suspect(a, x.Name, x.Value, "the dependency was not resolved, so no package fulfils it")
			}
		}
		if other := meets(delivered, a); other != nil {
			path, _ := a.Attrs.Get("path")
			suspect(a, "path", path, "delivered twice, also by the "+other.Kind.String()+at(other.Pos))
		}
	}
	return errs
}

// at says where another action is.
func at(p Position) string {
	if !p.IsValid() {
		return " before"
	}
	return fmt.Sprintf(" in line %d", p.Line)
}

// macroIn returns the first reference to a macro in a text, "" if there is none.
func macroIn(s string) string {
	begin := strings.Index(s, "$(")
	if begin < 0 {
		return ""
	}
	end := strings.IndexByte(s[begin:], ')')
	if end < 0 {
		return ""
	}
	return s[begin : begin+end+1]
}

// maxMeetings is how many actions of one path are compared with the next: there are not as
// many variants.
const maxMeetings = 100

// meets returns an action that delivers the path of a to the same image, and notes a.
func meets(delivered map[string][]*Action, a *Action) *Action {
	if a.Kind != KindFile && a.Kind != KindDir && a.Kind != KindLink && a.Kind != KindHardlink {
		return nil
	}
	path, err := a.Path()
	if err != nil {
		return nil
	}
	others := delivered[path]
	if len(others) < maxMeetings {
		delivered[path] = append(others, a)
	}
	if i := slices.IndexFunc(others, func(b *Action) bool { return meet(a, b) }); i >= 0 {
		return others[i]
	}
	return nil
}

// meet reports whether two actions that deliver one path do so to one image.
func meet(a, b *Action) bool {
	if a.Kind == KindDir && b.Kind == KindDir && !a.Different(*b, PolicyDefault) {
		return false
	}
	x, mediated := a.Mediation()
	y, mediated2 := b.Mediation()
	if mediated && mediated2 && x != y {
		return false
	}
	for _, attr := range a.Attrs {
		if value, ok := b.Attrs.Get(attr.Name); ok && value != attr.Value && strings.HasPrefix(attr.Name, variantPrefix) {
			return false
		}
	}
	return true
}
