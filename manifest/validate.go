package manifest

import (
	"strings"

	"github.com/goips/ips/fmri"
)

// Validate returns all that keeps a from being published, each an [*Error] that wraps an
// [*AttrError]. Reading is more tolerant, and so are images that have to do with
// what was published long ago.
//
// Beyond what the reference demands, paths must be as [Action.Path] and [Action.Target]
// return them, and the package of a legacy action must be an element of a path.
func (a Action) Validate() ErrorList {
	if !a.Kind.IsValid() {
		return ErrorList{a.fault(&SyntaxError{Fault: FaultUnknownType, Name: a.Kind.String(), Offset: -1})}
	}
	v := validator{action: &a}
	v.attrs(&attrRules[a.Kind])
	return v.errs
}

// Validate returns all that keeps a package from being published: what is wrong with each
// action, and actions that packages like this must not have. One that is obsolete has only
// set and signature actions, one that is renamed has these and dependencies,
// none is both, and none has actions of the kind unknown.
func (m *Manifest) Validate() ErrorList {
	obsolete, renamed := m.isSet("pkg.obsolete"), m.isSet("pkg.renamed")
	var errs ErrorList
	for i := range m.actions {
		a := &m.actions[i]
		errs = append(errs, a.Validate()...)
		v := validator{action: a}
		switch {
		case a.Kind == KindUnknown:
			v.fail("", "", "actions of this kind cannot be published", nil)
		case obsolete && a.Kind != KindSet && a.Kind != KindSignature:
			v.fail("pkg.obsolete", "", "an obsolete package has no such action", nil)
		case renamed && a.Kind != KindSet && a.Kind != KindSignature && a.Kind != KindDepend:
			v.fail("pkg.renamed", "", "a renamed package has no such action", nil)
		}
		errs = append(errs, v.errs...)
	}
	if obsolete && renamed {
		a, _ := m.Attribute("pkg.renamed")
		errs = append(errs, a.fault(&AttrError{Name: "pkg.renamed", Value: "true", Reason: "the package is obsolete"}))
	}
	return errs
}

// isSet reports whether the last set action for a name says "true".
func (m *Manifest) isSet(name string) bool {
	a, _ := m.Attribute(name)
	value, _ := a.Attrs.Get("value")
	return value == "true"
}

// A validator collects what is wrong with an action.
type validator struct {
	action *Action
	errs   ErrorList
}

func (v *validator) fail(name, value, reason string, err error) {
	e := v.action.fault(&AttrError{Name: name, Value: value, Reason: reason, Err: err})
	e.Last = v.action.Pos.Line
	v.errs = append(v.errs, e)
}

// attrs checks all attributes.
func (v *validator) attrs(r *attrRule) {
	if v.action.Kind.KeyAttr() == "path" {
		v.path()
	}
	for _, name := range r.required {
		v.required(name)
	}
	for _, name := range r.single {
		v.single(name)
	}
	counts := map[string]int{}
	for _, x := range v.action.Attrs {
		if strings.HasPrefix(x.Name, facetPrefix) || x.Name == "reboot-needed" {
			if counts[x.Name]++; counts[x.Name] == 2 {
				v.fail(x.Name, "", "repeated", nil)
			}
		}
	}
	for _, name := range r.numbers {
		v.numbers(name)
	}
	if r.check != nil {
		r.check(v)
	}
}

// required demands a value that is not blank.
func (v *validator) required(name string) {
	for value := range v.action.Attrs.Values(name) {
		if strings.TrimSpace(value) != "" {
			return
		}
	}
	v.fail(name, "", "missing", nil)
}

// single demands at most one value.
func (v *validator) single(name string) {
	if v.action.Attrs.Count(name) > 1 {
		v.fail(name, "", "repeated", nil)
	}
}

// numbers demands at most one value, and that it is an integer of any size.
func (v *validator) numbers(name string) {
	v.single(name)
	for value := range v.action.Attrs.Values(name) {
		digits := strings.TrimPrefix(value, "-")
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			v.fail(name, value, "not a number", nil)
		}
	}
}

// path demands a path within the image. It need not be clean: others publish such.
func (v *validator) path() {
	written, _ := v.action.Attrs.Get("path")
	if _, err := localPath(written); err != nil {
		v.fail("path", written, notLocal, err)
	}
}

