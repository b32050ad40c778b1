package catalog_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
)

// TestSimilarEntries reads lists of actions that differ a little from those before them, with
// actions of all kinds that may be taken for another.
func TestSimilarEntries(t *testing.T) {
	kinds := []string{``, `a`, `ab`, `abc`, `\u00e9`, `é`, `\"`, `\\`, `a\"`, `\u0061`, `a b`, `\t`, `/`, `\/`, "\x7f", `\u007f`, strings.Repeat("a", 300)}
	rng := rand.New(rand.NewPCG(3, 3))
	for round := range 300 {
		var base, dependency strings.Builder
		for stem := range 3 {
			var list []string
			for v := range 1 + rng.IntN(8) {
				list = change(rng, list, kinds)
				sep := ","
				if v == 0 {
					sep = fmt.Sprintf(`],"s%d":[`, stem)
				}
				fmt.Fprintf(&base, `%s{"version":"%d,5.11"}`, sep, v+1)
				fmt.Fprintf(&dependency, `%s{"actions":[%s],"version":"%d,5.11"}`, sep, strings.Join(list, ","), v+1)
			}
		}
		fsys := parts(base.String(), dependency.String())
		want, err := readSlow(fsys, []catalog.Part{catalog.Dependency})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, content(t, read(t, fsys, &catalog.ReadOptions{Salvage: true}))); diff != "" {
			t.Fatalf("round %d (-want +got):\n%s\n%s", round, diff, dependency.String())
		}
	}
}

// change adds, takes away or replaces some actions.
func change(rng *rand.Rand, list, kinds []string) []string {
	list = slices.Clone(list)
	for range rng.IntN(4) {
		at, kind := rng.IntN(len(list)+1), `"`+kinds[rng.IntN(len(kinds))]+`"`
		switch {
		case at == len(list) || rng.IntN(2) == 0:
			list = slices.Insert(list, at, kind)
		case rng.IntN(2) == 0:
			list = slices.Delete(list, at, at+1)
		default:
			list[at] = kind
		}
	}
	return list
}

// parts returns a catalog of two parts, of which the texts have the inside, after "],".
func parts(base, dependency string) fs.FS {
	whole := func(s string) string { return `{"p":{` + s[len("],"):] + "]}}\n" }
	return files2fs(map[string]string{
		"catalog.attrs": `{"created":"20200102T030405Z","last-modified":"20200102T030405Z","package-count":0,"package-version-count":0,` +
			`"parts":{"catalog.base.C":{"last-modified":"20200102T030405Z"},"catalog.dependency.C":{"last-modified":"20200102T030405Z"}},"updates":{},"version":1}` + "\n",
		"catalog.base.C": whole(base), "catalog.dependency.C": whole(dependency),
	})
}

// TestManyActions reads and writes more than any buffer holds, through an index and through a
// builder, too.
func TestManyActions(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 4000, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	dir := asFS(t, c)
	got := read(t, dir, nil)
	want, err := readSlow(dir, c.Parts()[1:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, content(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%.4000s", diff)
	}
	sameFiles(t, files(t, c), files(t, got))
	x, err := index(t, got).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, c), files(t, x))

	all := catalog.Builder{Now: at("2030-01-01 00:00:00")}
	if err := all.AddAll(x); err != nil {
		t.Fatal(err)
	}
	sameParts(t, files(t, c), files(t, build(t, &all)))
}

// sameParts is sameFiles for all but the attributes.
func sameParts(t *testing.T, want, got map[string]string) {
	t.Helper()
	delete(want, "catalog.attrs")
	delete(got, "catalog.attrs")
	sameFiles(t, want, got)
}
