package manifest_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A vector is one line of a file below testdata/vectors: an input of pkg(7), and
// the result that is required. Where that is not the reference's, the vector says
// so as a "quirk". The result of a "free" vector may also be a refusal.
type vector struct {
	ID   string
	In   json.RawMessage
	Want object
	Free bool
}

type object = map[string]any

// vectorTests has the test of each file. It returns the result for in, to be
// compared as JSON with what is wanted.
var vectorTests = []struct {
	file string
	run  func(t *testing.T, in json.RawMessage) any
}{
	{"action.jsonl", runAction},
	{"manifest.jsonl", runManifest},
	{"validate.jsonl", runValidate},
	{"varcet.jsonl", runVarcet},
	{"manifestdiff.jsonl", runManifestDiff},
	{"signingtext.jsonl", runSigningText},
}

// TestVectors runs the vectors of testdata/vectors and, if it is set, of the
// directory IPS_VECTORS.
func TestVectors(t *testing.T) {
	dirs := []string{filepath.Join("testdata", "vectors")}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		for _, test := range vectorTests {
			t.Run(test.file, func(t *testing.T) {
				runVectors(t, filepath.Join(dir, test.file), test.run)
			})
		}
	}
}

// TestRealVectors runs the vectors made of real manifests, which are not ours
// to keep.
func TestRealVectors(t *testing.T) {
	if dir := os.Getenv("IPS_CORPUS"); dir != "" {
		runVectors(t, filepath.Join(dir, "manifests", "manifest-real.jsonl"), runManifest)
	}
}

// runVectors runs a file of vectors. One that does not exist has none.
func runVectors(t *testing.T, name string, run func(t *testing.T, in json.RawMessage) any) {
	t.Helper()
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := 0
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<26); lines.Scan(); records++ {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkVector(t, v, run(t, v.In))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d records", name, records)
}

// checkVector compares the result of a vector with what it wants. An error that is
// wanted without its position may have one.
func checkVector(t *testing.T, v vector, result any) {
	t.Helper()
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var got object
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if v.Free && (got["error"] != nil || got["errors"] != nil) {
		return
	}
	if _, ok := v.Want["position"]; !ok {
		delete(got, "position")
	}
	delete(v.Want, "canonical_oracle")
	if diff := cmp.Diff(v.Want, got); diff != "" {
		t.Errorf("%s: %s (-want +got)\n%s", v.ID, v.In, diff)
	}
}

