package manifest

import (
	"cmp"
	"crypto/sha1" // the names of payloads
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"iter"
	"log/slog"
	"strconv"
	"strings"
)

// An Algorithm makes digests of payloads. The zero Algorithm is none.
type Algorithm uint8

// The algorithms, the more preferred ones later.
const (
	SHA1       Algorithm = iota + 1
	SHA256               // SHA-256
	SHA512_256           // SHA-512/256 of FIPS 180-4, which is not a truncated SHA-512
)

// algorithms is the table of the algorithms.
var algorithms = [...]struct {
	name string
	size int
	new  func() hash.Hash
}{
	SHA1:       {"sha1", sha1.Size, sha1.New},
	SHA256:     {"sha256", sha256.Size, sha256.New},
	SHA512_256: {"sha512t_256", sha512.Size256, sha512.New512_256},
}

// ParseAlgorithm returns the algorithm that attributes call by name.
func ParseAlgorithm(name string) (alg Algorithm, ok bool) {
	for alg := SHA1; alg <= SHA512_256; alg++ {
		if algorithms[alg].name == name {
			return alg, true
		}
	}
	return 0, false
}

// IsValid reports whether alg is one of the constants.
func (alg Algorithm) IsValid() bool { return alg-1 < SHA512_256 }

// String returns the name of alg in attributes, such as "sha512t_256".
func (alg Algorithm) String() string {
	if !alg.IsValid() {
		return "Algorithm(" + strconv.Itoa(int(alg)) + ")"
	}
	return algorithms[alg].name
}

// Size returns the length of a digest in bytes, zero if alg is not valid.
func (alg Algorithm) Size() int {
	if !alg.IsValid() {
		return 0
	}
	return algorithms[alg].size
}

// New returns a hash that computes sums for alg, nil if alg is not valid.
func (alg Algorithm) New() hash.Hash {
	if !alg.IsValid() {
		return nil
	}
	return algorithms[alg].new()
}

// Sum returns the digest of data, the zero Digest if alg is not valid.
func (alg Algorithm) Sum(data []byte) Digest {
	h := alg.New()
	if h == nil {
		return Digest{}
	}
	h.Write(data)
	d, _ := alg.Digest(h.Sum(nil))
	return d
}

// Digest returns the digest with the given bytes. The error is a [*DigestError].
func (alg Algorithm) Digest(sum []byte) (Digest, error) {
	if !alg.IsValid() || len(sum) != alg.Size() {
		return Digest{}, &DigestError{Input: alg.String() + ":" + hex.EncodeToString(sum[:min(len(sum), 64)])}
	}
	d := Digest{alg: alg}
	copy(d.sum[:], sum)
	return d, nil
}

// A Digest is the hash of some bytes together with its algorithm. Digests
// compare with == and can be map keys. The zero Digest is not valid and prints
// as the empty string.
type Digest struct {
	alg Algorithm
	sum [32]byte // zero behind the size of alg
}

// ParseDigest reads what [Digest.String] returns, or the hex digits of a SHA-1 alone.
// Hex digits are lower-case, since they name files. The error is a [*DigestError].
func ParseDigest(s string) (Digest, error) {
	alg, digits := SHA1, s
	if i := strings.IndexByte(s, ':'); i >= 0 {
		alg, _ = ParseAlgorithm(s[:i])
		digits = s[i+1:]
	}
	d := Digest{alg: alg}
	if !alg.IsValid() || len(digits) != 2*alg.Size() || !decodeHex(d.sum[:], digits) {
		return Digest{}, &DigestError{Input: s}
	}
	return d, nil
}

// MustParseDigest is like [ParseDigest] but panics on error. It is for texts known
// when the program is written.
func MustParseDigest(s string) Digest {
	d, err := ParseDigest(s)
	if err != nil {
		panic("manifest: " + err.Error())
	}
	return d
}

// decodeHex puts lower-case hex digits into sum, which is long enough.
func decodeHex(sum []byte, digits string) bool {
	for i := range len(digits) {
		var v byte
		switch c := digits[i]; {
		case '0' <= c && c <= '9':
			v = c - '0'
		case 'a' <= c && c <= 'f':
			v = c - 'a' + 10
		default:
			return false
		}
		sum[i/2] = sum[i/2]<<4 | v
	}
	return true
}

