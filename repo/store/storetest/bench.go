package storetest

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/goips/ips/repo/store"
)

// Bench measures a store: single objects, a batch of them, reading and listing.
func Bench(b *testing.B, empty func(b *testing.B) store.Store) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 256)
	b.Run("Put", func(b *testing.B) {
		s := empty(b)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := s.Put(b.Context(), fmt.Sprintf("d%d/x%d", i%16, i), bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Batch1000", func(b *testing.B) {
		s := empty(b)
		b.SetBytes(int64(1000 * len(data)))
		b.ReportAllocs()
		for b.Loop() {
			fill(b, s, data)
		}
	})
	b.Run("Open", func(b *testing.B) {
		s := empty(b)
		fill(b, s, data)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r, _, err := s.Open(b.Context(), fmt.Sprintf("d%d/x%d", i%16, i%1000))
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, r)
			r.Close()
		}
	})
	b.Run("List1000", func(b *testing.B) {
		s := empty(b)
		fill(b, s, data)
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range s.List(b.Context(), "") {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// fill stores 1000 objects in a batch.
func fill(b *testing.B, s store.Store, data []byte) {
	batch, err := store.NewBatch(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	defer batch.Close()
	for i := range 1000 {
		if err := store.PutBatch(b.Context(), batch, fmt.Sprintf("d%d/x%d", i%16, i), bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
	if err := batch.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}
