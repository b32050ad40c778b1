package manifest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/goips/ips/manifest"
)

// zip returns a stored form of content as another program might make it.
func zip(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = "name"
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// payloadOf returns all that can be known about a payload.
func payloadOf(content, stored []byte) manifest.Payload {
	all := func(b []byte) manifest.Digests {
		return manifest.DigestsOf(manifest.SHA1.Sum(b), manifest.SHA256.Sum(b), manifest.SHA512_256.Sum(b))
	}
	return manifest.Payload{Content: all(content), Stored: all(stored), Size: int64(len(content)), StoredSize: int64(len(stored))}
}

// noise returns bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestVerify(t *testing.T) {
	var r manifest.PayloadReader
	for _, content := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte("abc"), 1e5), noise(1e5)} {
		stored := zip(t, content)
		p := payloadOf(content, stored)
		forms := []manifest.Payload{
			p, p.ContentOnly(),
			{Content: manifest.DigestsOf(p.Name()), Size: -1, StoredSize: -1},
			{Stored: manifest.DigestsOf(p.Stored.Best()), Size: -1, StoredSize: -1},
		}
		for _, p := range forms {
			var got bytes.Buffer
			if n, err := io.Copy(&got, p.Verify(bytes.NewReader(stored))); err != nil || n != int64(len(content)) || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%d bytes: %d, %v", len(content), n, err)
			}
			r.Reset(p, iotest.OneByteReader(bytes.NewReader(stored)))
			if err := iotest.TestReader(&r, content); err != nil {
				t.Errorf("%d bytes: %v", len(content), err)
			}
		}
		r.ResetContent(p, bytes.NewReader(content))
		if b, err := io.ReadAll(&r); err != nil || !bytes.Equal(b, content) {
			t.Errorf("%d bytes of content: %v", len(content), err)
		}
	}
}

// verify returns how many bytes came through and the error.
func verify(p manifest.Payload, stored []byte) (n int64, err error) {
	return io.Copy(io.Discard, p.Verify(bytes.NewReader(stored)))
}

// refused checks that nothing but the payload itself comes through.
func refused(t *testing.T, what string, p manifest.Payload, stored []byte, want any) {
	t.Helper()
	n, err := verify(p, stored)
	var payload *manifest.PayloadError
	if !errors.As(err, &payload) || !errors.As(err, want) {
		t.Errorf("%s: error %v, want %T", what, err, want)
	}
	if p.Size >= 0 && n > p.Size {
		t.Errorf("%s: %d bytes came through, more than %d", what, n, p.Size)
	}
}

func TestSizeLies(t *testing.T) {
	content := bytes.Repeat([]byte("abc"), 1000)
	stored := zip(t, content)
	honest := payloadOf(content, stored)
	for what, change := range map[string]func(*manifest.Payload){
		"content longer":   func(p *manifest.Payload) { p.Size-- },
		"content shorter":  func(p *manifest.Payload) { p.Size++ },
		"content immense":  func(p *manifest.Payload) { p.Size, p.StoredSize = math.MaxInt64, -1 },
		"stored immense":   func(p *manifest.Payload) { p.StoredSize = math.MaxInt64 },
		"content is empty": func(p *manifest.Payload) { p.Size = 0 },
		"stored longer":    func(p *manifest.Payload) { p.StoredSize-- },
		"stored shorter":   func(p *manifest.Payload) { p.StoredSize++ },
		"stored is empty":  func(p *manifest.Payload) { p.StoredSize = 0 },
	} {
		p := honest
		change(&p)
		refused(t, what, p, stored, new(*manifest.SizeError))
		if strings.HasPrefix(what, "content") {
			if n, err := io.Copy(io.Discard, p.VerifyContent(bytes.NewReader(content))); err == nil || n > p.Size {
				t.Errorf("%s: %d bytes, %v", what, n, err)
			}
		}
	}
}

