package repo_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
)

// A lacking source has no payload of that content.
type lacking struct {
	repo.Source
	content string
}

func (l lacking) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	if d == manifest.SHA1.Sum([]byte(l.content)) {
		return nil, errBroken
	}
	return l.Source.Payload(ctx, publisher, d)
}

// TestCopyKeepsComplete makes those packages visible that were complete when another
// failed, in one batch and in several, and says so.
func TestCopyKeepsComplete(t *testing.T) {
	src := create(t, store.Memory())
	a, b := publish(t, src, "a@1", "of a"), publish(t, src, "b@1", "of b")
	for _, size := range []int64{1, 1 << 20} {
		dst := create(t, store.Memory())
		opts := &repo.CopyOptions{Parallel: 1, BatchBytes: size}
		done, err := repo.Copy(t.Context(), dst, lacking{src, "of b"}, slices.Values([]fmri.FMRI{a, b}), opts)
		require.ErrorIs(t, err, errBroken)
		require.EqualError(t, err, "copy "+b.String()+" payload "+manifest.SHA1.Sum([]byte("of b")).String()+": "+errBroken.Error())
		require.Empty(t, cmp.Diff([]fmri.FMRI{a}, done.Copied, sameNames))
		require.Equal(t, []string{a.String()}, list(t, dst, "test.org"))
		noFindings(t, dst)
	}
}

// TestCopyBatches makes packages visible in batches of the size that was asked for.
func TestCopyBatches(t *testing.T) {
	src := create(t, store.Memory())
	var pkgs []fmri.FMRI
	for i := range 30 { // more than can be on their way at once
		pkgs = append(pkgs, publish(t, src, fmt.Sprintf("a%d@1", i), fmt.Sprintf("of %d", i)))
	}
	for size, several := range map[int64]bool{1: true, 1 << 20: false} {
		batches := 0
		dst := repotest.Wrap(create(t, store.Memory()), func(method string) {
			if method == "NewBatch" {
				batches++
			}
		})
		_, err := repo.Copy(t.Context(), dst, src, slices.Values(pkgs), &repo.CopyOptions{Parallel: 1, BatchBytes: size})
		require.NoError(t, err)
		require.Equal(t, several, batches > 1, "%d batches", batches)
	}
}

// TestCopyOnce brings a payload once that a package has twice.
func TestCopyOnce(t *testing.T) {
	src := create(t, store.Memory())
	tx, err := src.Begin(t.Context(), fmri.MustParse("a@1"))
	require.NoError(t, err)
	for _, path := range []string{"one", "two"} {
		a := manifest.MustParseAction("file path=" + path + " mode=0444 owner=root group=bin")
		require.NoError(t, tx.Add(t.Context(), a, strings.NewReader("content")))
	}
	f, err := tx.Commit(t.Context())
	require.NoError(t, err)
	done, err := repo.Copy(t.Context(), create(t, store.Memory()), src, slices.Values([]fmri.FMRI{f}), nil)
	require.NoError(t, err)
	require.Equal(t, 1, done.Brought.Payloads)
	require.Zero(t, done.Held)
}

// A rival publishes what is being copied before the copy does.
type rival struct {
	repo.Source
	publish func()
}

func (r rival) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	r.publish()
	return r.Source.Payload(ctx, publisher, d)
}

// TestCopyLate counts a package as skipped that another has copied meanwhile.
func TestCopyLate(t *testing.T) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	f := publish(t, src, "a@1", "content")
	slow := rival{src, func() { tryCopy(t, dst, src, f) }}
	done, err := repo.Copy(t.Context(), repotest.Bare(dst), slow, slices.Values([]fmri.FMRI{f}), nil)
	require.NoError(t, err)
	require.Empty(t, done.Copied)
	require.Empty(t, cmp.Diff([]fmri.FMRI{f}, done.Skipped, sameNames))
}

// TestCommitIncomplete refuses a package one of whose payloads did not arrive.
func TestCommitIncomplete(t *testing.T) {
	r := create(t, store.Memory())
	tx, err := r.Begin(t.Context(), fmri.MustParse("a@1"))
	require.NoError(t, err)
	err = tx.Add(t.Context(), fileAction("content"), iotest.ErrReader(errBroken))
	require.ErrorIs(t, err, errBroken)
	_, err = tx.Commit(t.Context())
	require.ErrorIs(t, err, fs.ErrInvalid)
	require.ErrorContains(t, err, `publish pkg://test.org/a@1,5.11:20260102T030405Z: the payload of "file`)
	require.ErrorContains(t, err, "did not arrive")
	require.Empty(t, list(t, r, "test.org"))
}

