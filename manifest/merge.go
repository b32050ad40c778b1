package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
)

// Merge makes one manifest of those of a package that was built for several values of a
// variant, such as "variant.arch". An action that all of them have is in the result
// once. Any other is there once for each value it was built for, tagged with that
// value. A set action names the values. To merge for two variants, merge for the one and
// then merge the results for the other.
//
// Actions are the same if they have the same kind, key, mediation and variants, are
// dependencies of the same type and predicate, and are not [Action.Different]. The
// result begins with the actions of the first value, and has those of the others behind them.
//
// The packages must have the same name and version, apart from the timestamp, of which the
// newest is taken. Signatures do not cover the result and are left out, and so
// are actions that are tagged with another value than their manifest's. A manifest that has
// two different actions in the sense above is refused with a [*DuplicateError].
//
// A package that asks with a set action pkg.merge.blend for what the reference calls
// blending, which is not done here, is refused with an error that wraps [errors.ErrUnsupported].
func Merge(variant string, built map[string]*Manifest) (*Manifest, error) {
	switch {
	case !strings.HasPrefix(variant, variantPrefix):
		return nil, fmt.Errorf("%q is not a variant", variant)
	case len(built) == 0:
		return nil, errors.New("no manifests to merge")
	}
	merge := merger{variant: variant, values: slices.Sorted(maps.Keys(built))}
	for _, value := range merge.values {
		if err := merge.add(value, built[value]); err != nil {
			return nil, err
		}
	}
	return merge.result()
}

// A merger collects the actions of all manifests.
type merger struct {
	variant string
	values  []string
	name    fmri.FMRI
	parts   []*part // by value
}

// A part is what one manifest has.
type part struct {
	value   string
	actions []Action
	byKey   map[string]Action
}

// add reads the manifest of a value.
func (g *merger) add(value string, m *Manifest) error {
	p := &part{value: value, byKey: make(map[string]Action, len(m.actions))}
	for _, a := range m.actions {
		key, _ := a.Key()
		switch {
		case a.Kind == KindSignature, a.Kind == KindSet && key == g.variant:
			continue
		case a.Kind == KindSet && key == "pkg.merge.blend":
			return a.fault(fmt.Errorf("%w: blending variants", errors.ErrUnsupported))
		case a.Kind == KindSet && key == "pkg.fmri":
			if err := g.identify(a); err != nil {
				return err
			}
			continue
		case a.Attrs.Has(g.variant):
			if v, _ := a.Attrs.Get(g.variant); v != value || a.Attrs.Count(g.variant) > 1 {
				continue
			}
			a.Attrs = a.Attrs.With(g.variant)
		}
		if err := p.add(a); err != nil {
			return err
		}
	}
	g.parts = append(g.parts, p)
	return nil
}

// add adds an action unless p has the same already.
func (p *part) add(a Action) error {
	key, ok := a.mergeKey()
	if ok {
		if b, found := p.byKey[key]; found {
			if a.Different(b, PolicyDefault) {
				return &DuplicateError{Value: p.value, Actions: [2]Action{b, a}}
			}
			return nil
		}
		p.byKey[key] = a
	}
	p.actions = append(p.actions, a)
	return nil
}

// identify checks that a names the same package as the manifests before.
func (g *merger) identify(a Action) error {
	text, _ := a.Attrs.Get("value")
	f, err := fmri.Parse(text)
	switch {
	case err != nil:
		return a.fault(&AttrError{Name: "value", Value: text, Reason: badFMRI, Err: err})
	case !g.name.IsValid():
		g.name = f
	case f.Format(fmri.OmitTime) != g.name.Format(fmri.OmitTime):
		return a.fault(&AttrError{Name: "value", Value: text, Reason: "not the same package as " + g.name.String()})
	case g.name.Version().Compare(f.Version()) < 0:
		g.name = f
	}
	return nil
}

// result returns the merged manifest.
func (g *merger) result() (*Manifest, error) {
	var m Manifest
	if g.name.IsValid() {
		if err := m.Add(Set{Name: "pkg.fmri", Values: []string{g.name.String()}}.Action()); err != nil {
			return nil, err
		}
	}
	if err := m.Add(Set{Name: g.variant, Values: g.values}.Action()); err != nil {
		return nil, err
	}
	for i, p := range g.parts {
		for _, a := range p.actions {
			switch common := g.isCommon(a); {
			case common && i > 0:
				continue
			case !common:
				a.Attrs = a.Attrs.With(g.variant, p.value)
			}
			if err := m.Add(a); err != nil {
				return nil, err
			}
		}
	}
	return &m, nil
}

// isCommon reports whether all manifests have the same action.
func (g *merger) isCommon(a Action) bool {
	key, ok := a.mergeKey()
	if !ok {
		return len(g.parts) == 1
	}
	first := g.parts[0].byKey[key]
	for _, p := range g.parts {
		if b, found := p.byKey[key]; !found || first.Different(b, PolicyDefault) {
			return false
		}
	}
	return true
}

// mergeKey returns what actions to be merged have in common. It reports false
// if a has nothing in common with any.
func (a Action) mergeKey() (string, bool) {
	name := a.Kind.KeyAttr()
	if name == "" {
		return "", false
	}
	b := append([]byte(a.Kind.String()), '\n')
	for _, x := range unordered(nil, a.Attrs, nil) {
		if isMergeAttr(a.Kind, x.Name) || x.Name == name || strings.HasPrefix(x.Name, variantPrefix) {
			b = append(b, x.Name...)
			b = append(b, '=')
			b = append(b, x.Value...)
			b = append(b, '\n')
		}
	}
	return string(b), true
}

// isMergeAttr reports whether an attribute besides the key and variants tells actions apart.
func isMergeAttr(k Kind, name string) bool {
	switch k {
	case KindDepend:
		return name == "type" || name == "predicate"
	case KindLink, KindHardlink:
		return name == "mediator" || name == "mediator-version" || name == "mediator-implementation"
	}
	return false
}

// A DuplicateError says that a manifest to be merged has two actions for one thing.
type DuplicateError struct {
	Value   string // of the variant
	Actions [2]Action
}

// Error shows the actions.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("two different actions for %s: %v and %v", e.Value, e.Actions[0], e.Actions[1])
}
