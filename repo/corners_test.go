package repo_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestLocationCase reads schemes in whatever case, with and without slashes behind them.
func TestLocationCase(t *testing.T) {
	for text, path := range map[string]string{"FILE:/srv": "/srv", "File:///srv": "/srv", "FILE:srv": "FILE:srv"} {
		l, err := repo.ParseLocation(text)
		require.NoError(t, err)
		require.Equal(t, filepath.FromSlash(path), l.Path(), text)
	}
}

// TestValueQuotes: in single quotes a backslash is one.
func TestValueQuotes(t *testing.T) {
	v, err := repo.ParseValue(`('a\\b' "c\\d" e\\f 'g"h')`)
	require.NoError(t, err)
	items, isList := v.Items()
	require.True(t, isList)
	require.Empty(t, cmp.Diff([]string{`a\\b`, `c\d`, `e\f`, `g"h`}, items))
}

// TestLatestOfAll: the latest version of a package is the latest of all publishers.
func TestLatestOfAll(t *testing.T) {
	r := create(t, store.Memory())
	publish(t, r, "pkg://one.org/x@1", "one")
	want := publish(t, r, "pkg://two.org/x@2", "two")
	s := repo.Selection{Patterns: []fmri.Pattern{fmri.MustParsePattern("x@latest")}}
	found, err := s.Find(t.Context(), r)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]fmri.FMRI{want}, found, sameNames))
}

// TestConfigUnchanged writes nothing where nothing changes.
func TestConfigUnchanged(t *testing.T) {
	dir := t.TempDir()
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	defer r.Close()
	stat := func() fs.FileInfo {
		info, err := os.Stat(filepath.Join(dir, "pkg5.repository"))
		require.NoError(t, err)
		return info
	}
	before := stat()
	set := func(value string) {
		require.NoError(t, r.SetProperties(t.Context(), repo.Property{Section: "publisher", Name: "prefix", Value: repo.Text(value)}))
	}
	set("test.org")
	require.True(t, os.SameFile(before, stat()))
	set("other.org")
	require.False(t, os.SameFile(before, stat()))
}

// An ending source ends the context of who asks it.
type ending struct {
	repo.Source
	end func()
}

func (e ending) Manifest(context.Context, fmri.FMRI) (*manifest.Manifest, error) {
	e.end()
	return nil, errBroken
}

// TestJoinEnded does not ask further sources when the context has ended.
func TestJoinEnded(t *testing.T) {
	r := create(t, store.Memory())
	f := publish(t, r, "a@1", "content")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := repo.Join(ending{r, func() {}}, r).Manifest(ctx, f)
	require.NoError(t, err)
	asked := 0
	_, err = repo.Join(ending{r, cancel}, ending{r, func() { asked++ }}).Manifest(ctx, f)
	require.ErrorIs(t, err, errBroken)
	require.Zero(t, asked)
}

// TestDifferenceIsEmpty: a publisher without packages is something.
func TestDifferenceIsEmpty(t *testing.T) {
	for _, d := range []repo.Difference{{}, {HasA: true, HasB: true}} {
		require.True(t, d.IsEmpty())
	}
	for _, d := range []repo.Difference{{HasA: true}, {HasB: true}} {
		require.False(t, d.IsEmpty())
	}
}

// A following source has a catalog that follows its manifests, the second time it is asked.
type following struct {
	repo.Source
	old   *catalog.Catalog
	asked int
}

func (s *following) Catalog(ctx context.Context, publisher string) (*catalog.Catalog, error) {
	if s.asked++; s.asked == 1 {
		return s.old, nil
	}
	return s.Source.Catalog(ctx, publisher)
}

// TestListedWaits gives a catalog the time to follow a manifest that was signed.
func TestListedWaits(t *testing.T) {
	r := create(t, store.Memory())
	f := publish(t, r, "a@1", "content")
	old, err := r.Catalog(t.Context(), "test.org")
	require.NoError(t, err)
	require.NoError(t, trySign(t.Context(), r, f))
	src := &following{Source: r, old: old}
	m, err := repo.Listed(src).Manifest(t.Context(), f)
	require.NoError(t, err)
	signatures := 0
	for range m.Kind(manifest.KindSignature) {
		signatures++
	}
	require.Equal(t, 1, signatures)
	require.Equal(t, 2, src.asked)
}

