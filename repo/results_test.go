package repo_test

import (
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// sameNames compares FMRIs, which are values.
var sameNames = cmp.Comparer(func(a, b fmri.FMRI) bool { return a == b })

// sizes returns how many bytes the stored forms of contents are.
func sizes(t *testing.T, r *repo.Repository, contents ...string) (n int64) {
	t.Helper()
	for _, c := range contents {
		n += int64(len(storedForm(t, r, c)))
	}
	return n
}

func TestCopyResult(t *testing.T) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	a, b := publish(t, src, "a@1", "both", "of a"), publish(t, src, "b@1", "both", "of b")
	c, left := publish(t, src, "c@1", "of c"), publish(t, src, "left@1", "left out")
	copyAll := func(pkgs ...fmri.FMRI) repo.CopyResult {
		t.Helper()
		done, err := repo.Copy(t.Context(), dst, src, slices.Values(pkgs), &repo.CopyOptions{
			Parallel: 1,
			Transform: func(m *manifest.Manifest) (*manifest.Manifest, error) {
				if f, _ := m.FMRI(); f == left {
					return nil, nil
				}
				return m, nil
			},
		})
		require.NoError(t, err)
		return done
	}
	require.Empty(t, cmp.Diff(repo.CopyResult{
		Copied:  []fmri.FMRI{a},
		Brought: repo.Amount{Payloads: 2, Bytes: sizes(t, src, "both", "of a")},
	}, copyAll(a), sameNames))
	require.Empty(t, cmp.Diff(repo.CopyResult{
		Copied: []fmri.FMRI{c, b}, Skipped: []fmri.FMRI{a}, LeftOut: []fmri.FMRI{left},
		Brought: repo.Amount{Payloads: 2, Bytes: sizes(t, src, "of b", "of c")},
		Held:    repo.Amount{Payloads: 1, Bytes: sizes(t, src, "both")},
	}, copyAll(c, a, left, b), sameNames))
	require.Empty(t, cmp.Diff(repo.CopyResult{}, copyAll(), sameNames))
}

// TestCopyLists ends with every package listed, though some were stored before by one who
// did not list them. A sink of Unlisted leaves them so.
func TestCopyLists(t *testing.T) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	a, b, c := publish(t, src, "a@1", "of a"), publish(t, src, "b@1", "of b"), publish(t, src, "c@1", "of c")
	tryCopy(t, repo.Unlisted(dst), src, a, b)
	tryCopy(t, dst, src, c)
	done, err := repo.Copy(t.Context(), repo.Unlisted(dst), src, slices.Values([]fmri.FMRI{a}), nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.CopyResult{Skipped: []fmri.FMRI{a}}, done, sameNames))
	require.Equal(t, []string{c.String()}, list(t, dst, "test.org"))

	for name, wrap := range wrappings {
		if name == "bare" {
			continue // nobody can be asked
		}
		done, err = repo.Copy(t.Context(), wrap(dst), src, slices.Values([]fmri.FMRI{c, a}), nil)
		require.NoError(t, err)
		if len(done.Listed) > 0 {
			require.Empty(t, cmp.Diff(repo.CopyResult{Skipped: []fmri.FMRI{c, a}, Listed: []fmri.FMRI{a}}, done, sameNames), name)
		}
		require.Equal(t, []string{a.String(), c.String()}, list(t, dst, "test.org"), name)
	}
	added, err := dst.Refresh(t.Context(), "test.org")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]fmri.FMRI{b}, added, sameNames), "what was not asked for stays as it was")
	noFindings(t, dst)
}

func TestCloneResult(t *testing.T) {
	src, dst := create(t, store.Memory()), create(t, store.Memory())
	a := publish(t, src, "a@1", "both", "of a")
	gone := publish(t, dst, "gone@1", "both", "of gone")
	freed := repo.Amount{Payloads: 1, Bytes: sizes(t, dst, "of gone")}
	done, err := repo.Clone(t.Context(), dst, src, "test.org", nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.CloneResult{
		Copy: repo.CopyResult{
			Copied:  []fmri.FMRI{a},
			Brought: repo.Amount{Payloads: 1, Bytes: sizes(t, src, "of a")},
			Held:    repo.Amount{Payloads: 1, Bytes: sizes(t, src, "both")},
		},
		Removed: []fmri.FMRI{gone}, Freed: freed,
	}, done, sameNames))

	sign(t, src, a)
	done, err = repo.Clone(t.Context(), dst, src, "test.org", nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.CloneResult{
		Copy: repo.CopyResult{Skipped: []fmri.FMRI{a}}, Replaced: []fmri.FMRI{a},
	}, done, sameNames))
}

