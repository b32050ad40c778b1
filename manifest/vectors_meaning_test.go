package manifest_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/goips/ips/manifest"
)

func runValidate(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ Text string }](raw)
	if err != nil {
		return nil, err
	}
	a, err := manifest.ParseAction(in.Text)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, e := range a.Validate() {
		var attr *manifest.AttrError
		if !errors.As(e, &attr) {
			return nil, fmt.Errorf("%w is not an AttrError", e)
		}
		names = append(names, attr.Name)
	}
	slices.Sort(names)
	return object{"ok": len(names) == 0, "errors": slices.Compact(names)}, nil
}

// A varcetInput is the image of a vector.
type varcetInput struct {
	Variants  map[string]string
	Facets    map[string]bool
	Inherited map[string]bool `json:"inherited_facets"`
}

func (in varcetInput) filter() *manifest.Filter {
	return manifest.Varcets{Variants: in.Variants, Facets: in.Facets, Inherited: in.Inherited}.Filter()
}

func runVarcet(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		varcetInput
		Action manifest.Action
	}](raw)
	f := in.filter()
	return object{
		"allowed":     f.Allows(in.Action),
		"variants_ok": f.AllowsVariants(in.Action),
		"facets_ok":   f.AllowsFacets(in.Action),
	}, err
}

func runManifestDiff(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		varcetInput
		Old, New, Policy string
	}](raw)
	if err != nil {
		return nil, err
	}
	policies := map[string]manifest.Policy{"": manifest.PolicyDefault, "all": manifest.PolicyAll, "unsigned": manifest.PolicyUnsigned}
	policy, known := policies[in.Policy]
	if !known {
		return nil, fmt.Errorf("unknown policy %q", in.Policy)
	}
	old, err := manifest.Parse("old", []byte(in.Old))
	if err != nil {
		return nil, err
	}
	new, err := manifest.Parse("new", []byte(in.New))
	if err != nil {
		return nil, err
	}
	return diffObject(&manifest.DiffOptions{Policy: policy, Old: in.filter(), New: in.filter()}, old, new), nil
}

// diffObject lists the differences of two manifests as vectors do.
func diffObject(opts *manifest.DiffOptions, old, new *manifest.Manifest) object {
	added, removed, changed := []string{}, []string{}, [][]string{}
	for c := range opts.Diff(old, new) {
		switch {
		case c.Old == nil:
			added = append(added, c.New.ReferenceText())
		case c.New == nil:
			removed = append(removed, c.Old.ReferenceText())
		default:
			changed = append(changed, []string{c.Old.ReferenceText(), c.New.ReferenceText()})
		}
	}
	slices.Sort(added)
	slices.Sort(removed)
	slices.SortFunc(changed, slices.Compare[[]string])
	return object{"added": added, "removed": removed, "changed": changed}
}

func runSigningText(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		Manifest  string
		Signature manifest.Action
	}](raw)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse("", []byte(in.Manifest))
	if err != nil {
		return nil, err
	}
	text, err := m.SigningText(in.Signature)
	sum256, sum512 := sha256.Sum256(text), sha512.Sum512(text)
	return object{
		"text":   string(text),
		"sha256": hex.EncodeToString(sum256[:]),
		"sha512": hex.EncodeToString(sum512[:]),
	}, err
}

// parse reads a manifest without faults.
func parse(t testing.TB, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
