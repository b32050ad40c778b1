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

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

const (
	manifestA = "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z"
	catalogOf = "publisher/test.org/catalog/"
)

// A damage is something done to a repository of the packages a and b, which share the
// content "both", and what Check finds of it.
type damage struct {
	name string
	do   func(t *testing.T, s store.Store)
	want []string // fault, package, path and object
}

func damages() []damage {
	put := func(name, text string) func(*testing.T, store.Store) {
		return func(t *testing.T, s store.Store) { putText(t, s, name, text) }
	}
	remove := func(name string) func(*testing.T, store.Store) {
		return func(t *testing.T, s store.Store) { require.NoError(t, s.Remove(t.Context(), name)) }
	}
	packed := func(t *testing.T, content string) string { return string(zipped(t, content, gzip.BestSpeed)) }
	both, ofA := payloadName("both"), payloadName("of a")
	return []damage{
		{"nothing", func(*testing.T, store.Store) {}, nil},
		{"a payload is missing", remove(ofA), []string{"missing file a opt/of_a " + ofA}},
		{"a shared payload is missing", remove(both), []string{"missing file a opt/both " + both, "missing file b opt/both " + both}},
		{"a payload is no gzip file", put(ofA, "junk"), []string{"corrupted gzip file a opt/of_a " + ofA}},
		{"a payload is empty", put(ofA, ""), []string{"corrupted gzip file a opt/of_a " + ofA}},
		{"a payload is cut off", func(t *testing.T, s store.Store) {
			putText(t, s, ofA, read(t, s, ofA)[:15])
		}, []string{"corrupted gzip file a opt/of_a " + ofA}},
		{"a payload has another content", func(t *testing.T, s store.Store) {
			putText(t, s, ofA, packed(t, "of b"))
		}, []string{"invalid file hash a opt/of_a " + ofA}},
		{"a payload has a longer content", func(t *testing.T, s store.Store) {
			putText(t, s, ofA, packed(t, "of a and more"))
		}, []string{"invalid file hash a opt/of_a " + ofA}},
		{"a payload has a form that nobody names", func(t *testing.T, s store.Store) {
			putText(t, s, ofA, string(zipped(t, "of a", gzip.NoCompression)))
		}, []string{"invalid file hash a opt/of_a " + ofA}},
		{"a manifest is missing", remove(manifestA), []string{"missing file a " + manifestA}},
		{"a manifest is junk", put(manifestA, "junk"), []string{"corrupt manifest a " + manifestA}},
		{"a manifest is empty", put(manifestA, ""), []string{"corrupt manifest a " + manifestA}},
		{"a manifest is another one", put(manifestA, "set name=pkg.fmri value=pkg://test.org/a@1,5.11:20260102T030405Z\n"),
			[]string{"corrupt manifest a " + manifestA}},
		{"a manifest nobody listed", put("publisher/test.org/pkg/c/1%2C5.11%3A20260102T030405Z", "junk"),
			[]string{"corrupt manifest c publisher/test.org/pkg/c/1%2C5.11%3A20260102T030405Z"}},
		{"no manifest", put("publisher/test.org/pkg/README", "junk"), []string{"corrupt manifest  publisher/test.org/pkg/README"}},
		{"a name that is not canonical", put("publisher/test.org/pkg/a/1%2c5.11%3A20260102T030406Z", "junk"),
			[]string{"corrupt manifest  publisher/test.org/pkg/a/1%2c5.11%3A20260102T030406Z"}},
		{"a part is missing", remove(basePart), []string{"corrupt catalog  " + catalogOf + "catalog.base.C", "corrupt catalog  " + catalogOf + "catalog.attrs"}},
		{"a part is junk", put(basePart, "junk"), []string{"corrupt catalog  " + basePart, "corrupt catalog  " + basePart}},
		{"the attributes are junk", put(catalogOf+"catalog.attrs", "junk"), []string{"corrupt catalog  " + catalogOf + "catalog.attrs"}},
		{"an update log is junk", put(catalogOf+"update.20260102T03Z.C", "junk"),
			[]string{"corrupt catalog  " + catalogOf + "update.20260102T03Z.C"}},
	}
}

// describe prints a finding as a damage has it.
func describe(f repo.Finding) string {
	words := []string{f.Fault.String(), f.FMRI.Name()}
	if f.Path != "" {
		words = append(words, f.Path)
	}
	return strings.Join(append(words, f.Name), " ")
}

