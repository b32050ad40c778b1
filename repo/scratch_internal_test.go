package repo

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo/store"
)

// texts is search.Files in memory.
type texts map[string]*text

type text struct{ strings.Builder }

func (t *text) Close() error { return nil }

func (t texts) Create(name string) (io.WriteCloser, error) {
	t[name] = new(text)
	return t[name], nil
}

// A counted scratch counts the runs.
type counted struct {
	scratch
	created int
}

func (c *counted) Create(name string) (io.WriteCloser, error) {
	c.created++
	return c.scratch.Create(name)
}

// TestScratch makes an index by way of many runs in a store, which are gone afterwards.
func TestScratch(t *testing.T) {
	disk, err := store.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	build := func(b *search.Builder) map[string]string {
		t.Helper()
		for i := range 20 {
			f := fmri.MustParse(fmt.Sprintf("a%d@1:20260102T030405Z", i))
			manifest := fmt.Sprintf("set name=pkg.fmri value=%s\ndir path=usr/%d\ndir path=opt\n", f, i%7)
			if err := b.Add(f, []byte(manifest)); err != nil {
				t.Fatal(err)
			}
		}
		files := texts{}
		if err := b.Write(files); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for name, f := range files {
			all[name] = f.String()
		}
		return all
	}
	want := build(new(search.Builder))
	for name, s := range map[string]store.Store{"memory": store.Memory(), "disk": disk} {
		runs := &counted{scratch: scratch{t.Context(), s, "index/TMP"}}
		got := build(&search.Builder{Scratch: runs, Memory: 500})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: runs make a difference:\n%s", name, diff)
		}
		if runs.created < 5 {
			t.Errorf("%s: only %d runs", name, runs.created)
		}
		for info, err := range s.List(t.Context(), "") {
			t.Errorf("%s: %s is left, error %v", name, info.Name, err)
		}
	}
}
