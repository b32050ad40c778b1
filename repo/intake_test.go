package repo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

// once is content that can be read once, and whose size nobody knows.
type once struct{ r io.Reader }

func (o once) Read(p []byte) (int, error) { return o.r.Read(p) }

// begin starts a transaction.
func begin(t *testing.T, s repo.Sink, name string) repo.Tx {
	t.Helper()
	tx, err := s.Begin(t.Context(), fmri.MustParse(name))
	require.NoError(t, err)
	return tx
}

// commit publishes what a transaction has.
func commit(t *testing.T, tx repo.Tx) fmri.FMRI {
	t.Helper()
	f, err := tx.Commit(t.Context())
	require.NoError(t, err)
	return f
}

// TestContentOnce stores content that comes as a stream, a file or bytes in the same form,
// and says the same of it, whether it is an ELF file or not.
func TestContentOnce(t *testing.T) {
	elf, err := os.ReadFile("/bin/sh")
	if err != nil || !bytes.HasPrefix(elf, []byte("\x7fELF")) {
		elf = append([]byte("\x7fELF"), make([]byte, 100)...)
	}
	file := filepath.Join(t.TempDir(), "file")
	for name, content := range map[string][]byte{
		"empty": {}, "text": []byte("content"), "short": []byte("\x7fEL"), "elf": elf,
		"no elf after all": append([]byte("\x7fELF"), strings.Repeat("x", 5000)...),
	} {
		require.NoError(t, os.WriteFile(file, content, 0o600))
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		want := ""
		for i, r := range []io.Reader{once{bytes.NewReader(content)}, bytes.NewReader(content), f} {
			s := store.Memory()
			r0 := create(t, s)
			tx := begin(t, r0, "a@1")
			require.NoError(t, tx.Add(t.Context(), fileAction(name), r))
			m, err := r0.Manifest(t.Context(), commit(t, tx))
			require.NoError(t, err)
			text := string(m.Text()) + fmt.Sprint(objects(t, s, "publisher/test.org/file/"))
			if i == 0 {
				want = text
			}
			require.Equal(t, want, text, "%s, way %d", name, i)
			noFindings(t, r0)
		}
	}
}

// TestAddRefuses takes no action that could not be published, and none after the end.
func TestAddRefuses(t *testing.T) {
	r := create(t, store.Memory())
	f := publish(t, r, "signed@1", "content")
	tx := begin(t, r, "a@1")
	for text, want := range map[string]string{
		"file path=opt/x mode=0444 owner=root group=bin": "a file action without its payload",
		"license license=x":                 "a license action without its payload",
		"dir path=opt owner=root group=sys": "mode: missing",
		"link path=opt/x":                   "target: missing",
	} {
		err := tx.Add(t.Context(), manifest.MustParseAction(text), nil)
		require.Error(t, err, text)
		require.ErrorContains(t, err, "add to pkg://test.org/a@1,5.11:20260102T030405Z: ")
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, tx.Add(t.Context(), manifest.MustParseAction("set name=pkg.fmri value=pkg://else.org/other@9"), nil), "its name it knows itself")
	require.NoError(t, tx.Abort(t.Context()))
	require.ErrorIs(t, tx.Add(t.Context(), signatureAction, nil), repo.ErrEnded)
	require.ErrorIs(t, tx.SetManifest(t.Context(), parse(t, "set name=pkg.fmri value=pkg://test.org/a@1,5.11:20260102T030405Z\n")), repo.ErrEnded)
	require.ErrorIs(t, errOf(tx.Commit(t.Context())), repo.ErrEnded)
	require.NoError(t, tx.Abort(t.Context()), "again")

	signing, err := r.Append(t.Context(), f)
	require.NoError(t, err)
	err = signing.Add(t.Context(), manifest.MustParseAction("set name=x value=y"), nil)
	require.EqualError(t, err, "add to "+f.String()+": a set action; only signatures can be appended")
	require.NoError(t, signing.Abort(t.Context()))
	_, err = r.Append(t.Context(), fmri.MustParse("pkg://test.org/none@1,5.11:20260102T030405Z"))
	require.EqualError(t, err, "append to pkg://test.org/none@1,5.11:20260102T030405Z: the repository has no such package")
}