// TestEnlistLate lists nothing twice: another has listed it while one waited.
func TestEnlistLate(t *testing.T) {
	dir := t.TempDir()
	other, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, testOptions())
	require.NoError(t, err)
	defer other.Close()
	publish(t, other, "a@1", "content")
	f := publish(t, repo.Unlisted(other), "b@1", "content")
	lock, err := store.Acquire(t.Context(), openDir(t, dir), "publisher/test.org/tmp/lock", &store.LockOptions{Note: []byte("17\nfar.example\n\n")})
	require.NoError(t, err)
	waited := 0
	opts := testOptions()
	opts.Waiting = func(e *repo.BusyError) {
		waited++
		require.Equal(t, "17 far.example test.org", strings.Join([]string{e.Process, e.Host, e.Publisher}, " "))
		require.NoError(t, lock.Release())
		require.Len(t, must(other.RefreshCatalog(t.Context(), "test.org")), 1)
	}
	r, err := repo.OpenDir(t.Context(), dir, opts)
	require.NoError(t, err)
	defer r.Close()
	added, err := r.Enlist(t.Context(), f)
	require.NoError(t, err)
	require.Empty(t, added)
	require.Equal(t, 1, waited)
	require.Len(t, list(t, r, "test.org"), 2)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestEnlistUnreadable leaves out what cannot be read, and lists the rest.
func TestEnlistUnreadable(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	bad := publish(t, repo.Unlisted(r), "a@1", "content")
	good := publish(t, repo.Unlisted(r), "b@1", "content")
	require.NoError(t, s.Put(t.Context(), "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z", strings.NewReader("no manifest")))
	added, err := r.Enlist(t.Context(), bad, good)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]fmri.FMRI{good}, added, sameNames))
	require.Empty(t, cmp.Diff([]string{good.String()}, list(t, r, "test.org")))
}

// TestJournalEmpty: a journal that lost its text with the power keeps nobody from writing.
func TestJournalEmpty(t *testing.T) {
	const journal = "publisher/test.org/tmp/ips.journal"
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "content")
	require.NoError(t, s.Put(t.Context(), journal, bytes.NewReader(nil)))
	publish(t, r, "b@1", "content")
	require.NotContains(t, objects(t, s, ""), journal)
}

// TestRebuildStrays removes what does not belong to a catalog.
func TestRebuildStrays(t *testing.T) {
	const stray = "publisher/test.org/catalog/update.20200101T00Z.C"
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "content")
	require.NoError(t, s.Put(t.Context(), stray, strings.NewReader("{}")))
	require.NoError(t, r.RebuildCatalog(t.Context(), "test.org"))
	require.NotContains(t, objects(t, s, ""), stray)
}

// A watched store tells what is done to it, before it is, one object after the other.
type watched struct {
	store.Store
	mu  sync.Mutex
	see func(op, name string)
}

func (w *watched) tell(op, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.see != nil {
		w.see(op, name)
	}
}

func (w *watched) Put(ctx context.Context, name string, r io.Reader) error {
	w.tell("put", name)
	return w.Store.Put(ctx, name, r)
}

func (w *watched) Remove(ctx context.Context, name string) error {
	w.tell("remove", name)
	return w.Store.Remove(ctx, name)
}

func (w *watched) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	return w.Store.(store.Swapper).PutIf(ctx, name, tag, r)
}

// TestLockLost publishes nothing when the lock has passed to another while the catalog
// was being written.
func TestLockLost(t *testing.T) {
	s := &watched{Store: store.Memory()}
	r := create(t, s)
	publish(t, r, "a@1", "content")
	before := objects(t, s, "publisher/test.org/catalog/catalog.attrs")
	s.see = func(op, name string) {
		if op == "put" && name == "publisher/test.org/catalog/catalog.base.C" {
			require.NoError(t, s.Store.Put(t.Context(), "publisher/test.org/tmp/lock", strings.NewReader("thief")))
		}
	}
	err := tryPublish(t.Context(), r, "b@1", "content")
	var locked *store.LockedError
	require.ErrorAs(t, err, &locked)
	s.see = nil
	require.Empty(t, cmp.Diff(before, objects(t, s, "publisher/test.org/catalog/catalog.attrs")))
}

