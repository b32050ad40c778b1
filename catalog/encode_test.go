package catalog_test

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
)

// A full writer takes so many bytes and no more.
type full struct{ room int }

var errFull = errors.New("disk is full")

func (w *full) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteErrors writes parts to where there is no room for them, and then to where there is.
func TestWriteErrors(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range c.Parts() {
		var whole bytes.Buffer
		if err := c.WritePart(&whole, part); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, whole.Len() / 2, whole.Len() - 1} {
			if err := c.WritePart(&full{room}, part); !errors.Is(err, errFull) {
				t.Errorf("%s: room for %d: %v", part, room, err)
			}
		}
		if err := c.WritePart(&full{whole.Len()}, part); err != nil {
			t.Error(err)
		}
	}
}

// TestWriteAtOnce writes a part from many goroutines.
func TestWriteAtOnce(t *testing.T) {
	c, err := catalogtest.Generate(&catalogtest.Options{Versions: 2000})
	if err != nil {
		t.Fatal(err)
	}
	want := files(t, c)[string(catalog.Dependency)]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var b bytes.Buffer
			if err := c.WritePart(&b, catalog.Dependency); err != nil || b.String() != want {
				t.Errorf("%d: %d bytes, want %d, error %v", i, b.Len(), len(want), err)
			}
			if err := c.WritePart(io.Discard, catalog.Summary); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
