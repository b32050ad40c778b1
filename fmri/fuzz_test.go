package fmri_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/goips/ips/fmri"
)

// seed adds the inputs of a file of vectors to a fuzz target. The named members
// become its arguments.
func seed(f *testing.F, file string, members ...string) {
	f.Helper()
	for _, v := range readVectors(f, filepath.Join("testdata", "vectors", file)) {
		var in map[string]any
		if err := json.Unmarshal(v.In, &in); err != nil {
			f.Fatal(err)
		}
		var args []any
		for _, member := range members {
			text, _ := in[member].(string)
			args = append(args, text)
		}
		f.Add(args...)
	}
}

func FuzzParse(f *testing.F) {
	seed(f, "fmri.jsonl", "fmri")
	f.Fuzz(func(t *testing.T, s string) {
		slow, kind := slowParse(s)
		got, err := fmri.Parse(s)
		if err != nil {
			checkParseError(t, err, kind)
			return
		}
		if kind != 0 {
			t.Fatalf("Parse(%q) = %v; want %v", s, got, kind)
		}
		if got.String() != slow.String() || got.Name() != slow.name || got.Publisher() != slow.publisher {
			t.Fatalf("Parse(%q) = %v; want %v", s, got, slow)
		}
		if slow.String() == (slowFMRI{"", slow.name, slow.version}).String() {
			got = got.WithPublisher("") // the publisher of an old image does not print
		}
		checkRoundTrip(t, got)
	})
}

// checkParseError checks that err is a usable ParseError of the given kind.
func checkParseError(t *testing.T, err error, kind fmri.ErrorKind) {
	t.Helper()
	var parse *fmri.ParseError
	if !errors.As(err, &parse) || parse.Kind != kind {
		t.Fatalf("%v; want kind %v", err, kind)
	}
	if parse.Offset < 0 || parse.Offset > len(parse.Input) || parse.Reason == "" || parse.Caret() == "" {
		t.Fatalf("%#v says too little", parse)
	}
}

// checkRoundTrip checks that f is read back from each text that is made of it.
func checkRoundTrip(t *testing.T, f fmri.FMRI) {
	t.Helper()
	if g, err := fmri.Parse(f.String()); err != nil || g != f {
		t.Fatalf("%q reads back as %q, %v", f, g, err)
	}
	if g, err := fmri.New(f.Publisher(), f.Name(), f.Version()); err != nil || g != f {
		t.Fatalf("New makes %q of the parts of %q, %v", g, f, err)
	}
	if !fmri.Exactly(f).Matches(f) {
		t.Fatalf("%v does not match %v", fmri.Exactly(f), f)
	}
	for _, path := range []func() (string, error){f.DirPath, f.URLPath} {
		text, err := path()
		if errors.Is(err, fmri.ErrNoVersion) && !f.Version().IsValid() {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if g, err := fmri.ParsePath(f.Publisher(), text); err != nil || g != f {
			t.Fatalf("%q of %q reads back as %q, %v", text, f, g, err)
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var g fmri.FMRI
	if err := json.Unmarshal(text, &g); err != nil || g != f {
		t.Fatalf("%s of %q reads back as %q, %v", text, f, g, err)
	}
}

func FuzzParseVersion(f *testing.F) {
	seed(f, "version.jsonl", "version", "version")
	seed(f, "vercompare.jsonl", "a", "b")
	seed(f, "succeeds.jsonl", "version", "constraint")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, slowV, ok := checkVersion(t, a)
		w, slowW, ok2 := checkVersion(t, b)
		if !ok || !ok2 {
			return
		}
		if got, want := v.Compare(w), slowCompare(slowV, slowW); got != want || w.Compare(v) != -want {
			t.Errorf("%v compares with %v as %d, and the other way as %d; want %d", v, w, got, w.Compare(v), want)
		}
		if (v == w) != (slowV == slowW) {
			t.Errorf("%v == %v is %t", v, w, v == w)
		}
		for c := fmri.None; c <= fmri.BranchMinor; c++ {
			if got, want := v.Succeeds(w, c), slowSucceeds(slowV, slowW, c); got != want {
				t.Errorf("%v succeeds %v at level %v: %t; want %t", v, w, c, got, want)
			}
		}
	})
}

// checkVersion parses s both ways and compares the results.
func checkVersion(t *testing.T, s string) (v fmri.Version, slow slowVersion, ok bool) {
	t.Helper()
	slow, ok = slowParseVersion(s, "5.11")
	v, err := fmri.ParseVersion(s)
	if err != nil {
		if ok {
			t.Fatalf("ParseVersion(%q): %v", s, err)
		}
		checkParseError(t, err, fmri.BadVersion)
		return v, slow, false
	}
	got := slowVersion{string(v.Release()), string(v.Build()), string(v.Branch()), v.Timestamp()}
	if !ok || got != slow || v.String() != slow.String() {
		t.Fatalf("ParseVersion(%q) = %v; want %v, %t", s, v, slow, ok)
	}
	if w, err := fmri.ParseVersion(v.String()); err != nil || w != v {
		t.Fatalf("%q reads back as %q, %v", v, w, err)
	}
	if when, dated := v.Time(); dated != (slow.stamp != "") || dated && v.WithTime(when) != v {
		t.Fatalf("%q has time %v, with which it is %q", v, when, v.WithTime(when))
	}
	return v, slow, true
}

func FuzzPattern(f *testing.F) {
	for _, v := range readVectors(f, filepath.Join("testdata", "vectors", "match.jsonl")) {
		var in struct {
			Pattern string
			FMRIs   []string
		}
		if err := json.Unmarshal(v.In, &in); err != nil {
			f.Fatal(err)
		}
		for _, text := range in.FMRIs {
			f.Add(in.Pattern, text)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		slow, ok := slowParsePattern(pattern)
		p, err := fmri.ParsePattern(pattern)
		if (err == nil) != ok {
			t.Fatalf("ParsePattern(%q) = %v, %v; want %t", pattern, p, err, ok)
		}
		if err != nil {
			return
		}
		if q, err := fmri.ParsePattern(p.String()); err != nil || q != p {
			t.Fatalf("%q reads back as %q, %v", p, q, err)
		}
		slowF, kind := slowParse(text)
		f, _ := fmri.Parse(text)
		if kind == 0 && p.Matches(f) != slow.matches(slowF) {
			t.Errorf("%v matches %v: %t", p, f, p.Matches(f))
		}
	})
}