// Algorithm returns the algorithm, zero for the zero Digest.
func (d Digest) Algorithm() Algorithm { return d.alg }

// IsValid reports whether d is a digest, that is, not the zero Digest.
func (d Digest) IsValid() bool { return d.alg != 0 }

// Bytes returns the sum.
func (d Digest) Bytes() []byte { return d.sum[:d.alg.Size():d.alg.Size()] }

// Hex returns the sum in hex digits, the name under which a repository files a payload.
func (d Digest) Hex() string { return hex.EncodeToString(d.sum[:d.alg.Size()]) }

// String returns the name of the algorithm, a colon, and the sum in hex digits.
func (d Digest) String() string {
	b, _ := d.AppendText(nil)
	return string(b)
}

// AppendText appends [Digest.String] to b. The error is always nil.
func (d Digest) AppendText(b []byte) ([]byte, error) {
	if !d.IsValid() {
		return b, nil
	}
	b = append(b, algorithms[d.alg].name...)
	b = append(b, ':')
	return hex.AppendEncode(b, d.sum[:d.alg.Size()]), nil
}

// MarshalText returns [Digest.String]. The error is always nil.
func (d Digest) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalText reads text as [ParseDigest] does; the empty text is the zero Digest.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	*d, err = ParseDigest(string(text))
	return err
}

// LogValue returns the text of d for package slog.
func (d Digest) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Compare orders digests by algorithm, the zero Digest first, and by sum.
func (d Digest) Compare(e Digest) int {
	if c := cmp.Compare(d.alg, e.alg); c != 0 {
		return c
	}
	return strings.Compare(string(d.sum[:]), string(e.sum[:]))
}

// A DigestError says that a text is not a digest.
type DigestError struct {
	Input string
}

// Error shows the text.
func (e *DigestError) Error() string {
	if len(e.Input) > 160 {
		return "not a digest: " + strconv.Quote(e.Input[:160]) + "..."
	}
	return "not a digest: " + strconv.Quote(e.Input)
}

// Digests are digests of the same bytes, at most one of each algorithm. They
// compare with ==. The zero Digests is empty.
type Digests struct {
	of [SHA512_256]Digest // by algorithm
}

// DigestsOf returns a set of ds. Of two with the same algorithm it keeps the last;
// zero Digests do not count.
func DigestsOf(ds ...Digest) Digests {
	var set Digests
	for _, d := range ds {
		set = set.With(d)
	}
	return set
}

// With returns a copy of s in which d has taken the place of the digest of its algorithm.
func (s Digests) With(d Digest) Digests {
	if d.IsValid() {
		s.of[d.alg-1] = d
	}
	return s
}

// Of returns the digest of the algorithm, the zero Digest if there is none.
func (s Digests) Of(alg Algorithm) Digest {
	if !alg.IsValid() {
		return Digest{}
	}
	return s.of[alg-1]
}

// All yields the digests, the best first.
func (s Digests) All() iter.Seq[Digest] {
	return func(yield func(Digest) bool) {
		for i := len(s.of) - 1; i >= 0; i-- {
			if s.of[i].IsValid() && !yield(s.of[i]) {
				return
			}
		}
	}
}

// Best returns the most preferred digest, the one that decides whether bytes are
// the right ones. It is the zero Digest if s is empty.
func (s Digests) Best() (best Digest) {
	for d := range s.All() {
		return d
	}
	return best
}

// Least returns the least preferred digest, the one that names files. It is the zero
// Digest if s is empty.
func (s Digests) Least() (least Digest) {
	for d := range s.All() {
		least = d
	}
	return least
}

// IsEmpty reports whether there is no digest in s.
func (s Digests) IsEmpty() bool { return s == Digests{} }

// without returns a copy of s without the digest of an algorithm.
func (s Digests) without(alg Algorithm) Digests {
	s.of[alg-1] = Digest{}
	return s
}