// TestHashConfusion checks that a digest that is right does not make up for one that is
// wrong, whichever is the stronger, and that the strongest one stands in the error.
func TestHashConfusion(t *testing.T) {
	content := []byte("abc")
	stored := zip(t, content)
	honest := payloadOf(content, stored)
	other := payloadOf([]byte("abd"), zip(t, []byte("abd")))
	for alg := manifest.SHA1; alg.IsValid(); alg++ {
		p := honest
		p.Content = p.Content.With(other.Content.Of(alg))
		var wrong *manifest.HashError
		refused(t, "content "+alg.String(), p, stored, &wrong)
		if wrong != nil && (wrong.Want != other.Content.Of(alg) || wrong.Got != honest.Content.Of(alg)) {
			t.Errorf("%v: error %v", alg, wrong)
		}
		p = honest
		p.Stored = p.Stored.With(other.Stored.Of(alg))
		refused(t, "stored "+alg.String(), p, stored, new(*manifest.HashError))
	}
	var wrong *manifest.HashError
	p := honest
	p.Content = other.Content
	refused(t, "all", p, stored, &wrong)
	if wrong.Want.Algorithm() != manifest.SHA512_256 {
		t.Errorf("the error is about %v", wrong.Want.Algorithm())
	}
	refused(t, "digests of the other form", manifest.Payload{Content: honest.Stored, Stored: honest.Content, Size: -1, StoredSize: -1}, stored, new(*manifest.HashError))
}

func TestNoDigest(t *testing.T) {
	for _, p := range []manifest.Payload{{}, {Size: 3, StoredSize: -1}} {
		for _, r := range []io.Reader{p.Verify(bytes.NewReader(zip(t, []byte("abc")))), p.VerifyContent(strings.NewReader("abc"))} {
			if b, err := io.ReadAll(r); !errors.Is(err, manifest.ErrNoDigest) || len(b) > 0 {
				t.Errorf("%q, %v", b, err)
			}
		}
	}
}

// endless is a source that never ends, and counts what is taken from it.
type endless struct {
	taken int64
	block []byte
}

func (e *endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		n += copy(b[n:], e.block[(e.taken+int64(n))%int64(len(e.block)):])
	}
	e.taken += int64(n)
	return n, nil
}

// TestDecompressionBomb checks that a small stored form cannot become much content.
func TestDecompressionBomb(t *testing.T) {
	bomb := zip(t, make([]byte, 16<<20))
	for _, size := range []int64{0, 1, 1 << 16} {
		p := manifest.Payload{Content: manifest.DigestsOf(manifest.SHA1.Sum(nil)), Size: size, StoredSize: int64(len(bomb))}
		refused(t, "bomb", p, bomb, new(*manifest.SizeError))
		source := bytes.NewReader(bomb)
		if _, err := io.Copy(io.Discard, p.Verify(source)); err == nil || len(bomb)-source.Len() > 1<<16 {
			t.Errorf("size %d: took %d bytes, %v", size, len(bomb)-source.Len(), err)
		}
	}
	r := manifest.PayloadReader{MaxSize: 1000}
	r.Reset(manifest.Payload{Content: manifest.DigestsOf(manifest.SHA1.Sum(nil)), Size: -1, StoredSize: -1}, bytes.NewReader(bomb))
	var size *manifest.SizeError
	if n, err := io.Copy(io.Discard, &r); n > 1000 || !errors.As(err, &size) || size.Want != 1000 {
		t.Errorf("size not known: %d bytes, %v", n, err)
	}
	if _, err := manifest.Inspect(bytes.NewReader(bomb), 1000); !errors.As(err, &size) {
		t.Errorf("Inspect: %v", err)
	}
}

// TestEndlessData checks that a source that never ends is given up, also one that
// compresses nothing for ever.
func TestEndlessData(t *testing.T) {
	const header = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
	nothing := []byte{0, 0, 0, 0xff, 0xff} // an empty stored block, not the last
	content := noise(1 << 16)
	stored := zip(t, content)
	const named = "\x1f\x8b\x08\x08\x00\x00\x00\x00\x02\xff"
	for _, test := range []struct {
		what   string
		begin  []byte
		repeat []byte
	}{
		{"empty blocks", []byte(header), nothing},
		{"long name", []byte(named), []byte("a")},
		{"tail", stored, []byte("a")},
		{"garbage", nil, []byte("a")},
	} {
		p := payloadOf(content, stored)
		for _, p := range []manifest.Payload{p, p.ContentOnly()} {
			forever := &endless{block: test.repeat}
			var e *manifest.PayloadError
			n, err := io.Copy(io.Discard, p.Verify(io.MultiReader(bytes.NewReader(test.begin), forever)))
			if !errors.As(err, &e) || n > p.Size || forever.taken > 1<<18 {
				t.Errorf("%s: %d bytes of %d taken, %v", test.what, n, forever.taken, err)
			}
		}
	}
	forever := &endless{block: []byte("a")}
	if n, err := io.Copy(io.Discard, payloadOf(content, nil).VerifyContent(forever)); err == nil || n > 1<<16 || forever.taken > 1<<17 {
		t.Errorf("content: %d bytes of %d taken, %v", n, forever.taken, err)
	}
}

