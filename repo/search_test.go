package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
)

const indexDir = "publisher/test.org/index/"

// find returns the lines of the hits of a query, each with the package.
func find(t testing.TB, s repo.Source, publisher, query string) []string {
	t.Helper()
	q, err := search.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for hit, err := range repo.Search(t.Context(), s, publisher, q, nil) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, strings.TrimSpace(fmt.Sprint(hit.FMRI, " ", hit.Key)))
	}
	slices.Sort(found)
	return found
}

// indexed returns the names of an index's packages and its version; zero if there is none.
func indexed(t testing.TB, s store.Store) (names []string, version int) {
	t.Helper()
	x, err := search.Open(store.FS(t.Context(), store.Sub(s, strings.TrimSuffix(indexDir, "/"))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for f := range x.All() {
		names = append(names, f.Name())
	}
	return names, x.Version()
}

// checkIndexed compares what is in the index.
func checkIndexed(t testing.TB, s store.Store, version int, want ...string) {
	t.Helper()
	names, v := indexed(t, s)
	if diff := cmp.Diff(want, names); diff != "" || v != version {
		t.Errorf("index of version %d, want %d (-want +got):\n%s", v, version, diff)
	}
}

// TestSearchIndex follows an index through the life of a repository.
func TestSearchIndex(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	a := publish(t, r, "a@1", "shared", "only a")
	publish(t, r, "b@1", "shared")
	shared := func(names ...string) {
		t.Helper()
		var want []string
		for _, name := range names {
			want = append(want, "pkg://test.org/"+name+"@1,5.11:20260102T030405Z basename")
		}
		if diff := cmp.Diff(want, find(t, r, "test.org", "SHARED")); diff != "" {
			t.Errorf("found (-want +got):\n%s", diff)
		}
		if err := repotest.TestSource(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	checkIndexed(t, s, 0)
	shared("a", "b")

	refresh := func() {
		t.Helper()
		if _, err := r.Refresh(t.Context(), "test.org"); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	checkIndexed(t, s, 2, "a", "b")
	shared("a", "b")

	publish(t, r, "c@1", "shared")
	checkIndexed(t, s, 2, "a", "b") // publishing does not touch it
	shared("a", "b", "c")           // and the package is found
	before := objects(t, s, indexDir)
	refresh()
	checkIndexed(t, s, 3, "a", "b", "c")
	shared("a", "b", "c")
	if maps.Equal(before, objects(t, s, indexDir)) {
		t.Error("index is as before")
	}
	before = objects(t, s, indexDir)
	refresh()
	if diff := cmp.Diff(before, objects(t, s, indexDir)); diff != "" {
		t.Errorf("refreshed without need:\n%s", diff)
	}

	if _, err := r.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if left := objects(t, s, indexDir); len(left) > 1 || left[indexDir+"lock"] != "" {
		t.Errorf("index is left: %q", left)
	}
	shared("b", "c")
	if err := r.RebuildCatalog(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	checkIndexed(t, s, 0)
	if err := r.Rebuild(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	checkIndexed(t, s, 2, "b", "c")
	shared("b", "c")
}

// TestSearchIndexRepairs makes an index anew that does not fit the catalog, or is damaged.
func TestSearchIndexRepairs(t *testing.T) {
	put := func(name, text string) func(*testing.T, store.Store) {
		return func(t *testing.T, s store.Store) {
			if err := s.Put(t.Context(), indexDir+name, strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, damage := range map[string]func(*testing.T, store.Store){
		"other version": put("manf_list.v1", "VERSION: 7\n"),
		"garbage":       put("full_fmri_list", "garbage"),
		"bad line":      put("main_dict.ascii.v2", "VERSION: 2\nw\n"),
		"no dictionary": func(t *testing.T, s store.Store) {
			if err := s.Remove(t.Context(), indexDir+"main_dict.ascii.v2"); err != nil {
				t.Fatal(err)
			}
		},
		"package that is gone": func(t *testing.T, s store.Store) {
			if err := s.Remove(t.Context(), "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.Memory()
			r := create(t, s)
			publish(t, r, "a@1", "shared")
			if err := r.RebuildIndex(t.Context(), "test.org"); err != nil {
				t.Fatal(err)
			}
			publish(t, r, "b@1", "shared")
			put("__st_stray", "1\n")(t, s)
			damage(t, s)
			want, version := []string{"a", "b"}, 2
			if strings.HasSuffix(name, "gone") {
				want, version = want[1:], 2
				if err := r.RebuildCatalog(t.Context(), "test.org"); err != nil {
					t.Fatal(err)
				}
				if found := find(t, r, "test.org", "<shared>"); len(found) != 1 {
					t.Errorf("found %q", found)
				}
			}
			if err := r.RefreshIndex(t.Context(), "test.org"); err != nil {
				t.Fatal(err)
			}
			checkIndexed(t, s, version, want...)
			if objects(t, s, indexDir)[indexDir+"__st_stray"] != "" {
				t.Error("a file that does not belong to the index is left")
			}
			if found := find(t, r, "test.org", "basename:shared"); len(found) != len(want) {
				t.Errorf("found %q", found)
			}
		})
	}
}

// TestSearchIndexBusy finds the lock of a program of the reference that is writing the
// index.
func TestSearchIndexBusy(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	f := publish(t, r, "a@1", "x")
	if err := r.RebuildIndex(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	lock, err := store.Acquire(t.Context(), s, indexDir+"lock", &store.LockOptions{Note: []byte("12\nhost\n")})
	if err != nil {
		t.Fatal(err)
	}
	var busy *repo.BusyError
	for name, err := range map[string]error{
		"RebuildIndex": r.RebuildIndex(t.Context(), "test.org"),
		"RefreshIndex": r.RefreshIndex(t.Context(), "test.org"),
		"Remove":       errOf(r.Remove(t.Context(), f)),
	} {
		if !errors.As(err, &busy) || busy.Process != "12" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(find(t, r, "test.org", "basename:x")) != 1 {
		t.Error("nothing is found")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Remove(t.Context(), f); err != nil {
		t.Error(err)
	}
}

// TestSearchIndexPurged changes manifests in other ways than by removing packages.
func TestSearchIndexPurged(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "old1@1", "only old 1")
	publish(t, r, "old2@1", "only old 2")
	rebuild := func() {
		t.Helper()
		if err := r.RebuildIndex(t.Context(), "test.org"); err != nil {
			t.Fatal(err)
		}
	}
	rebuild()
	damagePayload(t, s)
	if _, err := r.Fix(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	checkIndexed(t, s, 0)

	rebuild()
	src := create(t, store.Memory())
	publish(t, src, "old2@1", "another")
	if _, err := repo.Clone(t.Context(), r, src, "test.org", nil); err != nil {
		t.Fatal(err)
	}
	checkIndexed(t, s, 0)
	if found := find(t, r, "test.org", "another"); len(found) != 1 {
		t.Errorf("found %q", found)
	}
}

// TestArtefactSearch searches with the indexes that the reference left, and makes them
// again.
func TestArtefactSearch(t *testing.T) {
	artefacts(t, func(t *testing.T, file string, s store.Store) {
		r, err := repo.Open(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := repotest.TestSource(t.Context(), r); err != nil {
			t.Error(err)
		}
		names, err := r.Publishers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			dir := "publisher/" + name + "/index/"
			before := objects(t, s, dir)
			if err := r.RefreshIndex(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, objects(t, s, dir)); diff != "" && len(before) > 0 {
				t.Errorf("%s: index is changed without need:\n%s", name, diff)
			}
			if err := r.RebuildIndex(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			compareIndex(t, r, name, objects(t, s, dir))
		}
		if err := repotest.TestSource(t.Context(), r); err != nil {
			t.Error(err)
		}
	})
}

// compareIndex compares the index of a publisher with one made of its catalog in memory.
func compareIndex(t *testing.T, r *repo.Repository, publisher string, got map[string]string) {
	t.Helper()
	c, err := r.Catalog(t.Context(), publisher)
	if err != nil {
		t.Fatal(err)
	}
	var b search.Builder
	for p := range c.All() {
		m, err := r.Manifest(t.Context(), p.FMRI())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(p.FMRI(), m.Text()); err != nil {
			t.Fatal(err)
		}
	}
	want := files{}
	if err := b.Write(want); err != nil {
		t.Fatal(err)
	}
	for name, text := range got {
		if f := want[path.Base(name)]; path.Base(name) != "lock" && (f == nil || f.String() != text) {
			t.Errorf("%s differs", name)
		}
	}
	if len(got) < len(want) {
		t.Errorf("%d files of %d", len(got), len(want))
	}
}

// files is search.Files in memory.
type files map[string]*textFile

type textFile struct{ strings.Builder }

func (f *textFile) Close() error { return nil }

func (f files) Create(name string) (io.WriteCloser, error) {
	f[name] = new(textFile)
	return f[name], nil
}

// TestSearchOnDisk keeps finding what the index has that was opened, while it is replaced.
func TestSearchOnDisk(t *testing.T) {
	dir := t.TempDir()
	r := create(t, openDir(t, dir))
	for i := range 5 {
		publish(t, r, fmt.Sprintf("a%d@1", i), "shared", fmt.Sprint("only ", i))
	}
	if err := r.Rebuild(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	q, err := search.ParseQuery("shared OR only*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range r.Search(t.Context(), "test.org", q, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			if err := r.Rebuild(t.Context(), "test.org"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 10 {
		t.Errorf("found %d, want 10", n)
	}
	entries, err := fs.ReadDir(os.DirFS(dir), "publisher/test.org/index")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "sort.") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// TestSearchErrors searches where there is nothing.
func TestSearchErrors(t *testing.T) {
	r := create(t, store.Memory())
	for _, err := range r.Search(t.Context(), "no.such", search.Term{Token: "a"}, nil) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	}
	for _, err := range repo.Search(t.Context(), struct{ repo.Source }{r}, "no.such", search.Term{Token: "a"}, nil) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	}
	if err := r.RebuildIndex(t.Context(), "no.such"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.RebuildIndex(ctx, "test.org"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// indexedCases are operations on a repository that has an index.
func indexedCases() []crashCase {
	setup := func(t *testing.T, r *repo.Repository) {
		for i := range 3 {
			publish(t, r, fmt.Sprintf("old%d@1", i), "shared", fmt.Sprint("only old ", i))
		}
		if err := r.RebuildIndex(t.Context(), "test.org"); err != nil {
			t.Fatal(err)
		}
		publish(t, r, "new@1", "shared", "only new")
	}
	return []crashCase{
		{name: "index rebuilt", setup: setup, run: func(ctx context.Context, r *repo.Repository) error {
			return r.RebuildIndex(ctx, "test.org")
		}},
		{name: "index refreshed", setup: setup, run: func(ctx context.Context, r *repo.Repository) error {
			return r.RefreshIndex(ctx, "test.org")
		}},
		{name: "index purged", setup: setup, run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Remove(ctx, fmri.MustParse("pkg://test.org/old1@1,5.11:20260102T030405Z")))
		}},
	}
}

// TestCrashIndex cuts off operations on the index, as TestCrash does others. What is found
// afterwards by searching is what the manifests have.
func TestCrashIndex(t *testing.T) {
	stride := 7
	if isLong() {
		stride = 1
	}
	for _, c := range indexedCases() {
		t.Run(c.name, func(t *testing.T) {
			if n := c.test(t, 1, stride); n < 20 {
				t.Errorf("only %d states", n)
			}
		})
	}
}

// checkSearch compares what is found by way of an index with what the manifests have, and
// the index, if there is one, with the manifests that it says it is made of.
func (x *crashed) checkSearch(t *testing.T, r *repo.Repository, s store.Store, fail func(string, ...any)) {
	names, err := r.Publishers(t.Context())
	if err != nil {
		fail("Publishers: %v", err)
	}
	for _, name := range names {
		got, want := find(t, r, name, "*"), find(t, struct{ repo.Source }{r}, name, "*")
		if !slices.Equal(got, want) {
			fail("Search finds %q, want %q", got, want)
		}
		dir := store.FS(t.Context(), store.Sub(s, "publisher/"+name+"/index"))
		index, err := search.Open(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			fail("index: %v", err)
			continue
		}
		if err := compareLists(index, dir, r, name); err != nil {
			fail("index: %v", err)
		}
		index.Close()
	}
}

// compareLists checks that the files of an index that package search does not read are of
// the same make: the reference reads them.
func compareLists(x *search.Index, dir fs.FS, r *repo.Repository, publisher string) error {
	want := files{}
	b := search.Builder{}
	for f := range x.All() {
		m, err := r.Manifest(context.Background(), f.WithPublisher(publisher))
		if err != nil {
			return err
		}
		if err := b.Add(f, m.Text()); err != nil {
			return err
		}
	}
	if err := b.Write(want); err != nil {
		return err
	}
	for name, f := range want {
		got, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(f.String(), "\n")
		if strings.HasPrefix(name, "__") {
			rest = f.String()
		}
		if !strings.HasSuffix(string(got), rest) {
			return fmt.Errorf("%s is of another index", name)
		}
	}
	return nil
}

// TestSearchWhileWriting searches a directory that another process, as it were, publishes
// to, refreshes, and removes from. What stays is found all the time, and nothing fails.
func TestSearchWhileWriting(t *testing.T) {
	for name, s := range map[string]store.Store{"memory": store.Memory(), "disk": openDir(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			w := create(t, s)
			for i := range 3 {
				publish(t, w, fmt.Sprintf("stays%d@1", i), "shared", fmt.Sprint("only ", i))
			}
			reader := open(t, s)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range 12 {
					if err := changeOnce(t.Context(), w, i); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			for busy := true; busy; {
				select {
				case <-done:
					busy = false
				default:
				}
				checkStays(t, reader)
			}
		})
	}
}

// changeOnce publishes a package and lists it in the index, or removes it.
func changeOnce(ctx context.Context, r *repo.Repository, i int) error {
	const name = "pkg://test.org/comes@1"
	if i%3 == 2 {
		return errOf(r.Remove(ctx, fmri.MustParse(name+",5.11:20260102T030405Z")))
	}
	if i%3 == 0 {
		if err := tryPublish(ctx, r, name, "shared", "comes"); err != nil {
			return err
		}
	}
	if i%2 == 0 {
		return r.RefreshIndex(ctx, "test.org")
	}
	return r.RebuildIndex(ctx, "test.org")
}

// checkStays looks for the packages that are there all the time.
func checkStays(t *testing.T, r *repo.Repository) {
	t.Helper()
	for _, query := range []string{"basename:shared", "<only*>"} {
		n := 0
		for _, hit := range find(t, r, "test.org", query) {
			if strings.Contains(hit, "stays") {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%s finds %d of 3", query, n)
		}
	}
}

// TestVersion3Search searches a repository of one publisher, whose index lies at the top.
func TestVersion3Search(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "tool@1", "shared")
	if err := r.RebuildIndex(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	old := store.Memory()
	for name, text := range objects(t, s, "publisher/test.org/") {
		if err := old.Put(t.Context(), strings.TrimPrefix(name, "publisher/test.org/"), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	config := "[repository]\nversion = 3\n\n[publisher]\nprefix = test.org\n"
	if err := old.Put(t.Context(), "cfg_cache", strings.NewReader(config)); err != nil {
		t.Fatal(err)
	}
	r3 := open(t, old)
	want := []string{"pkg://test.org/tool@1,5.11:20260102T030405Z basename"}
	if diff := cmp.Diff(want, find(t, r3, "test.org", "shared")); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	if err := repotest.TestSource(t.Context(), r3); err != nil {
		t.Error(err)
	}
}
