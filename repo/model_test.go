package repo_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A model is the obvious repository: what is stored, and what of that is listed.
type model struct {
	stored    map[fmri.FMRI][]string // packages and their contents
	listed    map[fmri.FMRI]bool
	suspended map[string]suspended // by their names
	forgotten map[string]bool      // payloads of transactions that were suspended and aborted
}

type suspended struct {
	fmri     fmri.FMRI
	contents []string
}

// A machine does the same to a repository and to its model.
type machine struct {
	*testing.T
	rnd   *rand.Rand
	store store.Store
	repo  *repo.Repository
	model model
	src   *repo.Repository // another repository, with some of the same packages
	now   int              // seconds, so that names differ
	log   []string
}

// TestModel does random things to a repository. After each of them it lists and stores what
// the model does, has the payloads of what it stores and no other, and Check finds nothing.
func TestModel(t *testing.T) {
	runs, steps := 12, 40
	if isLong() {
		runs, steps = 300, 200
	}
	for seed := range runs {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := newMachine(t, uint64(seed))
			for range steps {
				m.step()
				m.compare()
			}
		})
	}
}

func newMachine(t *testing.T, seed uint64) *machine {
	s := store.Memory()
	m := &machine{
		T: t, rnd: rand.New(rand.NewPCG(seed, 7)), store: s, repo: create(t, s), src: create(t, store.Memory()),
		model: model{map[fmri.FMRI][]string{}, map[fmri.FMRI]bool{}, map[string]suspended{}, map[string]bool{}},
	}
	for range 6 {
		m.publishTo(m.src, m.name(), m.contents())
	}
	return m
}

// step does one thing.
func (m *machine) step() {
	steps := map[string]func(){
		"publish": m.publish, "unlisted": m.publishUnlisted, "batch": m.batch, "abort": m.abort, "twice": m.twice,
		"copy": m.copy, "remove": m.remove, "refresh": m.refresh, "rebuild": m.rebuild, "enlist": m.enlist,
		"thin": m.thin, "clone": m.clone, "suspend": m.suspend, "resume": m.resume, "fix": m.fix, "reopen": m.reopen,
		"sign": m.sign,
	}
	names := slices.Sorted(maps.Keys(steps))
	name := names[m.rnd.IntN(len(names))]
	m.log = append(m.log, name)
	steps[name]()
}

// name makes a name that was never used.
func (m *machine) name() fmri.FMRI {
	m.now++
	return fmri.MustParse(fmt.Sprintf("pkg://test.org/%c@%d,5.11:20260102T%02d%02d%02dZ", 'a'+m.rnd.IntN(4), 1+m.rnd.IntN(3), m.now/3600, m.now/60%60, m.now%60))
}

