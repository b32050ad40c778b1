package manifest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// published returns a manifest of n actions in the form in which pkgsend publishes
// them: canonical, with all hashes and sizes. The same seed gives the same text.
func published(seed uint64, n int) []byte {
	g := generator{rand: rand.New(rand.NewPCG(seed, 2))}
	for i := range n {
		g.action(i)
	}
	return g.Bytes()
}

type generator struct {
	bytes.Buffer
	rand *rand.Rand
}

// action writes action i. Of published actions most are files.
func (g *generator) action(i int) {
	switch pick := g.rand.IntN(100); {
	case i == 0:
		fmt.Fprintf(g, "set name=pkg.fmri value=pkg://example.org/%s@%d.%d,5.11-2024.0.0.%d:20240101T000000Z\n", g.path(2), g.rand.IntN(20), g.rand.IntN(20), g.rand.IntN(9))
	case i == 1:
		fmt.Fprintf(g, "set name=pkg.summary value=\"The %s of %s\"\n", g.word(), g.word())
	case i < 5:
		fmt.Fprintf(g, "set name=info.%s value=http://www.example.org/%s/\n", g.word(), g.word())
	case i < 8:
		fmt.Fprintf(g, "depend fmri=pkg:/%s@%d.%d,5.11-2024.0.0.0 type=require\n", g.path(3), g.rand.IntN(20), g.rand.IntN(20))
	case i == 8:
		fmt.Fprintf(g, "license %s chash=%s license=\"%s and %s\" %s\n", g.hex(40), g.hex(40), g.word(), g.word(), g.sizes())
	case pick < 10:
		fmt.Fprintf(g, "dir group=bin mode=0755 owner=root path=%s\n", g.path(4))
	case pick < 18:
		fmt.Fprintf(g, "link path=%s target=../%s\n", g.path(5), g.word())
	case pick < 20:
		fmt.Fprintf(g, "hardlink path=%s target=../%s\n", g.path(5), g.word())
	case pick < 26:
		fmt.Fprintf(g, "file %s chash=%s elfarch=i386 elfbits=64 elfhash=%s group=bin mode=0555 owner=root path=%s %s\n", g.hex(40), g.hex(40), g.hex(40), g.path(4), g.sizes())
	case pick < 34:
		fmt.Fprintf(g, "file %s chash=%s facet.doc.man=all group=bin mode=0444 owner=root path=%s %s variant.arch=i386\n", g.hex(40), g.hex(40), g.path(5), g.sizes())
	default:
		fmt.Fprintf(g, "file %s chash=%s group=bin mode=0444 owner=root path=%s %s\n", g.hex(40), g.hex(40), g.path(6), g.sizes())
	}
}

func (g *generator) word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	b := make([]byte, 3+g.rand.IntN(9))
	for i := range b {
		b[i] = letters[g.rand.IntN(len(letters))]
	}
	b[0] = letters[g.rand.IntN(26)]
	return string(b)
}

func (g *generator) path(depth int) string {
	path := "usr"
	for range 1 + g.rand.IntN(depth) {
		path += "/" + g.word()
	}
	return path
}

func (g *generator) hex(n int) string {
	sum := sha256.Sum256([]byte{byte(g.rand.Uint32()), byte(g.rand.Uint32()), byte(g.rand.Uint32())})
	return hex.EncodeToString(sum[:])[:n]
}

func (g *generator) sizes() string {
	return fmt.Sprintf("pkg.content-hash=file:sha512t_256:%s pkg.content-hash=gzip:sha512t_256:%s pkg.csize=%d pkg.size=%d",
		g.hex(64), g.hex(64), g.rand.IntN(100000), g.rand.IntN(1000000))
}

// library is 100 MB of published manifests of 20 to 5,000 actions.
var library = sync.OnceValue(func() (all [][]byte) {
	sizes := rand.New(rand.NewPCG(1, 1))
	for total := 0; total < 100e6; total += len(all[len(all)-1]) {
		// Small packages are many: the logarithm of the size is uniform.
		n := 20
		for n < 5000 && sizes.IntN(8) > 0 {
			n += n / 3
		}
		all = append(all, published(uint64(len(all)), min(n, 5000)))
	}
	return all
})

// librarySize returns the number of bytes and lines of the library.
func librarySize(b *testing.B) (size, lines int) {
	b.Helper()
	for _, src := range library() {
		size += len(src)
		lines += bytes.Count(src, []byte("\n"))
	}
	return size, lines
}