// TestDefaultFirst asks the default publisher first for what is named without one.
func TestDefaultFirst(t *testing.T) {
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{DefaultPublisher: "zeta.org"}, testOptions())
	require.NoError(t, err)
	publish(t, r, "pkg://alpha.org/a@1", "of alpha")
	want := publish(t, r, "pkg://zeta.org/a@1", "of zeta")
	publish(t, r, "pkg://mid.org/a@1", "of mid")
	m, err := r.Manifest(t.Context(), fmri.MustParse("a@1,5.11:20260102T030405Z"))
	require.NoError(t, err)
	got, _ := m.FMRI()
	require.Equal(t, want, got)
	for _, content := range []string{"of alpha", "of zeta", "of mid"} {
		rc, err := r.Payload(t.Context(), "", manifest.SHA1.Sum([]byte(content)))
		require.NoError(t, err, "the others are asked, too")
		require.NoError(t, rc.Close())
	}
}

// TestDamagedReplaced publishes content of which something damaged is stored.
func TestDamagedReplaced(t *testing.T) {
	for name, left := range map[string]string{
		"junk":            "junk",
		"cut":             string(zipped(t, "content", gzip.BestSpeed)[:20]),
		"another content": string(zipped(t, "another", gzip.BestSpeed)),
		"longer":          string(zipped(t, "content and more", gzip.BestSpeed)),
	} {
		t.Run(name, func(t *testing.T) {
			s := store.Memory()
			r := create(t, s)
			putText(t, s, payloadName("content"), left)
			publish(t, r, "a@1", "content")
			noFindings(t, r)
		})
	}
}

// TestFormStoredMeanwhile publishes content that another stores meanwhile in another
// form: the new manifest names that.
func TestFormStoredMeanwhile(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	tx, err := r.Begin(t.Context(), fmri.MustParse("a@1"))
	require.NoError(t, err)
	require.NoError(t, tx.Add(t.Context(), fileAction(words), strings.NewReader(words)))
	publishAs(t, open(t, s), "b@1", words, gzip.HuffmanOnly)
	f, err := tx.Commit(t.Context())
	require.NoError(t, err)
	m, err := r.Manifest(t.Context(), f)
	require.NoError(t, err)
	require.Contains(t, string(m.Text()), "chash="+manifest.SHA1.Sum([]byte(storedForm(t, r, words))).Hex())
	noFindings(t, r)
}

// TestCommitLate refuses a package that another has published since Begin, and a
// signature of one that is gone.
func TestCommitLate(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	name := "pkg://test.org/a@1,5.11:20260102T030405Z"
	tx, err := r.Begin(t.Context(), fmri.MustParse(name))
	require.NoError(t, err)
	f := publish(t, open(t, s), name, "of the other")
	_, err = tx.Commit(t.Context())
	require.ErrorIs(t, err, fs.ErrExist)
	require.EqualError(t, err, "publish "+name+": there is one already")
	noFindings(t, r)

	tx, err = r.Append(t.Context(), f)
	require.NoError(t, err)
	require.NoError(t, tx.Add(t.Context(), signatureAction, nil))
	_, err = open(t, s).Remove(t.Context(), f)
	require.NoError(t, err)
	_, err = tx.Commit(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, list(t, r, "test.org"))
	require.Empty(t, objects(t, s, "publisher/test.org/pkg/"))
}

// TestBatchForgets frees the names of what was aborted, and publishes nothing after
// Abort.
func TestBatchForgets(t *testing.T) {
	r := create(t, store.Memory())
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	name := fmri.MustParse("pkg://test.org/a@1,5.11:20260102T030405Z")
	tx, err := b.Begin(t.Context(), name)
	require.NoError(t, err)
	_, err = b.Begin(t.Context(), name)
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoError(t, tx.Abort(t.Context()))
	publish(t, b, name.String(), "content")
	require.NoError(t, b.Abort(t.Context()))
	require.NoError(t, b.Commit(t.Context()))
	require.Empty(t, list(t, r, "test.org"))
}

// TestSuspendedHolds keeps a payload that only a suspended transaction needs, whatever is
// removed.
func TestSuspendedHolds(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	f := publish(t, r, "a@1", "shared")
	tx, err := r.Begin(t.Context(), fmri.MustParse("b@1"))
	require.NoError(t, err)
	require.NoError(t, tx.Add(t.Context(), fileAction("shared"), strings.NewReader("shared")))
	slow := tx.(*repo.Transaction)
	require.NoError(t, slow.Suspend(t.Context()))
	_, err = r.Remove(t.Context(), f)
	require.NoError(t, err)
	slow, err = r.Resume(t.Context(), slow.ID())
	require.NoError(t, err)
	_, err = slow.Commit(t.Context())
	require.NoError(t, err)
	noFindings(t, r)
}