// contents draws from few contents, so that packages share them.
func (m *machine) contents() []string {
	var all []string
	for range m.rnd.IntN(4) {
		if c := fmt.Sprint("content ", m.rnd.IntN(8)); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// some draws packages from a set.
func (m *machine) some(all []fmri.FMRI) []fmri.FMRI {
	return slices.DeleteFunc(all, func(fmri.FMRI) bool { return m.rnd.IntN(3) > 0 })
}

func (m *machine) stored() []fmri.FMRI {
	return slices.SortedFunc(maps.Keys(m.model.stored), fmri.FMRI.Compare)
}

func (m *machine) publishTo(sink repo.Sink, f fmri.FMRI, contents []string) {
	m.Helper()
	tx, err := sink.Begin(m.Context(), f)
	require.NoError(m, err, m.log)
	for _, c := range contents {
		require.NoError(m, tx.Add(m.Context(), fileAction(c), strings.NewReader(c)), m.log)
	}
	_, err = tx.Commit(m.Context())
	require.NoError(m, err, m.log)
}

func (m *machine) keep(f fmri.FMRI, contents []string, listed bool) {
	m.model.stored[f] = contents
	m.model.listed[f] = listed
}

func (m *machine) publish() {
	f, c := m.name(), m.contents()
	m.publishTo(m.repo, f, c)
	m.keep(f, c, true)
}

func (m *machine) publishUnlisted() {
	f, c := m.name(), m.contents()
	m.publishTo(repo.Unlisted(m.repo), f, c)
	m.keep(f, c, false)
}

func (m *machine) batch() {
	b, err := m.repo.NewBatch(m.Context())
	require.NoError(m, err)
	done := map[fmri.FMRI][]string{}
	for range 1 + m.rnd.IntN(3) {
		f, c := m.name(), m.contents()
		m.publishTo(b, f, c)
		done[f] = c
	}
	if m.rnd.IntN(3) == 0 {
		require.NoError(m, b.Abort(m.Context()))
		return
	}
	require.NoError(m, b.Commit(m.Context()), m.log)
	for f, c := range done {
		m.keep(f, c, true)
	}
}

func (m *machine) abort() {
	tx, err := m.repo.Begin(m.Context(), m.name())
	require.NoError(m, err)
	for _, c := range m.contents() {
		require.NoError(m, tx.Add(m.Context(), fileAction(c), strings.NewReader(c)))
	}
	require.NoError(m, tx.Abort(m.Context()))
}

// twice publishes what is there.
func (m *machine) twice() {
	for _, f := range m.some(m.stored()) {
		_, err := m.repo.Begin(m.Context(), f)
		require.ErrorIs(m, err, fs.ErrExist)
	}
}

func (m *machine) sourcePackages() []fmri.FMRI {
	all, err := new(repo.Selection).Find(m.Context(), m.src)
	require.NoError(m, err)
	return all
}

// contentsOf returns the contents of a package of the source, which its paths tell.
func (m *machine) contentsOf(f fmri.FMRI) (all []string) {
	text, err := m.src.Manifest(m.Context(), f)
	require.NoError(m, err)
	for a := range text.Kind(manifest.KindFile) {
		p, _ := a.Attrs.Get("path")
		all = append(all, strings.ReplaceAll(path.Base(p), "_", " "))
	}
	return all
}

func (m *machine) copy() {
	pkgs := m.some(m.sourcePackages())
	done, err := repo.Copy(m.Context(), m.repo, m.src, slices.Values(pkgs), &repo.CopyOptions{BatchBytes: int64(1 + m.rnd.IntN(200))})
	require.NoError(m, err, m.log)
	require.Equal(m, len(pkgs), len(done.Copied)+len(done.Skipped))
	for _, f := range done.Copied {
		require.NotContains(m, m.model.stored, f)
	}
	for _, f := range done.Listed {
		require.False(m, m.model.listed[f])
	}
	for _, f := range pkgs {
		m.keep(f, m.contentsOf(f), true)
	}
}

func (m *machine) remove() {
	pkgs := m.some(m.stored())
	done, err := m.repo.Remove(m.Context(), pkgs...)
	require.NoError(m, err, m.log)
	require.ElementsMatch(m, pkgs, done.Packages)
	for _, f := range pkgs {
		delete(m.model.stored, f)
		delete(m.model.listed, f)
	}
}

func (m *machine) listAll() {
	for f := range m.model.stored {
		m.model.listed[f] = true
	}
}

func (m *machine) refresh() {
	added, err := m.repo.Refresh(m.Context(), "test.org")
	require.NoError(m, err, m.log)
	for _, f := range added {
		require.False(m, m.model.listed[f])
	}
	m.listAll()
}

func (m *machine) rebuild() {
	require.NoError(m, m.repo.Rebuild(m.Context(), "test.org"), m.log)
	m.listAll()
}

func (m *machine) enlist() {
	pkgs := m.some(m.stored())
	added, err := m.repo.Enlist(m.Context(), append(pkgs, m.name())...)
	require.NoError(m, err, m.log)
	for _, f := range added {
		require.False(m, m.model.listed[f])
	}
	for _, f := range pkgs {
		m.model.listed[f] = true
	}
}

// thin keeps the newest of each name that is listed.
func (m *machine) thin() {
	_, err := m.repo.Thin(m.Context(), "test.org", &upkeep.Retention{Newest: 1})
	require.NoError(m, err, m.log)
	newest := map[string]fmri.FMRI{}
	for f := range m.model.listed {
		if n, ok := newest[f.Name()]; m.model.listed[f] && (!ok || n.Version().Compare(f.Version()) < 0) {
			newest[f.Name()] = f
		}
	}
	for f := range maps.Clone(m.model.listed) {
		if m.model.listed[f] && newest[f.Name()] != f {
			delete(m.model.stored, f)
			delete(m.model.listed, f)
		}
	}
}

// clone makes what is listed that of the source. What nobody listed stays, but for what
// the source has.
func (m *machine) clone() {
	done, err := repo.Clone(m.Context(), m.repo, m.src, "test.org", nil)
	require.NoError(m, err, m.log)
	for f := range maps.Clone(m.model.listed) {
		if m.model.listed[f] {
			delete(m.model.stored, f)
			delete(m.model.listed, f)
		}
	}
	for _, f := range m.sourcePackages() {
		m.keep(f, m.contentsOf(f), true)
	}
	for _, f := range done.Removed {
		require.NotContains(m, m.model.listed, f)
	}
}

func (m *machine) suspend() {
	f, contents := m.name(), m.contents()
	tx, err := m.repo.Begin(m.Context(), f)
	require.NoError(m, err)
	for _, c := range contents {
		require.NoError(m, tx.Add(m.Context(), fileAction(c), strings.NewReader(c)))
	}
	slow := tx.(*repo.Transaction)
	require.NoError(m, slow.Suspend(m.Context()), m.log)
	m.model.suspended[slow.ID()] = suspended{f, contents}
}

func (m *machine) resume() {
	ids := slices.Sorted(maps.Keys(m.model.suspended))
	if len(ids) == 0 {
		return
	}
	id, s := ids[0], m.model.suspended[ids[0]]
	tx, err := m.repo.Resume(m.Context(), id)
	require.NoError(m, err, m.log)
	if m.rnd.IntN(2) == 0 {
		require.NoError(m, tx.Abort(m.Context()))
		for _, c := range s.contents {
			m.model.forgotten[payloadName(c)] = true
		}
	} else {
		_, err = tx.Commit(m.Context())
		require.NoError(m, err, m.log)
		m.keep(s.fmri, s.contents, true)
	}
	delete(m.model.suspended, id)
	_, err = m.repo.Resume(m.Context(), id)
	require.ErrorIs(m, err, fs.ErrNotExist)
}

func (m *machine) fix() {
	done, err := m.repo.Fix(m.Context(), nil)
	require.NoError(m, err, m.log)
	require.Empty(m, done.Repairs)
}

func (m *machine) reopen() { m.repo = open(m.T, m.store) }

// sign adds a signature to a package that is listed, and to one that is not.
func (m *machine) sign() {
	for _, f := range m.some(m.stored()) {
		tx, err := m.repo.Append(m.Context(), f)
		if !m.model.listed[f] {
			require.ErrorIs(m, err, fs.ErrNotExist)
			continue
		}
		require.NoError(m, err, m.log)
		require.NoError(m, tx.Add(m.Context(), signatureAction, nil))
		if _, err = tx.Commit(m.Context()); !errors.Is(err, fs.ErrExist) {
			require.NoError(m, err, m.log)
		}
	}
}

// compare compares the repository with its model.
func (m *machine) compare() {
	m.Helper()
	var listed, stored []string
	payloads := map[string]bool{}
	for f, contents := range m.model.stored {
		stored = append(stored, f.String())
		if m.model.listed[f] {
			listed = append(listed, f.String())
		}
		for _, c := range contents {
			payloads[payloadName(c)] = true
		}
	}
	slices.Sort(stored)
	require.Empty(m, cmp.Diff(asSet(listed), asSet(list(m.T, m.repo, "test.org"))), "listed after %v", m.log)

	var manifests []string
	prefix := "publisher/test.org/pkg/"
	for name := range objects(m.T, m.store, prefix) {
		stem, version := path.Split(strings.TrimPrefix(name, prefix))
		text, err := fmri.Unescape("pkg://test.org/" + strings.TrimSuffix(stem, "/") + "@" + version)
		require.NoError(m, err)
		manifests = append(manifests, text)
	}
	slices.Sort(manifests)
	require.Empty(m, cmp.Diff(asSet(stored), asSet(manifests)), "stored after %v", m.log)

	// Payloads of a transaction that was suspended may have been stored before it, and stay
	// if it is aborted when nobody else needs them.
	maybe := maps.Clone(payloads)
	maps.Copy(maybe, m.model.forgotten)
	for _, s := range m.model.suspended {
		for _, c := range s.contents {
			maybe[payloadName(c)] = true
		}
	}
	for name := range objects(m.T, m.store, "publisher/test.org/file/") {
		require.Contains(m, maybe, name, "after %v", m.log)
		delete(payloads, name)
	}
	require.Empty(m, payloads, "missing after %v", m.log)
	noFindings(m.T, m.repo)
	require.Equal(m, len(m.model.suspended), len(transactions(m.T, m.store)))
}

func asSet(names []string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}
