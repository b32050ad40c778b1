package transform_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest/transform"
)

// A vector is a run of pkgmogrify, with what it puts out.
type vector struct {
	ID string
	In struct {
		Files   map[string]string
		Order   []string
		Macros  []string
		Options []string
	}
	Want result
	Free bool
}

// A result is how a run ends. The line is that of an error.
type result struct {
	Exit   int
	Output string
}

// TestVectors runs the vectors of testdata/vectors and, if it is set, of the
// directory IPS_VECTORS.
func TestVectors(t *testing.T) {
	dirs := []string{filepath.Join("testdata", "vectors")}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		runVectors(t, filepath.Join(dir, "mogrify.jsonl"))
	}
}

// runVectors runs a file of vectors. One that does not exist has none.
func runVectors(t *testing.T, name string) {
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
		out, err := v.run(t)
		got := resultOf(out, err)
		if diff := cmp.Diff(v.Want, got); diff != "" && (!v.Free || got.Exit == 0) {
			t.Errorf("%s: (-want +got)\n%s%v", v.ID, diff, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d records", name, records)
}

// resultOf returns what pkgmogrify makes of the end of a run.
func resultOf(out *transform.Output, err error) result {
	var exit *transform.ExitError
	switch {
	case errors.As(err, &exit):
		return result{Exit: exit.Code}
	case err != nil:
		return result{Exit: 1}
	}
	return result{Output: lines(out.Printed) + string(out.Text())}
}

// run does what pkgmogrify does: everything but reading the command line is the
// package's. The output is never nil.
func (v *vector) run(t *testing.T) (*transform.Output, error) {
	none := &transform.Output{}
	opts, err := v.options(t)
	if err != nil {
		return none, err
	}
	var files []transform.File
	for _, name := range v.In.Order {
		text, err := opts.ReadFile(name)
		if err != nil {
			return none, err
		}
		files = append(files, transform.File{Name: name, Text: text})
	}
	rules, err := transform.Parse(files, opts)
	if err != nil {
		return none, err
	}
	out, err := rules.Run()
	if err != nil {
		return none, err
	}
	return out, nil
}

func (v *vector) options(t *testing.T) (*transform.Options, error) {
	files := fstest.MapFS{}
	for name, text := range v.In.Files {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	opts := &transform.Options{Includes: []fs.FS{files}}
	for i := 0; i < len(v.In.Options); i++ {
		switch v.In.Options[i] {
		case "-i":
			opts.KeepIncludes = true
		case "-v":
			opts.Verbose = true
		case "-I":
			i++
			dir, err := fs.Sub(files, v.In.Options[i])
			if err != nil {
				t.Fatal(err)
			}
			opts.Includes = append(opts.Includes, dir)
		default:
			t.Fatalf("%s: unknown option %s", v.ID, v.In.Options[i])
		}
	}
	for _, text := range v.In.Macros {
		m, err := transform.ParseMacro(text)
		if err != nil {
			return nil, err
		}
		opts.Macros = append(opts.Macros, m)
	}
	return opts, nil
}

// lines ends each text with a newline.
func lines(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return strings.Join(texts, "\n") + "\n"
}
