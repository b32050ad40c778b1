package fmri_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
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

// vectorTests has the test of each operation, whose vectors are in a file of that
// name. It returns the result for in, to be compared as JSON with what is wanted. The
// error is that of an input that must be read before there can be a result.
var vectorTests = []struct {
	op  string
	run func(in json.RawMessage) (object, error)
}{
	{"fmri", runFMRI},
	{"fmricompare", runFMRICompare},
	{"version", runVersion},
	{"vercompare", runVersionCompare},
	{"succeeds", runSucceeds},
	{"match", runMatch},
}

// TestVectors runs the vectors of testdata/vectors and, if it is set, of the
// directory IPS_VECTORS, which may lack some of the files.
func TestVectors(t *testing.T) {
	for _, test := range vectorTests {
		t.Run(test.op, func(t *testing.T) {
			runVectors(t, filepath.Join("testdata", "vectors"), test.op, test.run)
			dir := os.Getenv("IPS_VECTORS")
			if dir == "" {
				return
			}
			if _, err := os.Stat(filepath.Join(dir, test.op+".jsonl")); errors.Is(err, fs.ErrNotExist) {
				t.Log(err)
				return
			}
			runVectors(t, dir, test.op, test.run)
		})
	}
}

// runVectors runs the vectors of an operation in dir and logs how many there are.
func runVectors(t *testing.T, dir, op string, run func(in json.RawMessage) (object, error)) {
	t.Helper()
	name := filepath.Join(dir, op+".jsonl")
	quirks, free, refused := 0, 0, 0
	vectors := readVectors(t, name)
	for _, v := range vectors {
		if v.Op != op || v.Want == nil {
			t.Errorf("%s: operation %q with result %v", v.ID, v.Op, v.Want)
			continue
		}
		result, err := run(v.In)
		diff := compare(t, v, result, err)
		if diff != "" {
			t.Errorf("%s: %s (-want +got)\n%s", v.ID, v.In, diff)
		}
		switch {
		case diff != "":
		case v.Quirk:
			quirks++
		case v.Free:
			free++
		case disputed(v):
			refused++
		}
	}
	t.Logf("%s: %d records, of which quirks %d, free %d, names that end in a newline %d", name, len(vectors), quirks, free, refused)
}

// readVectors reads a file of vectors.
func readVectors(t testing.TB, name string) (vectors []vector) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// compare returns how the result of a vector differs from what it wants, "" if it
// does not.
func compare(t *testing.T, v vector, result object, err error) string {
	t.Helper()
	refusal, _ := result["error"].(string)
	var parse *fmri.ParseError
	if errors.As(err, &parse) {
		refusal = parse.Kind.String()
	}
	switch {
	case v.Free && refusal != "":
		return ""
	case disputed(v):
		if refusal != fmri.BadName.String() && refusal != "BAD_PATTERN" {
			return "a name that ends in a newline is read"
		}
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
	return cmp.Diff(v.Want, got)
}

// disputed reports whether v reads a name that ends in a newline. The reference
// lets one pass before an "@", as the end of its regular expression matches
// before a final newline. The grammar does not have it, it cannot stand in a
// manifest, and without the version it does not survive being printed and read.
// So whatever is wanted, it is to be refused as a bad name.
func disputed(v vector) bool {
	_, refused := v.Want["error"]
	return !refused && !v.Quirk && bytes.Contains(v.In, []byte(`\n@`))
}

type object = map[string]any

// errorObject is the result of a vector for an error.
func errorObject(err error) (object, error) {
	var parse *fmri.ParseError
	if !errors.As(err, &parse) {
		return nil, fmt.Errorf("%w is not a ParseError", err)
	}
	if parse.Offset < 0 || parse.Offset > len(parse.Input) || parse.Reason == "" {
		return nil, fmt.Errorf("%#v says too little", parse)
	}
	return object{"error": parse.Kind.String()}, nil
}

// orNull returns s, or nil, which is null in JSON, if it is empty.
func orNull[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return s
}

// decode reads the input of a vector.
func decode[T any](in json.RawMessage) (v T, err error) {
	return v, json.Unmarshal(in, &v)
}

func runFMRI(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		FMRI  string
		Build *fmri.Dots
	}](raw)
	if err != nil {
		return nil, err
	}
	f, err := fmri.Parse(in.FMRI)
	if in.Build != nil {
		f, err = fmri.ParseBuild(in.FMRI, *in.Build)
	}
	if err != nil {
		return errorObject(err)
	}
	result := object{
		"canonical": f.String(),
		"publisher": orNull(f.Publisher()),
		"name":      f.Name(),
		"version":   nil,
		"short":     f.Format(fmri.Short),
		"no_build":  f.Format(fmri.OmitBuild),
		"anarchy":   f.Format(fmri.OmitPublisher),
		"stem":      f.Stem().String(),
		"no_scheme": f.Format(fmri.OmitScheme),
	}
	if v := f.Version(); v.IsValid() {
		result["version"] = parts(v)
		result["dir"], _ = f.DirPath()
		result["url"], _ = f.URLPath()
	}
	return result, nil
}

// parts returns the parts of a version as vectors have them.
func parts(v fmri.Version) object {
	return object{
		"release":   v.Release(),
		"build":     v.Build(),
		"branch":    orNull(v.Branch()),
		"timestamp": orNull(v.Timestamp()),
	}
}

func runVersion(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ Version string }](raw)
	if err != nil {
		return nil, err
	}
	v, err := fmri.ParseVersion(in.Version)
	if err != nil {
		return errorObject(err)
	}
	result := parts(v)
	result["canonical"] = v.String()
	result["short"] = v.Short()
	return result, nil
}

func runFMRICompare(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ A, B fmri.FMRI }](raw)
	return object{
		"cmp":          in.A.Compare(in.B),
		"equal":        in.A.Compare(in.B) == 0,
		"successor":    in.A.Succeeds(in.B),
		"same_package": in.A.Name() == in.B.Name(),
	}, err
}

func runVersionCompare(raw json.RawMessage) (object, error) {
	in, err := decode[struct{ A, B fmri.Version }](raw)
	return object{"cmp": in.A.Compare(in.B), "equal": in.A.Compare(in.B) == 0}, err
}

func runSucceeds(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		Version, Constraint fmri.Version
		Level               string
	}](raw)
	if err != nil {
		return nil, err
	}
	for c := fmri.None; c <= fmri.BranchMinor; c++ {
		if c.String() == in.Level {
			return object{"result": in.Version.Succeeds(in.Constraint, c)}, nil
		}
	}
	return nil, fmt.Errorf("unknown level %q", in.Level)
}

func runMatch(raw json.RawMessage) (object, error) {
	in, err := decode[struct {
		Pattern string
		FMRIs   []fmri.FMRI
	}](raw)
	if err != nil {
		return nil, err
	}
	p, err := fmri.ParsePattern(in.Pattern)
	if err != nil {
		if _, err := errorObject(err); err != nil {
			return nil, err
		}
		return object{"error": "BAD_PATTERN"}, nil
	}
	// Some may be listed twice, so the selected ones are looked up in order.
	indices, selected := []int{}, p.Select(in.FMRIs)
	for i, f := range in.FMRIs {
		if len(selected) > 0 && selected[0] == f {
			indices = append(indices, i)
			selected = selected[1:]
		}
	}
	if len(selected) > 0 {
		return nil, fmt.Errorf("%v are selected, but not in order", selected)
	}
	return object{"indices": indices}, nil
}
