package repo_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestThin keeps the newest version of each package, and one more by name. What is gone
// is what upkeep.Thin said before, with the payloads that nobody else has.
func TestThin(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "of all", "of the first")
	kept := publish(t, r, "a@2", "of all", "of the second")
	newest := publish(t, r, "a@3", "of all")
	other := publish(t, r, "b@1", "of b")
	rule := &upkeep.Retention{Newest: 1, Keep: func(p catalog.Package) bool { return p.FMRI() == kept }}

	before, err := r.Catalog(t.Context(), "test.org")
	if err != nil {
		t.Fatal(err)
	}
	want, err := upkeep.Thin(before, rule)
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.Thin(t.Context(), "test.org", rule)
	if err != nil {
		t.Fatal(err)
	}
	saved := done.Catalog
	if diff := cmp.Diff(fmrisOf(want.Removed), fmrisOf(saved.Removed)); diff != "" || len(saved.Removed) != 1 || saved.Bytes != want.Bytes {
		t.Errorf("removed (-want +got)\n%s, %d bytes", diff, saved.Bytes)
	}
	if diff := cmp.Diff([]string{kept.String(), newest.String(), other.String()}, list(t, r, "test.org")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	payloads := 0
	for range s.List(t.Context(), "publisher/test.org/file/") {
		payloads++
	}
	if payloads != 3 {
		t.Errorf("%d payloads are left, want 3", payloads)
	}
	if found := check(t, r); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	if saved, err := r.Thin(t.Context(), "test.org", rule); err != nil || len(saved.Removed.Packages) != 0 {
		t.Errorf("thinning again: %+v, %v", saved, err)
	}
}

// TestThinUnknown wants an error for a publisher that is not there.
func TestThinUnknown(t *testing.T) {
	r := create(t, store.Memory())
	_, err := r.Thin(t.Context(), "else.org", &upkeep.Retention{Newest: 1})
	var e *repo.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || e.Publisher != "else.org" {
		t.Errorf("%v", err)
	}
}

func fmrisOf(packages []catalog.Package) (names []string) {
	for _, p := range packages {
		names = append(names, p.FMRI().String())
	}
	return names
}