// TestDropOrder removes a publisher's catalog first, so that nobody finds half a
// publisher, and its journal and lock last, so that it is clear whose what is left is.
func TestDropOrder(t *testing.T) {
	s := &watched{Store: store.Memory()}
	r := create(t, s)
	publish(t, r, "a@1", "content")
	var removed []string
	s.see = func(op, name string) {
		if op == "remove" {
			removed = append(removed, strings.TrimPrefix(name, "publisher/test.org/"))
		}
	}
	require.NoError(t, r.RemovePublisher(t.Context(), "test.org"))
	require.Greater(t, len(removed), 5)
	require.Equal(t, "catalog/catalog.attrs", removed[0])
	at := slices.Index(removed, "tmp/lock")
	require.Positive(t, at)
	require.Equal(t, "tmp/ips.journal", removed[at-1])
}

// TestAppendSuspended goes on signing: what was published takes no other actions.
func TestAppendSuspended(t *testing.T) {
	r := create(t, store.Memory())
	f := publish(t, r, "a@1", "content")
	tx, err := r.Append(t.Context(), f)
	require.NoError(t, err)
	first := tx.(*repo.Transaction)
	require.NoError(t, first.Suspend(t.Context()))
	again, err := r.Resume(t.Context(), first.ID())
	require.NoError(t, err)
	require.ErrorIs(t, again.Add(t.Context(), fileAction("more"), strings.NewReader("more")), fs.ErrInvalid)
	require.NoError(t, again.Add(t.Context(), signatureAction, strings.NewReader("certificate")))
	_, err = again.Commit(t.Context())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]string{f.String()}, list(t, r, "test.org")))
}

// TestResumeOther refuses the name of a transaction that has another time than its package.
func TestResumeOther(t *testing.T) {
	r := create(t, store.Memory())
	tx := begin(t, r, "a@1").(*repo.Transaction)
	require.NoError(t, tx.Suspend(t.Context()))
	_, name, _ := strings.Cut(tx.ID(), "_")
	_, err := r.Resume(t.Context(), "1_"+name)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "a transaction is not called like that")
}

// TestBusyOwn names this process to others.
func TestBusyOwn(t *testing.T) {
	dir := t.TempDir()
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	defer r.Close()
	publish(t, r, "a@1", "content")
	other, err := repo.OpenDir(t.Context(), dir, nil)
	require.NoError(t, err)
	defer other.Close()
	host, err := os.Hostname()
	require.NoError(t, err)
	asked := 0
	_, err = r.Fix(t.Context(), &repo.FixOptions{Verify: repo.VerifyOptions{Progress: func(repo.Event) {
		asked++
		var busy *repo.BusyError
		require.ErrorAs(t, other.RebuildCatalog(t.Context(), "test.org"), &busy)
		require.Equal(t, strconv.Itoa(os.Getpid())+" "+host, busy.Process+" "+busy.Host)
		writing, err := other.Busy(t.Context(), "test.org")
		require.NoError(t, err)
		require.True(t, writing)
	}}})
	require.NoError(t, err)
	require.Equal(t, 1, asked)
}

// TestBusyDead: what a dead process has left of its lock is no lock.
func TestBusyDead(t *testing.T) {
	dir := t.TempDir()
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	defer r.Close()
	publish(t, r, "a@1", "content")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "publisher/test.org/tmp/lock"), []byte("17\nfar.example\n\n"), 0o644))
	writing, err := r.Busy(t.Context(), "test.org")
	require.NoError(t, err)
	require.False(t, writing)
}

// TestContradiction refuses at once what a package cannot be beside what it is.
func TestContradiction(t *testing.T) {
	obsolete := manifest.MustParseAction("set name=pkg.obsolete value=true")
	renamed := manifest.MustParseAction("set name=pkg.renamed value=true")
	dir := manifest.MustParseAction("dir path=opt mode=0755 owner=root group=bin")
	depend := manifest.MustParseAction("depend type=require fmri=b")
	for name, actions := range map[string][]manifest.Action{
		"contents of what is obsolete":          {obsolete, dir},
		"obsolete with contents":                {dir, obsolete},
		"dependency of what is obsolete":        {obsolete, depend},
		"contents of what is renamed":           {renamed, depend, dir},
		"obsolete and renamed":                  {renamed, obsolete},
		"contents again of what has it":         {dir, manifest.MustParseAction("dir path=opt/a mode=0755 owner=root group=bin"), renamed},
		"contents of what is obsolete, resumed": {obsolete, manifest.Action{}, dir},
	} {
		t.Run(name, func(t *testing.T) {
			r := create(t, store.Memory())
			tx := begin(t, r, "a@1").(*repo.Transaction)
			for _, a := range actions[:len(actions)-1] {
				if a.Kind.IsValid() {
					require.NoError(t, tx.Add(t.Context(), a, nil))
					continue
				}
				require.NoError(t, tx.Suspend(t.Context()))
				var err error
				tx, err = r.Resume(t.Context(), tx.ID())
				require.NoError(t, err)
			}
			var at *manifest.AttrError
			require.ErrorAs(t, tx.Add(t.Context(), actions[len(actions)-1], nil), &at)
		})
	}
}

