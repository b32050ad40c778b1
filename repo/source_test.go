package repo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

var (
	_ repo.Source    = (*archive.Reader)(nil)
	_ repo.Cataloger = (*repo.Repository)(nil)
)

// published makes a repository of manifests without payloads.
func published(t testing.TB, texts ...string) *repo.Repository {
	t.Helper()
	r := create(t, store.Memory())
	for _, text := range texts {
		if _, err := repo.Publish(t.Context(), r, parse(t, text), &repo.PublishOptions{KeepTimestamp: true}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// archived returns an archive of all packages of a source.
func archived(t *testing.T, src repo.Source) *archive.Reader {
	t.Helper()
	var file bytes.Buffer
	w := archive.NewWriter(&file, nil)
	sink, err := repo.ToArchive(t.Context(), w, store.Memory(), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := new(repo.Selection).Find(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Copy(t.Context(), sink, src, slices.Values(all), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := archive.NewReader(t.Context(), bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestToArchive(t *testing.T) {
	src := create(t, store.Memory())
	f := publish(t, src, "a@1", "one", "two")
	g := publish(t, src, "b@1", "two", "three")
	a := archived(t, src)
	if diff := cmp.Diff(list(t, src, "test.org"), list(t, a, "test.org")); diff != "" {
		t.Error(diff)
	}
	m, err := a.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	checkPayloads(t, a, f, m)
	back := create(t, store.Memory())
	if _, err := repo.Copy(t.Context(), back, a, slices.Values([]fmri.FMRI{f, g}), nil); err != nil {
		t.Fatal(err)
	}
	if d, err := repo.Diff(t.Context(), src, back); err != nil || !d[0].IsEmpty() || len(d[0].Both) != 2 {
		t.Errorf("difference %+v, %v", d, err)
	}
}

const (
	clock1 = "set name=pkg.fmri value=pkg://test.org/clock@1.0,5.11-0:20250101T000000Z\ndepend fmri=spring@1 type=require\n"
	clock2 = "set name=pkg.fmri value=pkg://test.org/clock@1.0,5.11-0:20250102T000000Z\ndepend fmri=spring@1 type=require\n"
	clock3 = "set name=pkg.fmri value=pkg://test.org/clock@2.0,5.11-0:20250101T000000Z\ndepend fmri=spring@2 type=optional\ndepend fmri=bomb type=exclude\n"
	spring = "set name=pkg.fmri value=pkg://test.org/spring@1.5,5.11-0:20250101T000000Z\ndepend fmri=steel type=require\n"
	steel  = "set name=pkg.fmri value=pkg://test.org/steel@3,5.11-0:20250101T000000Z\n"
	bomb   = "set name=pkg.fmri value=pkg://test.org/bomb@3,5.11-0:20250101T000000Z\n"
)

func TestSelection(t *testing.T) {
	r := published(t, clock1, clock2, clock3, spring, steel, bomb)
	clock := []fmri.Pattern{fmri.MustParsePattern("clock")}
	for name, c := range map[string]struct {
		s    repo.Selection
		want []string
	}{
		"all timestamps": {repo.Selection{Patterns: clock}, []string{"clock@1.0-0:20250101T000000Z", "clock@1.0-0:20250102T000000Z", "clock@2.0-0:20250101T000000Z"}},
		"all versions":   {repo.Selection{Patterns: clock, Versions: repo.AllVersions}, []string{"clock@1.0-0:20250102T000000Z", "clock@2.0-0:20250101T000000Z"}},
		"latest":         {repo.Selection{Patterns: clock, Versions: repo.Latest}, []string{"clock@2.0-0:20250101T000000Z"}},
		"dependencies": {repo.Selection{Patterns: []fmri.Pattern{fmri.MustParsePattern("clock@1.0")}, Versions: repo.Latest, Dependencies: true},
			[]string{"clock@1.0-0:20250102T000000Z", "spring@1.5-0:20250101T000000Z", "steel@3-0:20250101T000000Z"}},
		"newest of all": {repo.Selection{Versions: repo.Latest}, []string{"bomb@3-0:20250101T000000Z", "clock@2.0-0:20250101T000000Z", "spring@1.5-0:20250101T000000Z", "steel@3-0:20250101T000000Z"}},
	} {
		found, err := c.s.Find(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.Format(fmri.OmitPublisher|fmri.OmitScheme|fmri.OmitBuild))
		}
		if diff := cmp.Diff(c.want, trimNames(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var none *repo.NoMatchError
	s := repo.Selection{Patterns: []fmri.Pattern{fmri.MustParsePattern("watch"), clock[0]}}
	if found, err := s.Find(t.Context(), r); !errors.As(err, &none) || len(none.Patterns) != 1 || len(found) != 3 {
		t.Errorf("a pattern without match: %v, %v", found, err)
	}
	s = repo.Selection{Publishers: []string{"other.org"}}
	if _, err := s.Find(t.Context(), r); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a publisher that is not there: %v", err)
	}
}

// trimNames removes what a form of FMRIs has before the name.
func trimNames(names []string) []string {
	for i, name := range names {
		names[i] = strings.TrimPrefix(strings.TrimPrefix(name, "pkg:"), "/")
	}
	return names
}

func TestVerifyDependencies(t *testing.T) {
	r := published(t,
		clock3, // spring is optional, and not there
		"set name=pkg.fmri value=pkg://test.org/a@1,5.11:20250101T000000Z\ndepend fmri=none@1 type=require\ndepend fmri=clock@3 type=require\n"+
			"depend fmri=clock@2.0 type=incorporate\ndepend fmri=feature/x type=require\ndepend fmri=gone type=require ignore-check=true\n",
	)
	all, err := new(repo.Selection).Find(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for check, want := range map[repo.DependencyCheck][]string{
		repo.NoDependencies:    nil,
		repo.UsualDependencies: {"require dependency on pkg:/none@1,5.11", "require dependency on pkg:/clock@3,5.11"},
		repo.AllDependencies: {"require dependency on pkg:/none@1,5.11", "require dependency on pkg:/clock@3,5.11",
			"require dependency on pkg:/gone", "optional dependency on pkg:/spring@2,5.11"},
	} {
		var got []string
		for f, err := range repo.Verify(t.Context(), r, slices.Values(all), &repo.VerifyOptions{Dependencies: check}) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Fault != repo.BadDependency {
				t.Errorf("found %+v", f)
			}
			text, _, _ := strings.Cut(f.Err.Error(), ":"+" file")
			got = append(got, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: %s", check, diff)
		}
	}
}

func TestJoin(t *testing.T) {
	a, b := create(t, store.Memory()), create(t, store.Memory())
	f := publish(t, a, "a@1", "of a")
	g := publish(t, b, "b@1", "of b")
	h := publish(t, b, "pkg://other.org/c@1", "of c")
	j := repo.Join(a, b)
	if names, err := j.Publishers(t.Context()); err != nil || !slices.Equal(names, []string{"other.org", "test.org"}) {
		t.Errorf("publishers are %q, %v", names, err)
	}
	if diff := cmp.Diff([]string{f.String(), g.String()}, list(t, j, "test.org")); diff != "" {
		t.Error(diff)
	}
	for _, f := range []fmri.FMRI{f, g, h} {
		m, err := j.Manifest(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		checkPayloads(t, j, f, m)
	}
	if _, err := j.Catalog(t.Context(), "nobody"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a publisher that is not there: %v", err)
	}
	broken := repo.Join(brokenSource{a}, a)
	if _, err := broken.Manifest(t.Context(), f); err != nil {
		t.Errorf("the second source was not asked: %v", err)
	}
}

// A brokenSource fails.
type brokenSource struct{ repo.Source }

var errBroken = errors.New("broken source")

func (brokenSource) Manifest(context.Context, fmri.FMRI) (*manifest.Manifest, error) {
	return nil, errBroken
}

func (brokenSource) Payload(context.Context, string, manifest.Digest) (io.ReadCloser, error) {
	return nil, errBroken
}

func (b brokenSource) Catalog(ctx context.Context, publisher string) (*catalog.Catalog, error) {
	return b.Source.Catalog(ctx, publisher)
}

func TestDiff(t *testing.T) {
	a, b := published(t, clock1, clock3, steel), published(t, clock1, spring)
	d, err := repo.Diff(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(d) != 1 || len(d[0].A) != 2 || len(d[0].B) != 1 || len(d[0].Both) != 1 || d[0].IsEmpty() {
		t.Errorf("difference is %+v", d)
	}
	if _, err := repo.Diff(t.Context(), a, b, "nobody"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a publisher that is not there: %v", err)
	}
}

// TestCopyFails copies from a source without payloads: what is complete is
// published, the rest is not there at all.
func TestCopyFails(t *testing.T) {
	src := published(t, steel)
	f := publish(t, src, "a@1", "content")
	s := store.Memory()
	dst := create(t, s)
	_, err := repo.Copy(t.Context(), dst, brokenPayloads{src}, slices.Values(append(names(steelName), f)), nil)
	var at *repo.Error
	if !errors.Is(err, errBroken) || !errors.As(err, &at) || at.FMRI != f {
		t.Errorf("Copy: %v", err)
	}
	if got := objects(t, s, "publisher/test.org/file/"); len(got) > 0 {
		t.Errorf("left are %q", got)
	}
	if found := check(t, dst); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

const steelName = "pkg://test.org/steel@3,5.11-0:20250101T000000Z"

type brokenPayloads struct{ repo.Source }

func (brokenPayloads) Payload(context.Context, string, manifest.Digest) (io.ReadCloser, error) {
	return nil, errBroken
}
