package deflate_test

import (
	"bufio"
	"bytes"
	stdflate "compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/repo/internal/deflate"
	"github.com/klauspost/compress/flate"
	"github.com/stretchr/testify/require"
)

// A generator makes the texts of testdata/zlib.py, which has the same one.
type generator struct{ state uint64 }

// next returns a number below n, of a generator that is three lines in any language.
func (g *generator) next(n int) int {
	g.state = g.state*6364136223846793005 + 1442695040888963407
	return int(g.state>>33) % n
}

// text returns the text with a number. The sizes around which zlib's buffers end come
// often.
func text(number int) []byte {
	g := &generator{uint64(number)}
	g.next(1)
	edges := []int{0, 3, 258, 262, 4096, 16383, 32506, 32768, 65274, 65536, 98304, 131072}
	size := edges[g.next(len(edges))] + g.next(600)
	switch kind := g.next(8); kind {
	case 0:
		size = g.next(40)
	case 1:
		size = g.next(300_000)
	}
	letters, from := 1+g.next(256), g.next(256)
	if g.next(3) == 0 {
		letters = 1 + g.next(4)
	}
	copies, far := g.next(100), 1+g.next(1<<(1+g.next(17)))
	limits := []int{4095, 4096, 4097, 32505, 32506, 32507}
	atLimits := g.next(6) == 0
	out := make([]byte, 0, size)
	for len(out) < size {
		if len(out) > 0 && g.next(100) < copies {
			at := max(0, len(out)-1-g.next(far))
			n := min(3+g.next(1<<(1+g.next(9))), size-len(out))
			if atLimits {
				at, n = max(0, len(out)-limits[g.next(len(limits))]), min(3+g.next(2), n)
			}
			for i := range n {
				out = append(out, out[at+i])
			}
			continue
		}
		out = append(out, byte(from+g.next(letters)))
	}
	return out
}

// TestAsZlib compares streams with those of zlib by their digests: of 20,000 texts with the
// Python at hand if IPS_LONG is set, and else with those that were recorded.
func TestAsZlib(t *testing.T) {
	var digests io.Reader
	if os.Getenv("IPS_LONG") != "" {
		cmd := exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "zlib.py"), "1", "20000")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		defer cmd.Wait()
		digests = out
	} else {
		recorded, err := os.ReadFile(filepath.Join("testdata", "zlib.txt"))
		require.NoError(t, err)
		digests = bytes.NewReader(recorded)
	}
	var w deflate.Writer
	var out bytes.Buffer
	records := 0
	for lines := bufio.NewScanner(digests); lines.Scan(); records++ {
		number, size, digest := 0, 0, ""
		_, err := fmt.Sscan(lines.Text(), &number, &size, &digest)
		require.NoError(t, err)
		content := text(number)
		require.Len(t, content, size, "text %d", number)
		out.Reset()
		w.Reset(&out)
		writeIn(t, &w, content, number)
		sum := sha256.Sum256(out.Bytes())
		if got := hex.EncodeToString(sum[:8]); got != digest {
			t.Errorf("text %d of %d bytes: stream %s, zlib's is %s", number, size, got, digest)
		}
	}
	t.Logf("%d texts", records)
	require.NotZero(t, records)
}

// writeIn writes a content in pieces, or at once.
func writeIn(t *testing.T, w *deflate.Writer, content []byte, seed int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	for len(content) > 0 {
		n := len(content)
		if seed%2 == 1 {
			n = min(n, 1+r.IntN(100_000))
		}
		written, err := w.Write(content[:n])
		require.NoError(t, err)
		require.Equal(t, n, written)
		content = content[n:]
	}
	require.NoError(t, w.Close())
}

// FuzzRoundTrip reads with compress/flate what was written.
func FuzzRoundTrip(f *testing.F) {
	for _, n := range []int{0, 1, 2, 3, 4} {
		f.Add(text(n), 3)
	}
	f.Add([]byte("abcabcabc"), 30_000)
	f.Fuzz(func(t *testing.T, content []byte, times int) {
		content = bytes.Repeat(content, max(1, min(times, 200_000/(len(content)+1))))
		var out bytes.Buffer
		w := deflate.NewWriter(&out)
		writeIn(t, w, content, times)
		r := bufio.NewReader(&out)
		got, err := io.ReadAll(stdflate.NewReader(r))
		require.NoError(t, err)
		if !bytes.Equal(got, content) {
			t.Errorf("%d bytes come back as %d others", len(content), len(got))
		}
		_, err = r.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	})
}

// TestFailingWriter has what the stream goes to fail.
func TestFailingWriter(t *testing.T) {
	content := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	w := deflate.NewWriter(failing{})
	_, err := w.Write(content)
	require.EqualError(t, err, "disk full")
	require.EqualError(t, w.Close(), "disk full")
	w.Reset(io.Discard)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = w.Write(content)
	require.ErrorContains(t, err, "after the end")
	require.Error(t, w.Close())
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

// sample is text as packages have it: a program's source and what a linker makes.
func sample(b *testing.B) []byte {
	b.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(b, err)
	var all strings.Builder
	for _, name := range names {
		s, err := os.ReadFile(name)
		require.NoError(b, err)
		all.Write(s)
	}
	program, err := os.ReadFile(os.Args[0])
	require.NoError(b, err)
	return append([]byte(all.String()), program[:4<<20]...)
}

// BenchmarkWriter measures the price of exactness: beside what package repo packs fast with,
// and beside compress/flate at the same level.
func BenchmarkWriter(b *testing.B) {
	content := sample(b)
	fast, err := flate.NewWriter(nil, 6)
	require.NoError(b, err)
	best, err := stdflate.NewWriter(nil, stdflate.BestCompression)
	require.NoError(b, err)
	for _, c := range []struct {
		name string
		w    interface {
			io.WriteCloser
			Reset(io.Writer)
		}
	}{{"exact", new(deflate.Writer)}, {"fast", fast}, {"std", best}} {
		w := c.w
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				w.Reset(&out)
				w.Write(content)
				w.Close()
			}
			b.ReportMetric(float64(len(content))/float64(out.Len()), "ratio")
		})
	}
}
