package search_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// TestReference makes every index that the reference made again of the manifests. The
// ids of packages are arbitrary, so they are given in the order that it had.
func TestReference(t *testing.T) {
	for _, p := range publishers(t, "repo-*.tar.gz") {
		t.Run(p.name, func(t *testing.T) {
			x := openIndex(t, p.index)
			order := slices.Collect(x.All())
			if len(order) != len(p.texts) || x.Len() != len(order) {
				t.Fatalf("%d packages in the index of %d", len(order), len(p.texts))
			}
			m := build(t, new(search.Builder), p, order)
			compareFiles(t, m.files, p.index)
		})
	}
}

// compareFiles compares an index with that of the reference.
func compareFiles(t *testing.T, got, want fs.FS) {
	t.Helper()
	g, w := read(t, got), read(t, want)
	delete(w, "lock")
	for _, files := range []map[string]string{g, w} {
		files["full_fmri_list"] = sortLines(files["full_fmri_list"]) // a set
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("index differs (-want +got):\n%s", d)
	}
}

// read returns the files of a directory.
func read(t testing.TB, fsys fs.FS) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := fs.Glob(fsys, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

func sortLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestImageIndex reads the index of an image, where packages were installed since it was
// built.
func TestImageIndex(t *testing.T) {
	names := []string{"app/violet@1.0,5.11-0:20261120T131952Z", "system/sage@1.0,5.11-0:20261120T131946Z"}
	files := emptyIndex(map[string]string{
		"fast_add.v1":         strings.Join(names, "\n") + "\n",
		"full_fmri_list":      "pkg:/" + names[1] + "\npkg:/" + names[0] + "\n",
		"full_fmri_list.hash": "f1ea0a49f8326c9cb24827b8ccb2d368761167a9\n",
	})
	x := openIndex(t, files)
	var got []string
	for f := range x.All() {
		got = append(got, f.Format(fmri.OmitScheme))
	}
	if d := cmp.Diff(names, got); d != "" || x.Len() != 2 || x.Version() != 1 {
		t.Errorf("version %d, %d packages (-want +got):\n%s", x.Version(), x.Len(), d)
	}
}
