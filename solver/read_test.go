package solver

import (
	"slices"
	"testing"

	"github.com/goips/ips/manifest"
)

// FuzzBare compares the short cut with the parser: what it splits the parser splits in the
// same way.
func FuzzBare(f *testing.F) {
	for _, text := range []string{
		"depend type=require fmri=a@1",
		"depend fmri=a fmri=b type=require-any facet.x=true variant.arch=sparc",
		"depend type=conditional fmri=a predicate=b@1.2",
		"depend type=origin root-image=true fmri=a",
		"depend type=require fmri=\"a\"",
		"depend type=require fmri='a b'",
		"depend  type=require fmri=a",
		"depend type=require fmri=a ",
		"depend type=require",
		"depend",
		"depend ",
		"depend fmri=",
		"depend =a",
		"depend type=require fmri=a=b",
		"depend facet.\"x=y fmri=a",
		"depend fmri=\\\"a",
		"depend hash=x fmri=a",
		"depend x fmri=a",
		"set name=pkg.obsolete value=true",
		"depend\ttype=require fmri=a",
		"depend type=require fmri=\u00e4",
		"depend path=a path=b fmri=a",
		"depend fmri=a fmri=b",
		"depend type=require type=group fmri=a fmri=b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r depReader
		attrs, ok := r.bare(text)
		if !ok {
			return
		}
		a, err := manifest.ParseAction(text)
		if err != nil {
			t.Fatalf("%q has %v: %v", text, attrs, err)
		}
		if a.Kind != manifest.KindDepend || !slices.Equal(a.Attrs, attrs) {
			t.Errorf("%q has %v, not %v", text, a.Attrs, attrs)
		}
	})
}

// TestBare shows that the usual texts take the short cut.
func TestBare(t *testing.T) {
	for text, want := range map[string]bool{
		"depend type=require fmri=a@1,5.11-1:20200101T000000Z":                  true,
		"depend facet.version-lock.a=true fmri=a type=incorporate":              true,
		"depend type=require-any fmri=a fmri=b variant.opensolaris.zone=global": true,
		"depend type=require fmri=\"a\"":                                        false,
		"depend type=require fmri=a x=y":                                        false,
	} {
		var r depReader
		if _, got := r.bare(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestReadAgain reads one action into the memory of another.
func TestReadAgain(t *testing.T) {
	var r depReader
	for _, text := range []string{
		"depend type=conditional fmri=a fmri=b predicate=c@1 facet.x=true root-image=true",
		"depend type=require fmri=d",
	} {
		if _, err := r.read(text); err != nil {
			t.Fatal(err)
		}
	}
	d := r.d
	if d.kind != require || len(d.fmris) != 1 || d.fmris[0].Name() != "d" || d.predicate.IsValid() || d.rootImage || len(d.varcets) > 0 {
		t.Errorf("%+v", d)
	}
}
