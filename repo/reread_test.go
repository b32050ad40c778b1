package repo_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestReadBesideWriters reads a catalog that three writers replace all the time: no
// reader sees files of two states. With IPS_LONG it reads a million times.
func TestReadBesideWriters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	r, err := repo.CreateDir(t.Context(), dir, repo.Config{DefaultPublisher: "test.org"}, testOptions())
	require.NoError(t, err)
	defer r.Close()
	publish(t, r, "always@1", "always there")
	reads := int64(2_000)
	if isLong() {
		reads = 1_000_000
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	for i := range 3 {
		writers.Go(func() { change(t, ctx, dir, fmt.Sprintf("pkg://test.org/of%d", i)) })
	}
	for range 2 {
		readers.Go(func() { readAgain(t, dir, &reads) })
	}
	readers.Wait()
	stop()
	writers.Wait()
}

// described are what other parts of a catalog than the base part have.
var described = []manifest.Action{
	manifest.MustParseAction("set name=pkg.summary value=changing"),
	manifest.MustParseAction("depend fmri=always type=require"),
}

// change publishes and removes a package until the context ends.
func change(t *testing.T, ctx context.Context, dir, stem string) {
	r, err := repo.OpenDir(t.Context(), dir, testOptions())
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	for i := 0; ctx.Err() == nil; i++ {
		tx, err := r.Begin(t.Context(), fmri.MustParse(fmt.Sprintf("%s@%d", stem, i)))
		if err != nil {
			t.Error(err)
			return
		}
		for _, a := range described {
			if err := tx.Add(t.Context(), a, nil); err != nil {
				t.Error(err)
			}
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
			return
		}
		if i%10 == 9 {
			r.Remove(t.Context(), fmri.MustParse(fmt.Sprintf("%s@%d,5.11:20260102T030405Z", stem, i))) // or another is writing
		}
	}
}

// readAgain opens the repository and reads its catalog, as often as is left.
func readAgain(t *testing.T, dir string, left *int64) {
	for atomic.AddInt64(left, -1) >= 0 && !t.Failed() {
		r, err := repo.OpenDir(t.Context(), dir, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c, err := r.Catalog(t.Context(), "test.org")
		if err != nil || c.Len() == 0 {
			t.Errorf("%d packages, %v", c.Len(), err)
		}
		r.Close()
	}
}

// leftJournals are journals that nobody can follow.
var leftJournals = map[string]string{
	"empty":   "",
	"foreign": "another journal 7\n",
	"damaged": "ips journal 1\nadd no name\n",
}

// damagedParts are ways in which a part of the catalog cannot be read.
var damagedParts = map[string]func(t *testing.T, s store.Store){
	"whole": func(*testing.T, store.Store) {},
	"junk":  func(t *testing.T, s store.Store) { putText(t, s, basePart, "junk") },
	"cut":   func(t *testing.T, s store.Store) { putText(t, s, basePart, read(t, s, basePart)[:20]) },
	"gone":  func(t *testing.T, s store.Store) { require.NoError(t, s.Remove(t.Context(), basePart)) },
}

const (
	basePart    = "publisher/test.org/catalog/catalog.base.C"
	journalName = "publisher/test.org/tmp/ips.journal"
)

func putText(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	require.NoError(t, s.Put(t.Context(), name, strings.NewReader(text)))
}

// TestLeftJournal finds a journal that says nothing, beside a catalog that is whole or
// not. Who only reads is not kept from that, and Fix and RebuildCatalog begin anew.
func TestLeftJournal(t *testing.T) {
	repairs := map[string]func(r *repo.Repository) error{
		"fix":     func(r *repo.Repository) error { return errOf(r.Fix(t.Context(), nil)) },
		"rebuild": func(r *repo.Repository) error { return r.RebuildCatalog(t.Context(), "test.org") },
	}
	for journal, text := range leftJournals {
		for part, damage := range damagedParts {
			for how, repair := range repairs {
				t.Run(journal+", "+part+", "+how, func(t *testing.T) {
					s := store.Memory()
					f := publish(t, create(t, s), "a@1", "content")
					damage(t, s)
					putText(t, s, journalName, text)
					r := open(t, s)
					_, err := r.Manifest(t.Context(), f)
					require.NoError(t, err)
					if part == "whole" {
						require.Equal(t, []string{f.String()}, list(t, r, "test.org"))
					}
					require.NoError(t, repair(r))
					require.Equal(t, []string{f.String()}, list(t, open(t, s), "test.org"))
					require.Empty(t, check(t, r))
					g := publish(t, r, "b@1", "other content")
					require.Empty(t, cmp.Diff([]string{f.String(), g.String()}, list(t, r, "test.org")))
				})
			}
		}
	}
}

// TestForeignJournal is left alone by those who could destroy what it is about.
func TestForeignJournal(t *testing.T) {
	s := store.Memory()
	f := publish(t, create(t, s), "a@1", "content")
	putText(t, s, journalName, leftJournals["foreign"])
	_, err := open(t, s).Remove(t.Context(), f)
	require.EqualError(t, err, "remove packages of test.org: what another program has begun (tmp/ips.journal) is not understood; a rebuild of the catalog begins anew")
	require.Equal(t, leftJournals["foreign"], read(t, s, journalName))
}
