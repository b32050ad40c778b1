package store_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

// dirAt returns a Dir in a directory.
func dirAt(t testing.TB, dir string) store.Store {
	t.Helper()
	s, err := store.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestLinkOutOfRoot puts symbolic links that lead out of the root in the place
// of objects and directories: nothing outside is read, written or removed.
func TestLinkOutOfRoot(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file": secret, "dir": outside, "up": "../" + filepath.Base(outside), "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := dirAt(t, dir)
	for _, name := range []string{"file", "dir/secret", "up/secret", "loop", "loop/x"} {
		if r, _, err := s.Open(t.Context(), name); err == nil {
			r.Close()
			t.Errorf("Open(%q) read a file outside", name)
		}
		if _, err := store.Stat(t.Context(), s, name); err == nil {
			t.Errorf("Stat(%q) saw a file outside", name)
		}
		if err := s.Remove(t.Context(), name); err == nil && name != "file" && name != "loop" {
			t.Errorf("Remove(%q) removed something", name)
		}
	}
	for _, name := range []string{"dir/new", "up/new", "dir/secret"} {
		if err := s.Put(t.Context(), name, strings.NewReader("overwritten")); err == nil {
			t.Errorf("Put(%q) wrote outside", name)
		}
	}
	// A link in the place of an object is replaced, and its target left alone.
	if err := s.Put(t.Context(), "file", strings.NewReader("new")); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(outside)
	if data, _ := os.ReadFile(secret); err != nil || len(entries) != 1 || string(data) != "secret" {
		t.Errorf("outside are %v, the secret is %q", entries, data)
	}
	for info, err := range s.List(t.Context(), "") {
		if err != nil || info.Name != "file" {
			t.Errorf("listed is %q, %v", info.Name, err)
		}
	}
}

// TestNoRegularFile puts a fifo in the place of an object: it is not waited for.
func TestNoRegularFile(t *testing.T) {
	mkfifo, err := exec.LookPath("mkfifo")
	if err != nil {
		t.Skip("no mkfifo")
	}
	dir := t.TempDir()
	if out, err := exec.Command(mkfifo, filepath.Join(dir, "fifo")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := dirAt(t, dir)
	if _, _, err := s.Open(t.Context(), "fifo"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Open: %v", err)
	}
	for info := range s.List(t.Context(), "") {
		t.Errorf("listed is %q", info.Name)
	}
}

// TestLeftFiles kills a writer, as it were, and looks whether the next one
// clears up, and leaves alone what belongs to those who live.
func TestLeftFiles(t *testing.T) {
	dir := t.TempDir()
	alive, err := store.NewBatch(t.Context(), dirAt(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	if err := store.PutBatch(t.Context(), alive, "late", strings.NewReader("late")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".tmp-dead", ".tmp-dead.1", ".tmp-gone.7"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := dirAt(t, dir).Put(t.Context(), "x", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".tmp-dead", ".tmp-dead.1", ".tmp-gone.7"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there (%v)", name, err)
		}
	}
	if err := alive.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{"late", "x"}) {
		t.Errorf("there are %q, %v", names, err)
	}
}

// TestRecordLock takes a lock as the programs of the reference do, in another
// process: it excludes ours, and ours excludes it.
func TestRecordLock(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no python3")
	}
	dir := t.TempDir()
	s := dirAt(t, dir)
	l, err := store.Acquire(t.Context(), s, "lock", &store.LockOptions{Note: []byte("ours")})
	if err != nil {
		t.Fatal(err)
	}
	const try = "import fcntl,sys\nf=open(sys.argv[1],'a+')\nfcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\n"
	if out, err := exec.Command(python, "-c", try, filepath.Join(dir, "lock")).CombinedOutput(); err == nil {
		t.Errorf("another process took the lock: %s", out)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	const hold = try + "f.write('theirs\\n')\nf.flush()\nprint('held',flush=True)\nsys.stdin.read()\n"
	cmd := exec.Command(python, "-c", hold, filepath.Join(dir, "lock"))
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	if _, err := out.Read(buf); err != nil {
		t.Fatal(err)
	}
	var held *store.LockedError
	if _, err := store.Acquire(t.Context(), s, "lock", nil); !errors.As(err, &held) || string(held.Note) != "theirs\n" {
		t.Errorf("Acquire: %v", err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	l, err = store.Acquire(t.Context(), s, "lock", nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
}

// TestLease lets the holder of a lock vanish, and another outlive its lease.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.Memory()
		if err := s.Put(t.Context(), "lock", strings.NewReader("vanished\n")); err != nil {
			t.Fatal(err)
		}
		opts := &store.LockOptions{Note: []byte("next\n"), Wait: true, Lease: time.Minute}
		start := time.Now()
		l, err := store.Acquire(t.Context(), s, "lock", opts)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited < time.Minute || waited > 61*time.Second {
			t.Errorf("the lock of a vanished holder was taken after %v", waited)
		}
		time.Sleep(10 * time.Minute) // it is renewed meanwhile
		var held *store.LockedError
		if _, err := store.Acquire(t.Context(), s, "lock", &store.LockOptions{Lease: time.Minute}); !errors.As(err, &held) {
			t.Errorf("the lock of a holder who lives was taken: %v", err)
		}
		if err := s.Put(t.Context(), "lock", strings.NewReader("usurper\n")); err != nil {
			t.Fatal(err)
		}
		if err := l.Check(t.Context()); !errors.As(err, &held) {
			t.Errorf("Check after the lock was lost: %v", err)
		}
		if err := l.Release(); err == nil {
			t.Error("Release of a lost lock")
		}
	})
}

// TestPowerCut cuts the power before each change of a few operations: an object
// that was reported as stored is there, whole, and so are all others.
func TestPowerCut(t *testing.T) {
	disk := storetest.NewDisk()
	s := disk.Store()
	stored := map[string]string{}
	check := func(op storetest.Op) error {
		for seed := range uint64(5) {
			d := disk.Cut(storetest.Loss(seed%3), seed)
			for name, want := range stored {
				r, _, err := d.Store().Open(t.Context(), name)
				if err != nil {
					t.Errorf("before %v: %v", op, err)
					continue
				}
				buf := make([]byte, 100)
				n, _ := r.Read(buf)
				if got := string(buf[:n]); got != want && got != "the next "+name {
					t.Errorf("before %v: %s is %q", op, name, got)
				}
			}
		}
		return nil
	}
	disk.Before(check)
	put := func(name, text string) {
		if err := s.Put(t.Context(), name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		stored[name] = text
	}
	for _, name := range []string{"a", "d/b", "d/e/c"} {
		put(name, "the first "+name)
		put(name, "the next "+name)
	}
	b, err := store.NewBatch(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, name := range []string{"x", "d/y", "f/z"} {
		if err := store.PutBatch(t.Context(), b, name, strings.NewReader("batch")); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "d/y", "f/z"} {
		stored[name] = "batch"
	}
	check(storetest.Op{Kind: "end"})
}

func BenchmarkDir(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store { return dirAt(b, b.TempDir()) })
}

func BenchmarkMemory(b *testing.B) {
	storetest.Bench(b, func(b *testing.B) store.Store { return store.Memory() })
}
