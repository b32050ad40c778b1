package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

// slowIndex is a second, obvious parser of indexes.
func slowIndex(text string, base, size int64) (members []Member, ok bool) {
	next := base
	for text != "" {
		end := strings.Index(text, "\x00\n")
		if end < 0 {
			return nil, false
		}
		fields := strings.SplitN(text[:end], "\x00", 5)
		text = text[end+2:]
		if len(fields) != 5 {
			return nil, false
		}
		var numbers [3]int64
		for i := range numbers {
			n, err := strconv.ParseInt(fields[i+1], 10, 64)
			if err != nil || n < 0 {
				return nil, false
			}
			numbers[i] = n
		}
		offset, entry, content := numbers[0], numbers[1], numbers[2]
		if offset != next-base || entry < 512 || entry%512 != 0 || content > entry-512 || entry > size-next {
			return nil, false
		}
		members = append(members, Member{fields[0], strings.Contains(fields[4], "5"), next, entry, content})
		next += entry
	}
	return members, true
}

func FuzzIndex(f *testing.F) {
	for _, name := range []string{"one", "many", "two-publishers"} {
		a, err := Open(f.Context(), filepath.Join("testdata", name+".p5p"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.IndexText(f), int64(2048), int64(1<<20))
		f.Add("a\x000\x00512\x000\x005\x00\nb\n\x00512\x001024\x001\x000\x00\n", int64(0), int64(1536))
		if err := a.Close(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, text string, base, size int64) {
		base &= 1<<40 - 1
		size = max(base, size&(1<<41-1))
		want, ok := slowIndex(text, base, size)
		got, err := parseIndex(text, base, size)
		if (err == nil) != ok || ok && !slices.Equal(got, want) {
			t.Fatalf("%q: %v, %v; want %v, %t", text, got, err, want, ok)
		}
		if err != nil {
			return
		}
		var again []byte
		for _, m := range got {
			again = m.appendRecord(again, base)
		}
		if back, err := parseIndex(string(again), base, size); err != nil || !slices.Equal(back, got) {
			t.Fatalf("%q reads back as %v, %v; want %v", again, back, err, got)
		}
	})
}

// FuzzReader reads everything that an archive has, with a given index in front or none.
// What it has must be within it, and errors must say where they are. Checksums of headers
// are made right first, lest they hide everything behind them.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"one", "two-publishers"} {
		src, err := os.ReadFile(filepath.Join("testdata", name+".p5p"))
		if err != nil {
			f.Fatal(err)
		}
		a, err := NewReader(f.Context(), bytes.NewReader(src), int64(len(src)))
		if err != nil {
			f.Fatal(err)
		}
		first, few := a.members[0], a.members[:8]
		tail := append(src[first.Offset:few[7].end():few[7].end()], make([]byte, 2*blockSize)...)
		var index []byte
		for _, m := range few {
			index = m.appendRecord(index, first.Offset)
		}
		f.Add("", tail)
		f.Add(string(index), tail)
	}
	f.Fuzz(func(t *testing.T, index string, src []byte) {
		fixChecksums(src)
		if index != "" {
			packed, err := gzipIndex([]byte(index))
			if err != nil {
				t.Fatal(err)
			}
			n := int64(len(packed))
			head := header{name: indexName, size: n, comment: commentPrefix + indexVersion}.append(nil)
			src = slices.Concat(head, packed, make([]byte, padding(n, blockSize)), src)
		}
		a, err := NewReader(t.Context(), bytes.NewReader(src), int64(len(src)))
		if err != nil {
			checkError(t, err, src)
			return
		}
		readMembers(t, a, src)
		readSource(t, a)
	})
}

// fixChecksums makes the checksums of all blocks right that look like headers.
func fixChecksums(src []byte) {
	for ; len(src) >= blockSize; src = src[blockSize:] {
		if string(src[257:262]) != "ustar" {
			continue
		}
		copy(src[148:156], "        ")
		var sum int64
		for _, c := range src[:blockSize] {
			sum += int64(c)
		}
		putOctal(src[148:154], sum)
		src[154] = 0
	}
}

// readMembers reads the content of all files.
func readMembers(t *testing.T, a *Reader, src []byte) {
	t.Helper()
	read := 0
	for m := range a.Members() {
		if m.Offset < 0 || m.end() > int64(len(src)) || m.Size > m.Entry {
			t.Fatalf("%+v in %d bytes", m, len(src))
		}
		if m.Dir {
			continue
		}
		b, err := a.readFile(m.Name, 1<<20)
		if err != nil {
			checkError(t, err, src)
		}
		if read += len(b); read > len(src) {
			t.Fatalf("%d bytes of content in %d bytes", read, len(src))
		}
	}
}

// checkError checks that an error is an [*Error] and points into the archive.
func checkError(t *testing.T, err error, src []byte) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(src)) {
		t.Fatalf("%#v", err)
	}
}

// readSource reads an archive as a source of packages. It may fail, and must not panic.
func readSource(t *testing.T, a *Reader) {
	t.Helper()
	for _, p := range a.publishers {
		_, _ = a.Publisher(t.Context(), p)
		_, _ = a.Catalog(t.Context(), p)
		for f, err := range a.Packages(p) {
			if err != nil {
				continue
			}
			m, err := a.Manifest(t.Context(), f)
			if err != nil {
				continue
			}
			payloads, err := payloadsOf(m)
			if err != nil {
				continue
			}
			for _, payload := range payloads {
				verify(t, a, p, payload)
			}
		}
	}
}

func verify(t *testing.T, a *Reader, publisher string, p manifest.Payload) {
	t.Helper()
	r, err := a.Payload(t.Context(), publisher, p.Name())
	if err != nil {
		return
	}
	defer r.Close()
	content := p.Verify(r)
	content.MaxSize = 1 << 20
	_, _ = io.Copy(io.Discard, content)
}

// FuzzInfo: what is read is written so that it reads as the same.
func FuzzInfo(f *testing.F) {
	f.Add(`{"packages": ["a"], "publishers": [{"name": "p", "alias": "\u2028<", "packages": [], "repositories": [{"origins": ["http://o"], "refresh_seconds": "1"}]}], "version": 1}`)
	f.Add(`{"publishers": [{"repositories": [{"mirrors": 1, "description": "None"}]}], "version": 0}`)
	f.Fuzz(func(t *testing.T, text string) {
		info, err := ParseInfo("x", []byte(text))
		if err != nil {
			return
		}
		first, err := info.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseInfo("x", first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		second, err := again.MarshalText()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s\nreads back as\n%s\n%v", first, second, err)
		}
	})
}