// TestSetManifestOther refuses the manifest of another package.
func TestSetManifestOther(t *testing.T) {
	tx := begin(t, create(t, store.Memory()), "pkg://test.org/a@1,5.11:20260102T030405Z")
	for text, want := range map[string]string{
		"set name=pkg.fmri value=pkg://test.org/b@1,5.11:20260102T030405Z\n": "it is the manifest of pkg://test.org/b@1,5.11:20260102T030405Z",
		"set name=pkg.fmri value=pkg://else.org/a@1,5.11:20260102T030405Z\n": "it is the manifest of pkg://else.org/a@1,5.11:20260102T030405Z",
		"set name=pkg.fmri value=a@1\n":                                      "it is the manifest of pkg://test.org/a@1,5.11",
		"dir path=opt mode=0755 owner=root group=sys\n":                      "it is the manifest of ",
	} {
		err := tx.SetManifest(t.Context(), parse(t, text))
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, tx.SetManifest(t.Context(), parse(t, "set name=pkg.fmri value=a@1,5.11:20260102T030405Z\n")), "without a publisher it is of this one")
	require.Equal(t, "pkg://test.org/a@1,5.11:20260102T030405Z", tx.(*repo.Transaction).FMRI().String())
	commit(t, tx)
}

// TestManifestWithoutPayload publishes no finished manifest whose payloads are not there.
func TestManifestWithoutPayload(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	tx := begin(t, r, "pkg://test.org/a@1,5.11:20260102T030405Z")
	d := manifest.SHA1.Sum([]byte("content"))
	m := parse(t, "set name=pkg.fmri value=pkg://test.org/a@1,5.11:20260102T030405Z\nfile "+d.Hex()+" path=x mode=0444 owner=root group=bin\n")
	require.NoError(t, tx.SetManifest(t.Context(), m))
	_, err := tx.Commit(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "find payload "+d.String())
	require.Empty(t, objects(t, s, "publisher/test.org/pkg/"))
	noFindings(t, r)
}

// TestStoreNames takes a stored form by the digest that its name is, whichever that is.
func TestStoreNames(t *testing.T) {
	stored := zipped(t, "content", gzip.BestSpeed)
	for _, alg := range []manifest.Algorithm{manifest.SHA1, manifest.SHA256} {
		r := create(t, store.Memory())
		tx := begin(t, r, "pkg://test.org/a@1,5.11:20260102T030405Z")
		d := alg.Sum([]byte("content"))
		require.NoError(t, tx.Store(t.Context(), d, bytes.NewReader(stored)))
		require.NoError(t, tx.Store(t.Context(), d, failingReader{}), "it is not read twice")
		err := tx.Store(t.Context(), alg.Sum([]byte("other")), bytes.NewReader(stored))
		require.ErrorContains(t, err, "add to pkg://test.org/a@1,5.11:20260102T030405Z payload "+alg.Sum([]byte("other")).String())
		m := parse(t, "set name=pkg.fmri value=pkg://test.org/a@1,5.11:20260102T030405Z\nfile "+d.Hex()+" path=x mode=0444 owner=root group=bin\n")
		require.NoError(t, tx.SetManifest(t.Context(), m))
		commit(t, tx)
		noFindings(t, r)
		rc, err := r.Payload(t.Context(), "test.org", d)
		require.NoError(t, err)
		got, err := io.ReadAll(rc)
		require.NoError(t, err)
		require.Equal(t, stored, got)
	}
}

// failingReader cannot be read.
type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }

