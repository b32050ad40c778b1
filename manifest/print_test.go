package manifest_test

import (
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
)

// TestCanonical prints manifests as they are and sorted, and reads both back.
func TestCanonical(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/canonical/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			m := manifesttest.MustParse(c.Section["manifest"])
			c.Want(t, "canonical", string(m.Canonical().Text()))
			c.Want(t, "sorted", string(m.Sorted().Text()))
			checkRewritten(t, m)
		})
	}
}

// TestPrintValue checks the quotes of values. The last column is what the
// reference writes where it differs, which then does not read back.
func TestPrintValue(t *testing.T) {
	tests := []struct{ value, want, reference string }{
		{"", `""`, ""},
		{"plain", "plain", ""},
		{"a,b=c#!%&", "a,b=c#!%&", ""},
		{"two words", `"two words"`, ""},
		{"it's", `"it's"`, ""},
		{`say "hi"`, `'say "hi"'`, ""},
		{`it's "hi"`, `"it's \"hi\""`, ""},
		{"$(ARCH)", `"$(ARCH)"`, ""},
		{"$ARCH", "$ARCH", ""},
		{`a\b`, `a\b`, ""},
		{`a\`, `a\`, ""},
		{`a\\`, `a\\`, ""},
		{`a \b`, `"a \b"`, ""},
		{"a\tb", "\"a\tb\"", "a\tb"},
		{"a\nb", "\"a\nb\"", "a\nb"},
		{"a\t b", "\"a\t b\"", ""},
		{`a \`, `"a \\"`, `"a \"`},
		{`a \\b`, `"a \\\b"`, `"a \\b"`},
		{`it's \"`, `"it's \\\""`, `"it's \\""`},
		{`"\'`, `"\"\'"`, ""},
		{`"\`, `'"\\'`, `'"\'`},
		{strings.Repeat("long", 10) + " end", `"` + strings.Repeat("long", 10) + ` end"`, ""},
	}
	for _, test := range tests {
		a := manifest.Action{Kind: manifest.KindUnknown, Attrs: manifest.Attrs{{Name: "b", Value: test.value}}}
		if got := a.String(); got != "unknown b="+test.want {
			t.Errorf("%q: got %s, want %s", test.value, got, test.want)
		}
		if test.reference == "" {
			test.reference = test.want
		}
		if got := a.ReferenceText(); got != "unknown b="+test.reference {
			t.Errorf("%q: reference has %s, want %s", test.value, got, test.reference)
		}
		checkAction(t, a.String())
	}
}

// TestPrintList checks that only a single value is quoted for "$(" and has the mode
// of today.
func TestPrintList(t *testing.T) {
	tests := []struct{ text, want string }{
		{"unknown b=$(x)", `unknown b="$(x)"`},
		{"unknown b=$(x) b=$(y)", "unknown b=$(x) b=$(y)"},
		{"unknown b=$(x) c=1 b=2", "unknown b=$(x) b=2 c=1"},
		{"unknown mode=0o755", "unknown mode=0755"},
		{"unknown mode=0o", "unknown mode=0"},
		{"unknown mode=0oo", "unknown mode=0oo"},
		{"unknown mode=0o755 mode=1", "unknown mode=0o755 mode=1"},
		{"unknown b=2 a=1 b=1", "unknown a=1 b=2 b=1"},
		{"file hash=a=b path=x chash=1", "file chash=1 hash=a=b path=x"},
		{`file hash="$(x) y" path=x`, `file hash="$(x) y" path=x`},
	}
	for _, test := range tests {
		if got := manifest.MustParseAction(test.text).String(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}
