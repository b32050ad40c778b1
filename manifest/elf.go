package manifest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
)

// ReadELF returns what actions say about a file in ELF format. It is the zero ELF if the
// file is not in that format or damaged, or if what its section headers describe
// is together more than twice the file. An error is one of reading.
//
// The digests are over the sections in order, without those that change from
// build to build and those of signatures. For a section that takes no room in the file
// they have its size in 8 bytes, big-endian. The reference's branch of OmniOS does the
// same; that of Oracle asks its system instead, which gives other values for
// pkg.content-hash.
func ReadELF(file io.ReaderAt, size int64) (ELF, error) {
	var ident [elf.EI_NIDENT]byte
	if size < int64(len(ident)) {
		return ELF{}, nil
	}
	in := &readerAt{r: file, size: size}
	if n, err := in.ReadAt(ident[:], 0); n < len(ident) {
		return ELF{}, err
	}
	if !bytes.HasPrefix(ident[:], []byte(elf.ELFMAG)) {
		return ELF{}, nil
	}
	f, err := elf.NewFile(in)
	if err != nil {
		return ELF{}, in.err
	}
	digests, ok := hashSections(in, f)
	if !ok {
		return ELF{}, in.err
	}
	return ELF{Arch: elfArch(f.Machine), Bits: elfBits(f.Class), Digests: digests, Unsigned: digests.without(SHA1)}, nil
}

// A readerAt reads within the size of a file and remembers an error of reading, which is
// not a fault of the format.
type readerAt struct {
	r    io.ReaderAt
	size int64
	err  error
}

func (r *readerAt) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= r.size {
		return 0, io.EOF
	}
	short := int64(len(b)) > r.size-off
	if short {
		b = b[:r.size-off]
	}
	n, err := r.r.ReadAt(b, off)
	switch {
	case n == len(b) && short:
		return n, io.EOF
	case n == len(b):
		return n, nil
	case err != nil && err != io.EOF && r.err == nil:
		r.err = err
	}
	return n, err
}

// volatile are the sections that do not count.
var volatile = map[string]bool{
	".SUNW_signature": true,
	".comment":        true,
	".SUNW_dof":       true,
	".debug":          true,
	".plt":            true,
	".rela.bss":       true,
	".rela.plt":       true,
	".line":           true,
	".note":           true,
	".compcom":        true,
}

// hashSections returns the digests of the sections of f, which is in. It reports false if that
// cannot be done or would be too much work for a file of this size. The bytes are those of the file, as
// debug/elf has none for a section that is compressed.
func hashSections(in *readerAt, f *elf.File) (Digests, bool) {
	var m meter
	m.reset(published)
	budget := 2 * in.size
	for _, s := range f.Sections {
		if s.Type == elf.SHT_NULL || volatile[s.Name] {
			continue
		}
		if s.Type == elf.SHT_NOBITS {
			m.Write(binary.BigEndian.AppendUint64(nil, s.Size))
			continue
		}
		if s.FileSize > uint64(budget) {
			return Digests{}, false
		}
		budget -= int64(s.FileSize)
		raw := io.NewSectionReader(in, int64(s.Offset), int64(s.FileSize))
		if n, err := io.Copy(&m, raw); err != nil || uint64(n) != s.FileSize {
			return Digests{}, false
		}
	}
	return m.sums(), true
}

func elfArch(m elf.Machine) string {
	switch m {
	case elf.EM_386, elf.EM_X86_64:
		return "i386"
	case elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9:
		return "sparc"
	case elf.EM_PPC, elf.EM_PPC64:
		return "ppc"
	case elf.EM_AARCH64:
		return "aarch64"
	case elf.EM_NONE:
		return "none"
	}
	return "other"
}

func elfBits(c elf.Class) string {
	if c == elf.ELFCLASS64 {
		return "64"
	}
	return "32"
}
