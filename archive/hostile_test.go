package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A file is a member of an archive to be made by makeTar.
type file struct {
	tar.Header
	text string
}

func regular(name, text string) file {
	return file{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, text}
}

func directory(name string) file {
	return file{tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755}, ""}
}

// makeTar returns a tar archive.
func makeTar(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		f.Size = int64(len(f.text))
		if err := w.WriteHeader(&f.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withIndex returns an archive with the given text as its index in front of a tar archive.
func withIndex(t testing.TB, version, index string, tail []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := io.WriteString(w, index); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	first := regular("pkg5.index.0.gz", z.String())
	first.PAXRecords = map[string]string{"comment": "pkg5.archive.version." + version}
	head := makeTar(t, first)
	return append(head[:len(head)-1024], tail...)
}

// record returns the record of a member.
func record(name string, offset, entry, size any) string {
	return fmt.Sprintf("%s\x00%v\x00%v\x00%v\x000\x00\n", name, offset, entry, size)
}

// open reads an archive that is not expected to be one.
func open(src []byte) error {
	_, err := archive.NewReader(context.Background(), bytes.NewReader(src), int64(len(src)))
	return err
}

// wantError checks the type of an error, what it wraps and where it says that it is.
func wantError(t *testing.T, err, reason error, member string, offset int64) {
	t.Helper()
	var e *archive.Error
	if !errors.As(err, &e) || !errors.Is(err, reason) {
		t.Errorf("%v; want an archive.Error: %v", err, reason)
		return
	}
	if e.Member != member || e.Offset != offset {
		t.Errorf("%v: at member %q, offset %d; want %q, %d", err, e.Member, e.Offset, member, offset)
	}
}

// TestNoArchive opens what is not an archive.
func TestNoArchive(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(makeTar(t, directory("publisher"))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string][]byte{
		"empty":      nil,
		"text":       []byte(strings.Repeat("no archive\n", 1000)),
		"short":      []byte("x"),
		"zeros":      make([]byte, 10240),
		"compressed": append(packed.Bytes(), make([]byte, 10240)...),
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, open(src), archive.ErrFormat, "", 0)
		})
	}
	if _, err := archive.Open(t.Context(), t.TempDir()); !errors.Is(err, archive.ErrFormat) {
		t.Errorf("directory: %v", err)
	}
	if _, err := archive.Open(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// TestTruncation cuts an archive off at each multiple of 64 bytes and just beside the
// blocks, with index and without. Each cut before the two final blocks is an error of the
// right type, which a read of everything that is left finds out at the latest.
func TestTruncation(t *testing.T) {
	indexed, err := os.ReadFile(filepath.Join("testdata", "one.p5p"))
	if err != nil {
		t.Fatal(err)
	}
	a := newReader(t, indexed)
	var start, end int64
	for m := range a.Members() {
		if end == 0 {
			start = m.Offset
		}
		end = m.Offset + m.Entry
	}
	for name, src := range map[string][]byte{"indexed": indexed[:end+1024], "plain": indexed[start : end+1024]} {
		t.Run(name, func(t *testing.T) {
			newReader(t, src)
			for n := range len(src) {
				if n%64 > 1 && n%512 != 511 {
					continue
				}
				err := open(src[:n])
				var e *archive.Error
				if !errors.As(err, &e) || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("cut off at %d: %v", n, err)
				}
				if e.Offset > int64(n) {
					t.Fatalf("cut off at %d: offset %d", n, e.Offset)
				}
			}
		})
	}
}

// A shrinking ReaderAt has lost what is behind its end since it was opened.
type shrinking struct {
	*bytes.Reader
	end *int64
}

func (s shrinking) ReadAt(b []byte, off int64) (int, error) {
	if off >= *s.end {
		return 0, io.EOF
	}
	if off+int64(len(b)) > *s.end {
		n, _ := s.Reader.ReadAt(b[:*s.end-off], off)
		return n, io.EOF
	}
	return s.Reader.ReadAt(b, off)
}

