package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

// takesRoom reports whether a change needs room on the disk.
func takesRoom(op storetest.Op) bool {
	return slices.Contains([]string{"create", "write", "mkdir", "link"}, op.Kind)
}

// TestDiskFull lets the disk be full from each change on that takes room. The
// error must say so; nothing may be half done; and once there is room again, the
// operation succeeds, in the same process.
func TestDiskFull(t *testing.T) {
	for _, c := range slices.Concat(crashCases(t), indexedCases()) {
		if c.name == "suspend" {
			continue // goes on with what it has stored: see TestCrash
		}
		t.Run(c.name, func(t *testing.T) {
			disk := c.prepare(t)
			x := &crashed{crashCase: &c, before: listAll(t, open(t, disk.Store()))}
			done := disk.Cut(storetest.LoseNothing, 0)
			if err := c.run(t.Context(), open(t, done.Store())); err != nil {
				t.Fatal(err)
			}
			x.after = listAll(t, open(t, done.Store()))
			step := 17
			if isLong() {
				step = 1
			}
			for n := 1; x.full(t, disk.Cut(storetest.LoseNothing, 0), n); n += step {
			}
		})
	}
}

// full runs the operation with a disk that is full after n changes. It reports
// false if there was enough room.
func (x *crashed) full(t *testing.T, disk *storetest.Disk, n int) bool {
	r := open(t, disk.Store())
	disk.Before(func(op storetest.Op) error {
		if op.N >= n && takesRoom(op) {
			return syscall.ENOSPC
		}
		return nil
	})
	err := x.run(t.Context(), r)
	disk.Before(nil)
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("no room after %d changes: %v", n, err)
	}
	state := fmt.Sprintf("no room after %d changes", n)
	x.check(t, disk.Cut(storetest.LoseAll, 0), state, storetest.Op{})
	x.again(t, r, disk.Store(), func(format string, args ...any) { t.Errorf("%s: "+format, append([]any{state}, args...)...) })
	return err != nil && !t.Failed()
}

