package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/store/storetest"
)

// diskDirectory is a directory of a disk that loses power.
type diskDirectory struct{ *storetest.DiskFS }

func (d diskDirectory) Names() (names []string, err error) {
	entries, err := d.ReadDir(".")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d diskDirectory) Lstat(name string) (fs.FileInfo, error) { return d.Stat(name) }

func (d diskDirectory) Create(name string) (archive.File, error) {
	f, err := d.DiskFS.Create(name)
	if err != nil {
		return nil, err
	}
	return blocks{f}, nil
}

func (d diskDirectory) Rename(from, to string) error {
	top, err := d.OpenDir(".")
	if err != nil {
		return err
	}
	return errors.Join(top.Take(from, to), top.Close())
}

func (d diskDirectory) Sync() error  { return d.DiskFS.Sync([]string{"."}) }
func (d diskDirectory) Close() error { return nil }

// blocks writes one block after the other, so that each can be the last.
type blocks struct{ archive.File }

func (b blocks) Write(p []byte) (n int, err error) {
	for block := range slices.Chunk(p, 512) {
		m, err := b.File.Write(block)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// A crashWriter writes an archive of some packages.
type crashWriter struct {
	shelf shelf
	pkgs  map[fmri.FMRI]*manifest.Manifest
	whole []byte // what it writes
}

func newCrashWriter(t *testing.T) *crashWriter {
	w := &crashWriter{shelf: shelf{}, pkgs: map[fmri.FMRI]*manifest.Manifest{}}
	for i := range 12 {
		f, m := w.shelf.pack(t, fmt.Sprintf("pkg://p/a%d@1", i), "shared", strings.Repeat(fmt.Sprint("own ", i), 100))
		w.pkgs[f] = m
	}
	whole := withOther(t)
	if err := w.run(whole); err != nil {
		t.Fatal(err)
	}
	w.whole = contentOf(t, whole, "new.p5p")
	return w
}

// run writes the archive to a disk, where there is another.
func (c *crashWriter) run(disk *storetest.Disk) error {
	w, err := archive.CreateIn(diskDirectory{disk.FS()}, "new.p5p")
	if err != nil {
		return err
	}
	for _, f := range slices.SortedFunc(maps.Keys(c.pkgs), fmri.FMRI.Compare) {
		if err := w.Add(f, c.pkgs[f], c.shelf.open); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Close()
}

// contentOf returns a file of a disk, nil if there is none.
func contentOf(t *testing.T, disk *storetest.Disk, name string) []byte {
	t.Helper()
	f, err := disk.FS().Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// withOther returns a disk that has another archive.
func withOther(t *testing.T) *storetest.Disk {
	t.Helper()
	disk := storetest.NewDisk()
	f, err := disk.FS().Create("other.p5p")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "other"); err != nil {
		t.Fatal(err)
	}
	if err := disk.FS().Sync([]string{".", "other.p5p"}); err != nil {
		t.Fatal(err)
	}
	return disk.Cut(storetest.LoseAll, 0)
}

// TestCrash cuts the writing of an archive off at each block and each change of a
// name: with a process that is killed, and with power that is lost, where what was
// not synced is lost in whole or in part: in nearly 4,000 states if IPS_LONG is set,
// and else in a sample. Then the name of the archive has nothing
// or the whole of it, and who tries again gets it whole, without help and without
// anything left.
func TestCrash(t *testing.T) {
	w := newCrashWriter(t)
	checkDiskArchive(t, w.whole)
	for _, links := range []bool{true, false} {
		states := 0
		cut := func(disk *storetest.Disk, state string) {
			states++
			w.check(t, disk, state)
		}
		disk := withOther(t)
		disk.Before(func(op storetest.Op) error {
			if isLong() || op.Kind != "write" || op.N%5 == 0 {
				cutEach(disk, op.String(), cut)
			}
			if op.Kind == "link" && !links {
				return errors.ErrUnsupported
			}
			return nil
		})
		if err := w.run(disk); err != nil {
			t.Fatal(err)
		}
		disk.Before(nil)
		cutEach(disk, "the end", cut)
		if got := contentOf(t, disk.Cut(storetest.LoseAll, 0), "new.p5p"); !bytes.Equal(got, w.whole) {
			t.Error("what Close has confirmed is not durable")
		}
		t.Logf("links %t: %d states", links, states)
	}
}

// isLong reports whether there is time for tests that take minutes.
func isLong() bool { return os.Getenv("IPS_LONG") != "" }

// cutEach calls f with all that may be found if the power fails now: all seeds if
// IPS_LONG is set, and else one.
func cutEach(disk *storetest.Disk, before string, f func(*storetest.Disk, string)) {
	seeds := uint64(1)
	if isLong() {
		seeds = 14
	}
	f(disk.Cut(storetest.LoseNothing, 0), "killed before "+before)
	f(disk.Cut(storetest.LoseAll, 0), "power lost before "+before)
	for seed := range seeds {
		f(disk.Cut(storetest.LoseSome, seed), fmt.Sprintf("power lost before %s, seed %d", before, seed))
	}
}

// checkDiskArchive makes sure that what is written in a test is an archive.
func checkDiskArchive(t *testing.T, content []byte) {
	t.Helper()
	a := newReader(t, content)
	pkgs := packages(t, a)
	if len(pkgs) != 12 {
		t.Fatalf("%d packages", len(pkgs))
	}
	for _, f := range pkgs {
		checkPackage(t, a, f)
	}
}

// check looks at one state, and writes the archive again.
func (c *crashWriter) check(t *testing.T, disk *storetest.Disk, state string) {
	t.Helper()
	got := contentOf(t, disk, "new.p5p")
	if got != nil && !bytes.Equal(got, c.whole) {
		t.Errorf("%s: found %d bytes, want %d or none", state, len(got), len(c.whole))
	}
	err := c.run(disk)
	if got == nil && err != nil || got != nil && !errors.Is(err, fs.ErrExist) {
		t.Errorf("%s: again: %v", state, err)
	}
	if !bytes.Equal(contentOf(t, disk, "new.p5p"), c.whole) {
		t.Errorf("%s: not whole the second time", state)
	}
	if names := disk.Files(); !slices.Equal(names, []string{"new.p5p", "other.p5p"}) {
		t.Errorf("%s: left are %q", state, names)
	}
}

// TestDiskFull has a disk that is full, or fails, from each change on. The error
// says so, and nothing is there; afterwards the archive can be written.
func TestDiskFull(t *testing.T) {
	w := newCrashWriter(t)
	for _, fault := range []error{syscall.ENOSPC, syscall.EIO} {
		for n := 1; ; n += 11 {
			disk := withOther(t)
			disk.Before(func(op storetest.Op) error {
				if op.N >= n && op.Kind != "remove" {
					return fault
				}
				return nil
			})
			err := w.run(disk)
			disk.Before(nil)
			if err == nil {
				break
			}
			if !errors.Is(err, fault) {
				t.Fatalf("after %d changes: %v", n, err)
			}
			synced := slices.Contains(disk.Files(), "new.p5p") // only that may have failed
			if names := disk.Files(); len(names) != 1 && !synced {
				t.Errorf("after %d changes: %v, left are %q", n, err, names)
			}
			if err := w.run(disk); err != nil && !synced {
				t.Errorf("after %d changes, again: %v", n, err)
			}
		}
	}
}

// TestCreateReadOnly writes to a directory where nothing can be written.
func TestCreateReadOnly(t *testing.T) {
	disk := withOther(t)
	disk.Before(func(storetest.Op) error { return syscall.EROFS })
	if err := newCrashWriter(t).run(disk); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	if names := disk.Files(); len(names) != 1 {
		t.Errorf("files: %q", names)
	}
}

// TestCreateLink has links in the place of the archive and of a temporary file: what
// they lead to stays as it is.
func TestCreateLink(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x.p5p", ".y.p5p.part-7"} {
		if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if _, err := archive.Create(filepath.Join(dir, "x.p5p"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link to a file: %v", err)
	}
	if err := create(t, filepath.Join(dir, "y.p5p"), shelf{}).Close(); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(victim); string(content) != "precious" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
}