// TestShrinking: an archive that is cut off while it is open.
func TestShrinking(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "one.p5p"))
	if err != nil {
		t.Fatal(err)
	}
	end := int64(len(src))
	a, err := archive.NewReader(t.Context(), shrinking{bytes.NewReader(src), &end}, end)
	if err != nil {
		t.Fatal(err)
	}
	f := packages(t, a)[0]
	var manifestAt archive.Member
	for m := range a.Members() {
		if strings.Contains(m.Name, "/pkg/") && !m.Dir {
			manifestAt = m
			break
		}
	}
	for _, end = range []int64{0, manifestAt.Offset + 1, manifestAt.Offset + manifestAt.Entry - 512 - 100} {
		_, err := a.Manifest(t.Context(), f)
		wantError(t, err, io.ErrUnexpectedEOF, manifestAt.Name, manifestAt.Offset)
	}
	end = int64(len(src))
	m, err := a.Manifest(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Payload(t.Context(), f.Publisher(), allPayloads(t, m)[0].Name())
	if err != nil {
		t.Fatal(err)
	}
	end = 0
	_, err = io.ReadAll(r)
	if !errors.As(err, new(*archive.Error)) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("payload: %v", err)
	}
}

// TestPathEscape: names that lead out of where an archive would be unpacked.
func TestPathEscape(t *testing.T) {
	for _, name := range []string{
		"../etc/passwd", "/etc/passwd", "publisher/../../x", "publisher/./x", "a//b", `publisher\..\x`, "..",
	} {
		t.Run(name, func(t *testing.T) {
			entry := regular(name, "x")
			plain := makeTar(t, directory("publisher"), entry)
			wantError(t, open(plain), archive.ErrName, name, 512)
			index := record("publisher", 0, 512, 0) + record(name, 512, 1024, 1)
			var e *archive.Error
			if err := open(withIndex(t, "0", index, plain)); !errors.As(err, &e) || !errors.Is(err, archive.ErrName) || e.Member != name {
				t.Errorf("indexed: %v", err)
			}
		})
	}
}

// TestMemberTypes: links, devices and the like have no place in an archive.
func TestMemberTypes(t *testing.T) {
	for _, typ := range []byte{tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeCont} {
		t.Run(string(typ), func(t *testing.T) {
			const name = "publisher/p/pkg/a/1%2C5.11"
			hdr := tar.Header{Name: name, Typeflag: typ, Mode: 0o644}
			if typ == tar.TypeLink || typ == tar.TypeSymlink {
				hdr.Linkname = "/etc/passwd"
			}
			plain := makeTar(t, file{hdr, ""})
			plain[156] = typ // package tar writes some as others
			fixChecksum(plain)
			wantError(t, open(plain), archive.ErrType, name, 0)

			// An index that says it is a file gets no further than opening it.
			src := withIndex(t, "0", record(name, 0, 512, 0), plain)
			a := newReader(t, src)
			_, err := a.Manifest(t.Context(), fmri.MustParse("pkg://p/a@1"))
			wantError(t, err, archive.ErrType, name, int64(len(src)-len(plain)))
		})
	}
}

