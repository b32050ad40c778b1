package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
)

// addSeeds seeds a fuzz test with the texts of a file of vectors.
func addSeeds(f *testing.F, file string) {
	f.Helper()
	for _, text := range vectorTexts(f, file) {
		f.Add(text)
	}
	// These were found by fuzzing.
	f.Add("file mode=0oo path=0")
	f.Add("driver name=''clone_perms='00 0 0'")
	f.Add("driver name=" + strings.Repeat("d", 257) + " clone_perms='0600 root sys'")
}

// vectorTexts returns the texts of a file of vectors.
func vectorTexts(t testing.TB, file string) (texts []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var v struct{ In struct{ Text string } }
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, v.In.Text)
	}
	return texts
}

func FuzzParseAction(f *testing.F) {
	addSeeds(f, "action.jsonl")
	f.Fuzz(checkAction)
}

// checkAction compares ParseAction with the slow reader, and what it read with
// what its text reads back as.
func checkAction(t *testing.T, text string) {
	if len(text) > 1<<16 {
		return // the slow reader has no limits
	}
	got, err := manifest.ParseAction(text)
	want, fault := slowAction(text)
	if err != nil {
		syn := syntaxError(t, err)
		if found := (slowFault{syn.Fault, syn.Offset}); found != fault {
			t.Fatalf("%q: %v at %d, want %v at %d", text, syn.Fault, syn.Offset, fault.fault, fault.offset)
		}
		return
	}
	if fault.fault != 0 {
		t.Fatalf("%q: %v, want %v at %d", text, got, fault.fault, fault.offset)
	}
	if !identical(want, got) {
		t.Fatalf("%q: %#v, want %#v", text, got, want)
	}
	checkRoundTrip(t, got)
	checkBuilt(t, got)
}

// identical compares all that actions have. Neither [manifest.Action.Equal] minds the order of
// names nor package cmp, which calls that method.
func identical(a, b manifest.Action) bool {
	return a.Kind == b.Kind && a.Hash == b.Hash && a.Pos == b.Pos && slices.Equal(a.Attrs, b.Attrs)
}

// checkBuilt checks that an action that was read is one that may be built.
func checkBuilt(t *testing.T, a manifest.Action) {
	t.Helper()
	built, err := manifest.NewAction(a.Kind, a.Hash, a.Attrs...)
	if err != nil || !built.Equal(a) {
		t.Errorf("NewAction(%v) = %v, %v", a, built, err)
	}
	text, err := a.AppendText([]byte("x"))
	if err != nil || string(text) != "x"+a.String() {
		t.Errorf("AppendText = %q, %v; String = %q", text, err, a)
	}
}

func FuzzParse(f *testing.F) {
	addSeeds(f, "manifest.jsonl")
	addSeeds(f, "action.jsonl")
	f.Add(strings.Repeat("#\\\n\n", 600) + strings.Repeat("x\n", 1100)) // more faults than are listed
	f.Fuzz(checkManifest)
}

// checkManifest compares Parse and Actions with the slow reader, and the texts of
// the manifest with what they read back as.
func checkManifest(t *testing.T, text string) {
	if len(text) > 1<<16 || strings.Count(text, "\n") > 900 {
		return // the slow reader has no limits
	}
	m, err := manifest.Parse("name", []byte(text))
	if string(m.Text()) != text {
		t.Fatalf("%q: text became %q", text, m.Text())
	}
	list, _ := err.(manifest.ErrorList)
	var actions, faults []slowLine
	for _, line := range slowManifest(text) {
		if line.fault != 0 {
			faults = append(faults, line)
		} else {
			actions = append(actions, line)
		}
	}
	checkFaults(t, text, list, faults)
	if m.Len() != len(actions) {
		t.Fatalf("%q: %d actions, want %d", text, m.Len(), len(actions))
	}
	for i, got := range slices.Collect(m.All()) {
		want := actions[i].action
		if got.Pos.Line < 1 || got.Pos.Line > actions[i].last {
			t.Fatalf("%q: action %d is at %v, want one that ends in line %d", text, i, got.Pos, actions[i].last)
		}
		want.Pos = got.Pos
		if !identical(want, got) {
			t.Fatalf("%q: action %d is %#v, want %#v", text, i, got, want)
		}
	}
	checkStream(t, text, m, list)
	checkRewritten(t, m)
}

