package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/upkeep"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

// A crashCase is an operation that is cut off at each of its steps.
type crashCase struct {
	name     string
	version  int  // of the repository; 0 means 4
	oldNames bool // payloads have the names that old programs gave them
	setup    func(t *testing.T, r *repo.Repository)
	run      func(ctx context.Context, r *repo.Repository) error

	// damage, if set, breaks something before the operation, so that faults
	// may be found until it is done.
	damage func(t *testing.T, s store.Store)

	// between allows packages of the state before to be listed together with
	// some of the state after: for operations that are not one change.
	between bool

	// unlisted allows manifests that are not listed: for operations that store
	// packages first and list them then.
	unlisted bool
}

// crashSource has packages to be copied.
func crashSource(t *testing.T) *repo.Repository {
	src := create(t, store.Memory())
	for i := range 8 {
		publish(t, src, fmt.Sprintf("copied%d@1", i), "shared", fmt.Sprint("only copied ", i))
	}
	return src
}

func crashCases(t *testing.T) []crashCase {
	src := crashSource(t)
	file := archived(t, src)
	three := func(t *testing.T, r *repo.Repository) {
		for i := range 3 {
			publish(t, r, fmt.Sprintf("old%d@1", i), "shared", fmt.Sprint("only old ", i))
		}
	}
	old := func(i int) fmri.FMRI {
		return fmri.MustParse(fmt.Sprintf("pkg://test.org/old%d@1,5.11:20260102T030405Z", i))
	}
	cases := []crashCase{
		{name: "publish", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			return tryPublish(ctx, r, "pkg://test.org/new@1", "shared", "only new")
		}},
		{name: "first", setup: func(*testing.T, *repo.Repository) {}, run: func(ctx context.Context, r *repo.Repository) error {
			return tryPublish(ctx, r, "pkg://second.org/new@1", "content")
		}},
		{name: "batch", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			b, err := r.NewBatch(ctx)
			if err != nil {
				return err
			}
			defer b.Abort(ctx)
			for i := range 12 {
				if err := tryPublish(ctx, b, fmt.Sprintf("pkg://test.org/new%d@1", i), "shared", fmt.Sprint("only new ", i)); err != nil {
					return err
				}
			}
			return b.Commit(ctx)
		}},
		{name: "remove", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(r.Remove(ctx, old(0), old(2)))
		}},
		{name: "thin", setup: func(t *testing.T, r *repo.Repository) {
			three(t, r)
			publish(t, r, "old0@2", "shared")
			publish(t, r, "old2@2", "shared")
		}, run: func(ctx context.Context, r *repo.Repository) error {
			_, err := r.Thin(ctx, "test.org", &upkeep.Retention{Newest: 1})
			return err
		}},
		{name: "rebuild", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			return r.Rebuild(ctx, "test.org")
		}},
		{name: "refresh", setup: three, unlisted: true, run: func(ctx context.Context, r *repo.Repository) error {
			if err := tryPublish(ctx, repo.Unlisted(r), "pkg://test.org/new@1", "shared", "only new"); err != nil {
				return err
			}
			_, err := r.Refresh(ctx, "test.org")
			return err
		}},
		{name: "append", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			return trySign(ctx, r, old(1))
		}},
		{name: "suspend", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			return tryInSteps(ctx, r, "pkg://test.org/new@1", "shared", "first", "second")
		}},
		{name: "copy", setup: three, between: true, run: func(ctx context.Context, r *repo.Repository) error {
			c, err := src.Catalog(ctx, "test.org")
			if err != nil {
				return err
			}
			var pkgs []fmri.FMRI
			for p := range c.All() {
				pkgs = append(pkgs, p.FMRI())
			}
			return errOf(repo.Copy(ctx, r, src, slices.Values(pkgs), &repo.CopyOptions{BatchBytes: 100, Parallel: 1}))
		}},
		{name: "receive", setup: three, run: func(ctx context.Context, r *repo.Repository) error {
			all, err := new(repo.Selection).Find(ctx, file)
			if err != nil {
				return err
			}
			return errOf(repo.Copy(ctx, r, file, slices.Values(all), &repo.CopyOptions{Parallel: 1}))
		}},
		{name: "clone", setup: three, unlisted: true, run: func(ctx context.Context, r *repo.Repository) error {
			return errOf(repo.Clone(ctx, r, src, "test.org", &repo.CopyOptions{Parallel: 1}))
		}},
		{name: "fix", setup: three, damage: damagePayload, run: func(ctx context.Context, r *repo.Repository) error {
			_, err := r.Fix(ctx, nil)
			return err
		}},
		{name: "drop", setup: func(t *testing.T, r *repo.Repository) {
			three(t, r)
			publish(t, r, "pkg://second.org/other@1", "content")
		}, run: func(ctx context.Context, r *repo.Repository) error { return r.RemovePublisher(ctx, "test.org") }},
	}
	oldest := cases[0]
	oldest.name, oldest.version, oldest.oldNames = "publish 3, old names", 3, true
	for _, c := range cases {
		if slices.Contains([]string{"publish", "first", "batch", "remove", "rebuild", "append"}, c.name) {
			c.name, c.version = c.name+" 3", 3
			cases = append(cases, c)
		}
	}
	return append(cases, oldest)
}

