package repo_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestNewRepository compares a new repository with what the reference writes.
func TestNewRepository(t *testing.T) {
	s := store.Memory()
	r, err := repo.Create(t.Context(), s, repo.Config{Packing: repo.PackExact}, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	config := func(prefix string) string {
		return "[publisher]\nprefix = " + prefix + "\n\n[repository]\nversion = 4\ntrust-anchor-directory = /etc/ssl/pkg/\n" +
			"signature-required-names = []\ncheck-certificate-revocation = False\n\n[CONFIGURATION]\nversion = 4\n\n"
	}
	if diff := cmp.Diff(map[string]string{"pkg5.repository": config("")}, objects(t, s, "")); diff != "" {
		t.Error(diff)
	}
	if err := r.AddPublisher(t.Context(), "other.org"); err != nil {
		t.Fatal(err)
	}
	const info = `{
  "packages": [],
  "publishers": [
    {
      "alias": null,
      "name": "other.org",
      "packages": [],
      "repositories": []
    }
  ],
  "version": 1
}
`
	if got := read(t, s, "publisher/other.org/pub.p5i"); got != info || len(got) != 167 {
		t.Errorf("pub.p5i is %s", got)
	}
	if got := read(t, s, "pkg5.repository"); got != config("other.org") {
		t.Errorf("pkg5.repository is %s", got)
	}
	attrs := `{"created":"20260102T030405.000678Z","last-modified":"20260102T030405.000678Z","package-count":0,"package-version-count":0,"parts":{},"updates":{},"version":1,"_SIGNATURE":`
	if got := read(t, s, "publisher/other.org/catalog/catalog.attrs"); !strings.HasPrefix(got, attrs) {
		t.Errorf("catalog.attrs is %s", got)
	}
	if _, err := repo.Create(t.Context(), s, repo.Config{}, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating again: %v", err)
	}
	if err := r.AddPublisher(t.Context(), "other.org"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("adding again: %v", err)
	}
	for _, name := range []string{"", "_x", "-a", "a b", "a/b", "a+b", "é", "..", "../x"} {
		if err := r.AddPublisher(t.Context(), name); err == nil {
			t.Errorf("publisher %q was added", name)
		}
	}
}

func TestProperties(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	list, err := repo.ParseValue(`(alpha "beta gamma" 'x')`)
	if err != nil || list.String() != `(alpha "beta gamma" x)` {
		t.Fatalf("the list is %v, %v", list, err)
	}
	props := []repo.Property{
		{Section: "repository", Name: "description", Value: repo.Text("Workshop")},
		{Section: "repository", Name: "signature-required-names", Value: list},
		{Section: "foo", Name: "bar", Value: repo.Text("1")},
	}
	if err := r.SetProperties(t.Context(), props...); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, s).Properties(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range props {
		if !slices.ContainsFunc(got, func(p repo.Property) bool {
			return p.Section == want.Section && p.Name == want.Name && p.Value.String() == want.Value.String()
		}) {
			t.Errorf("%+v is not in %+v", want, got)
		}
	}
	for _, bad := range []repo.Property{{Section: "a]", Name: "b"}, {Section: "a", Name: "b=c"}, {Section: "a", Name: "b", Value: repo.Text("x\ny")}, {}} {
		if err := r.SetProperties(t.Context(), bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, bad := range []string{"(a", `("a)`} {
		if v, err := repo.ParseValue(bad); err == nil {
			t.Errorf("ParseValue(%q) = %v", bad, v)
		}
	}
	if err := r.SetProperties(t.Context(), repo.Property{Section: "repository", Name: "version", Value: repo.Text("9")}); err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Open(t.Context(), s, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("opening version 9: %v", err)
	}
}

func TestPublisherProperties(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	err := r.SetPublisherProperties(t.Context(), "new.org",
		repo.Property{Section: "publisher", Name: "alias", Value: repo.Text("n")},
		repo.Property{Section: "repository", Name: "legal_uris", Value: repo.List("http://a.example/")},
		repo.Property{Section: "repository", Name: "refresh-seconds", Value: repo.Text("60")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(t, s).Info(t.Context(), "new.org")
	want := archive.Publisher{Name: "new.org", Alias: "n", Packages: []string{}, Repository: &archive.Repository{
		CollectionType: "core", LegalURIs: []string{"http://a.example/"}, RefreshSeconds: 60,
	}}
	p.Packages = []string{}
	p.Repository.Origins, p.Repository.Mirrors, p.Repository.RelatedURIs = nil, nil, nil
	if diff := cmp.Diff(want, p); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	props, err := r.PublisherProperties(t.Context(), "new.org")
	if err != nil || len(props) != 11 || props[0].Value.String() != "n" || props[4].Value.String() != "(http://a.example/)" {
		t.Errorf("properties are %v, %v", props, err)
	}
	for _, bad := range []repo.Property{
		{Section: "publisher", Name: "prefix", Value: repo.Text("x")},
		{Section: "repository", Name: "colour", Value: repo.Text("x")},
		{Section: "repository", Name: "refresh-seconds", Value: repo.Text("soon")},
		{Section: "publisher", Name: "alias", Value: repo.List("a", "b")},
	} {
		if err := r.SetPublisherProperties(t.Context(), "new.org", bad); err == nil {
			t.Errorf("%+v was set", bad)
		}
	}
}

func TestRemovePublisher(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "pkg://drop.org/a@1", "content")
	if err := r.SetProperties(t.Context(), repo.Property{Section: "publisher", Name: "prefix", Value: repo.Text("drop.org")}); err != nil {
		t.Fatal(err)
	}
	if err := r.RemovePublisher(t.Context(), "drop.org"); err != nil {
		t.Fatal(err)
	}
	if got := objects(t, s, "publisher/drop.org/"); len(got) > 0 {
		t.Errorf("left are %q", got)
	}
	if name, err := r.DefaultPublisher(t.Context()); name != "test.org" || err != nil {
		t.Errorf("the default publisher is %q, %v", name, err)
	}
	if err := r.RemovePublisher(t.Context(), "drop.org"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing again: %v", err)
	}
}

// TestVersion3 reads and writes a repository of one publisher in the old layout.
func TestVersion3(t *testing.T) {
	s := store.Memory()
	f := publish(t, create(t, s), "a@1", "content")
	old := store.Memory()
	for name, text := range objects(t, s, "publisher/test.org/") {
		name = strings.TrimPrefix(name, "publisher/test.org/")
		if hash, ok := strings.CutPrefix(name, "file/"); ok { // the oldest names of payloads
			name = "file/" + hash[:2] + "/" + hash[5:11] + "/" + hash[3:]
		}
		if err := old.Put(t.Context(), name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Put(t.Context(), "cfg_cache", strings.NewReader("\n")); err != nil {
		t.Fatal(err)
	}
	r := open(t, old)
	if r.Version() != 3 {
		t.Errorf("version is %d", r.Version())
	}
	if got := listAll(t, r); !slices.Equal(got, []string{f.String()}) {
		t.Errorf("listed are %q", got)
	}
	m, err := r.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	checkPayloads(t, r, f, m)
	g := publish(t, r, "pkg://test.org/b@1", "content", "more")
	if got := listAll(t, open(t, old)); !slices.Equal(got, []string{f.String(), g.String()}) {
		t.Errorf("listed are %q", got)
	}
	if found := check(t, r); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
	for name := range objects(t, old, "file/") {
		if strings.Count(name, "/") != 2 {
			t.Errorf("%s has its old name", name)
		}
	}
	if _, err := r.Remove(t.Context(), f, g); err != nil {
		t.Fatal(err)
	}
	if left := objects(t, old, "file/"); len(left) > 0 {
		t.Errorf("%d payloads are left", len(left))
	}
}

// TestCreateVersion3 makes a repository of one publisher, which is the first that
// packages are published for, and which nothing can be said about.
func TestCreateVersion3(t *testing.T) {
	s := store.Memory()
	r, err := repo.Create(t.Context(), s, repo.Config{Version: 3}, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(objects(t, s, "")); got != 1 || read(t, s, "cfg_cache") == "" || r.Version() != 3 {
		t.Errorf("%d objects of version %d", got, r.Version())
	}
	if r = open(t, s); r.Version() != 3 || len(listAll(t, r)) != 0 {
		t.Errorf("version is %d", r.Version())
	}
	f := publish(t, r, "pkg://test.org/a@1", "content")
	r = open(t, s)
	if name, err := r.DefaultPublisher(t.Context()); name != "test.org" || err != nil {
		t.Errorf("the publisher is %q, %v", name, err)
	}
	if got := listAll(t, r); !slices.Equal(got, []string{f.String()}) {
		t.Errorf("listed are %q", got)
	}
	for _, name := range []string{"catalog/catalog.attrs", "pkg/a/1%2C5.11%3A20260102T030405Z"} {
		read(t, s, name)
	}
	for what, err := range map[string]error{
		"another publisher":     tryPublish(t.Context(), r, "pkg://other.org/a@1", "content"),
		"adding a publisher":    r.AddPublisher(t.Context(), "other.org"),
		"removing the only one": r.RemovePublisher(t.Context(), "test.org"),
		"an alias":              r.SetPublisherProperties(t.Context(), "test.org", repo.Property{Section: "publisher", Name: "alias", Value: repo.Text("x")}),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
	tx, err := r.Begin(t.Context(), fmri.MustParse("slow@1"))
	if err != nil {
		t.Fatal(err)
	}
	slow := tx.(*repo.Transaction)
	if err := slow.Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids := transactions(t, s); !slices.Equal(ids, []string{slow.ID()}) {
		t.Errorf("transactions are %q", ids)
	}
	if slow, err = r.Resume(t.Context(), slow.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Fix(t.Context(), nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Fix: %v", err)
	}
	if _, err := repo.Create(t.Context(), store.Memory(), repo.Config{Version: 2}, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("version 2: %v", err)
	}
	named := store.Memory()
	if _, err := repo.Create(t.Context(), named, repo.Config{Version: 3, DefaultPublisher: "test.org"}, nil); err != nil {
		t.Fatal(err)
	}
	if names, err := open(t, named).Publishers(t.Context()); !slices.Equal(names, []string{"test.org"}) {
		t.Errorf("publishers are %q, %v", names, err)
	}
}

func TestNoRepository(t *testing.T) {
	if _, err := repo.Open(t.Context(), store.Memory(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty store: %v", err)
	}
	for name, text := range map[string]string{
		"pkg5.repository": "[repository\n", "catalog/attrs": "S npkgs: 0\n",
	} {
		s := store.Memory()
		if err := s.Put(t.Context(), name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := repo.Open(t.Context(), s, nil); err == nil {
			t.Errorf("a store with %s is a repository", name)
		}
	}
}

// TestHostileNames reads a repository whose objects have names that lead
// elsewhere, and manifests that ask for what is elsewhere.
func TestHostileNames(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "good@1", "content")
	good := read(t, s, "publisher/test.org/pkg/good/1%2C5.11%3A20260102T030405Z")
	for _, name := range []string{
		"publisher/test.org/pkg/..%2F..%2Fetc/1%2C5.11%3A20260102T030405Z",
		"publisher/test.org/pkg/good/..%2F1",
		"publisher/test.org/pkg/good/1,5.11:20260102T030405Z",
		"publisher/test.org/pkg/good/deep/1%2C5.11%3A20260102T030405Z",
		"publisher/test.org/pkg/stray",
		"publisher/-bad-/catalog/catalog.attrs",
	} {
		if err := s.Put(t.Context(), name, strings.NewReader(good)); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := r.Publishers(t.Context()); err != nil || !slices.Equal(names, []string{"test.org"}) {
		t.Errorf("publishers are %q, %v", names, err)
	}
	if err := r.Rebuild(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	if got := listAll(t, r); len(got) != 1 {
		t.Errorf("listed are %q", got)
	}
	bad := 0
	for _, f := range check(t, r) {
		if f.Fault != repo.BadManifest || f.FMRI.IsValid() {
			t.Errorf("found %+v", f)
		}
		bad++
	}
	if bad != 5 {
		t.Errorf("%d names were found to be bad, want 5", bad)
	}
	for _, name := range []string{"../test.org", "..", "test.org/../test.org", ""} {
		if _, err := r.Catalog(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Catalog(%q): %v", name, err)
		}
		if _, _, err := r.CatalogFile(t.Context(), name, "catalog.attrs"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("CatalogFile(%q): %v", name, err)
		}
	}
	for _, name := range []string{"../pub.p5i", "", ".", "../../../pkg5.repository"} {
		if _, _, err := r.CatalogFile(t.Context(), "test.org", name); err == nil {
			t.Errorf("CatalogFile(%q) was opened", name)
		}
	}
}

// TestLyingSize stores a payload that is a bomb: more content than is said.
func TestLyingSize(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	f := publish(t, r, "a@1", strings.Repeat("0", 10_000_000))
	name := "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z"
	text := strings.Replace(read(t, s, name), "pkg.size=10000000", "pkg.size=10", 1)
	if err := s.Put(t.Context(), name, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := r.Rebuild(t.Context(), "test.org"); err != nil {
		t.Fatal(err)
	}
	found := check(t, r)
	if len(found) != 1 || found[0].Fault != repo.BadHash || found[0].FMRI != f {
		t.Errorf("found %+v", found)
	}
	if _, err := repo.Copy(t.Context(), create(t, store.Memory()), r, slices.Values(names(f.String())), nil); err == nil {
		t.Error("it was copied")
	}
}

// TestPublisherLocations: what is stored of a publisher can be read by everybody, and
// has locations in their usual form.
func TestPublisherLocations(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	origins := repo.Property{Section: "repository", Name: "origins", Value: repo.List("http://one.example")}
	if err := r.SetPublisherProperties(t.Context(), "test.org", origins); err != nil {
		t.Fatal(err)
	}
	if text := read(t, s, "publisher/test.org/pub.p5i"); !strings.Contains(text, `"http://one.example/"`) {
		t.Error(text)
	}
	origins.Value = repo.List("one.example")
	if err := r.SetPublisherProperties(t.Context(), "test.org", origins); err == nil {
		t.Error("a location that cannot be read was stored")
	}
}
