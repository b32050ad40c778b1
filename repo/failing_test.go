package repo_test

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A failing store fails in one of its calls, the n-th, with errBroken.
type failing struct {
	store.Store

	mu   sync.Mutex
	left int // calls until it fails; 0 for never
	hit  bool
}

// fail counts a call, and reports whether it is the one that fails.
func (f *failing) fail() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return nil
	}
	if f.left--; f.left > 0 {
		return nil
	}
	f.hit = true
	return errBroken
}

func (f *failing) Open(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if err := f.fail(); err != nil {
		return nil, store.Info{}, err
	}
	return f.Store.Open(ctx, name)
}

func (f *failing) Put(ctx context.Context, name string, r io.Reader) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Store.Put(ctx, name, r)
}

func (f *failing) Remove(ctx context.Context, name string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Store.Remove(ctx, name)
}

func (f *failing) Stat(ctx context.Context, name string) (store.Info, error) {
	if strings.HasSuffix(name, "/lock") {
		return store.Stat(ctx, f.Store, name) // how locks fail is for package store
	}
	if err := f.fail(); err != nil {
		return store.Info{}, err
	}
	return store.Stat(ctx, f.Store, name)
}

func (f *failing) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	if err := f.fail(); err != nil {
		return func(yield func(store.Info, error) bool) { yield(store.Info{}, err) }
	}
	return f.Store.List(ctx, prefix)
}

func (f *failing) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	return f.Store.(store.Swapper).PutIf(ctx, name, tag, r) // locks, which are of another package
}

func (f *failing) NewBatch(ctx context.Context) (store.Batch, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	b, err := store.NewBatch(ctx, f.Store)
	return failingBatch{b, f}, err
}

type failingBatch struct {
	store.Batch
	f *failing
}

func (b failingBatch) Create(ctx context.Context) (store.Draft, error) {
	if err := b.f.fail(); err != nil {
		return nil, err
	}
	return b.Batch.Create(ctx)
}

func (b failingBatch) Flush(ctx context.Context) error {
	if err := b.f.fail(); err != nil {
		return err
	}
	return b.Batch.Flush(ctx)
}

// A failure is an operation in whose course the store may fail.
type failure struct {
	run func(ctx context.Context, r *repo.Repository) error
}

// filled returns a store with a repository of two packages, the index of a search and a
// transaction that is suspended.
func filled(t *testing.T) store.Store {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "both", "of a")
	publish(t, r, "b@1", "both", "of b")
	require.NoError(t, r.RebuildIndex(t.Context(), "test.org"))
	tx, err := r.Begin(t.Context(), fmri.MustParse("slow@1"))
	require.NoError(t, err)
	require.NoError(t, tx.Add(t.Context(), fileAction("slow"), strings.NewReader("slow")))
	require.NoError(t, tx.(*repo.Transaction).Suspend(t.Context()))
	return s
}

// The packages of filled.
var (
	filledA = fmri.MustParse("pkg://test.org/a@1,5.11:20260102T030405Z")
	filledB = fmri.MustParse("pkg://test.org/b@1,5.11:20260102T030405Z")
)