// mode demands a mode.
func (v *validator) mode() {
	mode, ok := v.action.Attrs.Get("mode")
	if !ok {
		v.fail("mode", "", "missing", nil)
		return
	}
	if _, ok := parseMode(mode); !ok {
		v.fail("mode", mode, badMode, nil)
	}
}

func (v *validator) dir() { v.mode() }

func (v *validator) file() {
	v.mode()
	version, ok := v.action.Attrs.Get("preserve-version")
	switch {
	case !ok:
	case !v.action.Attrs.Has("preserve"):
		v.fail("preserve-version", version, "without preserve", nil)
	case version == "" || strings.ContainsAny(version, ",-:"):
		v.fail("preserve-version", version, "not just a release", nil)
	}
}

// hardlink demands, beside what links need, a target that is in the image.
func (v *validator) hardlink() {
	v.link()
	path, _ := v.action.Attrs.Get("path")
	for target := range v.action.Attrs.Values("target") {
		if _, err := linkTarget(path, target); err != nil && strings.TrimSpace(target) != "" {
			v.fail("target", target, notLocal, err)
		}
	}
}

func (v *validator) legacy() {
	pkg, _ := v.action.Key()
	if _, err := localPath(pkg); err != nil {
		v.fail("pkg", pkg, notBelow, err)
	}
}

func (v *validator) set() {
	name, _ := v.action.Key()
	if singleSets[name] {
		v.single("value")
	}
	if strings.HasPrefix(name, "pkg.additional-") {
		v.fmris(name, "value", "")
	}
}

// fmris demands that the values of an attribute are FMRIs or the text that may stand
// for one, if it is not empty; errors speak of name.
func (v *validator) fmris(name, attr, or string) {
	for value := range v.action.Attrs.Values(attr) {
		if _, err := fmri.Parse(value); err != nil && (or == "" || value != or) {
			v.fail(name, value, badFMRI, err)
		}
	}
}

func (v *validator) depend() {
	attrs := v.action.Attrs
	name, _ := attrs.Get("type")
	t, ok := ParseDependType(name)
	if !ok && strings.TrimSpace(name) != "" {
		v.fail("type", name, badDependType, nil)
	}
	if attrs.Count("type") > 1 {
		t = 0
	}
	if !t.takesList() {
		v.single("fmri")
	}
	v.fmris("fmri", "fmri", unresolved)
	v.fmris("predicate", "predicate", "")
	switch {
	case t == DependConditional:
		v.required("predicate")
	case attrs.Has("predicate"):
		v.fail("predicate", "", "only for conditional dependencies", nil)
	}
	if t != DependOrigin && attrs.Has("root-image") {
		v.fail("root-image", "", "only for origin dependencies", nil)
	}
}

// link demands that attributes of a mediation go together.
func (v *validator) link() {
	m, _ := v.action.Mediation()
	attrs := v.action.Attrs
	if !attrs.Has("mediator") && !attrs.Has("mediator-version") &&
		!attrs.Has("mediator-implementation") && !attrs.Has("mediator-priority") {
		return
	}
	switch version, implementation := attrs.Has("mediator-version"), attrs.Has("mediator-implementation"); {
	case !attrs.Has("mediator"):
		v.fail("mediator", "", "missing", nil)
	case !isMediatorName(m.Mediator):
		v.fail("mediator", m.Mediator, badMediator, nil)
	case !version && !implementation:
		v.fail("mediator", m.Mediator, "without version and implementation", nil)
	}
	v.mediation()
}

// mediation checks the values of the attributes besides the mediator.
func (v *validator) mediation() {
	for value := range v.action.Attrs.Values("mediator-version") {
		if _, err := fmri.ParseVersion(value); err != nil {
			v.fail("mediator-version", value, "not a version", err)
		}
	}
	for value := range v.action.Attrs.Values("mediator-implementation") {
		name, version, versioned := strings.Cut(value, "@")
		_, err := fmri.ParseVersion(version)
		if !isMediatorName(name) || versioned && err != nil {
			v.fail("mediator-implementation", value, "not a name, or a name and a version", nil)
		}
	}
	for value := range v.action.Attrs.Values("mediator-priority") {
		if value != "site" && value != "vendor" {
			v.fail("mediator-priority", value, "neither site nor vendor", nil)
		}
	}
}

// badMediator is what is wrong with names that isMediatorName refuses.
const badMediator = "not made of letters, digits and hyphens"

// isMediatorName reports whether s can name a mediator or an implementation.
func isMediatorName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}