func checkFaults(t *testing.T, text string, got manifest.ErrorList, want []slowLine) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q: errors %v, want %v", text, got, want)
	}
	for i, e := range got {
		if syn := syntaxError(t, e); syn.Fault != want[i].fault || e.Last != want[i].last || e.Pos.Line < 1 || e.Pos.Line > e.Last {
			t.Fatalf("%q: error %v in line %d, want %v in line %d", text, e, e.Last, want[i].fault, want[i].last)
		}
	}
}

// checkStream checks that reading action by action finds the same.
func checkStream(t *testing.T, text string, m *manifest.Manifest, list manifest.ErrorList) {
	t.Helper()
	var actions []manifest.Action
	var errs manifest.ErrorList
	for a, err := range manifest.Actions("name", iotest.HalfReader(strings.NewReader(text))) {
		var e *manifest.Error
		if errors.As(err, &e) {
			errs = append(errs, e)
		} else {
			actions = append(actions, a)
		}
	}
	if whole := slices.Collect(m.All()); !slices.EqualFunc(whole, actions, identical) {
		t.Fatalf("%q: stream has %#v, want %#v", text, actions, whole)
	}
	if diff := cmp.Diff(list, errs); diff != "" {
		t.Fatalf("%q: errors differ (-whole +stream)\n%s", text, diff)
	}
}

// checkRewritten checks that canonical texts read back.
func checkRewritten(t *testing.T, m *manifest.Manifest) {
	t.Helper()
	for _, written := range []*manifest.Manifest{m.Canonical(), m.Sorted(), added(t, m)} {
		back, err := manifest.Parse("", written.Text())
		if err != nil {
			t.Fatalf("%q: %v", written.Text(), err)
		}
		if diff := cmp.Diff(canonicalTexts(written), canonicalTexts(back)); diff != "" {
			t.Fatalf("%q does not read back (-want +got)\n%s", written.Text(), diff)
		}
		if again := back.Canonical().Text(); string(again) != string(written.Text()) {
			t.Fatalf("%q is canonical, and then %q", written.Text(), again)
		}
	}
}

func canonicalTexts(m *manifest.Manifest) (list []string) {
	for a := range m.All() {
		list = append(list, a.String())
	}
	return list
}

// added builds a manifest of the actions of m.
func added(t *testing.T, m *manifest.Manifest) *manifest.Manifest {
	t.Helper()
	var built manifest.Manifest
	for a := range m.All() {
		if err := built.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	return &built
}

// TestMutations is what the fuzz tests do, for a moment and the same each time.
func TestMutations(t *testing.T) {
	seeds := append(vectorTexts(t, "action.jsonl"), vectorTexts(t, "manifest.jsonl")...)
	random := rand.New(rand.NewPCG(3, 3))
	for range 6000 {
		text := mutate(random, seeds[random.IntN(len(seeds))])
		checkAction(t, text)
		checkManifest(t, text)
	}
}

// mutate puts a few characters that matter into a text, or takes some out.
func mutate(random *rand.Rand, text string) string {
	pieces := []string{" ", "\t", "\n", "\r\n", "\\\n", "\\", "\"", "'", "=", "#", "\r", "\x00", "\x85", "\u0085", "\u2028", "é", "/", "path=", "hash=x ", "data=y ", "$(", "0o", "type=a ", "opensolaris.zone=z "}
	for range 1 + random.IntN(4) {
		from := random.IntN(len(text) + 1)
		to := min(len(text), from+random.IntN(2)*random.IntN(5))
		text = text[:from] + pieces[random.IntN(len(pieces))] + text[to:]
	}
	return text
}