// damagePayload makes the payload of one package unreadable.
func damagePayload(t *testing.T, s store.Store) {
	hash := manifest.SHA1.Sum([]byte("only old 1")).Hex()
	name := "publisher/test.org/file/" + hash[:2] + "/" + hash
	if err := s.Put(t.Context(), name, strings.NewReader("junk")); err != nil {
		t.Fatal(err)
	}
}

// giveOldNames names the payloads of a repository of version 3 as the oldest
// programs did.
func giveOldNames(t *testing.T, s store.Store) {
	for name, text := range objects(t, s, "file/") {
		base := path.Base(name)
		if err := s.Put(t.Context(), path.Join("file", base[:2], base[2:8], base), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

// prepare makes the disk on which the operation begins.
func (c *crashCase) prepare(t *testing.T) *storetest.Disk {
	disk := storetest.NewDisk()
	config := repo.Config{Version: c.version, DefaultPublisher: "test.org"}
	if c.name == "first 3" {
		config.DefaultPublisher = "" // the first that a package is published for
	}
	r, err := repo.Create(t.Context(), disk.Store(), config, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	c.setup(t, r)
	if c.oldNames {
		giveOldNames(t, disk.Store())
	}
	if c.damage != nil {
		c.damage(t, disk.Store())
	}
	return disk.Cut(storetest.LoseNothing, 0)
}

func tryPublish(ctx context.Context, sink repo.Sink, name string, contents ...string) error {
	tx, err := sink.Begin(ctx, fmri.MustParse(name+",5.11:20260102T030405Z"))
	if err != nil {
		return err
	}
	defer tx.Abort(ctx)
	if err := tryAdd(ctx, tx, contents...); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return err
}

func tryAdd(ctx context.Context, tx repo.Tx, contents ...string) error {
	for _, c := range contents {
		if err := tx.Add(ctx, fileAction(c), strings.NewReader(c)); err != nil {
			return err
		}
	}
	return nil
}

func trySign(ctx context.Context, r *repo.Repository, f fmri.FMRI) error {
	tx, err := r.Append(ctx, f)
	if err != nil {
		return err
	}
	defer tx.Abort(ctx)
	if err := tx.Add(ctx, signatureAction, strings.NewReader("certificate")); err != nil {
		return err
	}
	_, err = tx.Commit(ctx)
	return err
}

// tryInSteps publishes a package as several processes would.
func tryInSteps(ctx context.Context, r *repo.Repository, name string, contents ...string) error {
	tx, err := r.Begin(ctx, fmri.MustParse(name+",5.11:20260102T030405Z"))
	if err != nil {
		return err
	}
	t := tx.(*repo.Transaction)
	for _, c := range contents {
		if err := tryAdd(ctx, t, c); err != nil {
			return errors.Join(err, t.Abort(ctx))
		}
		if err := t.Suspend(ctx); err != nil {
			return err
		}
		if t, err = r.Resume(ctx, t.ID()); err != nil {
			return err
		}
	}
	_, err = t.Commit(ctx)
	return err
}

// TestCrash cuts operations off at each change of the disk: with a process that
// is killed, and with power that is lost, where what was not synced is lost in
// whole or in part. What is found afterwards must be in order without anybody's
// help: see crashCase.check.
//
// All states are looked at, some 31,000, if IPS_LONG is set, and else a sample.
func TestCrash(t *testing.T) {
	seeds, stride := uint64(1), 11
	if isLong() {
		seeds, stride = 14, 1
	}
	total := 0
	for _, c := range crashCases(t) {
		t.Run(c.name, func(t *testing.T) { total += c.test(t, seeds, stride) })
	}
	t.Logf("%d states", total)
}

// isLong reports whether there is time for tests that take minutes.
func isLong() bool { return os.Getenv("IPS_LONG") != "" }

// A crashed is what is known about an operation that was cut off.
type crashed struct {
	*crashCase
	before, after []string // what is listed, by all publishers
	n             int      // states looked at
}

func (c *crashCase) test(t *testing.T, seeds uint64, stride int) int {
	base := c.prepare(t)
	x := &crashed{crashCase: c, before: listAll(t, open(t, base.Store()))}
	done := base.Cut(storetest.LoseNothing, 0)
	if err := c.run(t.Context(), open(t, done.Store())); err != nil {
		t.Fatal(err)
	}
	x.after = listAll(t, open(t, done.Store()))
	run := base.Cut(storetest.LoseNothing, 0)
	r := open(t, run.Store())
	run.Before(func(op storetest.Op) error {
		if op.N%stride == 0 {
			x.cut(t, run, op, seeds)
		}
		return nil
	})
	if err := c.run(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	run.Before(nil)
	x.cut(t, run, storetest.Op{Kind: "end"}, seeds)
	return x.n
}

// cut looks at all that may be found if the operation ends before op.
func (x *crashed) cut(t *testing.T, disk *storetest.Disk, op storetest.Op, seeds uint64) {
	if t.Failed() {
		return
	}
	x.check(t, disk.Cut(storetest.LoseNothing, 0), fmt.Sprintf("killed before %v", op), op)
	x.check(t, disk.Cut(storetest.LoseAll, 0), fmt.Sprintf("power lost before %v", op), op)
	for seed := range seeds {
		x.check(t, disk.Cut(storetest.LoseSome, seed), fmt.Sprintf("power lost before %v, seed %d", op, seed), op)
	}
}

// check looks at one state. The repository opens; what is listed is what was
// listed before or what was to be; all of it is whole; nothing that is not
// listed is left; after the next change there are no temporary files; and the
// operation done again comes to its end.
func (x *crashed) check(t *testing.T, disk *storetest.Disk, state string, op storetest.Op) {
	x.n++
	found := disk.Cut(storetest.LoseNothing, 0)
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s: %s\nfound were: %s", x.name, state, fmt.Sprintf(format, args...), strings.Join(found.Files(), "\n\t"))
	}
	r, err := repo.Open(t.Context(), disk.Store(), testOptions())
	if err != nil {
		fail("Open: %v", err)
		return
	}
	listed := listAll(t, r)
	switch {
	case slices.Equal(listed, x.before), slices.Equal(listed, x.after):
	case x.between && isSubset(x.before, listed) && isSubset(listed, x.after):
	default:
		fail("listed are %q, want %q or %q", listed, x.before, x.after)
	}
	for f, err := range r.Check(t.Context(), nil) {
		if err != nil {
			fail("Check: %v", err)
			return
		}
		if x.damage == nil {
			fail("found %+v", f)
		}
	}
	x.checkSearch(t, r, disk.Store(), fail)
	if !x.unlisted {
		if stray := unlisted(disk, listed); stray != nil {
			fail("manifests that are not listed: %q", stray)
		}
	}
	if err := r.SetProperties(t.Context(), repo.Property{Section: "a", Name: "b", Value: repo.Text("c")}); err != nil {
		fail("SetProperties: %v", err)
	}
	for _, name := range disk.Files() {
		if strings.HasPrefix(name, ".tmp") || strings.Contains(name, "journal") {
			fail("%s is left", name)
		}
	}
	if op.N%3 == 0 {
		x.again(t, r, disk.Store(), fail)
	}
}

// again does the operation once more, which may be done already.
func (x *crashed) again(t *testing.T, r *repo.Repository, s store.Store, fail func(string, ...any)) {
	err := x.run(t.Context(), r)
	if x.name == "suspend" && errors.Is(err, fs.ErrExist) {
		for _, id := range transactions(t, s) {
			tx, err := r.Resume(t.Context(), id)
			if err != nil {
				fail("Resume: %v", err)
				return
			}
			if err := tx.Abort(t.Context()); err != nil {
				fail("Abort: %v", err)
			}
		}
		if !slices.Equal(listAll(t, r), x.after) {
			err = x.run(t.Context(), r)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		fail("again: %v", err)
	}
	if x.name == "refresh" {
		if _, err := r.Refresh(t.Context(), "test.org"); err != nil {
			fail("Refresh: %v", err)
		}
	}
	if diff := cmp.Diff(x.after, listAll(t, r)); diff != "" {
		fail("done again: %s", diff)
	}
}

// transactions returns the names of those that are suspended.
func transactions(t *testing.T, s store.Store) (ids []string) {
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		dir, base := path.Split(info.Name)
		if above, id := path.Split(strings.TrimSuffix(dir, "/")); base == "manifest" && strings.HasSuffix(above, "trans/") {
			ids = append(ids, id)
		}
	}
	return ids
}

func open(t testing.TB, s store.Store) *repo.Repository {
	t.Helper()
	r, err := repo.Open(t.Context(), s, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listAll returns what all publishers have listed.
func listAll(t testing.TB, r *repo.Repository) []string {
	t.Helper()
	names, err := r.Publishers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, name := range names {
		all = append(all, list(t, r, name)...)
	}
	return all
}

// unlisted returns the manifests on a disk that are not among those listed.
func unlisted(disk *storetest.Disk, listed []string) []string {
	var stray []string
	for _, name := range disk.Files() {
		parts := strings.Split(name, "/")
		if len(parts) == 3 && parts[0] == "pkg" { // version 3
			name := "test.org"
			for _, text := range listed {
				name = fmri.MustParse(text).Publisher()
			}
			parts = append([]string{"publisher", name}, parts...)
		}
		if len(parts) != 5 || parts[2] != "pkg" {
			continue
		}
		f, err := fmri.ParsePath(parts[1], parts[3]+"/"+parts[4])
		if err != nil || !slices.Contains(listed, f.String()) {
			stray = append(stray, name)
		}
	}
	return stray
}

// isSubset reports whether all of a are in b.
func isSubset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}
