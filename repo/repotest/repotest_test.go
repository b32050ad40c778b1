package repotest_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/repotest"
	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

func runSink(t *testing.T, empty func(t *testing.T) store.Store) {
	repotest.RunSink(t, func(t *testing.T) (repo.Sink, repo.Source) {
		r, err := repo.Create(t.Context(), empty(t), repo.Config{DefaultPublisher: "small.example"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r, r
	})
}

func TestMemory(t *testing.T) {
	runSink(t, func(*testing.T) store.Store { return store.Memory() })
}

func TestDisk(t *testing.T) {
	runSink(t, func(*testing.T) store.Store { return storetest.NewDisk().Store() })
}

func TestSub(t *testing.T) {
	runSink(t, func(*testing.T) store.Store { return store.Sub(store.Memory(), "a/b") })
}

func TestDir(t *testing.T) {
	runSink(t, func(t *testing.T) store.Store {
		s, err := store.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}

func TestSmall(t *testing.T) {
	s := repotest.Small(t)
	lib := fmri.MustParse("pkg://small.example/lib@1.1,5.11-1:20260102T000000Z")
	for _, s := range []repo.Source{s, repo.Join(s), repo.Join(s, repotest.Small(t))} {
		if err := repotest.TestSource(t.Context(), s, lib); err != nil {
			t.Error(err)
		}
	}
	err := repotest.TestSource(t.Context(), s, fmri.MustParse("pkg://small.example/none@1,5.11:20260101T000000Z"))
	if err == nil || !strings.Contains(err.Error(), "rule:") {
		t.Errorf("a package that is not there: %v", err)
	}
}

// A liar gives out other payloads than it should.
type liar struct{ repo.Source }

func (l liar) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("lies")), nil
}

func TestLiar(t *testing.T) {
	if err := repotest.TestSource(t.Context(), liar{repotest.Small(t)}); err == nil {
		t.Error("TestSource believes everything")
	}
}

func ExampleTestSource() {
	ctx := context.Background()
	r, err := repo.Create(ctx, store.Memory(), repo.Config{DefaultPublisher: "example.org"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(repotest.TestSource(ctx, r))
	// Output: <nil>
}