// TestErrorText says once what was asked, and all that the reason does not say.
func TestErrorText(t *testing.T) {
	f := fmri.MustParse("pkg://test.org/a@1,5.11:20260102T030405Z")
	d := manifest.SHA1.Sum([]byte("content"))
	for want, err := range map[string]*repo.Error{
		"open r: there is none":                 {Op: "open", Place: "r", Err: fs.ErrNotExist},
		"add publisher p: there is one already": {Op: "add publisher", Publisher: "p", Err: fs.ErrExist},
		"read " + f.String() + ": pkg/a: the permissions forbid it": {
			Op: "read", FMRI: f, Publisher: "p", Err: &fs.PathError{Op: "openat", Path: "pkg/a", Err: fs.ErrPermission},
		},
		"read " + f.String() + " payload " + d.String() + ": broken": {Op: "read", FMRI: f, Digest: d, Err: errors.New("broken")},
	} {
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, err.Err)
	}

	r := create(t, store.Memory())
	publish(t, r, f.String(), "content")
	_, err := repo.Publish(t.Context(), r, parse(t, "set name=pkg.fmri value=a@1,5.11:20260102T030405Z\n"), &repo.PublishOptions{KeepTimestamp: true})
	require.EqualError(t, err, "publish pkg:/a@1,5.11:20260102T030405Z: there is one already")
	_, err = repo.Clone(t.Context(), create(t, store.Memory()), lacking{r, "content"}, "test.org", nil)
	require.EqualError(t, err, "clone test.org: copy "+f.String()+" payload "+d.String()+": "+errBroken.Error())
	require.EqualError(t, r.AddPublisher(t.Context(), "test.org"), "add publisher test.org: the repository has this publisher already")
}

// TestCreated gives every catalog a time of creation, by which clients know it, however
// it begins.
func TestCreated(t *testing.T) {
	begin := map[string]func(r *repo.Repository) error{
		"add publisher":    func(r *repo.Repository) error { return r.AddPublisher(t.Context(), "new.org") },
		"publish":          func(r *repo.Repository) error { publish(t, r, "pkg://new.org/a@1", "content"); return nil },
		"publish unlisted": func(r *repo.Repository) error { publish(t, repo.Unlisted(r), "pkg://new.org/a@1"); return nil },
		"refresh": func(r *repo.Repository) error {
			publish(t, repo.Unlisted(r), "pkg://new.org/a@1")
			return errOf(r.Refresh(t.Context(), "new.org"))
		},
		"rebuild": func(r *repo.Repository) error {
			publish(t, r, "pkg://new.org/a@1")
			return r.Rebuild(t.Context(), "new.org")
		},
		"clone": func(r *repo.Repository) error {
			src := create(t, store.Memory())
			publish(t, src, "pkg://new.org/a@1")
			return errOf(repo.Clone(t.Context(), r, struct{ repo.Source }{src}, "new.org", nil))
		},
	}
	for name, begin := range begin {
		for _, version := range []int{3, 4} {
			t.Run(fmt.Sprint(name, " ", version), func(t *testing.T) {
				r, err := repo.Create(t.Context(), store.Memory(), repo.Config{Version: version}, testOptions())
				require.NoError(t, err)
				err = begin(r)
				if version == 3 && name == "add publisher" {
					require.ErrorIs(t, err, errors.ErrUnsupported)
					return
				}
				require.NoError(t, err)
				c, err := r.Catalog(t.Context(), "new.org")
				require.NoError(t, err)
				require.Equal(t, aDay, c.Created())
			})
		}
	}
}

