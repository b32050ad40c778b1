// Package storetest proves that a store.Store keeps its promises, and has
// stores that break theirs in ways that happen: [Faulty] fails now and then,
// and a [Disk] loses power.
//
// A store's test is
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return mine.New(t.TempDir()) })
//	}
//
// and a failure names the rule that was broken.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/goips/ips/repo/store"
)

// Run checks a store against each rule of package store. Empty returns a store
// without objects, a new one at each call.
func Run(t *testing.T, empty func(t *testing.T) store.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := &checker{TB: t, ctx: t.Context(), rule: c.rule, Store: empty(t)}
			c.run(k)
		})
	}
}

// A testCase checks one rule.
type testCase struct {
	name, rule string
	run        func(k *checker)
}

// A checker is a store under test.
type checker struct {
	testing.TB
	store.Store
	ctx  context.Context
	rule string
}

// broken reports how the rule was broken.
func (k *checker) broken(format string, args ...any) {
	k.Helper()
	k.Errorf("%s\nRule: %s", fmt.Sprintf(format, args...), k.rule)
}

// put stores an object that must be accepted.
func (k *checker) put(name, text string) {
	k.Helper()
	if err := k.Put(k.ctx, name, strings.NewReader(text)); err != nil {
		k.Fatalf("Put(%q): %v", name, err)
	}
}

// wants checks the content of an object.
func (k *checker) wants(name, want string) {
	k.Helper()
	r, info, err := k.Open(k.ctx, name)
	if err != nil {
		k.broken("Open(%q): %v", name, err)
		return
	}
	defer r.Close()
	if err := iotest.TestReader(oneWay{r}, []byte(want)); err != nil {
		k.broken("reading %q: %v", name, err)
	}
	if info.Name != name || info.Size != int64(len(want)) || info.Tag == "" {
		k.broken("Open(%q) describes it as %+v; want this name, size %d and some tag", name, info, len(want))
	}
}

// oneWay hides all methods of a reader but Read.
type oneWay struct{ io.Reader }

// lacks checks that there is no such object.
func (k *checker) lacks(name string) {
	k.Helper()
	r, _, err := k.Open(k.ctx, name)
	if err == nil {
		r.Close()
	}
	k.wantErr(fmt.Sprintf("Open(%q)", name), err, fs.ErrNotExist)
}

func (k *checker) wantErr(what string, err, want error) {
	k.Helper()
	if !errors.Is(err, want) {
		k.broken("%s: error is %v; want one that matches %v", what, err, want)
	}
}

// names collects a list.
func (k *checker) names(list iter.Seq2[store.Info, error]) []string {
	k.Helper()
	var names []string
	for info, err := range list {
		if err != nil {
			k.broken("listing: %v", err)
			break
		}
		names = append(names, info.Name)
	}
	return names
}

func (k *checker) lists(what string, list iter.Seq2[store.Info, error], want ...string) {
	k.Helper()
	if got := k.names(list); !slices.Equal(got, want) {
		k.broken("%s yields %q; want %q", what, got, want)
	}
}