// decode reads the input of a vector.
func decode[T any](t *testing.T, in json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(in, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// faultNames are the names that vectors have for faults: class and reason.
var faultNames = map[manifest.Fault][2]string{
	manifest.FaultUnknownType:     {"unknown-type"},
	manifest.FaultNoAttributes:    {"malformed", "no-attributes"},
	manifest.FaultMissingName:     {"malformed", "missing-key"},
	manifest.FaultQuoteInName:     {"malformed", "quote-in-key"},
	manifest.FaultBlankInName:     {"malformed", "whitespace-in-key"},
	manifest.FaultMissingValue:    {"malformed", "missing-value"},
	manifest.FaultUnfinishedQuote: {"malformed", "unfinished-quote"},
	manifest.FaultUnfinishedLine:  {"malformed", "unfinished-line"},
	manifest.FaultControl:         {"malformed", "control"},
	manifest.FaultEncoding:        {"invalid", "encoding"},
	manifest.FaultPayload:         {"invalid", "payload-not-allowed"},
	manifest.FaultDataName:        {"invalid", "data-key"},
	manifest.FaultHashMismatch:    {"invalid", "hash-mismatch"},
	manifest.FaultSetForm:         {"invalid", "other"},
	manifest.FaultNoAlgorithm:     {"invalid", "other"},
	manifest.FaultMissingKey:      {"missing-key-attribute"},
	manifest.FaultRepeatedKey:     {"multi-valued-key-attribute"},
	manifest.FaultPath:            {"invalid-path"},
}

func syntaxError(t *testing.T, err error) *manifest.SyntaxError {
	t.Helper()
	var syn *manifest.SyntaxError
	if !errors.As(err, &syn) {
		t.Fatalf("%v is not a SyntaxError", err)
	}
	return syn
}

// runAction compares the canonical text of a vector with what we know to be the
// reference's. Our own is that wherever it reads back, which checkRoundTrip checks.
func runAction(t *testing.T, raw json.RawMessage) any {
	in := decode[struct{ Text string }](t, raw)
	a, err := manifest.ParseAction(in.Text)
	if err != nil {
		return actionError(t, err)
	}
	checkRoundTrip(t, a)
	return object{
		"kind":      a.Kind.String(),
		"hash":      hashValue(a),
		"attrs":     attrPairs(a.Attrs),
		"canonical": a.ReferenceText(),
		"key":       keyValue(a),
	}
}

// actionError is the result of a vector for an error.
func actionError(t *testing.T, err error) object {
	syn := syntaxError(t, err)
	class, reason := faultNames[syn.Fault][0], faultNames[syn.Fault][1]
	result := object{"error": class}
	if reason != "" {
		result["reason"] = reason
	}
	if class == "malformed" {
		result["position"] = syn.Offset
	}
	if class == "unknown-type" {
		result["type"] = syn.Name
	}
	return result
}

// checkRoundTrip checks that the canonical text of a reads back, and that it is the
// reference's text wherever that does.
func checkRoundTrip(t *testing.T, a manifest.Action) {
	t.Helper()
	ours, theirs := a.String(), a.ReferenceText()
	back, err := manifest.ParseAction(ours)
	if err != nil || !back.Equal(a) {
		t.Errorf("%q does not read back: %v", ours, err)
	}
	back, err = manifest.ParseAction(theirs)
	if readsBack := err == nil && back.Hash == a.Hash && back.Equal(a); readsBack && ours != theirs {
		t.Errorf("canonical text %q, want the reference's %q, which reads back", ours, theirs)
	}
}

func hashValue(a manifest.Action) any {
	if !a.Kind.HasPayload() || a.Kind == manifest.KindSignature && a.Hash == "" {
		return nil
	}
	return a.Hash
}

// attrPairs lists attributes as vectors do: the values of a name follow each other.
func attrPairs(attrs manifest.Attrs) [][2]string {
	pairs := [][2]string{}
	seen := map[string]bool{}
	for _, x := range attrs {
		if !seen[x.Name] {
			seen[x.Name] = true
			for value := range attrs.Values(x.Name) {
				pairs = append(pairs, [2]string{x.Name, value})
			}
		}
	}
	return pairs
}

// keyValue is the key as vectors have it: a list if it repeats.
func keyValue(a manifest.Action) any {
	key, ok := a.Key()
	if !ok {
		return nil
	}
	if a.Attrs.Count(a.Kind.KeyAttr()) == 1 {
		return key
	}
	var keys []string
	for value := range a.Attrs.Values(a.Kind.KeyAttr()) {
		keys = append(keys, value)
	}
	return keys
}

func runManifest(t *testing.T, raw json.RawMessage) any {
	in := decode[struct{ Text string }](t, raw)
	m, err := manifest.Parse("", []byte(in.Text))
	var list manifest.ErrorList
	if errors.As(err, &list) {
		return object{"errors": lineErrors(t, list)}
	}
	if string(m.Text()) != in.Text {
		t.Errorf("text changed: %q", in.Text)
	}
	result := object{
		"actions": texts(m),
		"sorted":  texts(m.Sorted()),
		"sha1":    fmt.Sprintf("%x", m.SHA1()),
		"fmri":    nil,
	}
	if set, ok := lastFMRI(m); ok {
		result["fmri"] = set
	}
	return result
}

// lineErrors lists errors as vectors do.
func lineErrors(t *testing.T, list manifest.ErrorList) (lines []object) {
	for _, e := range list {
		lines = append(lines, object{"line": e.Last, "error": faultNames[syntaxError(t, e).Fault][0]})
	}
	return lines
}

func texts(m *manifest.Manifest) []string {
	list := []string{}
	for a := range m.All() {
		list = append(list, a.ReferenceText())
	}
	return list
}

// lastFMRI returns the text of the name of the package, after checking what
// Manifest.FMRI makes of it.
func lastFMRI(m *manifest.Manifest) (string, bool) {
	text, found := "", false
	for a := range m.Kind(manifest.KindSet) {
		if key, _ := a.Key(); key == "pkg.fmri" || key == "fmri" {
			text, found = a.Attrs.Get("value")
		}
	}
	want, err := fmri.Parse(text)
	if got, ok := m.FMRI(); ok != (err == nil) || got != want {
		return fmt.Sprintf("FMRI is %v, %v", got, ok), true
	}
	return text, found
}