// readings are operations that change nothing.
func readings() map[string]failure {
	return map[string]failure{
		"publishers": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Publishers(ctx)) }},
		"default":    {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.DefaultPublisher(ctx)) }},
		"catalog":    {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Catalog(ctx, "test.org")) }},
		"manifest":   {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Manifest(ctx, filledA)) }},
		"manifest of whomever": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Manifest(ctx, fmri.MustParse("a@1,5.11:20260102T030405Z")))
		}},
		"payload": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Payload(ctx, "", manifest.SHA1.Sum([]byte("both"))))
		}},
		"catalog file": {run: func(ctx context.Context, r *repo.Repository) error {
			_, _, err := r.CatalogFile(ctx, "test.org", "catalog.attrs")
			return err
		}},
		"properties": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Properties(ctx)) }},
		"publisher's properties": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.PublisherProperties(ctx, "test.org"))
		}},
		"info": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Info(ctx, "test.org")) }},
		"busy": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Busy(ctx, "test.org")) }},
		"resume": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Resume(ctx, "1767323045_"+fmri.Escape("pkg://test.org/slow@1,5.11:20260102T030405Z")))
		}},
		"append": {run: func(ctx context.Context, r *repo.Repository) error {
			tx, err := r.Append(ctx, filledA)
			if err == nil {
				err = tx.Abort(ctx)
			}
			return err
		}},
		"find": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(new(repo.Selection).Find(ctx, r)) }},
		"diff": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(repo.Diff(ctx, r, r)) }},
		"search": {run: func(ctx context.Context, r *repo.Repository) error {
			q, err := search.ParseQuery("path:both")
			if err != nil {
				return err
			}
			for _, err := range r.Search(ctx, "test.org", q, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// writings are operations that change something.
func writings(t *testing.T) map[string]failure {
	src := create(t, store.Memory())
	c := publish(t, src, "c@1", "both", "of c")
	publish(t, src, filledA.String(), "both", "of a")
	return map[string]failure{
		"publish": {run: func(ctx context.Context, r *repo.Repository) error {
			tx, err := r.Begin(ctx, fmri.MustParse("new@1"))
			if err != nil {
				return err
			}
			defer tx.Abort(ctx)
			if err := tx.Add(ctx, fileAction("new"), strings.NewReader("new")); err != nil {
				return err
			}
			return errOf(tx.Commit(ctx))
		}},
		"copy": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(repo.Copy(ctx, r, src, slices.Values([]fmri.FMRI{c}), &repo.CopyOptions{Parallel: 1}))
		}},
		"clone": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(repo.Clone(ctx, r, src, "test.org", &repo.CopyOptions{Parallel: 1}))
		}},
		"clone by copies": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(repo.Clone(ctx, r, struct{ repo.Source }{src}, "test.org", &repo.CopyOptions{Parallel: 1}))
		}},
		"remove":          {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Remove(ctx, filledA)) }},
		"rebuild catalog": {run: func(ctx context.Context, r *repo.Repository) error { return r.RebuildCatalog(ctx, "test.org") }},
		"rebuild index":   {run: func(ctx context.Context, r *repo.Repository) error { return r.RebuildIndex(ctx, "test.org") }},
		"refresh index": {run: func(ctx context.Context, r *repo.Repository) error {
			return r.RefreshIndex(ctx, "test.org")
		}},
		"refresh": {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Refresh(ctx, "test.org")) }},
		"thin": {run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Thin(ctx, "test.org", &upkeep.Retention{Keep: func(p catalog.Package) bool { return p.FMRI() == filledB }, Newest: 1}))
		}},
		"fix":           {run: func(ctx context.Context, r *repo.Repository) error { return errOf(r.Fix(ctx, nil)) }},
		"add publisher": {run: func(ctx context.Context, r *repo.Repository) error { return r.AddPublisher(ctx, "new.org") }},
		"remove publisher": {run: func(ctx context.Context, r *repo.Repository) error {
			return r.RemovePublisher(ctx, "test.org")
		}},
		"set properties": {run: func(ctx context.Context, r *repo.Repository) error {
			return r.SetProperties(ctx, repo.Property{Section: "a", Name: "b", Value: repo.Text("c")})
		}},
		"set publisher's properties": {run: func(ctx context.Context, r *repo.Repository) error {
			return r.SetPublisherProperties(ctx, "test.org", repo.Property{Section: "publisher", Name: "alias", Value: repo.Text("t")})
		}},
		"suspend": {run: func(ctx context.Context, r *repo.Repository) error {
			tx, err := r.Begin(ctx, fmri.MustParse("late@1"))
			if err != nil {
				return err
			}
			defer tx.Abort(ctx)
			if err := tx.Add(ctx, fileAction("late"), strings.NewReader("late")); err != nil {
				return err
			}
			return tx.(*repo.Transaction).Suspend(ctx)
		}},
	}
}

// TestReadingFails has the store fail in each of the calls that an operation makes. The
// error says what was asked and why it failed, or the operation does without.
func TestReadingFails(t *testing.T) {
	s := filled(t)
	for name, f := range readings() {
		t.Run(name, func(t *testing.T) {
			want := objects(t, s, "")
			for n := 1; f.failsAt(t, s, n); n++ {
			}
			require.Empty(t, cmp.Diff(want, objects(t, s, "")), "nothing was written")
		})
	}
}

// failsAt runs the operation with a store that fails in its n-th call, and reports whether
// there were so many.
func (f failure) failsAt(t *testing.T, s store.Store, n int) bool {
	t.Helper()
	broken := &failing{Store: s}
	r, err := repo.Open(t.Context(), broken, testOptions())
	require.NoError(t, err)
	broken.left = n
	err = f.run(t.Context(), r)
	broken.left = 0
	if err == nil {
		return broken.hit
	}
	require.ErrorIs(t, err, errBroken, "call %d", n)
	var asked *repo.Error
	require.ErrorAs(t, err, &asked, "call %d", n)
	require.NotEmpty(t, asked.Op)
	return true
}

// TestWritingFails has the store fail in each of the calls of an operation that writes.
// Whatever it was, what is listed is whole afterwards, and the operation can be done again.
func TestWritingFails(t *testing.T) {
	for name, f := range writings(t) {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				s := filled(t)
				if !f.failsAt(t, s, n) {
					break
				}
				r := open(t, s)
				if name != "remove publisher" {
					noFindings(t, r)
				}
				if err := f.run(t.Context(), r); err != nil && name != "publish" && name != "remove" && name != "add publisher" && name != "remove publisher" && name != "suspend" {
					t.Errorf("again after call %d: %v", n, err)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}