var cases = []testCase{
	{"PutOpen", "what was put is what Open returns, byte for byte, whatever the size", func(k *checker) {
		k.put("empty", "")
		k.wants("empty", "")
		k.put("a/b/c", "deep")
		k.wants("a/b/c", "deep")
		big := strings.Repeat("0123456789abcdef", 100_000)
		k.put("big", big)
		k.wants("big", big)
	}},
	{"Names", "every element that fs.ValidPath allows may occur in a name", func(k *checker) {
		for _, name := range []string{"x", "x%2Fy", "a b", "ünïcode", ".hidden", "...", "-", "@1,5.11:2:3"[:4], strings.Repeat("n", 200)} {
			k.put(name, name)
			k.wants(name, name)
		}
	}},
	{"BadNames", "names that are not fs.ValidPath, and the name \".\", are refused with an error matching fs.ErrInvalid, by every method", func(k *checker) {
		for _, name := range []string{"", ".", "..", "/", "/a", "a/", "a//b", "a/../b", "../a", "a/.", "./a"} {
			k.refuses(name)
		}
	}},
	{"Replace", "Put replaces an object whole, longer or shorter", func(k *checker) {
		k.put("x", "the first, which is longer")
		k.put("x", "second")
		k.wants("x", "second")
	}},
	{"Missing", "an object that does not exist is reported by an error matching fs.ErrNotExist, also below the name of another object", func(k *checker) {
		k.put("a", "object")
		for _, name := range []string{"x", "x/y", "a/b"} {
			k.lacks(name)
			k.wantErr("Remove", k.Remove(k.ctx, name), fs.ErrNotExist)
			_, err := store.Stat(k.ctx, k.Store, name)
			k.wantErr("Stat", err, fs.ErrNotExist)
		}
	}},
	{"NoDirectories", "what lies above an object is no object, and is gone with the last object below it", func(k *checker) {
		k.put("a/b/c", "x")
		k.lacks("a")
		k.lacks("a/b")
		if err := k.Remove(k.ctx, "a/b/c"); err != nil {
			k.broken("Remove: %v", err)
		}
		k.lists("ListDir", store.ListDir(k.ctx, k.Store, ""))
		k.put("a", "now an object")
		k.wants("a", "now an object")
	}},
	{"Remove", "a removed object is gone, and only that", func(k *checker) {
		k.put("d/x", "1")
		k.put("d/y", "2")
		if err := k.Remove(k.ctx, "d/x"); err != nil {
			k.broken("Remove: %v", err)
		}
		k.lacks("d/x")
		k.wants("d/y", "2")
	}},
	{"List", "List yields the objects whose names begin with the prefix, in the order of names as bytes", func(k *checker) {
		for _, name := range []string{"b/x", "a", "b-c", "b/y/z", "b0", "bb/x"} {
			k.put(name, name)
		}
		k.lists(`List("")`, k.List(k.ctx, ""), "a", "b-c", "b/x", "b/y/z", "b0", "bb/x")
		k.lists(`List("b")`, k.List(k.ctx, "b"), "b-c", "b/x", "b/y/z", "b0", "bb/x")
		k.lists(`List("b/")`, k.List(k.ctx, "b/"), "b/x", "b/y/z")
		k.lists(`List("b/y")`, k.List(k.ctx, "b/y"), "b/y/z")
		k.lists(`List("nothing/")`, k.List(k.ctx, "nothing/"))
	}},
	{"ListStops", "a list ends when its consumer has enough", func(k *checker) {
		k.put("a/1", "")
		k.put("a/2", "")
		for range k.List(k.ctx, "") {
			break
		}
		for range store.ListDir(k.ctx, k.Store, "a") {
			break
		}
	}},
	{"ListInfo", "List describes an object as Open and Stat do", func(k *checker) {
		k.put("d/x", "12345")
		for info, err := range k.List(k.ctx, "d/") {
			r, opened, err2 := k.Open(k.ctx, "d/x")
			if err2 == nil {
				r.Close()
			}
			stat, err3 := store.Stat(k.ctx, k.Store, "d/x")
			if err := errors.Join(err, err2, err3); err != nil || info != opened || info != stat {
				k.broken("List says %+v, Open %+v, Stat %+v (%v)", info, opened, stat, err)
			}
		}
	}},
	{"ListDir", "ListDir yields the objects of one level, and each further level once, with a slash", func(k *checker) {
		for _, name := range []string{"a/1", "a/b/1", "a/b/2", "a/c/d/e", "z"} {
			k.put(name, name)
		}
		k.lists(`ListDir("")`, store.ListDir(k.ctx, k.Store, ""), "a/", "z")
		k.lists(`ListDir("a")`, store.ListDir(k.ctx, k.Store, "a"), "a/1", "a/b/", "a/c/")
		k.lists(`ListDir("none")`, store.ListDir(k.ctx, k.Store, "none"))
	}},
	{"Tag", "the tag of an object changes whenever the object does, and not otherwise", func(k *checker) {
		seen := map[string]bool{}
		for range 20 {
			k.put("x", "same bytes")
			info, err := store.Stat(k.ctx, k.Store, "x")
			again, _ := store.Stat(k.ctx, k.Store, "x")
			if err != nil || seen[info.Tag] || info.Tag != again.Tag {
				k.broken("after Put the tag is %q, then %q, before it was one of %v (%v)", info.Tag, again.Tag, seen, err)
			}
			seen[info.Tag] = true
		}
	}},
	{"PutFails", "if reading fails, Put returns that error and the old object stays", func(k *checker) {
		k.put("x", "old")
		bad := errors.New("bad disk")
		r := io.MultiReader(strings.NewReader(strings.Repeat("new", 50_000)), iotest.ErrReader(bad))
		k.wantErr("Put", k.Put(k.ctx, "x", r), bad)
		k.wants("x", "old")
		r = io.MultiReader(strings.NewReader("new"), iotest.ErrReader(bad))
		k.wantErr("Put", k.Put(k.ctx, "y", r), bad)
		k.lacks("y")
		k.lists("List", k.List(k.ctx, ""), "x")
	}},
	{"OpenReader", "a reader that is open keeps reading the object it opened, replaced or removed", func(k *checker) {
		old := strings.Repeat("old", 100_000)
		k.put("x", old)
		r, _, err := k.Open(k.ctx, "x")
		if err != nil {
			k.Fatal(err)
		}
		defer r.Close()
		first := make([]byte, 10)
		io.ReadFull(r, first)
		k.put("x", "new")
		if err := k.Remove(k.ctx, "x"); err != nil {
			k.broken("Remove: %v", err)
		}
		rest, err := io.ReadAll(r)
		if string(first)+string(rest) != old || err != nil {
			k.broken("the open reader got %d bytes, error %v", len(first)+len(rest), err)
		}
	}},
	{"Atomic", "a reader sees the old object or the new one, never a part or none", atomicPut},
	{"Context", "an operation whose context has ended does nothing and returns the context's error", func(k *checker) {
		k.put("x", "x")
		ctx, cancel := context.WithCancel(k.ctx)
		cancel()
		_, _, err := k.Open(ctx, "x")
		k.wantErr("Open", err, context.Canceled)
		k.wantErr("Put", k.Put(ctx, "x", strings.NewReader("y")), context.Canceled)
		k.wantErr("Remove", k.Remove(ctx, "x"), context.Canceled)
		for _, err := range k.List(ctx, "") {
			k.wantErr("List", err, context.Canceled)
		}
		k.wants("x", "x")
	}},
	{"Parallel", "a store may be used by several goroutines", func(k *checker) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 10 {
					name := fmt.Sprintf("dir%d/%d", j, i)
					if err := k.Put(k.ctx, name, strings.NewReader(name)); err != nil {
						k.broken("Put: %v", err)
					}
					if err := k.Remove(k.ctx, name); err != nil {
						k.broken("Remove: %v", err)
					}
				}
				k.put(fmt.Sprintf("end/%d", i), "")
			})
		}
		wg.Wait()
		if n := len(k.names(k.List(k.ctx, ""))); n != 8 {
			k.broken("%d objects are left; want 8", n)
		}
	}},
	{"FS", "as a file system the store passes fstest.TestFS", func(k *checker) {
		k.put("a/b", "text")
		k.put("a/c/d", "more")
		k.put("e", "")
		if err := fstest.TestFS(store.FS(k.ctx, k.Store), "a/b", "a/c/d", "e"); err != nil {
			k.broken("%v", err)
		}
	}},
	{"Sub", "Sub shows the objects below a name, and puts new ones there", func(k *checker) {
		sub := store.Sub(k.Store, "p/q")
		k.put("p/q/r", "1")
		k.put("p/qq", "2")
		inner := *k
		inner.Store = sub
		inner.wants("r", "1")
		inner.put("s/t", "3")
		inner.lists("List", sub.List(k.ctx, ""), "r", "s/t")
		inner.lists("ListDir", store.ListDir(k.ctx, sub, ""), "r", "s/")
		inner.refuses("../qq")
		k.wants("p/q/s/t", "3")
	}},
	{"ReadOnly", "ReadOnly reads, and refuses to write with an error matching fs.ErrPermission", func(k *checker) {
		k.put("x", "1")
		ro := *k
		ro.Store = store.ReadOnly(k.Store)
		ro.wants("x", "1")
		ro.wantErr("Put", ro.Put(k.ctx, "x", strings.NewReader("2")), fs.ErrPermission)
		ro.wantErr("Remove", ro.Remove(k.ctx, "x"), fs.ErrPermission)
		_, err := store.NewBatch(k.ctx, ro.Store)
		ro.wantErr("NewBatch", err, fs.ErrPermission)
		k.wants("x", "1")
	}},
	{"Batch", "drafts are objects after Flush, and nothing before; what a batch removes is there until Flush", batch},
	{"BatchClose", "what was not flushed is forgotten by Close, and nothing is left of it", func(k *checker) {
		b := k.batch()
		if err := store.PutBatch(k.ctx, b, "x", strings.NewReader("1")); err != nil {
			k.broken("PutBatch: %v", err)
		}
		if err := b.Close(); err != nil {
			k.broken("Close: %v", err)
		}
		k.lacks("x")
		k.lists("List", k.List(k.ctx, ""))
	}},
	{"BatchNames", "a draft cannot be kept under a bad name", func(k *checker) {
		b := k.batch()
		defer b.Close()
		for _, name := range []string{"", ".", "../x", "/x"} {
			d, err := b.Create(k.ctx)
			if err != nil {
				k.Fatal(err)
			}
			k.wantErr("Keep", d.Keep(name), fs.ErrInvalid)
		}
	}},
	{"PutIf", "PutIf stores if the tag is the present one, or empty and there is no object, and else changes nothing and returns ErrChanged", putIf},
	{"PutIfRace", "of several PutIf with the same tag one succeeds", putIfRace},
	{"Lock", "one holder at a time has a lock; others learn who, and its end frees it", lock},
	{"LockWait", "Acquire waits when told to, until the context ends", lockWait},
}

