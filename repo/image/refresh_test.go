package image

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// originsImage makes an image where the publisher p has the origins good:/ and other:/, and
// q has bad:/. What an origin answers is in the map, nothing if it does not.
func originsImage(t *testing.T, answers map[string]*shelf) (*Image, *Options) {
	t.Helper()
	opts := newShelf().options()
	opts.Openers = repo.Openers{}
	for _, scheme := range []string{"good", "other", "bad"} {
		opts.Openers[scheme] = repo.Opener{Source: func(context.Context, repo.Location) (repo.SourceCloser, error) {
			if s := answers[scheme]; s != nil {
				return struct {
					repo.Source
					nothing
				}{s, nothing{}}, nil
			}
			return nil, errors.New("nobody answers")
		}}
	}
	c := Config{Publishers: []Publisher{
		{Name: "p", Origins: []string{"good://x/", "other://x/"}},
		{Name: "q", Origins: []string{"bad://x/"}},
	}}
	i, err := create(t.Context(), tempDir(t), c, opts, hooks{volatile: true})
	require.NoError(t, err)
	t.Cleanup(func() { i.Close() })
	return i, opts
}

type nothing struct{}

func (nothing) Close() error { return nil }

// known returns what an image knows as name@version, sorted by publisher and name.
func known(i *Image) []string {
	list := []string{}
	for p := range i.Known().All() {
		list = append(list, p.Publisher()+"/"+p.Name()+"@"+p.Version().Short())
	}
	return list
}

// TestRefreshPartly refreshes what answers, keeps what was known of the rest, and says
// which origins did not answer; the same to memory.
func TestRefreshPartly(t *testing.T) {
	first, second, third, later := newShelf(), newShelf(), newShelf(), newShelf()
	first.publish(t, "set name=pkg.fmri value=pkg://p/a@1-0\n", nil)
	second.publish(t, "set name=pkg.fmri value=pkg://p/b@1-0\n", nil)
	third.publish(t, "set name=pkg.fmri value=pkg://q/c@1-0\n", nil)
	later.publish(t, "set name=pkg.fmri value=pkg://p/a@2-0\n", nil)
	answers := map[string]*shelf{"good": first, "other": second, "bad": third}
	i, opts := originsImage(t, answers)
	require.NoError(t, i.Refresh(t.Context()))
	require.Equal(t, []string{"p/a@1-0", "p/b@1-0", "q/c@1-0"}, known(i))
	stamp := func() []byte {
		text, err := os.ReadFile(filepath.Join(i.Root(), ".org.opensolaris,pkg/publisher/q/last_refreshed"))
		require.NoError(t, err)
		return text
	}
	before := stamp()

	answers["good"], answers["other"], answers["bad"] = later, nil, nil
	want := "publisher p: origin other://x/: nobody answers\npublisher q: origin bad://x/: nobody answers"
	opts.ReadOnly = true
	r, err := open(t.Context(), i.Root(), opts, hooks{volatile: true})
	require.NoError(t, err)
	defer r.Close()
	require.EqualError(t, r.Refresh(t.Context()), "image "+i.Root()+": refresh: "+want)
	require.Equal(t, []string{"p/a@1-0", "p/a@2-0", "p/b@1-0", "q/c@1-0"}, known(r))
	require.Equal(t, []string{"p/a@1-0", "p/b@1-0", "q/c@1-0"}, known(i))

	err = i.Refresh(t.Context())
	require.EqualError(t, err, "image "+i.Root()+": refresh: "+want)
	var origin *OriginError
	require.ErrorAs(t, err, &origin)
	require.Equal(t, OriginError{Publisher: "p", Origin: "other://x/", Err: origin.Err}, *origin)
	require.Equal(t, []string{"p/a@1-0", "p/a@2-0", "p/b@1-0", "q/c@1-0"}, known(i))
	require.Equal(t, before, stamp(), "what was not refreshed is not stamped")

	answers["other"], answers["bad"] = second, third
	require.NoError(t, i.Refresh(t.Context()))
	require.Equal(t, []string{"p/a@2-0", "p/b@1-0", "q/c@1-0"}, known(i), "what an origin has dropped is gone when all answer")
}