// TestKeptDirs: a publisher without packages still has its directories.
func TestKeptDirs(t *testing.T) {
	dir := t.TempDir()
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, nil)
	require.NoError(t, err)
	defer r.Close()
	f := publish(t, r, "a@1", "content")
	require.Equal(t, 1, must(r.Remove(t.Context(), f)).Freed.Payloads)
	for _, name := range []string{"file", "pkg"} {
		entries, err := os.ReadDir(filepath.Join(dir, "publisher/test.org", name))
		require.NoError(t, err)
		require.Empty(t, entries)
	}
}

// TestContentFirst: of a payload that is another in its content and in its stored form,
// which is longer, the content is told.
func TestContentFirst(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	want, got := strings.Repeat("a", 300), strings.Repeat("a", 150)+"0123456789bcdefghijklmnopqrstuvwxyz"+strings.Repeat("a", 115)
	publish(t, r, "a@1", want, got)
	sha := func(text string) string { return manifest.SHA1.Sum([]byte(text)).Hex() }
	place := func(hash string) string { return "publisher/test.org/file/" + hash[:2] + "/" + hash }
	other := objects(t, s, "")[place(sha(got))]
	require.NoError(t, s.Put(t.Context(), place(sha(want)), strings.NewReader(other)))
	findings := 0
	for f, err := range r.Check(t.Context(), nil) {
		require.NoError(t, err)
		findings++
		require.Equal(t, repo.BadHash, f.Fault)
		var hash *manifest.HashError
		require.ErrorAs(t, f.Err, &hash)
		require.Equal(t, hash.Got.Algorithm().Sum([]byte(got)), hash.Got)
		require.Equal(t, hash.Want.Algorithm().Sum([]byte(want)), hash.Want)
	}
	require.Equal(t, 1, findings)
}

// TestTakeOther takes no payload that is another than the manifest says.
func TestTakeOther(t *testing.T) {
	src := create(t, store.Memory())
	m := must(src.Manifest(t.Context(), publish(t, src, "a@1", "content", "context")))
	var payloads []manifest.Payload
	for a := range m.Kind(manifest.KindFile) {
		payloads = append(payloads, must(a.Payload()))
	}
	other := must(src.Payload(t.Context(), "test.org", payloads[1].Name()))
	defer other.Close()
	tx := begin(t, create(t, store.Memory()), "a@1")
	var damaged *manifest.PayloadError
	require.ErrorAs(t, repo.Take(t.Context(), tx, payloads[0], other), &damaged)
}

// A counting store counts the readers of one object that are open.
type counting struct {
	store.Store
	name string
	open int
	all  int
}

func (c *counting) Open(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	r, info, err := c.Store.Open(ctx, name)
	if err != nil || name != c.name {
		return r, info, err
	}
	c.open++
	c.all++
	return countedReader{r, r.(io.ReaderAt), func() { c.open-- }}, info, nil
}

type countedReader struct {
	io.ReadCloser
	io.ReaderAt
	closed func()
}

func (r countedReader) Close() error {
	r.closed()
	return r.ReadCloser.Close()
}

// TestIndexClosed leaves no index open of a catalog that cannot be read.
func TestIndexClosed(t *testing.T) {
	mem := store.Memory()
	full := create(t, mem)
	b, err := full.NewBatch(t.Context())
	require.NoError(t, err)
	for i := range 1000 {
		publish(t, b, "p"+strconv.Itoa(i)+"@1")
	}
	require.NoError(t, b.Commit(t.Context()))
	s := &counting{Store: mem, name: "publisher/test.org/tmp/ips.index"}
	require.Contains(t, objects(t, mem, ""), s.name)
	require.NoError(t, mem.Put(t.Context(), "publisher/test.org/catalog/catalog.attrs", strings.NewReader("no attributes")))
	r, err := repo.Open(t.Context(), s, nil)
	require.NoError(t, err)
	_, err = r.Catalog(t.Context(), "test.org")
	require.Error(t, err)
	require.NotZero(t, s.all)
	require.Zero(t, s.open)
}