// refuses checks that every method refuses a name.
func (k *checker) refuses(name string) {
	k.Helper()
	_, _, err := k.Open(k.ctx, name)
	k.wantErr(fmt.Sprintf("Open(%q)", name), err, fs.ErrInvalid)
	k.wantErr(fmt.Sprintf("Put(%q)", name), k.Put(k.ctx, name, strings.NewReader("x")), fs.ErrInvalid)
	k.wantErr(fmt.Sprintf("Remove(%q)", name), k.Remove(k.ctx, name), fs.ErrInvalid)
	_, err = store.Stat(k.ctx, k.Store, name)
	k.wantErr(fmt.Sprintf("Stat(%q)", name), err, fs.ErrInvalid)
}

// atomicPut reads an object while it is replaced.
func atomicPut(k *checker) {
	const n = 40_000
	k.put("x", strings.Repeat("0", n))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					k.readWhole("x", n)
				}
			}
		})
	}
	for i := range 50 {
		k.put("x", strings.Repeat(string(rune('0'+i%10)), n))
	}
	close(done)
	wg.Wait()
}

// readWhole checks that an object is n times the same byte.
func (k *checker) readWhole(name string, n int) {
	r, _, err := k.Open(k.ctx, name)
	if err != nil {
		k.broken("Open while it is replaced: %v", err)
		return
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil || len(data) != n || len(bytes.Trim(data, string(data[:1]))) != 0 {
		k.broken("read %d bytes of several objects, error %v", len(data), err)
	}
}

func (k *checker) batch() store.Batch {
	k.Helper()
	b, err := store.NewBatch(k.ctx, k.Store)
	if err != nil {
		k.Fatalf("NewBatch: %v", err)
	}
	return b
}

func batch(k *checker) {
	b := k.batch()
	k.put("d/old", "old")
	var want []string
	for i := range 20 {
		name := fmt.Sprintf("d/%02d", i)
		want = append(want, name)
		if err := store.PutBatch(k.ctx, b, name, strings.NewReader(name)); err != nil {
			k.broken("PutBatch: %v", err)
		}
	}
	if err := store.PutBatch(k.ctx, b, "d/old", strings.NewReader("new")); err != nil {
		k.broken("PutBatch: %v", err)
	}
	k.put("d/gone", "gone")
	for _, name := range []string{"d/gone", "d/never/was"} {
		if err := b.Remove(name); err != nil {
			k.broken("Remove in a batch: %v", err)
		}
	}
	d, err := b.Create(k.ctx)
	if err != nil {
		k.Fatal(err)
	}
	io.WriteString(d, "dropped")
	if err := d.Drop(); err != nil {
		k.broken("Drop: %v", err)
	}
	k.wants("d/old", "old")
	k.lists("List before Flush", k.List(k.ctx, ""), "d/gone", "d/old")
	for range 2 { // the second has nothing to do
		if err := b.Flush(k.ctx); err != nil {
			k.broken("Flush: %v", err)
		}
	}
	k.lists("List after Flush", k.List(k.ctx, ""), append(want, "d/old")...)
	k.wants("d/07", "d/07")
	k.wants("d/old", "new")
	if err := b.Close(); err != nil {
		k.broken("Close: %v", err)
	}
	k.wants("d/07", "d/07")
}

// swapper returns the store's PutIf, or passes the case if it has none.
func (k *checker) swapper() store.Swapper {
	s, ok := k.Store.(store.Swapper)
	if !ok {
		k.Skip("no store.Swapper")
	}
	return s
}

func putIf(k *checker) {
	s := k.swapper()
	tag, err := s.PutIf(k.ctx, "x", "", strings.NewReader("1"))
	if err != nil {
		k.broken("PutIf of a new object: %v", err)
	}
	if info, err := store.Stat(k.ctx, k.Store, "x"); err != nil || info.Tag != tag {
		k.broken("PutIf returned tag %q, Stat says %q (%v)", tag, info.Tag, err)
	}
	_, err = s.PutIf(k.ctx, "x", "", strings.NewReader("2"))
	k.wantErr("PutIf of an object that exists, without tag", err, store.ErrChanged)
	_, err = s.PutIf(k.ctx, "y", tag, strings.NewReader("2"))
	k.wantErr("PutIf of an object that does not exist, with tag", err, store.ErrChanged)
	_, err = s.PutIf(k.ctx, "x", tag+"x", strings.NewReader("2"))
	k.wantErr("PutIf with another tag", err, store.ErrChanged)
	k.wants("x", "1")
	k.lacks("y")
	next, err := s.PutIf(k.ctx, "x", tag, strings.NewReader("2"))
	if err != nil || next == tag {
		k.broken("PutIf with the tag %q: tag %q, %v", tag, next, err)
	}
	k.wants("x", "2")
	_, err = s.PutIf(k.ctx, "x", tag, strings.NewReader("3"))
	k.wantErr("PutIf with the old tag", err, store.ErrChanged)
}

func putIfRace(k *checker) {
	s := k.swapper()
	tag := ""
	for round := range 10 {
		results := make(chan string, 8)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				next, err := s.PutIf(k.ctx, "x", tag, strings.NewReader(fmt.Sprint(round, i)))
				switch {
				case err == nil:
					results <- next
				case !errors.Is(err, store.ErrChanged):
					k.broken("PutIf: %v", err)
				}
			})
		}
		wg.Wait()
		close(results)
		if len(results) != 1 {
			k.broken("%d of 8 succeeded", len(results))
		}
		tag = <-results
	}
}