// TestVersion3Config writes what the reference reads: lists without brackets, and the
// version.
func TestVersion3Config(t *testing.T) {
	s := store.Memory()
	r, err := repo.Create(t.Context(), s, repo.Config{Version: 3}, testOptions())
	require.NoError(t, err)
	text := read(t, s, "cfg_cache")
	require.Contains(t, text, "\nlegal_uris = \n")
	require.Contains(t, text, "\nversion = 3\n")
	require.NotContains(t, text, "[]")

	origins := repo.Property{Section: "repository", Name: "origins", Value: repo.List("http://a.example", "http://b.example")}
	other := repo.Property{Section: "repository", Name: "something", Value: repo.List("c", "d")}
	require.NoError(t, r.SetProperties(t.Context(), origins, other))
	text = read(t, s, "cfg_cache")
	require.Contains(t, text, "\norigins = http://a.example,http://b.example\n")
	require.Contains(t, text, "\nsomething = ['c', 'd']\n")
	props, err := open(t, s).Properties(t.Context())
	require.NoError(t, err)
	require.Contains(t, props, origins)
	require.Contains(t, props, other)
	require.Contains(t, props, repo.Property{Section: "repository", Name: "mirrors", Value: repo.List()})
	require.Contains(t, props, repo.Property{Section: "repository", Name: "version", Value: repo.Text("3")})

	putText(t, s, "cfg_cache", "[publisher]\nprefix = test.org\n\n[repository]\norigins = []\nmirrors = one\n")
	putText(t, s, "catalog/catalog.attrs", "{}") // by which the version is told
	props, err = open(t, s).Properties(t.Context())
	require.NoError(t, err)
	require.Equal(t, []repo.Property{
		{Section: "publisher", Name: "prefix", Value: repo.Text("test.org")},
		{Section: "repository", Name: "origins", Value: repo.List()},
		{Section: "repository", Name: "mirrors", Value: repo.List("one")},
		{Section: "repository", Name: "version", Value: repo.Text("3")},
	}, props)
}

// TestFixOther does not take another manifest of the same name for the lost one.
func TestFixOther(t *testing.T) {
	s := store.Memory()
	r, other := create(t, s), create(t, store.Memory())
	f := publish(t, r, "a@1", "content")
	publish(t, other, f.String(), "something else")
	name := "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z"
	putText(t, s, name, "file path=/ junk")
	done, err := r.Fix(t.Context(), &repo.FixOptions{From: other})
	require.NoError(t, err)
	require.Len(t, done.Repairs, 1)
	require.False(t, done.Repairs[0].Restored)
	require.Empty(t, cmp.Diff([]fmri.FMRI{f}, done.Republish, sameNames))
	require.Empty(t, list(t, r, "test.org"))
	noFindings(t, r)
}

// TestProgress tells of every package and payload, up to all of them.
func TestProgress(t *testing.T) {
	src := create(t, store.Memory())
	pkgs := []fmri.FMRI{publish(t, src, "a@1", "of a"), publish(t, src, "b@1", "of b")}
	var events []repo.Event
	progress := func(e repo.Event) { events = append(events, e) }
	last := func() repo.Event {
		e := events[len(events)-1]
		events = nil
		return e
	}
	for f, err := range repo.Verify(t.Context(), src, slices.Values(pkgs), &repo.VerifyOptions{Progress: progress}) {
		t.Errorf("%+v, %v", f, err)
	}
	require.Len(t, events, 2)
	bytes := sizes(t, src, "of a", "of b")
	require.Empty(t, cmp.Diff(repo.Event{Op: "verify", FMRI: pkgs[1], Done: 2, Total: 2, Bytes: bytes}, last(), sameNames))

	_, err := repo.Copy(t.Context(), create(t, store.Memory()), src, slices.Values(pkgs), &repo.CopyOptions{Progress: progress, Parallel: 1})
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Empty(t, cmp.Diff(repo.Event{Op: "copy", FMRI: pkgs[1], Done: 2, Total: 2, Bytes: bytes}, last(), sameNames))

	m := parse(t, "set name=pkg.fmri value=c@1\ndir path=opt mode=0755 owner=root group=sys\n")
	_, err = repo.Publish(t.Context(), src, m, &repo.PublishOptions{Progress: progress})
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, 2, last().Done)
}

// TestCheckUnsigned finds a catalog that nothing vouches for.
func TestCheckUnsigned(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	publish(t, r, "a@1", "content")
	attrs := "publisher/test.org/catalog/catalog.attrs"
	text := read(t, s, attrs)
	putText(t, s, attrs, text[:strings.Index(text, `,"_SIGNATURE"`)]+"}\n")
	found := check(t, r)
	require.Len(t, found, 1)
	require.Equal(t, repo.BadCatalog, found[0].Fault)
	require.Equal(t, attrs, found[0].Name)
	require.EqualError(t, found[0].Err, attrs+": not signed")
}

// TestPublishUnsigned leaves out signatures, which would not fit any more.
func TestPublishUnsigned(t *testing.T) {
	r := create(t, store.Memory())
	m := parse(t, "set name=pkg.fmri value=a@1\n"+signatureAction.String()+"\n")
	done, err := repo.Publish(t.Context(), r, m, nil)
	require.NoError(t, err)
	got, err := r.Manifest(t.Context(), done.FMRI)
	require.NoError(t, err)
	require.Equal(t, "set name=pkg.fmri value=pkg://test.org/a@1,5.11:20260102T030405Z\n", string(got.Text()))
}

