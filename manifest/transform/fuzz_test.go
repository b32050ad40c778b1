package transform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/transform"
)

// vectors returns the records of the file of vectors.
func vectors(t testing.TB) (all []vector) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", "mogrify.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// FuzzRun runs a text of rules and one of a manifest. Whatever they are, the run ends within
// its limits; what it puts out as a manifest reads back as that, and has the same lines
// when it goes through a run without rules.
func FuzzRun(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.In.Files["t.mog"], v.In.Files["m.p5m"], strings.Join(v.In.Macros, "\n"), slices.Contains(v.In.Options, "-v"))
	}
	f.Add("<transform dir -> edit a .* '\\g<0>'>", "dir path=b a=\\", "", false)
	f.Add("<include m.p5m>", "$(A)<transform -> emit # %(path)>", "A=\nB=$(A)", true)
	f.Fuzz(func(t *testing.T, rules, text, macros string, verbose bool) {
		files := fstest.MapFS{"t.mog": {Data: []byte(rules)}, "m.p5m": {Data: []byte(text)}}
		opts := &transform.Options{
			Includes: []fs.FS{files}, Verbose: verbose,
			MaxSize: 1 << 20, MaxLines: 1000, MaxLine: 1 << 14, MaxDepth: 20,
		}
		for line := range strings.Lines(macros) {
			if m, err := transform.ParseMacro(strings.TrimSuffix(line, "\n")); err == nil {
				opts.Macros = append(opts.Macros, m)
			}
		}
		r, err := transform.Parse([]transform.File{{"t.mog", []byte(rules)}, {"m.p5m", []byte(text)}}, opts)
		if err != nil {
			checkPlaces(t, err)
			return
		}
		out, err := r.Run()
		if err != nil {
			checkPlaces(t, err)
			return
		}
		checkOutput(t, out)
	})
}

// checkPlaces checks that errors say where they are.
func checkPlaces(t *testing.T, err error) {
	t.Helper()
	var list transform.ErrorList
	var e *transform.Error
	var exit *transform.ExitError
	switch {
	case errors.As(err, &exit):
	case errors.As(err, &list):
		for _, e := range list {
			if e.File == "" || e.Err == nil {
				t.Errorf("%#v has no place", e)
			}
		}
	case !errors.As(err, &e) || e.File == "":
		t.Errorf("%v has no place", err)
	}
}

// checkOutput checks that the output reads back, as a manifest and as input of a run.
func checkOutput(t *testing.T, out *transform.Output) {
	t.Helper()
	text := out.Text()
	again, err := transform.Parse([]transform.File{{"again", text}}, nil)
	m, bad := out.Manifest()
	if bad != nil {
		checkPlaces(t, bad)
		return
	}
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	second, err := again.Run()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if got, err := second.Manifest(); err != nil || !bytes.Equal(got.Text(), m.Text()) {
		t.Errorf("%q\nbecomes %q, %v", text, second.Text(), err)
	}
	back, err := manifest.Parse("", text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if got, want := back.Canonical().Text(), m.Text(); !bytes.Equal(got, want) && !isHistoric(text) {
		t.Errorf("%q\nreads back as %q\nwant %q", text, got, want)
	}
}

// isHistoric reports whether a text has forms that a manifest brings up to date and that a
// single action keeps.
func isHistoric(text []byte) bool {
	return bytes.Contains(text, []byte("authority")) || bytes.Contains(text, []byte("opensolaris.zone"))
}
