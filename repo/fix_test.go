package repo_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// check returns what is wrong with a repository.
func check(t testing.TB, r *repo.Repository) []repo.Finding {
	t.Helper()
	var found []repo.Finding
	for f, err := range r.Check(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, f)
	}
	return found
}

// flip changes one bit of an object.
func flip(t testing.TB, s store.Store, name string, rnd *rand.Rand) {
	t.Helper()
	data := []byte(read(t, s, name))
	data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
	if err := s.Put(t.Context(), name, strings.NewReader(string(data))); err != nil {
		t.Fatal(err)
	}
}

// isChecked reports whether an object has to do with packages.
func isChecked(name string) bool {
	return strings.Contains(name, "/pkg/") || strings.Contains(name, "/file/") || strings.Contains(name, "/catalog/")
}

// flipped makes a repository with a bit flipped in n of its objects, chosen from
// those for which which is true, and another with the same packages where all
// is well.
func flipped(t *testing.T, packages, n int, which func(name string) bool) (f flippedRepository) {
	s := store.Memory()
	r, good := create(t, s), create(t, store.Memory())
	var pkgs []fmri.FMRI
	for i := range packages {
		contents := []string{fmt.Sprint("shared ", i/2)}
		for j := range 9 {
			contents = append(contents, strings.Repeat(fmt.Sprint("own ", i, j), 50))
		}
		pkgs = append(pkgs, publish(t, r, fmt.Sprintf("pkg%d@1", i), contents...))
	}
	if _, err := repo.Copy(t.Context(), good, r, slices.Values(pkgs), nil); err != nil {
		t.Fatal(err)
	}
	var names []string
	f.before = objects(t, s, "")
	for name := range f.before {
		if which(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	rnd := rand.New(rand.NewPCG(1, 2))
	rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if len(names) < n {
		t.Fatalf("only %d objects", len(names))
	}
	for _, name := range names[:n] {
		flip(t, s, name, rnd)
	}
	f.store, f.names, f.repo, f.good = s, names[:n], r, good
	return f
}

type flippedRepository struct {
	store  store.Store
	before map[string]string // objects before the flips
	names  []string          // of objects that were changed
	repo   *repo.Repository
	good   *repo.Repository
}

// TestBitFlipsFound flips a bit in each of 200 (1,000 if IPS_LONG is set) payloads and manifests at once:
// each must be found. What belongs to a manifest that cannot be read is found
// when that is restored.
func TestBitFlipsFound(t *testing.T) {
	packages := 22
	if isLong() {
		packages = 110
	}
	for dir, n := range map[string]int{"/file/": 9 * packages, "/pkg/": packages} {
		bad := flipped(t, packages, n, func(name string) bool { return strings.Contains(name, dir) })
		found := map[string]bool{}
		for _, f := range check(t, bad.repo) {
			found[f.Name] = true
		}
		for _, name := range bad.names {
			if !found[name] {
				t.Errorf("%s was damaged, and not found", name)
			}
			delete(found, name)
		}
		for name := range found {
			t.Errorf("%s was found, and not damaged", name)
		}
	}
}

// TestBitFlipsFixed flips a bit in each of 220 (1,100 if IPS_LONG is set) objects at once, the catalog
// among them: each must be found and restored from a second source.
func TestBitFlipsFixed(t *testing.T) {
	packages := 22
	if isLong() {
		packages = 110
	}
	bad := flipped(t, packages, 10*packages, isChecked)
	fixed, err := bad.repo.Fix(t.Context(), &repo.FixOptions{From: bad.good})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range bad.names {
		restored := slices.ContainsFunc(fixed.Repairs, func(x repo.Repair) bool { return x.Name == name && x.Restored })
		isCatalog := strings.Contains(name, "/catalog/")
		if !restored && !isCatalog {
			t.Errorf("%s was not restored", name)
		}
		if !isCatalog && read(t, bad.store, name) != bad.before[name] {
			t.Errorf("%s is not what it was", name)
		}
	}
	if left := check(t, bad.repo); len(left) > 0 {
		t.Errorf("after Fix: %+v", left)
	}
	if diff := cmp.Diff(list(t, bad.good, "test.org"), list(t, bad.repo, "test.org")); diff != "" {
		t.Error(diff)
	}
}

// TestEachBitFlip damages one object at a time: nothing else must be reported.
func TestEachBitFlip(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "one", "two")
	publish(t, r, "b@1", "two", "three")
	rnd := rand.New(rand.NewPCG(3, 4))
	for name, text := range objects(t, s, "") {
		if !isChecked(name) {
			continue
		}
		for range 40 {
			flip(t, s, name, rnd)
			found := check(t, r)
			if len(found) == 0 {
				t.Errorf("%s was damaged, and not found: %s", name, around(text, read(t, s, name)))
			}
			for _, f := range found {
				if f.Name != name {
					t.Errorf("%s was damaged, found was %s: %v", name, f.Name, f.Err)
				}
			}
			if err := s.Put(t.Context(), name, strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
		if found := check(t, r); len(found) > 0 {
			t.Errorf("%s is whole, found was %+v", name, found)
		}
	}
}

// around returns the text where two texts begin to differ.
func around(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[max(0, i-20):min(len(a), i+20)] + " / " + b[max(0, i-20):min(len(b), i+20)]
		}
	}
	return "at the end"
}
