package manifest_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
)

func TestZeroManifest(t *testing.T) {
	var m manifest.Manifest
	if m.Len() != 0 || len(m.Text()) != 0 || len(slices.Collect(m.All())) != 0 || m.SHA1() != sha1.Sum(nil) {
		t.Errorf("not empty: %q", m.Text())
	}
	if _, ok := m.FMRI(); ok {
		t.Error("has a name")
	}
	if m.Canonical().Len() != 0 || m.Sorted().Len() != 0 {
		t.Error("canonical or sorted is not empty")
	}
}

// TestAdd checks that added actions follow the text that was read, whatever its end.
func TestAdd(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "dir path=x\n"},
		{"# c\ndir  path=a\n", "# c\ndir  path=a\ndir path=x\n"},
		{"dir  path=a", "dir  path=a\ndir path=x\n"},
		{"dir  path=a\r\n", "dir  path=a\r\ndir path=x\n"},
		{"\n", "\ndir path=x\n"},
		{"# c\\", "# c\\\n\ndir path=x\n"},
		{"# c\\\n", "# c\\\n\ndir path=x\n"},
		{"# c\\\r\n", "# c\\\r\n\ndir path=x\n"},
		{"# \\\nc\\\n\\\n", "# \\\nc\\\n\\\n\ndir path=x\n"},
	}
	for _, test := range tests {
		m := manifesttest.MustParse(test.text)
		if err := m.Add(manifest.Action{Kind: manifest.KindDir, Attrs: manifest.Attrs{{Name: "path", Value: "/x"}}}); err != nil {
			t.Fatal(err)
		}
		if got := string(m.Text()); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
		back, err := manifest.Parse("", m.Text())
		if err != nil || back.Len() != m.Len() {
			t.Errorf("%q: %d actions read back of %d: %v", test.text, back.Len(), m.Len(), err)
		}
		var b bytes.Buffer
		if n, err := m.WriteTo(&b); err != nil || n != int64(b.Len()) || b.String() != test.want {
			t.Errorf("%q: wrote %q, %d, %v", test.text, b.String(), n, err)
		}
		if m.SHA1() != sha1.Sum([]byte(test.want)) {
			t.Errorf("%q: SHA-1 is not that of the text", test.text)
		}
	}
}

// TestAddRefuses checks that nothing is added if one action cannot be a line.
func TestAddRefuses(t *testing.T) {
	good := manifest.MustParseAction("dir path=a")
	for _, text := range []string{"dir path=a b=\"\n\"", "dir path=a b=\u2028", "dir path=\u2029", "dir path=a \u2028=b"} {
		m := manifesttest.MustParse("dir path=z\n")
		err := m.Add(good, manifest.MustParseAction(text))
		var e *manifest.Error
		if !errors.As(err, &e) || e.Action == "" || syntaxError(t, err).Fault != manifest.FaultControl || m.Len() != 1 {
			t.Errorf("%q: %v, %d actions", text, err, m.Len())
		}
	}
	var m manifest.Manifest
	if err := m.Add(good, manifest.Action{}); err == nil || m.Len() != 0 {
		t.Errorf("the zero Action: %v, %d actions", err, m.Len())
	}
}

func TestTextIsACopy(t *testing.T) {
	src := []byte("dir path=a\n")
	m, err := manifest.Parse("", src)
	if err != nil {
		t.Fatal(err)
	}
	src[0] = 'x'
	m.Text()[1] = 'x'
	if got := string(m.Text()); got != "dir path=a\n" {
		t.Errorf("got %q", got)
	}
}

func TestSetAndFMRI(t *testing.T) {
	tests := []struct {
		text string
		want string // empty if there is none
	}{
		{"dir path=pkg.fmri\n", ""},
		{"set name=pkg.fmri value=pkg:/a@1\n", "pkg:/a@1"},
		{"set name=pkg.fmri value=pkg:/a@1\nset name=pkg.fmri value=pkg:/b@2\n", "pkg:/b@2"},
		{"set name=pkg.fmri value=pkg:/a@1\nset name=fmri value=pkg:/b@2\n", "pkg:/b@2"},
		{"set name=pkg.fmri value=pkg:/a@1\nset name=pkg.fmri value=@\n", ""},
	}
	for _, test := range tests {
		var want fmri.FMRI
		if test.want != "" {
			want = fmri.MustParse(test.want)
		}
		if got, ok := manifesttest.MustParse(test.text).FMRI(); got != want || ok != want.IsValid() {
			t.Errorf("%q: got %v, %v", test.text, got, ok)
		}
	}
	m := manifesttest.MustParse("set a=1\nset b=2\nset a=3 a=4\n")
	if a, ok := m.Attribute("a"); !ok || a.String() != "set name=a value=3 value=4" || a.Pos.Line != 3 {
		t.Errorf("Set(a) = %v, %v", a, ok)
	}
	if a, ok := m.Attribute("value"); ok {
		t.Errorf("Set(value) = %v", a)
	}
}

func TestKindIterator(t *testing.T) {
	m := manifesttest.MustParse("set a=1\ndir path=a\nset b=2\ndir path=b\n")
	n := 0
	for a := range m.Kind(manifest.KindDir) {
		if n++; a.Kind != manifest.KindDir {
			t.Errorf("got %v", a)
		}
	}
	for range m.Kind(manifest.KindDir) {
		n++
		break
	}
	if n != 3 {
		t.Errorf("%d steps, want 3", n)
	}
}

// TestCanonicalPositions checks that actions know where they are in the new text.
func TestCanonicalPositions(t *testing.T) {
	m := manifesttest.MustParse("# c\n  set a=1\n\n  dir path=b\n")
	for i, a := range slices.Collect(m.Canonical().All()) {
		if a.Pos != (manifest.Position{Line: i + 1, Col: 1}) {
			t.Errorf("%v is at %v", a, a.Pos)
		}
	}
	for a := range m.All() {
		if a.Pos.Col != 3 {
			t.Errorf("%v of the original is now at %v", a, a.Pos)
		}
	}
}

func TestWriteError(t *testing.T) {
	m := manifesttest.MustParse("set a=1\n")
	if _, err := m.WriteTo(failingWriter{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	m := manifesttest.MustParse(string(published(3, 50)))
	want := m.Text()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			m.FMRI()
			m.SHA1()
			if !bytes.Equal(m.Text(), want) || !bytes.Equal(m.Canonical().Text(), want) || m.Sorted().Len() != m.Len() {
				t.Error("text differs")
			}
		})
	}
	group.Wait()
}