// acquire takes a lock, or passes the case if the store has none.
func (k *checker) acquire(opts *store.LockOptions) (*store.Lock, error) {
	l, err := store.Acquire(k.ctx, k.Store, "d/lock", opts)
	if errors.Is(err, errors.ErrUnsupported) {
		k.Skip("neither store.Locker nor store.Swapper")
	}
	return l, err
}

func lock(k *checker) {
	l, err := k.acquire(&store.LockOptions{Note: []byte("me\n")})
	if err != nil {
		k.Fatalf("Acquire: %v", err)
	}
	var held *store.LockedError
	if _, err := k.acquire(nil); !errors.As(err, &held) || string(held.Note) != "me\n" {
		k.broken("a second Acquire returns %v; want a *LockedError with the note of the holder", err)
	}
	if err := l.Check(k.ctx); err != nil {
		k.broken("Check by the holder: %v", err)
	}
	if err := l.Release(); err != nil {
		k.broken("Release: %v", err)
	}
	k.wants("d/lock", "")
	l, err = k.acquire(nil)
	if err != nil {
		k.broken("Acquire of a free lock: %v", err)
		return
	}
	l.Release()
}

func lockWait(k *checker) {
	var inside, entered atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				l, err := store.Acquire(k.ctx, k.Store, "d/lock", &store.LockOptions{Wait: true})
				if errors.Is(err, errors.ErrUnsupported) {
					return
				}
				if err != nil {
					k.broken("Acquire: %v", err)
					return
				}
				if inside.Add(1) != 1 {
					k.broken("two hold the lock")
				}
				entered.Add(1)
				inside.Add(-1)
				if err := l.Release(); err != nil {
					k.broken("Release: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := entered.Load(); n != 0 && n != 20 {
		k.broken("the lock was held %d times; want 20", n)
	}
	l, err := k.acquire(nil)
	if err != nil {
		k.Fatal(err)
	}
	defer l.Release()
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	_, err = store.Acquire(ctx, k.Store, "d/lock", &store.LockOptions{Wait: true})
	k.wantErr("Acquire", err, context.Canceled)
}
