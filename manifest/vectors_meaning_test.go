package manifest_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/goips/ips/manifest"
)

func runValidate(t *testing.T, raw json.RawMessage) any {
	in := decode[struct{ Text string }](t, raw)
	a, err := manifest.ParseAction(in.Text)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range a.Validate() {
		var attr *manifest.AttrError
		if !errors.As(e, &attr) {
			t.Fatalf("%v is not an AttrError", e)
		}
		names = append(names, attr.Name)
	}
	slices.Sort(names)
	return object{"ok": len(names) == 0, "errors": slices.Compact(names)}
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

func runVarcet(t *testing.T, raw json.RawMessage) any {
	in := decode[struct {
		varcetInput
		Action string
	}](t, raw)
	a := manifest.MustParseAction(in.Action)
	f := in.filter()
	return object{"allowed": f.Allows(a), "variants_ok": f.AllowsVariants(a), "facets_ok": f.AllowsFacets(a)}
}

func runManifestDiff(t *testing.T, raw json.RawMessage) any {
	in := decode[struct {
		varcetInput
		Old, New, Policy string
	}](t, raw)
	policies := map[string]manifest.Policy{"all": manifest.PolicyAll, "unsigned": manifest.PolicyUnsigned}
	opts := &manifest.DiffOptions{Policy: policies[in.Policy], Old: in.filter(), New: in.filter()}
	added, removed, changed := []string{}, []string{}, [][]string{}
	for c := range opts.Diff(parse(t, in.Old), parse(t, in.New)) {
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

func runSigningText(t *testing.T, raw json.RawMessage) any {
	in := decode[struct{ Manifest, Signature string }](t, raw)
	text, err := parse(t, in.Manifest).SigningText(manifest.MustParseAction(in.Signature))
	if err != nil {
		t.Fatal(err)
	}
	sum256, sum512 := sha256.Sum256(text), sha512.Sum512(text)
	return object{
		"text":   string(text),
		"sha256": hex.EncodeToString(sum256[:]),
		"sha512": hex.EncodeToString(sum512[:]),
	}
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