// fixChecksum sets the checksum of the header block at the beginning of b.
func fixChecksum(b []byte) {
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// TestDuplicates: which of two members of one name is meant?
func TestDuplicates(t *testing.T) {
	const name = "publisher/p/pkg/a/1%2C5.11"
	plain := makeTar(t, regular(name, "one"), regular(name, "two"))
	wantError(t, open(plain), archive.ErrDuplicate, name, 1024)
	src := withIndex(t, "0", record(name, 0, 1024, 3)+record(name, 1024, 1024, 3), plain)
	wantError(t, open(src), archive.ErrDuplicate, name, int64(len(src)-len(plain))+1024)
}

// TestPublisherNames: a directory that is called like no publisher.
func TestPublisherNames(t *testing.T) {
	for _, name := range []string{"a b", "_x", ".hidden", "a:b"} {
		src := makeTar(t, directory("publisher"), directory("publisher/"+name))
		err := open(src)
		if !errors.As(err, new(*archive.Error)) || !errors.As(err, new(*fmri.ParseError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBadIndex: indexes that are none, or of other archives.
func TestBadIndex(t *testing.T) {
	plain := makeTar(t, regular("a", "x"), regular("b", "y"))
	good := record("a", 0, 1024, 1) + record("b", 1024, 1024, 1)
	if err := open(withIndex(t, "0", good, plain)); err != nil {
		t.Fatal(err)
	}
	for name, index := range map[string]string{
		"text":               "no index",
		"cut off":            good[:len(good)-1],
		"few fields":         "a\x000\x001024\x00\n",
		"no number":          record("a", "x", 1024, 1),
		"negative offset":    record("a", -1024, 1024, 1),
		"offset of 2^63":     record("a", "9223372036854775808", 1024, 1),
		"offset of 2^63-512": record("a", 1<<63-512, 1024, 1),
		"entry of 0":         record("a", 0, 0, 0),
		"negative size":      record("a", 0, 1024, -1),
		"size beyond entry":  record("a", 0, 1024, 513) + record("b", 1024, 1024, 1),
		"odd entry":          record("a", 0, 1000, 1),
		"gap":                record("a", 0, 512, 0) + record("b", 1024, 1024, 1),
		"overlap":            record("a", 0, 2048, 1) + record("b", 1024, 1024, 1),
		"hidden member":      record("a", 0, 1024, 1),
		"no members":         "",
	} {
		t.Run(name, func(t *testing.T) {
			err := open(withIndex(t, "0", index, plain))
			if !errors.As(err, new(*archive.Error)) || !errors.Is(err, archive.ErrIndex) {
				t.Error(err)
			}
		})
	}
	for name, index := range map[string]string{
		"entry of 2^63-512": record("a", 0, 1<<63-512, 1),
		"beyond the end":    record("a", 0, 1024, 1) + record("b", 1024, 1<<20, 1),
	} {
		t.Run(name, func(t *testing.T) {
			err := open(withIndex(t, "0", index, plain))
			if !errors.As(err, new(*archive.Error)) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Error(err)
			}
		})
	}
	for _, version := range []string{"1", "", "x", "00"} {
		if err := open(withIndex(t, version, good, plain)); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

// TestIndexBomb: an index that is much larger than the archive can have members for.
func TestIndexBomb(t *testing.T) {
	src := withIndex(t, "0", strings.Repeat("\x00", 8<<20), makeTar(t, regular("a", "x")))
	if len(src) > 1<<17 {
		t.Fatalf("archive of %d bytes is no bomb", len(src))
	}
	wantError(t, open(src), archive.ErrIndex, "pkg5.index.0.gz", 0)
}

// TestDamagedIndex: an index that does not unpack.
func TestDamagedIndex(t *testing.T) {
	src := withIndex(t, "0", record("a", 0, 1024, 1), makeTar(t, regular("a", "x")))
	at := bytes.Index(src, []byte("\x1f\x8b"))
	for _, i := range []int{at, at + 2, at + 12, at + 20} {
		damaged := bytes.Clone(src)
		damaged[i] ^= 0xff
		wantError(t, open(damaged), archive.ErrIndex, "pkg5.index.0.gz", 0)
	}
}

// TestLyingIndex: an index that gives a member another name or size than its header does.
func TestLyingIndex(t *testing.T) {
	const name = "publisher/p/pkg/a/1%2C5.11"
	f := fmri.MustParse("pkg://p/a@1")
	plain := makeTar(t, regular(name, "set name=pkg.fmri value=pkg://p/a@1,5.11\n"), regular("b", "y"))
	for _, index := range []string{
		record(name, 0, 1024, 40) + record("b", 1024, 1024, 1),
		record("x", 0, 1024, 41) + record(name, 1024, 1024, 1),
	} {
		src := withIndex(t, "0", index, plain)
		_, err := newReader(t, src).Manifest(t.Context(), f)
		if !errors.As(err, new(*archive.Error)) || !errors.Is(err, archive.ErrMismatch) {
			t.Errorf("%q: %v", index, err)
		}
	}
}

// TestLyingSize: headers that promise more than there is.
func TestLyingSize(t *testing.T) {
	for _, size := range []string{"00000010000", "77777777777", "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		src := makeTar(t, regular("a", "x"), regular("b", "y"))
		copy(src[124:], size)
		fixChecksum(src)
		if err := open(src[:2048+1024]); !errors.As(err, new(*archive.Error)) {
			t.Errorf("size %q: %v", size, err)
		}
	}
}

// TestForeignManifest: a manifest below the name of another package.
func TestForeignManifest(t *testing.T) {
	src := makeTar(t, regular("publisher/p/pkg/a/1%2C5.11", "set name=pkg.fmri value=pkg://p/b@1,5.11\n"))
	_, err := newReader(t, src).Manifest(t.Context(), fmri.MustParse("pkg://p/a@1"))
	wantError(t, err, archive.ErrMismatch, "publisher/p/pkg/a/1%2C5.11", 0)
}

// TestUnreadableNames: what lies where manifests are and has no name of one.
func TestUnreadableNames(t *testing.T) {
	for _, name := range []string{"a/1.2.x", "a%/1", "a%2F..%2Fb/1", "a/%2E%2E", "a/1", "a/1,5.11", "%61/1%2C5.11", "a%2fb/1%2C5.11"} {
		a := newReader(t, makeTar(t, regular("publisher/p/pkg/"+name, "")))
		for f, err := range a.Packages("p") {
			if !errors.As(err, new(*archive.Error)) {
				t.Errorf("%s: %v, %v", name, f, err)
			}
		}
	}
}

// TestForeignNames: what lies deeper or less deep than manifests is none of them.
func TestForeignNames(t *testing.T) {
	a := newReader(t, makeTar(t, regular("publisher/p/pkg/a", ""), regular("publisher/p/pkg/a/b/1", ""), directory("publisher/p/pkg/a/1")))
	for f, err := range a.Packages("p") {
		t.Errorf("%v, %v", f, err)
	}
}

// TestAbsent: what an archive does not have is not there, whoever asks.
func TestAbsent(t *testing.T) {
	a, _ := openArtefact(t, "one")
	ctx := t.Context()
	digest, err := manifest.ParseDigest(strings.Repeat("0", 40))
	if err != nil {
		t.Fatal(err)
	}
	for name, get := range map[string]func() error{
		"manifest":              func() error { _, err := a.Manifest(ctx, fmri.MustParse("pkg://one.public.example/none@1")); return err },
		"manifest of no one":    func() error { _, err := a.Manifest(ctx, fmri.MustParse("system/sage@1")); return err },
		"payload":               func() error { _, err := a.Payload(ctx, "one.public.example", digest); return err },
		"payload of anyone":     func() error { _, err := a.Payload(ctx, "", digest); return err },
		"payload without name":  func() error { _, err := a.Payload(ctx, "one.public.example", manifest.Digest{}); return err },
		"payload of a stranger": func() error { _, err := a.Payload(ctx, "../one.public.example", digest); return err },
		"catalog":               func() error { _, err := a.Catalog(ctx, "none"); return err },
		"publisher":             func() error { _, err := a.Publisher(ctx, "one.public.example"); return err },
	} {
		if err := get(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Manifest(ctx, fmri.MustParse("pkg://one.public.example/system/sage")); !errors.Is(err, fmri.ErrNoVersion) {
		t.Errorf("without a version: %v", err)
	}
}

// TestForms reads plain archives as other programs make them.
func TestForms(t *testing.T) {
	const name = "publisher/p/pkg/a/1%2C5.11"
	long := "publisher/p/pkg/" + strings.Repeat("long", 60) + "/1%2C5.11"
	global := file{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}, ""}
	gnu := regular(long, "")
	gnu.Format = tar.FormatGNU
	for form, src := range map[string][]byte{
		"dot":    makeTar(t, directory("."), directory("./publisher"), regular("./"+name, "")),
		"global": makeTar(t, global, regular(name, "")),
		"gnu":    makeTar(t, gnu, regular(name, "")),
		"pax":    makeTar(t, regular(long, ""), regular(name, "")),
	} {
		a := newReader(t, src)
		if _, err := a.Manifest(t.Context(), fmri.MustParse("pkg://p/a@1")); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		for f, err := range a.Packages("p") {
			if err != nil {
				t.Errorf("%s: %v", form, err)
			} else if _, err := a.Manifest(t.Context(), f); err != nil {
				t.Errorf("%s: %v", form, err)
			}
		}
	}
}

// headers returns the headers of all members, the index included.
func headers(t testing.TB, src []byte) (list []*tar.Header) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(src))
	for {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, hdr)
	}
}