// TestSuspendInBatch cannot be: the batch ends with the process.
func TestSuspendInBatch(t *testing.T) {
	r := create(t, store.Memory())
	b, err := r.NewBatch(t.Context())
	require.NoError(t, err)
	tx, err := b.Begin(t.Context(), fmri.MustParse("a@1"))
	require.NoError(t, err)
	require.ErrorIs(t, tx.(*repo.Transaction).Suspend(t.Context()), errors.ErrUnsupported)
	_, err = tx.Commit(t.Context())
	require.NoError(t, err, "it is as it was")
}

// TestSuspendTwice keeps the transaction that was suspended first, and says so to another
// of that name.
func TestSuspendTwice(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	suspend := func(content string) error {
		tx, err := r.Begin(t.Context(), fmri.MustParse("a@1"))
		require.NoError(t, err)
		require.NoError(t, tx.Add(t.Context(), fileAction(content), strings.NewReader(content)))
		return tx.(*repo.Transaction).Suspend(t.Context())
	}
	require.NoError(t, suspend("first"))
	before := objects(t, s, "publisher/test.org/trans/")
	err := suspend("second")
	require.ErrorIs(t, err, fs.ErrExist)
	require.EqualError(t, err, "suspend pkg://test.org/a@1,5.11:20260102T030405Z: such a transaction is open already")
	require.Empty(t, cmp.Diff(before, objects(t, s, "publisher/test.org/trans/")))
}

// TestClonePurges leaves no index of packages that are gone.
func TestClonePurges(t *testing.T) {
	src, s := create(t, store.Memory()), store.Memory()
	dst := create(t, s)
	f := publish(t, src, "kept@1", "content")
	tryCopy(t, dst, src, f)
	publish(t, dst, "gone@1", "content")
	require.NoError(t, dst.RebuildIndex(t.Context(), "test.org"))
	require.NotEmpty(t, objects(t, s, "publisher/test.org/index/main_dict"))
	_, err := repo.Clone(t.Context(), dst, src, "test.org", nil)
	require.NoError(t, err)
	require.Empty(t, objects(t, s, "publisher/test.org/index/main_dict"))
}

// meddled is a store in which another changes the configuration whenever somebody is about
// to, so often.
type meddled struct {
	store.Store
	times *int
}

func (m meddled) PutIf(ctx context.Context, name, tag string, r io.Reader) (string, error) {
	swapper := m.Store.(store.Swapper)
	if name == "pkg5.repository" && *m.times > 0 {
		*m.times--
		old, info, err := m.Store.Open(ctx, name)
		if err != nil {
			return "", err
		}
		defer old.Close()
		other := strings.NewReader(fmt.Sprintf("\n[other%d]\nx = y\n", *m.times))
		if _, err := swapper.PutIf(ctx, name, info.Tag, io.MultiReader(old, other)); err != nil {
			return "", err
		}
	}
	return swapper.PutIf(ctx, name, tag, r)
}

// TestConfigChangedMeanwhile loses no change of another to the configuration.
func TestConfigChangedMeanwhile(t *testing.T) {
	s := store.Memory()
	create(t, s)
	times := 3
	mine := repo.Property{Section: "mine", Name: "x", Value: repo.Text("y")}
	require.NoError(t, open(t, meddled{s, &times}).SetProperties(t.Context(), mine))
	require.Zero(t, times)
	got, err := open(t, s).Properties(t.Context())
	require.NoError(t, err)
	for _, section := range []string{"mine", "other0", "other1", "other2"} {
		require.Contains(t, got, repo.Property{Section: section, Name: "x", Value: repo.Text("y")})
	}
}

// TestArchiveHolds asks an archive that is being written for what it has.
func TestArchiveHolds(t *testing.T) {
	src := create(t, store.Memory())
	a, b := publish(t, src, "a@1", "both"), publish(t, src, "b@1", "both")
	w := archive.NewWriter(io.Discard, nil)
	sink, err := repo.ToArchive(t.Context(), w, store.Memory(), nil)
	require.NoError(t, err)
	_, err = repo.Copy(t.Context(), sink, src, slices.Values([]fmri.FMRI{a}), nil)
	require.NoError(t, err)
	done, err := repo.Copy(t.Context(), sink, lacking{src, "both"}, slices.Values([]fmri.FMRI{b}), nil)
	require.NoError(t, err, "the payload is not asked for")
	require.Equal(t, 1, done.Held.Payloads)
}
