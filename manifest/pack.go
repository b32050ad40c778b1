package manifest

import (
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A Compressor writes a raw DEFLATE stream, the inner part of a gzip file. Those of
// compress/flate are Compressors, and so are others, which may be faster.
type Compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// A Packer makes the stored forms of payloads, one after another.
//
// A stored form is a gzip file without a name and time, made at the highest level,
// which begins with the bytes 1f 8b 08 00 00 00 00 00 02 ff. So it depends on nothing but
// the content and the compressor. Other programs know by these bytes that
// they need not make a stored form again.
type Packer struct {
	compressor Compressor
	content    meter
	stored     meter
	dst        io.Writer
	crc        uint32
	buf        []byte
}

// NewPacker returns a Packer. A nil Compressor stands for compress/flate at its
// highest level.
func NewPacker(c Compressor) *Packer {
	if c == nil {
		c, _ = flate.NewWriter(nil, flate.BestCompression)
	}
	return &Packer{compressor: c, buf: make([]byte, 1<<15)}
}

// published are the digests that publishing makes, by their algorithms.
var published = DigestsOf(Digest{alg: SHA1}, Digest{alg: SHA512_256})

// gzipHeader begins every stored form: deflate, no flags, no time, highest
// level, unknown system.
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"

// Pack writes the stored form of a content of the given size to dst and returns all that an
// action says about it, for [Action.WithPayload] or [File]. A content that
// begins like an ELF file but is not one that can be read has no ELF attributes. It is
// an [*PayloadError] if the content has another size.
func (p *Packer) Pack(dst io.Writer, content io.ReaderAt, size int64) (Payload, error) {
	payload, err := p.PackStream(dst, io.NewSectionReader(content, 0, size))
	if err != nil {
		return Payload{}, err
	}
	if payload.Size != size {
		return Payload{}, &PayloadError{Name: payload.Name(), Err: &SizeError{Want: size, Got: payload.Size}}
	}
	payload.ELF, err = ReadELF(content, size)
	return payload, err
}

// PackStream is like [Packer.Pack] for what can only be read once, and whose size
// is not known. It does not look for ELF files.
func (p *Packer) PackStream(dst io.Writer, content io.Reader) (Payload, error) {
	p.dst, p.crc = dst, 0
	p.content.reset(published)
	p.stored.reset(published)
	out := packed{p}
	if _, err := io.WriteString(out, gzipHeader); err != nil {
		return Payload{}, err
	}
	p.compressor.Reset(out)
	if err := p.compress(content); err != nil {
		return Payload{}, err
	}
	tail := binary.LittleEndian.AppendUint32(nil, p.crc)
	tail = binary.LittleEndian.AppendUint32(tail, uint32(p.content.n))
	if _, err := out.Write(tail); err != nil {
		return Payload{}, err
	}
	p.dst = nil
	return Payload{
		Content: p.content.sums(),
		Stored:  p.stored.sums(),
		Size:    p.content.n, StoredSize: p.stored.n,
	}, nil
}

// compress reads content to its end.
func (p *Packer) compress(content io.Reader) error {
	for {
		n, err := content.Read(p.buf)
		p.content.Write(p.buf[:n])
		p.crc = crc32.Update(p.crc, crc32.IEEETable, p.buf[:n])
		if _, werr := p.compressor.Write(p.buf[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return p.compressor.Close()
		}
		if err != nil {
			return err
		}
	}
}

// packed is the stored form as it is written.
type packed struct{ p *Packer }

func (w packed) Write(b []byte) (int, error) {
	n, err := w.p.dst.Write(b)
	w.p.stored.Write(b[:n])
	return n, err
}

// Inspect reads a stored form of which nothing is known, with at most limit bytes of
// content, and returns what [Packer.PackStream] would have returned when making it. A
// limit of 0 means [MaxPayload]. The error is that of a [PayloadReader].
func Inspect(stored io.Reader, limit int64) (Payload, error) {
	r := PayloadReader{MaxSize: limit, inspect: true}
	r.Reset(Payload{Content: published, Stored: published, Size: -1, StoredSize: -1}, stored)
	if _, err := r.WriteTo(io.Discard); err != nil {
		return Payload{}, err
	}
	return Payload{
		Content: r.content.sums(),
		Stored:  r.stored.sums(),
		Size:    r.content.n, StoredSize: r.stored.n,
	}, nil
}
