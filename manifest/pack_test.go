package manifest_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha1"
	"debug/elf"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/goips/ips/manifest"
)

func pack(t testing.TB, p *manifest.Packer, content []byte) (manifest.Payload, []byte) {
	t.Helper()
	var b bytes.Buffer
	payload, err := p.Pack(&b, bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return payload, b.Bytes()
}

func TestPack(t *testing.T) {
	p := manifest.NewPacker(nil)
	for _, content := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte("abc"), 1e5), noise(1e5)} {
		payload, stored := pack(t, p, content)
		if !bytes.HasPrefix(stored, []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff")) {
			t.Errorf("stored form begins with % x", stored[:10])
		}
		if n, err := verify(payload, stored); err != nil || n != int64(len(content)) {
			t.Errorf("%d bytes: %d, %v", len(content), n, err)
		}
		want := payloadOf(content, stored)
		if payload.Size != want.Size || payload.StoredSize != want.StoredSize ||
			payload.Content != manifest.DigestsOf(want.Content.Of(manifest.SHA1), want.Content.Best()) ||
			payload.Stored != manifest.DigestsOf(want.Stored.Of(manifest.SHA1), want.Stored.Best()) {
			t.Errorf("%d bytes: payload is %+v", len(content), payload)
		}
		if again, same := pack(t, manifest.NewPacker(nil), content); again != payload || !bytes.Equal(same, stored) {
			t.Errorf("%d bytes: another stored form", len(content))
		}
		if inspected, err := manifest.Inspect(bytes.NewReader(stored), 0); err != nil || inspected != payload {
			t.Errorf("%d bytes: Inspect finds %+v, %v", len(content), inspected, err)
		}
	}
}

// TestPackAttrs checks the attributes that are published against an example.
func TestPackAttrs(t *testing.T) {
	payload, _ := pack(t, manifest.NewPacker(nil), []byte("abc"))
	a := manifest.MustParseAction("file usr/src/a path=usr/a owner=root elfarch=i386 elfhash=00 pkg.content-hash=file:sha256:00 pkg.size=9 pkg.csize=9 chash=00 group=bin mode=0644")
	got := a.WithPayload(payload)
	if got.Hash != sha1abc {
		t.Errorf("hash is %s", got.Hash)
	}
	want := strings.Fields("path owner group mode chash pkg.content-hash pkg.content-hash pkg.csize pkg.size")
	var names []string
	for _, x := range got.Attrs {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, want) {
		t.Errorf("attributes are %v", got.Attrs)
	}
	hashes := slices.Collect(got.Attrs.Values("pkg.content-hash"))
	if hashes[0] != "file:sha512t_256:"+sha512abc || hashes[1] != "gzip:"+payload.Stored.Best().String() {
		t.Errorf("pkg.content-hash is %v", hashes)
	}
	if back, err := got.Payload(); err != nil || back != payload {
		t.Errorf("payload is %+v, %v", back, err)
	}
	if a.Hash != "usr/src/a" || a.Attrs.Count("chash") != 1 {
		t.Error("WithPayload changes its receiver")
	}
	sig := manifest.MustParseAction("signature algorithm=rsa-sha256").WithPayload(payload)
	if hashes := slices.Collect(sig.Attrs.Values("pkg.content-hash")); len(hashes) != 1 || !strings.HasPrefix(hashes[0], "gzip:") {
		t.Errorf("pkg.content-hash of a signature is %v", hashes)
	}
}

