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
// so as a "quirk". Where it is "free", a refusal is as good.
type vector struct {
	ID    string
	Op    string
	In    json.RawMessage
	Want  object
	Free  bool
	Quirk bool
}

type object = map[string]any

// vectorTests has the test of each operation, whose vectors are in a file of that
// name. It returns the result for in, to be compared as JSON with what is wanted. The
// error is that of an input that must be read before there can be a result, or of
// something besides the result.
var vectorTests = []struct {
	op  string
	run func(in json.RawMessage) (object, error)
}{
	{"action", runAction},
	{"manifest", runManifest},
	{"validate", runValidate},
	{"varcet", runVarcet},
	{"manifestdiff", runManifestDiff},
	{"signingtext", runSigningText},
}

// TestVectors runs the vectors of testdata/vectors and, if it is set, of the
// directory IPS_VECTORS, which may lack some of the files.
func TestVectors(t *testing.T) {
	for _, test := range vectorTests {
		t.Run(test.op, func(t *testing.T) {
			runVectors(t, filepath.Join("testdata", "vectors", test.op+".jsonl"), test.op, test.run)
			dir := os.Getenv("IPS_VECTORS")
			if dir == "" {
				return
			}
			name := filepath.Join(dir, test.op+".jsonl")
			if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
				t.Log(err)
				return
			}
			runVectors(t, name, test.op, test.run)
		})
	}
}

// TestRealVectors runs the vectors made of real manifests, which are not ours
// to keep.
func TestRealVectors(t *testing.T) {
	if dir := os.Getenv("IPS_CORPUS"); dir != "" {
		runVectors(t, filepath.Join(dir, "manifests", "manifest-real.jsonl"), "manifest", runManifest)
	}
}

// runVectors runs a file of vectors of an operation and logs how many there are.
func runVectors(t *testing.T, name, op string, run func(in json.RawMessage) (object, error)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, quirks, free := 0, 0, 0
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<26); lines.Scan(); records++ {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.Op != op || v.Want == nil {
			t.Errorf("%s: operation %q with result %v", v.ID, v.Op, v.Want)
			continue
		}
		result, err := run(v.In)
		if diff := compare(t, v, result, err); diff != "" {
			t.Errorf("%s: %s (-want +got)\n%s", v.ID, v.In, diff)
		}
		switch {
		case v.Quirk:
			quirks++
		case v.Free:
			free++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d records, of which quirks %d, free %d", name, records, quirks, free)
}

// compare returns how the result of a vector differs from what it wants, "" if it
// does not. An error that is wanted without its position may have one, and so may one
// without the type that is unknown.
func compare(t *testing.T, v vector, result object, err error) string {
	t.Helper()
	var syn *manifest.SyntaxError
	switch {
	case v.Free && (errors.As(err, &syn) || result["error"] != nil || result["errors"] != nil):
		return ""
	case err != nil:
		return err.Error()
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var got object
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, detail := range []string{"position", "type"} {
		if _, ok := v.Want[detail]; !ok {
			delete(got, detail)
		}
	}
	delete(v.Want, "canonical_oracle")
	if v.Want["kind"] == "signature" && v.Want["hash"] == "" {
		v.Want["hash"] = nil // the reference tells hash="" from none until it prints either
	}
	return cmp.Diff(v.Want, got)
}

// decode reads the input of a vector.
func decode[T any](in json.RawMessage) (v T, err error) {
	return v, json.Unmarshal(in, &v)
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
// reference's. Our own is that wherever it reads back, which roundTrip checks.
func runAction(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ Text string }](raw)
	if err != nil {
		return nil, err
	}
	a, err := manifest.ParseAction(in.Text)
	if err != nil {
		return actionError(err)
	}
	return object{
		"kind":      a.Kind.String(),
		"hash":      hashValue(a),
		"attrs":     attrPairs(a.Attrs),
		"canonical": a.ReferenceText(),
		"key":       keyValue(a),
	}, roundTrip(a)
}

// actionError is the result of a vector for an error.
func actionError(err error) (object, error) {
	var syn *manifest.SyntaxError
	if !errors.As(err, &syn) {
		return nil, fmt.Errorf("%w is not a SyntaxError", err)
	}
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
	return result, nil
}

// roundTrip checks that the canonical text of a reads back, and that it is the
// reference's text wherever that does.
func roundTrip(a manifest.Action) error {
	ours, theirs := a.String(), a.ReferenceText()
	back, err := manifest.ParseAction(ours)
	if err != nil || !back.Equal(a) {
		return fmt.Errorf("%q does not read back: %w", ours, err)
	}
	back, err = manifest.ParseAction(theirs)
	if readsBack := err == nil && back.Hash == a.Hash && back.Equal(a); readsBack && ours != theirs {
		return fmt.Errorf("canonical text %q, want the reference's %q, which reads back", ours, theirs)
	}
	return nil
}

// checkRoundTrip fails the test where roundTrip fails.
func checkRoundTrip(t *testing.T, a manifest.Action) {
	t.Helper()
	if err := roundTrip(a); err != nil {
		t.Error(err)
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

func runManifest(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ Text string }](raw)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse("", []byte(in.Text))
	var list manifest.ErrorList
	if errors.As(err, &list) {
		return lineErrors(list)
	}
	if string(m.Text()) != in.Text {
		return nil, fmt.Errorf("text became %q", m.Text())
	}
	result := object{
		"actions": texts(m),
		"sorted":  texts(m.Sorted()),
		"sha1":    fmt.Sprintf("%x", m.SHA1()),
		"fmri":    nil,
	}
	text, found := lastFMRI(m)
	if found {
		result["fmri"] = text
	}
	want, err := fmri.Parse(text)
	if got, ok := m.FMRI(); ok != (err == nil) || got != want {
		return result, fmt.Errorf("FMRI is %v, %v", got, ok)
	}
	return result, nil
}

// lineErrors lists errors as vectors do.
func lineErrors(list manifest.ErrorList) (object, error) {
	var lines []object
	for _, e := range list {
		var syn *manifest.SyntaxError
		if !errors.As(e, &syn) {
			return nil, fmt.Errorf("%w is not a SyntaxError", e)
		}
		lines = append(lines, object{"line": e.Last, "error": faultNames[syn.Fault][0]})
	}
	return object{"errors": lines}, nil
}

func texts(m *manifest.Manifest) []string {
	list := []string{}
	for a := range m.All() {
		list = append(list, a.ReferenceText())
	}
	return list
}

// lastFMRI returns the text of the name of the package.
func lastFMRI(m *manifest.Manifest) (text string, found bool) {
	for a := range m.Kind(manifest.KindSet) {
		if key, _ := a.Key(); key == "pkg.fmri" || key == "fmri" {
			text, found = a.Attrs.Get("value")
		}
	}
	return text, found
}
