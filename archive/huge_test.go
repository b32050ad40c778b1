package archive

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/manifest"
)

// A virtual ReaderAt has parts at some offsets and zeros everywhere else.
type virtual struct {
	parts map[int64][]byte
	size  int64
}

func (v *virtual) ReadAt(b []byte, off int64) (int, error) {
	clear(b)
	for at, part := range v.parts {
		if from := max(at, off); from < min(at+int64(len(part)), off+int64(len(b))) {
			copy(b[from-off:], part[from-at:])
		}
	}
	if left := v.size - off; int64(len(b)) > left {
		return int(max(0, left)), io.EOF
	}
	return len(b), nil
}

// add appends a member with the given size, whose content begins with text.
func (v *virtual) add(index []byte, base int64, name, text string, size int64) []byte {
	h := header{name: name, size: size}.append(nil)
	m := Member{name, false, v.size, int64(len(h)) + size + padding(size, blockSize), size}
	v.parts[m.Offset] = append(h, text...)
	v.size = m.end()
	return m.appendRecord(index, base)
}

// newVirtual returns an archive, with an index, whose members have sizes that nobody
// would write into a test.
func newVirtual(t *testing.T, add func(v *virtual, index []byte, base int64) []byte) *virtual {
	t.Helper()
	index := add(&virtual{parts: map[int64][]byte{}}, nil, 0)
	packed, err := gzipIndex(index)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(len(packed))
	h := header{name: indexName, size: n, comment: commentPrefix + indexVersion}.append(nil)
	first := slices.Concat(h, packed, make([]byte, padding(n, blockSize)))
	base := int64(len(first))
	v := &virtual{map[int64][]byte{0: first}, base}
	add(v, nil, base)
	v.size += 2 * blockSize
	return v
}

// TestHuge reads behind a payload of more than 8 GiB, whose size takes a pax header and
// whose end is behind what 32 bits can say.
func TestHuge(t *testing.T) {
	const text = "set name=pkg.fmri value=pkg://p/a@1,5.11\n"
	f := fmri.MustParse("pkg://p/a@1")
	name := strings.Repeat("0", 40)
	v := newVirtual(t, func(v *virtual, index []byte, base int64) []byte {
		index = v.add(index, base, "publisher/p/file/00/"+name, "start", 10<<30+1)
		return v.add(index, base, "publisher/p/pkg/a/1%2C5.11", text, int64(len(text)))
	})
	a, err := NewReader(t.Context(), v, v.size)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Indexed() {
		t.Error("no index")
	}
	m, err := a.Manifest(t.Context(), f)
	if err != nil || string(m.Text()) != text {
		t.Fatalf("%v, %v", m, err)
	}
	r, err := a.Payload(t.Context(), "p", manifest.MustParseDigest(name))
	if err != nil {
		t.Fatal(err)
	}
	var start [5]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:]) != "start" {
		t.Errorf("%q, %v", start, err)
	}
	if sized, ok := r.(interface{ Size() int64 }); !ok || sized.Size() != 10<<30+1 {
		t.Errorf("%T does not know its size", r)
	}
}

// TestHugeManifest: a manifest of a size that nobody should load.
func TestHugeManifest(t *testing.T) {
	const name = "publisher/p/pkg/a/1%2C5.11"
	v := newVirtual(t, func(v *virtual, index []byte, base int64) []byte {
		return v.add(index, base, name, "set name=a value=b\n", 1<<40)
	})
	a, err := NewReader(t.Context(), v, v.size)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Manifest(t.Context(), fmri.MustParse("pkg://p/a@1"))
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrLimit) || e.Member != name {
		t.Error(err)
	}
}

// TestSparse: a file with holes.
func TestSparse(t *testing.T) {
	const name = "publisher/p/pkg/a/1%2C5.11"
	var records []byte
	for _, r := range [][2]string{
		{"GNU.sparse.major", "0"}, {"GNU.sparse.minor", "1"}, {"GNU.sparse.name", name},
		{"GNU.sparse.size", "100"}, {"GNU.sparse.numblocks", "1"}, {"GNU.sparse.map", "0,1"},
	} {
		records = appendPaxRecord(records, r[0], r[1])
	}
	src := appendBlock(nil, block{name: "././@PaxHeader", size: int64(len(records)), typ: 'x'})
	src = append(src, records...)
	src = append(src, make([]byte, padding(int64(len(records)), blockSize))...)
	src = appendBlock(src, block{name: name, size: 1, typ: '0'})
	src = append(src, make([]byte, 3*blockSize)...)
	_, err := NewReader(t.Context(), bytes.NewReader(src), int64(len(src)))
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrType) || e.Member != name {
		t.Error(err)
	}
}

// TestErrorText pins how errors print.
func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		err  *Error
		want string
	}{
		{&Error{"a\nb", 512, ErrType}, `archive member "a\nb", offset 512: member is neither file nor directory`},
		{&Error{"", 0, reason.Truncated("it ends within a header")}, "archive, offset 0: truncated: it ends within a header"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%s; want %s", got, test.want)
		}
	}
}

// TestSizeHint: an index that says it is larger than it can be is not believed.
func TestSizeHint(t *testing.T) {
	packed, err := gzipIndex(bytes.Repeat([]byte("x"), 5000))
	if err != nil {
		t.Fatal(err)
	}
	if n := sizeHint(packed); n != 5000 {
		t.Errorf("%d; want 5000", n)
	}
	copy(packed[len(packed)-4:], "\xff\xff\xff\xff")
	if n := sizeHint(packed); n > 1032*int64(len(packed)) {
		t.Errorf("%d for %d bytes", n, len(packed))
	}
	if n := sizeHint(nil); n != 0 {
		t.Errorf("%d for nothing", n)
	}
}