// TestReadOnlyDisk reads from a disk that cannot be written.
func TestReadOnlyDisk(t *testing.T) {
	disk := storetest.NewDisk()
	f := publish(t, create(t, disk.Store()), "a@1", "content")
	disk.Before(func(storetest.Op) error { return syscall.EROFS })
	r := open(t, disk.Store())
	if got := list(t, r, "test.org"); !slices.Equal(got, []string{f.String()}) {
		t.Errorf("listed are %q", got)
	}
	if err := tryPublish(t.Context(), r, "b@1", "content"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("publishing: %v", err)
	}
	if err := r.Rebuild(t.Context(), "test.org"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("rebuilding: %v", err)
	}
	ro := open(t, store.ReadOnly(disk.Store()))
	if err := tryPublish(t.Context(), ro, "b@1", "content"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("publishing to a read-only store: %v", err)
	}
	if found := check(t, ro); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

// TestFaultyStore publishes into a store that fails now and then: what was
// reported as published is there, and nothing is broken.
func TestFaultyStore(t *testing.T) {
	for seed := range uint64(30) {
		s := store.Memory()
		create(t, s)
		faulty := storetest.Faulty(s, seed)
		var published []string
		for i := range 10 {
			unlock(t, s)
			r, err := repo.Open(t.Context(), faulty, testOptions())
			if err != nil {
				continue
			}
			name := fmt.Sprintf("pkg://test.org/p%d@1", i)
			err = tryPublish(t.Context(), r, name, "shared", name)
			if err == nil {
				published = append(published, name+",5.11:20260102T030405Z")
			}
		}
		unlock(t, s)
		r := open(t, s)
		if listed := listAll(t, r); !isSubset(published, listed) {
			t.Errorf("seed %d: listed are %q, published were %q", seed, listed, published)
		}
		if found := check(t, r); len(found) > 0 {
			t.Errorf("seed %d: found %+v", seed, found)
		}
	}
}

// unlock ends the lease of a holder that failed to do so: to wait for its end
// would take its time.
func unlock(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Put(t.Context(), "publisher/test.org/tmp/lock", strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
}

// TestManyWriters publishes from several processes at once, while others read.
// Each package must be there once, and each catalog that is read be whole. The
// processes are this test, which finds its part in the environment. With
// IPS_LONG set there are 8 processes with 200 packages each.
func TestManyWriters(t *testing.T) {
	if dir := os.Getenv("IPS_TEST_WRITER"); dir != "" {
		writeMany(t, dir)
		return
	}
	processes, packages := 4, 4
	if isLong() {
		processes, packages = 8, 200
	}
	dir := t.TempDir()
	r := create(t, openDir(t, dir))
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() { readMany(t, dir, done) })
	}
	for i := range processes {
		writers.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestManyWriters$")
			cmd.Env = append(os.Environ(), "IPS_TEST_WRITER="+dir,
				"IPS_TEST_NUMBER="+strconv.Itoa(i), "IPS_TEST_PACKAGES="+strconv.Itoa(packages))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	var want []string
	for i := range processes {
		for j := range packages {
			want = append(want, writerPackage(i, j).String())
		}
	}
	got := list(t, r, "test.org")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if found := check(t, r); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

func writerPackage(process, n int) fmri.FMRI {
	return fmri.MustParse(fmt.Sprintf("pkg://test.org/p%d/n%d@1,5.11:20260102T030405Z", process, n))
}

// writeMany is one of the processes that write.
func writeMany(t *testing.T, dir string) {
	number, _ := strconv.Atoi(os.Getenv("IPS_TEST_NUMBER"))
	packages, _ := strconv.Atoi(os.Getenv("IPS_TEST_PACKAGES"))
	r := open(t, openDir(t, dir))
	for j := range packages {
		f := writerPackage(number, j)
		if got := publish(t, r, f.String(), fmt.Sprint("shared ", j), f.String()); got != f {
			t.Errorf("published as %s", got)
		}
	}
}

// readMany reads the catalog again and again, each time in a new Repository.
func readMany(t *testing.T, dir string, done <-chan struct{}) {
	last, s := 0, openDir(t, dir)
	for {
		select {
		case <-done:
			return
		default:
		}
		c, err := open(t, s).Catalog(t.Context(), "test.org")
		if err != nil {
			t.Errorf("reading: %v", err)
			return
		}
		if c.Len() < last {
			t.Errorf("%d packages after %d", c.Len(), last)
		}
		last = c.Len()
	}
}

func openDir(t testing.TB, dir string) store.Store {
	t.Helper()
	s, err := store.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestBusy shows who is writing to those who cannot wait.
func TestBusy(t *testing.T) {
	dir := t.TempDir()
	r := create(t, openDir(t, dir))
	f := publish(t, r, "a@1", "content")
	other := openDir(t, dir)
	lock, err := store.Acquire(t.Context(), other, "publisher/test.org/tmp/lock", &store.LockOptions{Note: []byte("17\nfar.example\n20260102T030405Z\n\n")})
	if err != nil {
		t.Fatal(err)
	}
	var busy *repo.BusyError
	for what, err := range map[string]error{
		"Remove":  errOf(r.Remove(t.Context(), f)),
		"Rebuild": r.Rebuild(t.Context(), "test.org"),
	} {
		if !errors.As(err, &busy) || busy.Process != "17" || busy.Host != "far.example" {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tryPublish(ctx, r, "b@1", "content"); !errors.Is(err, context.Canceled) {
		t.Errorf("publishing: %v", err)
	}
	writing, err := r.Busy(t.Context(), "test.org")
	require.NoError(t, err)
	require.True(t, writing)
	require.NoError(t, lock.Release())
	writing, err = r.Busy(t.Context(), "test.org")
	require.NoError(t, err)
	require.False(t, writing)
	if _, err := r.Remove(t.Context(), f); err != nil {
		t.Error(err)
	}
}