// TestDamages finds what was done to a repository, and nothing else; and Fix leaves a
// repository in which there is nothing to find.
func TestDamages(t *testing.T) {
	for _, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			s := store.Memory()
			r := create(t, s)
			publish(t, r, "a@1", "both", "of a")
			publish(t, r, "b@1", "both", "of b")
			d.do(t, s)
			r = open(t, s)
			var got []string
			for _, f := range check(t, r) {
				require.Error(t, f.Err)
				require.Equal(t, "test.org", f.Publisher)
				got = append(got, describe(f))
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(d.want))
			require.Equal(t, want, got)

			done, err := r.Fix(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, len(d.want) > 0, len(done.Repairs) > 0)
			noFindings(t, open(t, s))
			require.Equal(t, !strings.Contains(strings.Join(d.want, " "), " b "), slices.Contains(list(t, r, "test.org"), filledB.String()))
			for _, m := range done.Moved {
				require.NotEqual(t, m.From, m.To)
				_, _, err := s.Open(t.Context(), m.From)
				if m.From != manifestA {
					require.ErrorIs(t, err, fs.ErrNotExist)
				}
			}
		})
	}
}

// TestDamagesRestored fixes the same from a repository that has all of it.
func TestDamagesRestored(t *testing.T) {
	good := create(t, store.Memory())
	publish(t, good, "a@1", "both", "of a")
	publish(t, good, "b@1", "both", "of b")
	for _, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			s := store.Memory()
			r := create(t, s)
			publish(t, r, "a@1", "both", "of a")
			publish(t, r, "b@1", "both", "of b")
			d.do(t, s)
			done, err := r.Fix(t.Context(), &repo.FixOptions{From: good})
			require.NoError(t, err)
			require.Empty(t, slices.DeleteFunc(done.Republish, func(f fmri.FMRI) bool { return f.Name() == "c" }))
			require.Equal(t, []string{filledA.String(), filledB.String()}, list(t, r, "test.org"))
			noFindings(t, open(t, s))
		})
	}
}

func TestFaultText(t *testing.T) {
	require.Equal(t, "no fault", repo.Fault(0).String())
	require.Equal(t, "corrupt catalog", repo.BadCatalog.String())
	require.Equal(t, "fault 200", repo.Fault(200).String())
}

// A denying source lets nobody read what it has.
type denying struct {
	repo.Source
	manifests bool
}

func (d denying) Manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	if d.manifests {
		return nil, fmt.Errorf("manifest: %w", fs.ErrPermission)
	}
	return d.Source.Manifest(ctx, f)
}

func (denying) Payload(context.Context, string, manifest.Digest) (io.ReadCloser, error) {
	return nil, fmt.Errorf("payload: %w", fs.ErrPermission)
}

// TestVerifyDenied tells what may not be read from what is damaged, and has no names of
// objects for a source that is no repository.
func TestVerifyDenied(t *testing.T) {
	r := create(t, store.Memory())
	f := publish(t, r, "a@1", "content")
	one := func(yield func(fmri.FMRI) bool) { yield(f) }
	for manifests, want := range map[bool]string{true: "permission denied a ", false: "permission denied a opt/content "} {
		var got []string
		for found, err := range repo.Verify(t.Context(), denying{r, manifests}, one, nil) {
			require.NoError(t, err)
			require.ErrorIs(t, found.Err, fs.ErrPermission)
			got = append(got, describe(found))
		}
		require.Equal(t, []string{want}, got)
	}
}

// TestVerifySignatures reports what the function says about signatures, once a package.
func TestVerifySignatures(t *testing.T) {
	r := create(t, store.Memory())
	pkgs := []fmri.FMRI{publish(t, r, "a@1", "content"), publish(t, r, "b@1", "content")}
	bad := errors.New("signed by nobody")
	opts := &repo.VerifyOptions{Signatures: func(_ context.Context, m *manifest.Manifest) error {
		if f, _ := m.FMRI(); f == pkgs[0] {
			return bad
		}
		return nil
	}}
	var got []repo.Finding
	for f, err := range repo.Verify(t.Context(), r, slices.Values(pkgs), opts) {
		require.NoError(t, err)
		got = append(got, f)
	}
	require.Len(t, got, 1)
	require.Equal(t, repo.BadSignature, got[0].Fault)
	require.Equal(t, pkgs[0], got[0].FMRI)
	require.ErrorIs(t, got[0].Err, bad)
}

// TestVerifyStops ends with its context, with an error and without findings that only say
// that time is up; and when the caller has seen enough.
func TestVerifyStops(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	pkgs := []fmri.FMRI{publish(t, r, "a@1", "of a"), publish(t, r, "b@1", "of b")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for f, err := range repo.Verify(ctx, r, slices.Values(pkgs), nil) {
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, f)
	}
	for _, content := range []string{"of a", "of b"} {
		require.NoError(t, s.Remove(t.Context(), payloadName(content)))
	}
	seen := 0
	for range repo.Verify(t.Context(), r, slices.Values(pkgs), nil) {
		seen++
		break
	}
	for range r.Check(t.Context(), nil) {
		seen++
		break
	}
	require.Equal(t, 2, seen)
	for _, err := range r.Check(t.Context(), nil, "none.org") {
		require.EqualError(t, err, "check none.org: the repository has no such publisher")
	}
}