func TestPackErrors(t *testing.T) {
	p := manifest.NewPacker(nil)
	broken := errors.New("broken")
	if _, err := p.PackStream(io.Discard, iotest.ErrReader(broken)); err != broken {
		t.Errorf("source: %v", err)
	}
	for room := range int64(40) {
		if _, err := p.PackStream(&full{room, broken}, strings.NewReader("abcabcabcabcabcabcabcabc")); room < 20 && err != broken {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
	var size *manifest.SizeError
	if _, err := p.Pack(io.Discard, strings.NewReader("abc"), 4); !errors.As(err, &size) || size.Want != 4 || size.Got != 3 {
		t.Errorf("a file that is too short: %v", err)
	}
	if payload, err := p.Pack(io.Discard, strings.NewReader("abcd"), 3); err != nil || payload.Name().Hex() != sha1abc {
		t.Errorf("the beginning of a file: %v, %v", payload, err)
	}
}

// full is a writer with little room.
type full struct {
	room int64
	err  error
}

func (f *full) Write(b []byte) (int, error) {
	if int64(len(b)) > f.room {
		return 0, f.err
	}
	f.room -= int64(len(b))
	return len(b), nil
}

// slowCompressor is a Compressor that does not compress.
type slowCompressor struct{ *flate.Writer }

func TestCompressor(t *testing.T) {
	w, err := flate.NewWriter(nil, flate.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("a"), 1000)
	payload, stored := pack(t, manifest.NewPacker(slowCompressor{w}), content)
	if _, err := verify(payload, stored); err != nil || payload.StoredSize < 1000 {
		t.Errorf("stored in %d bytes, %v", payload.StoredSize, err)
	}
}

// elfSkipped are the sections that have no part in the digest of an ELF file.
var elfSkipped = strings.Fields(".SUNW_signature .comment .SUNW_dof .debug .plt .rela.bss .rela.plt .line .note .compcom")

// slowELF is the digest of an ELF file as the specification puts it.
func slowELF(t *testing.T, file []byte, h hash.Hash) []byte {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Sections[1:] {
		switch {
		case slices.Contains(elfSkipped, s.Name):
		case s.Type == elf.SHT_NOBITS:
			binary.Write(h, binary.BigEndian, s.Size)
		default:
			h.Write(file[s.Offset : s.Offset+s.FileSize])
		}
	}
	return h.Sum(nil)
}

// executable returns an ELF file: the test itself, where those are in that format.
func executable(t testing.TB) []byte {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(name)
	if err != nil || !bytes.HasPrefix(file, []byte(elf.ELFMAG)) {
		t.Skip("programs are not ELF files here")
	}
	return file
}

func TestELF(t *testing.T) {
	file := executable(t)
	got, err := manifest.ReadELF(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if want := slowELF(t, file, sha1.New()); !bytes.Equal(got.Digests.Of(manifest.SHA1).Bytes(), want) {
		t.Errorf("elfhash is %v, want %x", got.Digests.Of(manifest.SHA1), want)
	}
	want := slowELF(t, file, manifest.SHA512_256.New())
	if !bytes.Equal(got.Digests.Best().Bytes(), want) || got.Unsigned != manifest.DigestsOf(got.Digests.Best()) {
		t.Errorf("gelf is %v, unsigned %v, want %x", got.Digests.Best(), got.Unsigned, want)
	}
	if got.Arch == "" || got.Bits != "32" && got.Bits != "64" {
		t.Errorf("arch %q, bits %q", got.Arch, got.Bits)
	}
	a := manifest.MustParseAction("file x path=a").WithPayload(manifest.Payload{
		Content: manifest.DigestsOf(manifest.SHA1.Sum(file), manifest.SHA512_256.Sum(file)), Size: int64(len(file)), StoredSize: -1, ELF: got,
	})
	var forms []string
	for v := range a.Attrs.Values("pkg.content-hash") {
		form, _, _ := strings.Cut(v, ":")
		forms = append(forms, form)
	}
	if !slices.Equal(forms, []string{"gelf", "gelf.unsigned", "file"}) {
		t.Errorf("pkg.content-hash has %v", forms)
	}
}

// TestHostileELF checks that a damaged file is one without ELF attributes, and that
// section headers cannot make much work.
func TestHostileELF(t *testing.T) {
	file := executable(t)
	for _, n := range []int{0, 3, 4, 15, 16, 40, 63, 64, len(file) / 2, len(file) - 1} {
		if e, err := manifest.ReadELF(bytes.NewReader(file[:n]), int64(n)); e != (manifest.ELF{}) || err != nil {
			t.Errorf("%d bytes of a program: %v, %v", n, e, err)
		}
	}
	if e, err := manifest.ReadELF(strings.NewReader(strings.Repeat("a", 100)), 100); e != (manifest.ELF{}) || err != nil {
		t.Errorf("letters: %v, %v", e, err)
	}
	broken := errors.New("broken")
	r := readerAtFunc(func(b []byte, off int64) (int, error) {
		if off > 0 {
			return 0, broken
		}
		return bytes.NewReader(file).ReadAt(b, off)
	})
	if _, err := manifest.ReadELF(r, int64(len(file))); err != broken {
		t.Errorf("broken file: %v", err)
	}
	overlapping := overlappingELF(60000, 1<<20)
	if e, err := manifest.ReadELF(bytes.NewReader(overlapping), int64(len(overlapping))); e != (manifest.ELF{}) || err != nil {
		t.Errorf("60 GB of sections in a small file: %v, %v", e, err)
	}
}

type readerAtFunc func(b []byte, off int64) (int, error)

func (f readerAtFunc) ReadAt(b []byte, off int64) (int, error) { return f(b, off) }

// overlappingELF returns a file of n sections that all are the same size bytes.
func overlappingELF(n, size int) []byte {
	at := uint64(64 + 64*n)
	sections := make([]elf.Section64, n)
	for i := range sections {
		sections[i] = elf.Section64{Type: uint32(elf.SHT_PROGBITS), Off: at, Size: uint64(size)}
	}
	return makeELF(sections, make([]byte, size))
}

// makeELF returns a file of a header, these section headers and data. The first two sections
// become the ones that are always there.
func makeELF(sections []elf.Section64, data []byte) []byte {
	var b bytes.Buffer
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(elf.EM_AARCH64), Version: uint32(elf.EV_CURRENT),
		Shoff: 64, Ehsize: 64, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: 1,
	}
	sections[0] = elf.Section64{}
	sections[1] = elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: uint64(64 + 64*len(sections)), Size: 1}
	binary.Write(&b, binary.LittleEndian, header)
	binary.Write(&b, binary.LittleEndian, sections)
	b.Write(data)
	return b.Bytes()
}

// TestCompressedSection checks that the digest is over the bytes of the file where a
// section is compressed, by a method that is known or not, and that a section without room in the
// file counts with its size.
func TestCompressedSection(t *testing.T) {
	const at = 64 + 4*64
	for _, method := range []byte{0, 1, 2, 99} {
		data := make([]byte, 1+24+10) // names, header of the compressed section, what it is to be
		data[1], data[1+8], data[1+16] = method, 100, 1
		file := makeELF([]elf.Section64{
			{}, {},
			{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_COMPRESSED), Off: at + 1, Size: 34},
			{Type: uint32(elf.SHT_NOBITS), Off: at, Size: 0x0102030405060708},
		}, data)
		e, err := manifest.ReadELF(bytes.NewReader(file), int64(len(file)))
		want := manifest.SHA1.Sum(slices.Concat(data[:1], data[1:], []byte{1, 2, 3, 4, 5, 6, 7, 8}))
		if got := e.Digests.Of(manifest.SHA1); err != nil || got != want || e.Arch != "aarch64" || e.Bits != "64" {
			t.Errorf("method %d: %v, %v, want %v", method, e, err, want)
		}
	}
}

// FuzzELF checks that no file makes ReadELF fail or work for long.
func FuzzELF(f *testing.F) {
	f.Add(overlappingELF(3, 10))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := manifest.ReadELF(bytes.NewReader(file), int64(len(file))); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	content := []byte(strings.Repeat(string(published(1, 100)), 10))
	p := manifest.NewPacker(nil)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Pack(io.Discard, bytes.NewReader(content), int64(len(content))); err != nil {
			b.Fatal(err)
		}
	}
}
