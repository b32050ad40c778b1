package manifest_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

var algorithmTests = []struct {
	alg  manifest.Algorithm
	name string
	sum  func([]byte) []byte
}{
	{manifest.SHA1, "sha1", func(b []byte) []byte { s := sha1.Sum(b); return s[:] }},
	{manifest.SHA256, "sha256", func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
	{manifest.SHA512_256, "sha512t_256", func(b []byte) []byte { s := sha512.Sum512_256(b); return s[:] }},
}

func TestAlgorithm(t *testing.T) {
	for _, test := range algorithmTests {
		want := test.sum([]byte("abc"))
		d := test.alg.Sum([]byte("abc"))
		back, err := test.alg.Digest(want)
		parsed, ok := manifest.ParseAlgorithm(test.name)
		if !bytes.Equal(d.Bytes(), want) || back != d || err != nil || test.alg.Size() != len(want) ||
			test.alg.String() != test.name || parsed != test.alg || !ok || d.Algorithm() != test.alg {
			t.Errorf("%v is inconsistent", test.alg)
		}
		if _, err := test.alg.Digest(want[1:]); err == nil {
			t.Errorf("%v takes a sum that is too short", test.alg)
		}
	}
	for _, alg := range []manifest.Algorithm{0, 4, 255} {
		if alg.IsValid() || alg.New() != nil || alg.Sum(nil).IsValid() || alg.Size() != 0 {
			t.Errorf("%v is valid", alg)
		}
	}
	if got := manifest.SHA512_256.Sum([]byte("abc")).Hex(); got != sha512abc {
		t.Errorf("SHA-512/256 of abc is %s", got)
	}
}

func TestParseDigest(t *testing.T) {
	bare := manifest.MustParseDigest(sha1abc)
	if bare != manifest.SHA1.Sum([]byte("abc")) || bare.String() != "sha1:"+sha1abc || bare.Hex() != sha1abc {
		t.Errorf("bare digits are %v", bare)
	}
	for _, s := range []string{
		"", ":", "sha1:", "sha1", sha1abc[1:], sha1abc + "0", strings.ToUpper(sha1abc), "sha1:" + strings.ToUpper(sha1abc),
		"sha256:" + sha1abc, "sha1:" + sha512abc, sha512abc, "SHA1:" + sha1abc, "md5:" + sha1abc, "sha512t_256:" + sha512abc + " ",
		" " + sha1abc, "sha1:sha1:" + sha1abc, "sha1:" + strings.Repeat("g", 40), "sha1:" + strings.Repeat("+1", 20),
	} {
		d, err := manifest.ParseDigest(s)
		var bad *manifest.DigestError
		if !errors.As(err, &bad) || bad.Input != s || d.IsValid() {
			t.Errorf("%q is %v, %v", s, d, err)
		}
	}
}

func TestDigestText(t *testing.T) {
	type holder struct{ A, B manifest.Digest }
	want := holder{A: manifest.SHA256.Sum(nil)}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got holder
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s became %v, %v", text, got, err)
	}
	if err := json.Unmarshal([]byte(`{"A":"x"}`), &got); err == nil {
		t.Error("x is a digest")
	}
}

func TestDigests(t *testing.T) {
	one, two, three := manifest.SHA1.Sum(nil), manifest.SHA256.Sum(nil), manifest.SHA512_256.Sum(nil)
	s := manifest.DigestsOf(two, one, manifest.Digest{}, three)
	if got := slices.Collect(s.All()); !slices.Equal(got, []manifest.Digest{three, two, one}) {
		t.Errorf("digests are %v", got)
	}
	if s.Best() != three || s.Least() != one || s.Of(manifest.SHA256) != two || s.Of(0).IsValid() || s.Of(9).IsValid() {
		t.Error("digests are found wrongly")
	}
	other := manifest.SHA1.Sum([]byte("abc"))
	if s.With(other).Of(manifest.SHA1) != other || s.Of(manifest.SHA1) != one {
		t.Error("With changes the wrong set")
	}
	var none manifest.Digests
	if !none.IsEmpty() || s.IsEmpty() || none.Best().IsValid() || none.Least().IsValid() || none != manifest.DigestsOf() {
		t.Error("the zero Digests is not empty")
	}
	if one.Compare(two) >= 0 || two.Compare(one) <= 0 || one.Compare(one) != 0 || (manifest.Digest{}).Compare(one) >= 0 || one.Compare(other) == 0 {
		t.Error("Compare is no order")
	}
}

// FuzzDigest checks that a digest that reads is written as it was.
func FuzzDigest(f *testing.F) {
	f.Add(sha1abc)
	f.Add("sha512t_256:" + sha512abc)
	f.Add("sha1:" + sha1abc)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := manifest.ParseDigest(s)
		if err != nil {
			return
		}
		if !d.IsValid() || d.String() != s && "sha1:"+s != d.String() {
			t.Errorf("%q is %v", s, d)
		}
		if back, err := manifest.ParseDigest(d.String()); back != d || err != nil {
			t.Errorf("%v is %v, %v", d, back, err)
		}
	})
}

func TestDigestAllocs(t *testing.T) {
	text := "sha512t_256:" + sha512abc
	buf := make([]byte, 0, 100)
	var d manifest.Digest
	if n := testing.AllocsPerRun(100, func() {
		d, _ = manifest.ParseDigest(text)
		buf, _ = d.AppendText(buf[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
