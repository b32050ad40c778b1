package manifest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

func TestSigningText(t *testing.T) {
	m := parse(t, `# a comment
set name=z value=2 value="$(x)" value=1
file hash="it's one" path=b mode=0o755
signature algorithm=sha256 value=00
dir path=a
dir mode=0o755 mode=0o644 path=z
`)
	want := `dir mode=0o644 mode=0o755 path=z
dir path=a
file it's one mode=0755 path=b
set name=z value="$(x)" value=1 value=2
signature algorithm=sha512 value="" version=0`
	for _, sig := range []string{"signature algorithm=sha512", "signature algorithm=sha512 value=ff version=0"} {
		if got, err := m.SigningText(manifest.MustParseAction(sig)); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", sig, err, got)
		}
	}
}

func TestSigningErrors(t *testing.T) {
	m := parse(t, "dir path=a\n")
	for _, version := range []string{"1", "00", ""} {
		a := at(manifest.KindSignature, "algorithm", "sha256", "value", "", "version", version)
		if _, err := m.SigningText(a); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("version %q: %v", version, err)
		}
	}
	for _, a := range []manifest.Action{{}, manifest.MustParseAction("dir path=a"), at(manifest.KindSignature)} {
		if text, err := m.SigningText(a); err == nil {
			t.Errorf("%v signs %q", a, text)
		}
	}
}

// TestSigningOrder checks that the order of actions, attributes and values does not matter,
// and that everything else does.
func TestSigningOrder(t *testing.T) {
	text := string(published(3, 50)) + "set name=v value=2 value=1\n"
	sig := manifest.MustParseAction("signature algorithm=sha256")
	want, err := parse(t, text).SigningText(sig)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	slices.Reverse(lines)
	lines[0] = "set value=1 name=v value=2\n"
	if got, err := parse(t, strings.Join(lines, "")).SigningText(sig); err != nil || string(got) != string(want) {
		t.Errorf("the order matters: %v", err)
	}
	for i := range lines {
		rest := slices.Concat(lines[:i], lines[i+1:])
		if got, _ := parse(t, strings.Join(rest, "")).SigningText(sig); string(got) == string(want) {
			t.Errorf("it does not matter that %q is gone", lines[i])
		}
	}
}

func BenchmarkSigningText(b *testing.B) {
	text := published(1, 5000)
	m := parse(b, string(text))
	sig := manifest.MustParseAction("signature algorithm=sha256")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.SigningText(sig); err != nil {
			b.Fatal(err)
		}
	}
}
