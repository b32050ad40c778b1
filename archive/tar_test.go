package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestHeadersOfReference makes the headers of an archive of the reference and compares
// them byte for byte. Its times have fractions, so it has a pax header with an mtime
// where ours has none; of that the block in front is compared.
func TestHeadersOfReference(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "two-publishers.p5p"))
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(src)
	a, err := NewReader(t.Context(), r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	for m := range a.Members() {
		hdr, err := tar.NewReader(io.NewSectionReader(r, m.Offset, m.Entry)).Next()
		if err != nil {
			t.Fatal(err)
		}
		records := fmt.Sprintf("mtime=%s\n", hdr.PAXRecords["mtime"])
		length := int64(len(records) + len("28 "))
		pax := appendBlock(nil, block{name: "././@PaxHeader", size: length, typ: 'x'})
		if was := src[m.Offset:][:blockSize]; !bytes.Equal(pax, was) {
			t.Errorf("%s: pax block\n%q\nwant\n%q", m.Name, pax, was)
		}
		h := header{name: hdr.Name, dir: m.Dir, size: m.Size, modTime: hdr.ModTime.Round(time.Second)}
		if is, was := h.append(nil), src[m.Offset+2*blockSize:][:blockSize]; !bytes.Equal(is, was) {
			t.Errorf("%s: header\n%q\nwant\n%q", m.Name, is, was)
		}
	}
}

// TestHeaderReads reads headers that need a pax header with package archive/tar.
func TestHeaderReads(t *testing.T) {
	for _, test := range []struct {
		header
		length int
	}{
		{header{name: strings.Repeat("n", 100)}, 512},
		{header{name: strings.Repeat("n", 101)}, 1536},
		{header{name: strings.Repeat("d", 100) + "/", dir: true}, 1536},
		{header{name: strings.Repeat("n", 600)}, 2048},
		{header{name: "n", size: maxSize}, 512},
		{header{name: "n", size: maxSize + 1}, 1536},
		{header{name: "n", size: 1<<63 - 1}, 1536},
		{header{name: "n", comment: "c"}, 1536},
		{header{name: "n", modTime: time.Unix(maxTime, 0)}, 512},
	} {
		if test.modTime.IsZero() {
			test.modTime = time.Unix(1795180817, 0)
		}
		b := test.append(nil)
		if len(b) != test.length {
			t.Errorf("%.20s: %d bytes; want %d", test.name, len(b), test.length)
		}
		if plain := string(b[len(b)-blockSize:][124:135]); test.size > maxSize && plain != "00000000000" {
			t.Errorf("%.20s: the plain header says %s", test.name, plain)
		}
		hdr, err := tar.NewReader(bytes.NewReader(b)).Next()
		if err != nil {
			t.Errorf("%.20s: %v", test.name, err)
			continue
		}
		got := header{hdr.Name, hdr.Typeflag == tar.TypeDir, hdr.Size, hdr.ModTime, hdr.PAXRecords["comment"]}
		if got != test.header || hdr.Uname != "root" || hdr.Gname != "root" || hdr.Uid|hdr.Gid != 0 {
			t.Errorf("%+v; want %+v", got, test.header)
		}
	}
}

// TestPaxRecordLength: a record counts its own length, also where that makes it a digit
// longer.
func TestPaxRecordLength(t *testing.T) {
	for n := range 1100 {
		record := string(appendPaxRecord(nil, "k", strings.Repeat("v", n)))
		length, _, _ := strings.Cut(record, " ")
		if got, err := strconv.Atoi(length); err != nil || got != len(record) {
			t.Fatalf("record of %d bytes says %s", len(record), length)
		}
	}
}

// TestPadding counts up to the next multiple, also of a unit that is no power of two.
func TestPadding(t *testing.T) {
	for _, unit := range []int64{blockSize, recordSize} {
		for n := range 3 * unit {
			next := int64(0)
			for next < n {
				next += unit
			}
			want := next - n
			if got := padding(n, unit); got != want {
				t.Fatalf("padding(%d, %d) = %d, want %d", n, unit, got, want)
			}
		}
	}
}

// TestIndexHeader pins the header of the index, which is that of stored payloads: no
// name, no time, best compression, unknown system.
func TestIndexHeader(t *testing.T) {
	packed, err := gzipIndex([]byte("publisher\x000\x001536\x000\x005\x00\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"; !strings.HasPrefix(string(packed), want) {
		t.Errorf("the index begins with % x, want % x", packed[:10], want)
	}
}
