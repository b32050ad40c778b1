package repo_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// names parses FMRIs.
func names(texts ...string) []fmri.FMRI {
	var all []fmri.FMRI
	for _, text := range texts {
		all = append(all, fmri.MustParse(text))
	}
	return all
}

// TestCloneArtefacts copies repositories of the reference exactly: each object of
// a publisher must have the same bytes.
func TestCloneArtefacts(t *testing.T) {
	artefacts(t, func(t *testing.T, _ string, s store.Store) {
		src, err := repo.Open(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		copied := store.Memory()
		dst := create(t, copied)
		publish(t, dst, "pkg://one.public.example/stray@1", "stray")
		publishers, err := src.Publishers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range publishers {
			if _, err := repo.Clone(t.Context(), dst, src, name, nil); err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{"/catalog/", "/pkg/", "/file/"} {
				dir := "publisher/" + name + part
				if diff := cmp.Diff(objects(t, s, dir), objects(t, copied, dir)); diff != "" {
					t.Error(diff)
				}
			}
		}
	})
}

// objects returns the content of all objects with a prefix.
func objects(t testing.TB, s store.Store, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all[info.Name] = read(t, s, info.Name)
	}
	return all
}

func TestCopy(t *testing.T) {
	src := create(t, store.Memory())
	f := publish(t, src, "a@1", "one", "two")
	g := publish(t, src, "b@1", "two", "three")
	dst := create(t, store.Memory())
	var events []repo.Event
	opts := &repo.CopyOptions{Progress: func(e repo.Event) { events = append(events, e) }}
	for range 2 { // the second time nothing is left to do
		if _, err := repo.Copy(t.Context(), dst, src, slices.Values([]fmri.FMRI{f, g}), opts); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{f.String(), g.String()}, list(t, dst, "test.org")); diff != "" {
			t.Error(diff)
		}
	}
	if len(events) != 4 || events[3].Done != 2 || events[3].Total != 2 {
		t.Errorf("events are %+v", events)
	}
	m, err := dst.Manifest(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	checkPayloads(t, dst, g, m)
}