// TestSameContentAtOnce publishes one content many times at once: it is stored once.
func TestSameContentAtOnce(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	tx := begin(t, b, "a@1")
	var crowd sync.WaitGroup
	for i := range 20 {
		crowd.Go(func() {
			a := manifest.MustParseAction(fmt.Sprintf("file path=opt/%d mode=0444 owner=root group=bin", i))
			var content io.Reader = strings.NewReader(words)
			if i%2 == 0 {
				content = once{content}
			}
			if err := tx.Add(t.Context(), a, content); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	commit(t, tx)
	require.NoError(t, b.Commit(t.Context()))
	require.Len(t, objects(t, s, "publisher/test.org/file/"), 1)
	noFindings(t, r)
}

// TestReserveSeconds gives packages of one second seconds of their own, in a batch and
// beside what is stored.
func TestReserveSeconds(t *testing.T) {
	r := create(t, store.Memory())
	publish(t, r, "a@1")
	publish(t, r, "a@1,5.11:20260102T030407Z")
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	var got []string
	for range 3 {
		got = append(got, strings.TrimPrefix(publish(t, b, "a@1").String(), "pkg://test.org/a@1,5.11:20260102T"))
	}
	require.Equal(t, []string{"030406Z", "030408Z", "030409Z"}, got)
	require.NoError(t, b.Commit(t.Context()))
	require.Len(t, list(t, r, "test.org"), 5)
	_, err = b.Begin(t.Context(), fmri.MustParse("pkg://test.org/a@1,5.11:20260102T030409Z"))
	require.ErrorIs(t, err, fs.ErrExist)
}

// TestBatchOfPublishers commits packages of several publishers, each of them all or none.
func TestBatchOfPublishers(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	publish(t, b, "pkg://a.org/x@1", "of a")
	publish(t, b, "pkg://b.org/x@1,5.11:20260102T030405Z", "of b")
	publish(t, b, "pkg://b.org/y@1", "of b")
	publish(t, open(t, s), "pkg://b.org/x@1,5.11:20260102T030405Z") // another was faster
	err = b.Commit(t.Context())
	require.ErrorIs(t, err, fs.ErrExist)
	require.EqualError(t, err, "publish pkg://b.org/x@1,5.11:20260102T030405Z: there is one already")
	require.Len(t, list(t, r, "a.org"), 1)
	require.Len(t, list(t, r, "b.org"), 1)
	noFindings(t, r)
}

// TestFirstDefault makes the first publisher the default, and no other.
func TestFirstDefault(t *testing.T) {
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{}, testOptions())
	require.NoError(t, err)
	byDefault := func() string {
		name, err := r.DefaultPublisher(t.Context())
		require.NoError(t, err)
		return name
	}
	require.Empty(t, byDefault())
	require.NoError(t, r.AddPublisher(t.Context(), "first.org"))
	require.NoError(t, r.AddPublisher(t.Context(), "second.org"))
	require.Equal(t, "first.org", byDefault())
	none := repo.Property{Section: "publisher", Name: "prefix", Value: repo.Text("")}
	require.NoError(t, r.SetProperties(t.Context(), none))
	require.NoError(t, r.AddPublisher(t.Context(), "third.org"))
	require.Empty(t, byDefault(), "who has taken it away does not get another")
	require.NoError(t, r.RemovePublisher(t.Context(), "third.org"))
	require.Empty(t, byDefault())
	set := repo.Property{Section: "publisher", Name: "prefix", Value: repo.Text("second.org")}
	require.NoError(t, r.SetProperties(t.Context(), set))
	require.NoError(t, r.RemovePublisher(t.Context(), "second.org"))
	require.Equal(t, "first.org", byDefault(), "the only one that is left")
}

// TestBusyText says who is writing, as far as that is known.
func TestBusyText(t *testing.T) {
	for note, want := range map[string]string{
		"123\nhost\n20260102T030405Z\n\n": "rebuild catalog of test.org: the repository is in use by another process: pid 123 on host",
		"123":                             "rebuild catalog of test.org: the repository is in use by another process: pid 123 on ",
		"\n":                              "rebuild catalog of test.org: the repository is in use by another process",
	} {
		s := storetest.NewDisk().Store()
		r := create(t, s)
		lock, err := store.Acquire(t.Context(), s, "publisher/test.org/tmp/lock", &store.LockOptions{Note: []byte(note)})
		require.NoError(t, err)
		err = r.RebuildCatalog(t.Context(), "test.org")
		require.EqualError(t, err, want)
		var busy *repo.BusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, "test.org", busy.Publisher)
		var locked *store.LockedError
		require.ErrorAs(t, err, &locked)
		require.NoError(t, lock.Release())
		require.NoError(t, r.RebuildCatalog(t.Context(), "test.org"))
	}
}

// TestBusySelf excludes goroutines of one repository, too.
func TestBusySelf(t *testing.T) {
	r := create(t, store.Memory())
	publish(t, r, "a@1", "content")
	_, err := r.Fix(t.Context(), &repo.FixOptions{Verify: repo.VerifyOptions{Progress: func(repo.Event) {
		var busy *repo.BusyError
		require.ErrorAs(t, r.RebuildCatalog(t.Context(), "test.org"), &busy)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tx := begin(t, r, "b@1")
		require.ErrorIs(t, errOf(tx.Commit(ctx)), context.Canceled)
	}}})
	require.NoError(t, err)
}

// TestSinkHelpers do without what a sink lacks.
func TestSinkHelpers(t *testing.T) {
	r := create(t, store.Memory())
	bare := repotest.Bare(r)
	b, err := repo.NewBatch(t.Context(), bare)
	require.NoError(t, err)
	publish(t, b, "a@1", "content")
	require.Len(t, list(t, r, "test.org"), 1, "each Commit publishes")
	require.NoError(t, b.Abort(t.Context()))
	require.NoError(t, b.Commit(t.Context()))
	require.Len(t, list(t, r, "test.org"), 1)

	tx := begin(t, bare, "b@1")
	held, err := repo.Holds(t.Context(), tx, manifest.Payload{Content: manifest.DigestsOf(manifest.SHA1.Sum([]byte("content")))})
	require.NoError(t, err)
	require.False(t, held, "all is brought")
	require.ErrorIs(t, repo.Unlist(tx), errors.ErrUnsupported)
	require.EqualError(t, repo.Unlist(tx), "what is published there is always listed")
	p, err := manifest.Inspect(bytes.NewReader(zipped(t, "new", 1)), 0)
	require.NoError(t, err)
	require.Error(t, repo.Take(t.Context(), tx, p, bytes.NewReader(zipped(t, "old", 9))))
	require.ErrorIs(t, repo.Take(t.Context(), tx, p, failingReader{}), errBroken)
	require.NoError(t, repo.Take(t.Context(), tx, p, bytes.NewReader(zipped(t, "new", 9))), "another form, the same content")
	added, err := repo.Enlist(t.Context(), bare, fmri.MustParse("pkg://test.org/a@1"))
	require.NoError(t, err)
	require.Empty(t, added)

	quiet, err := repo.NewBatch(t.Context(), repo.Unlisted(r))
	require.NoError(t, err)
	publish(t, quiet, "c@1", "content")
	require.NoError(t, quiet.Abort(t.Context()))
	require.NoError(t, errOf(r.Refresh(t.Context(), "test.org")))
	require.Len(t, list(t, r, "test.org"), 1)
}

// torn gives out files of two states of a catalog, as often as it says.
type torn struct {
	*repo.Repository
	times *int
	other *repo.Repository
}

func (c torn) CatalogFile(ctx context.Context, publisher, name string) (io.ReadCloser, store.Info, error) {
	if name != "catalog.attrs" && *c.times > 0 {
		*c.times--
		return c.other.CatalogFile(ctx, publisher, name)
	}
	return c.Repository.CatalogFile(ctx, publisher, name)
}

// TestCloneTorn reads a catalog again whose files do not belong together, and gives up
// where they never do.
func TestCloneTorn(t *testing.T) {
	src, other := create(t, store.Memory()), create(t, store.Memory())
	f := publish(t, src, "a@1", "content")
	publish(t, other, "b@1", "content")
	for times, ok := range map[int]bool{1: true, 3: true, 1000: false} {
		dst := create(t, store.Memory())
		done, err := repo.Clone(t.Context(), dst, torn{src, &times, other}, "test.org", nil)
		if !ok {
			var bad *catalog.SignatureError
			require.ErrorAs(t, err, &bad)
			require.Empty(t, list(t, dst, "test.org"))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []fmri.FMRI{f}, done.Copy.Copied)
	}
}

// huge says of a part that it is larger than any.
type huge struct{ *repo.Repository }

func (h huge) CatalogFile(ctx context.Context, publisher, name string) (io.ReadCloser, store.Info, error) {
	r, info, err := h.Repository.CatalogFile(ctx, publisher, name)
	if strings.HasPrefix(name, "catalog.base") {
		info.Size = 8 << 30
	}
	return r, info, err
}

// TestCloneHuge reads no part without a limit into memory.
func TestCloneHuge(t *testing.T) {
	src := create(t, store.Memory())
	publish(t, src, "a@1", "content")
	_, err := repo.Clone(t.Context(), create(t, store.Memory()), huge{src}, "test.org", nil)
	require.EqualError(t, err, "clone test.org: catalog.base.C is larger than 512 MiB, which no such file is")
}

// TestCloneNothing clones a publisher that has nothing, and one that is not there.
func TestCloneNothing(t *testing.T) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	publish(t, dst, "gone@1", "content")
	done, err := repo.Clone(t.Context(), dst, src, "test.org", nil)
	require.NoError(t, err)
	require.Len(t, done.Removed, 1)
	require.Empty(t, list(t, dst, "test.org"))
	_, err = repo.Clone(t.Context(), dst, src, "none.org", nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	var pkgs []fmri.FMRI
	_, err = repo.Copy(t.Context(), dst, src, slices.Values(pkgs), nil)
	require.NoError(t, err)
}