// TestDamage checks every truncation and a flip of every bit.
func TestDamage(t *testing.T) {
	content := []byte("the content of a payload, the content of a payload")
	stored := zip(t, content)
	p := payloadOf(content, stored)
	any := new(*manifest.PayloadError)
	for i := range stored {
		refused(t, "truncated", p, stored[:i], any)
		refused(t, "truncated", p.ContentOnly(), stored[:i], any)
		for bit := range 8 {
			flipped := bytes.Clone(stored)
			flipped[i] ^= 1 << bit
			refused(t, "flipped", p, flipped, any)
		}
	}
	refused(t, "a tail", p.ContentOnly(), append(bytes.Clone(stored), 0), any)
	refused(t, "a second member", p.ContentOnly(), append(bytes.Clone(stored), zip(t, nil)...), any)
	refused(t, "not compressed", p.ContentOnly(), content, any)
}

// TestSourceError checks that an error of the source is not taken for a wrong payload.
func TestSourceError(t *testing.T) {
	content := noise(1000)
	stored := zip(t, content)
	p := payloadOf(content, stored)
	broken := errors.New("broken")
	for _, at := range []int{0, 5, 500, len(stored)} {
		source := io.MultiReader(bytes.NewReader(stored[:at]), iotest.ErrReader(broken))
		if _, err := io.Copy(io.Discard, p.Verify(source)); err != broken {
			t.Errorf("broken at %d: %v", at, err)
		}
	}
	if _, err := io.Copy(io.Discard, p.VerifyContent(iotest.ErrReader(broken))); err != broken {
		t.Errorf("broken content: %v", err)
	}
	if _, err := io.Copy(io.Discard, p.Verify(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(stored))))); err != iotest.ErrTimeout {
		t.Errorf("timeout: %v", err)
	}
}

// FuzzVerify checks that what comes through has the digests, and that Inspect agrees.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("abc"), []byte("abc"))
	f.Add(zip(f, []byte("abc")), []byte("abc"))
	f.Add(zip(f, nil), []byte(nil))
	f.Fuzz(func(t *testing.T, stored, content []byte) {
		if len(stored) > 1<<16 {
			return // Inspect allows that much for what is not content
		}
		p := payloadOf(content, stored)
		got, err := io.ReadAll(p.Verify(bytes.NewReader(stored)))
		if len(got) > len(content) || err == nil && !bytes.Equal(got, content) {
			t.Fatalf("%q came through, %v", got, err)
		}
		q, inspectErr := manifest.Inspect(bytes.NewReader(stored), int64(len(content)))
		if err == nil && inspectErr != nil {
			t.Fatalf("Inspect: %v", inspectErr)
		}
		if inspectErr == nil {
			if _, err := verify(q, stored); err != nil {
				t.Fatalf("what Inspect finds does not verify: %v", err)
			}
		}
	})
}

func TestVerifyAllocs(t *testing.T) {
	p, stored := pack(t, manifest.NewPacker(nil), noise(1<<16))
	var r manifest.PayloadReader
	source := bytes.NewReader(stored)
	sink := struct{ io.Writer }{io.Discard}
	run := func() {
		source.Reset(stored)
		r.Reset(p, source)
		if _, err := r.WriteTo(sink); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 1 { // by compress/gzip
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	content := []byte(strings.Repeat(string(published(1, 100)), 10))
	stored := zip(b, content)
	p := payloadOf(content, stored)
	p.Content = manifest.DigestsOf(p.Content.Of(manifest.SHA1), p.Content.Best())
	p.Stored = manifest.DigestsOf(p.Stored.Of(manifest.SHA1), p.Stored.Best())
	var r manifest.PayloadReader
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(p, bytes.NewReader(stored))
		if _, err := io.Copy(io.Discard, &r); err != nil {
			b.Fatal(err)
		}
	}
}