// sign appends a signature to a published package.
func sign(t *testing.T, r *repo.Repository, f fmri.FMRI) {
	t.Helper()
	tx, err := r.Append(t.Context(), f)
	require.NoError(t, err)
	a := manifest.MustParseAction("signature algorithm=sha256 value=00 version=0")
	require.NoError(t, tx.Add(t.Context(), a, nil))
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
}

func TestPublishResult(t *testing.T) {
	r := create(t, store.Memory())
	m := parse(t, `set name=pkg.fmri value=pkg://test.org/a@1
file path=one mode=0444 owner=root group=bin
file path=two mode=0444 owner=root group=bin
dir path=opt mode=0755 owner=root group=sys
`)
	files := fstest.MapFS{"one": {Data: []byte("one")}, "two": {Data: []byte("and two")}}
	done, err := repo.Publish(t.Context(), r, m, &repo.PublishOptions{Content: repo.Proto(files)})
	require.NoError(t, err)
	want := repo.PublishResult{FMRI: fmri.MustParse("pkg://test.org/a@1,5.11:20260102T030405Z"), Payloads: 2, Bytes: 10}
	require.Empty(t, cmp.Diff(want, done, sameNames))
}

func TestRemoval(t *testing.T) {
	r := create(t, store.Memory())
	a, b := publish(t, r, "a@1", "both", "of a"), publish(t, r, "b@1", "both", "of b")
	freed := sizes(t, r, "of a")
	done, err := r.Remove(t.Context(), a, fmri.MustParse("pkg://test.org/none@1,5.11:20260102T030405Z"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.Removal{Packages: []fmri.FMRI{a}, Freed: repo.Amount{Payloads: 1, Bytes: freed}}, done, sameNames))

	newer := publish(t, r, "b@2", "of newer b")
	freed = sizes(t, r, "both", "of b")
	thin, err := r.Thin(t.Context(), "test.org", &upkeep.Retention{Newest: 1})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.Removal{Packages: []fmri.FMRI{b}, Freed: repo.Amount{Payloads: 2, Bytes: freed}}, thin.Removed, sameNames))
	require.Equal(t, []string{newer.String()}, list(t, r, "test.org"))
}

func TestVerifyCounts(t *testing.T) {
	r := create(t, store.Memory())
	publish(t, r, "a@1", "both", "of a")
	publish(t, r, "b@1", "both", "of b")
	var counts repo.VerifyCounts
	for f, err := range r.Check(t.Context(), &repo.VerifyOptions{Counts: &counts}) {
		t.Errorf("%+v, %v", f, err)
	}
	want := repo.VerifyCounts{Packages: 2, Payloads: repo.Amount{Payloads: 3, Bytes: sizes(t, r, "both", "of a", "of b")}}
	require.Empty(t, cmp.Diff(want, counts))
}

func TestFixResult(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	a, b := publish(t, r, "a@1", words), publish(t, r, "b@1", words, "of b")
	c, whole := publish(t, r, "c@1", "of c"), publish(t, r, "whole@1", "whole")
	require.NoError(t, s.Put(t.Context(), payloadName(words), strings.NewReader("junk")))
	require.NoError(t, s.Remove(t.Context(), "publisher/test.org/pkg/c/1%2C5.11%3A20260102T030405Z"))
	done, err := r.Fix(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]fmri.FMRI{a, b, c}, done.Republish, sameNames))
	require.Len(t, done.Repairs, 3)
	var moved []string
	for _, m := range done.Moved {
		moved = append(moved, m.From)
		require.Contains(t, m.To, "publisher/test.org/pkg5-quarantine/fix.")
		require.NotEmpty(t, read(t, s, m.To))
	}
	require.Empty(t, cmp.Diff([]string{
		payloadName(words),
		"publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z", "publisher/test.org/pkg/b/1%2C5.11%3A20260102T030405Z",
	}, moved))
	require.Equal(t, []string{whole.String()}, list(t, r, "test.org"))

	again, err := r.Fix(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(repo.FixResult{}, again))
	publishAs(t, r, "a@1", words, gzip.BestSpeed)
	noFindings(t, r)
}
