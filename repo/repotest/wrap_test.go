package repotest_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
)

// calls counts the methods that a wrapped sink is told of.
type calls struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *calls) called(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[method]++
}

func small(t *testing.T) (repo.Source, []fmri.FMRI) {
	src := repotest.Small(t)
	pkgs, err := new(repo.Selection).Find(t.Context(), src)
	require.NoError(t, err)
	return src, pkgs
}

func empty(t *testing.T) *repo.Repository {
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{DefaultPublisher: "small.example"}, nil)
	require.NoError(t, err)
	return r
}

// TestWrapCopies copies through a wrapper: one batch, and each payload asked for and
// taken by what its manifest says.
func TestWrapCopies(t *testing.T) {
	src, pkgs := small(t)
	dst := empty(t)
	var c calls
	done, err := repo.Copy(t.Context(), repotest.Wrap(dst, c.called), src, slices.Values(pkgs), nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(map[string]int{"NewBatch": 1, "Begin": 4, "Holds": 5, "Take": done.Brought.Payloads}, c.n))
	require.Equal(t, 5, done.Brought.Payloads+done.Held.Payloads)
	require.GreaterOrEqual(t, done.Brought.Payloads, 4)
	require.Empty(t, cmp.Diff(pkgs, done.Copied, cmp.Comparer(func(a, b fmri.FMRI) bool { return a == b })))
	require.NoError(t, repotest.TestSource(t.Context(), dst, pkgs...))
}

// TestWrapPublishes publishes through a wrapper: several payloads are on their way at
// once, and without the optional methods never more than one.
func TestWrapPublishes(t *testing.T) {
	for name, test := range map[string]struct {
		wrap func(repo.Sink, func(string)) repo.Sink
		most int
	}{
		"Wrap": {repotest.Wrap, 4},
		"Bare": {func(s repo.Sink, _ func(string)) repo.Sink { return repotest.Bare(s) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var c calls
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // if they never meet
			defer cancel()
			w := meeting{ctx: ctx, want: test.most, all: make(chan struct{})}
			_, err := repo.Publish(t.Context(), test.wrap(empty(t), c.called), files(t, 8), &repo.PublishOptions{
				Content: w.content, Parallel: 4,
			})
			require.NoError(t, err)
			require.Equal(t, test.most, w.most)
		})
	}
}

// TestWrapUnlists stores without listing, alone and in a batch.
func TestWrapUnlists(t *testing.T) {
	src, pkgs := small(t)
	dst := empty(t)
	var c calls
	_, err := repo.Copy(t.Context(), repo.Unlisted(repotest.Wrap(dst, c.called)), src, slices.Values(pkgs), nil)
	require.NoError(t, err)
	require.Equal(t, 4, c.n["Unlist"])
	require.Equal(t, 1, c.n["NewBatch"])
	known, err := dst.Catalog(t.Context(), "small.example")
	require.NoError(t, err)
	require.Zero(t, known.Len())
	added, err := dst.Refresh(t.Context(), "small.example")
	require.NoError(t, err)
	require.Len(t, added, 4)
}

// TestWrapRest goes on to what a sink can do besides, and says what it cannot.
func TestWrapRest(t *testing.T) {
	src, pkgs := small(t)
	dst := empty(t)
	var c calls
	sink := repotest.Wrap(dst, c.called)
	done, err := repo.Clone(t.Context(), sink, src, "small.example", nil)
	require.NoError(t, err)
	require.Len(t, done.Copy.Copied, len(pkgs))
	tx, err := repo.Append(t.Context(), sink, pkgs[0])
	require.NoError(t, err)
	require.NoError(t, tx.Abort(t.Context()))
	require.Equal(t, []string{"Append", "Clone"}, slices.Sorted(maps.Keys(c.n)))

	plain := repotest.Bare(dst)
	_, err = repo.Clone(t.Context(), plain, src, "small.example", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.EqualError(t, err, "clone small.example: the destination can only be added to")
	_, err = repo.Append(t.Context(), plain, pkgs[0])
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = repo.Unlisted(plain).Begin(t.Context(), fmri.MustParse("new@1"))
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// files returns a manifest of n files.
func files(t *testing.T, n int) *manifest.Manifest {
	text := "set name=pkg.fmri value=pkg://small.example/files@1.0\n"
	for i := range n {
		text += "file path=" + strings.Repeat("f", i+1) + " mode=0444 owner=root group=bin\n"
	}
	m, err := manifest.Parse("files", []byte(text))
	require.NoError(t, err)
	return m
}

// A meeting is of those who open payloads: nobody leaves before so many are there at
// once as are wanted.
type meeting struct {
	ctx  context.Context
	want int
	all  chan struct{}

	mu        sync.Mutex
	now, most int
}

func (w *meeting) content(name string) (f fs.File, err error) {
	w.mu.Lock()
	w.now++
	if w.most = max(w.most, w.now); w.most == w.want && w.now == w.want {
		select {
		case <-w.all:
		default:
			close(w.all)
		}
	}
	w.mu.Unlock()
	select {
	case <-w.all:
	case <-w.ctx.Done():
		return nil, w.ctx.Err()
	}
	f, err = fstest.MapFS{name: {Data: []byte(name), Mode: 0o444}}.Open(name)
	return leaving{f, w}, err
}

// leaving is a file that leaves the meeting when it is closed.
type leaving struct {
	fs.File
	w *meeting
}

func (l leaving) Close() error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.now--
	return l.File.Close()
}