// TestRefreshCanceled changes nothing.
func TestRefreshCanceled(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/a@1-0\n", nil)
	i, _ := originsImage(t, map[string]*shelf{"good": s})
	ctx, cancel := context.WithCancel(t.Context())
	i.opts.Progress = func(repo.Event) { cancel() }
	require.ErrorIs(t, i.Refresh(ctx), context.Canceled)
	require.Empty(t, known(i))
}

// TestStaleArchive goes on after an origin that is a file, and is gone.
func TestStaleArchive(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/a@1-0\n", nil)
	i, _ := originsImage(t, map[string]*shelf{"good": s})
	i.opts.Openers["file"] = repo.Local(nil)["file"]
	c := i.Config()
	c.Publishers[0].Origins = []string{"file:///nowhere/stale.p5p", "good://x/"}
	c.Publishers = c.Publishers[:1]
	require.NoError(t, i.SetConfig(t.Context(), c))
	err := i.Refresh(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "origin file:///nowhere/stale.p5p")
	require.Equal(t, []string{"p/a@1-0"}, known(i))
}

// TestPublishedFiles keeps the parts of a publisher's catalog as they were received, without
// update logs and what an older catalog had.
func TestPublishedFiles(t *testing.T) {
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{DefaultPublisher: "p"}, nil)
	require.NoError(t, err)
	tx, err := r.Begin(t.Context(), fmri.MustParse("pkg://p/a@1-0"))
	require.NoError(t, err)
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
	c, err := r.Catalog(t.Context(), "p")
	require.NoError(t, err)
	logs := 0
	for f := range c.Files() {
		if isLog(f.Name) {
			logs++
		}
	}
	require.Positive(t, logs, "the repository has a log")

	i, opts := originsImage(t, map[string]*shelf{})
	opts.Openers["good"], opts.Openers["other"] = repo.Opened(r), repo.Opened(r)
	conf := i.Config()
	conf.Publishers = []Publisher{{Name: "p", Origins: []string{"good://x/"}}}
	require.NoError(t, i.SetConfig(t.Context(), conf))
	dir := filepath.Join(i.Root(), ".org.opensolaris,pkg/publisher/p/catalog")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "catalog.old.C"), 0o755))
	require.NoError(t, i.Refresh(t.Context()))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"catalog.attrs", "catalog.base.C"}, names)
	kept, err := os.ReadFile(filepath.Join(dir, "catalog.attrs"))
	require.NoError(t, err)
	for f := range c.Files() {
		if f.Name == "catalog.attrs" {
			var b bytes.Buffer
			_, err := f.WriteTo(&b)
			require.NoError(t, err)
			require.Equal(t, b.String(), string(kept))
		}
	}
}

// TestDisabledPublisher neither asks a publisher that is disabled nor lists what it had, but
// for what is installed of it.
func TestDisabledPublisher(t *testing.T) {
	p, q := newShelf(), newShelf()
	p.publish(t, "set name=pkg.fmri value=pkg://p/a@1-0\n", nil)
	q.publish(t, "set name=pkg.fmri value=pkg://q/b@1-0\n", nil)
	q.publish(t, "set name=pkg.fmri value=pkg://q/c@1-0\n", nil)
	answers := map[string]*shelf{"good": p, "other": p, "bad": q}
	i, _ := originsImage(t, answers)
	require.NoError(t, i.Refresh(t.Context()))
	require.NoError(t, install(t, i, "b"))
	c := i.Config()
	c.Publishers[1].Disabled = true
	require.NoError(t, i.SetConfig(t.Context(), c))
	answers["bad"] = nil
	require.NoError(t, i.Refresh(t.Context()))
	require.Equal(t, []string{"p/a@1-0", "q/b@1-0"}, known(i))
	var installed Status
	for p := range i.Known().All() {
		if p.Name() == "b" {
			installed = StatusOf(p)
			require.False(t, readMetadata(p).has(stateKnown), "nobody offers it")
		}
	}
	require.True(t, installed.Installed)
	require.Equal(t, []string{"pkg://q/b@1-0"}, names(i))
}
