package solver_test

import (
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// byVersion hides that a source is a catalog.
type byVersion struct{ solver.Source }

func (p byVersion) Packages() iter.Seq2[solver.Package, error] { return p.Source.Packages() }

// TestFromCatalog compares the models of a catalog that is read by its distinct actions and
// of the same one read version by version.
func TestFromCatalog(t *testing.T) {
	c := catalogtest.MustParse(`
web/server@1.0
	require lib/ssl@1
	optional lib/zlib@1.2
web/server@2.0
	require-any lib/ssl@2 lib/tls
	conditional lib/zlib lib/zlib-server
	depend type=require fmri=lib/gone variant.arch=sparc
lib/ssl@1.0
lib/ssl@2.0 obsolete
lib/tls@1
	require lib/zlib@1.2
	incorporate lib/zlib@1.2
lib/zlib@1.2
lib/zlib@1.3
lib/zlib-server@1
web/proxy@1
	require lib/zlib@1.3
	require web/server@2
`)
	fast, err := solver.NewModel(solver.FromCatalog(c))
	if err != nil {
		t.Fatal(err)
	}
	slow, err := solver.NewModel(byVersion{solver.FromCatalog(c)})
	if err != nil {
		t.Fatal(err)
	}
	if fast.Len() != c.Len() || slow.Len() != c.Len() {
		t.Fatalf("models of %d and %d versions, want %d", fast.Len(), slow.Len(), c.Len())
	}
	for _, request := range []struct {
		pattern string
		want    bool
	}{{"web/server", true}, {"web/server@1", true}, {"lib/ssl", true}, {"web/proxy", false}} {
		a, okA := answerTo(t, fast, request.pattern)
		b, okB := answerTo(t, slow, request.pattern)
		if a != b || okA != okB {
			t.Errorf("install %s:\n%s\nby version:\n%s", request.pattern, a, b)
		}
		if okA != request.want {
			t.Errorf("install %s: %v\n%s", request.pattern, okA, a)
		}
	}
}

// solveCatalogs asks a solver over two catalogs. The second one has what the first does not,
// and some that it has, too, without any dependencies: they do not count.
func (u *universe) solveCatalogs(t *testing.T) result {
	t.Helper()
	var first, second catalog.Builder
	for i, p := range u.Known {
		f := fmri.MustParse(p.FMRI)
		m, err := manifest.Parse("", []byte(strings.Join(p.Actions, "\n")))
		switch i % 3 {
		case 0:
			err = errors.Join(err, first.Add(f, m), second.Add(f, nil))
		case 1:
			err = errors.Join(err, first.Add(f, m))
		case 2:
			err = errors.Join(err, second.Add(f, m))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var sources []solver.Source
	for _, b := range []*catalog.Builder{&first, &second} {
		c, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, solver.FromCatalog(c))
	}
	model, err := solver.NewModel(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return u.solveWith(t.Context(), solver.New(model, nil))
}

// TestSourceOrder has the same version from two sources, in both orders.
func TestSourceOrder(t *testing.T) {
	var h heap
	h.add("a", "1", "require fmri=gone")
	with := catalogtest.MustParse("a@1")
	for f := range with.All() {
		h[0].FMRI = f.FMRI()
	}
	for _, c := range []struct {
		sources []solver.Source
		want    bool
	}{
		{[]solver.Source{h, solver.FromCatalog(with)}, false},
		{[]solver.Source{solver.FromCatalog(with), h}, true},
	} {
		m, err := solver.NewModel(c.sources...)
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := answerTo(t, m, "a"); ok != c.want || m.Len() != 1 {
			t.Errorf("%d versions, answer %v: %s", m.Len(), ok, text)
		}
	}
}

// TestConcurrent solves with one model from several goroutines, each of which is the first
// to come upon some of its dependencies.
func TestConcurrent(t *testing.T) {
	for seed := range uint64(20) {
		d := seededDice(seed, 4000)
		u := largeWorld().universe(&d)
		want := u.solve(t.Context()).String()
		model, err := solver.NewModel(u)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if got := u.solveWith(t.Context(), solver.New(model, nil)).String(); got != want {
					t.Errorf("seed %d: %s, want %s", seed, got, want)
				}
			})
		}
		wait.Wait()
	}
}

// answerTo returns the answer to an installation into an empty image as text, and whether it is
// one.
func answerTo(t *testing.T, m *solver.Model, pattern string) (string, bool) {
	img := &solver.Image{Publishers: []solver.Publisher{{Name: catalogtest.Publisher, Sticky: true}}}
	req := solver.Request{Patterns: []fmri.Pattern{fmri.MustParsePattern(pattern)}}
	solution, err := solver.Solve(t.Context(), m, img, req)
	if err != nil {
		return err.Error(), false
	}
	return solution.String(), true
}

// TestNoPublisher refuses a version that nobody has published.
func TestNoPublisher(t *testing.T) {
	var b catalog.Builder
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := solver.NewModel(solver.FromCatalog(c)); err != nil || m.Len() != 0 {
		t.Errorf("an empty catalog gives %v and %v", m, err)
	}
	if _, err := solver.NewModel(nameless{}); err == nil {
		t.Error("a package without a publisher was accepted")
	}
}

type nameless struct{}

func (nameless) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		yield(solver.Package{FMRI: fmri.MustParse("a@1")}, nil)
	}
}
