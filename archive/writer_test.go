package archive_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A shelf keeps payloads as they are stored.
type shelf map[manifest.Digest][]byte

// open returns a payload. It is an [archive.Opener].
func (s shelf) open(p manifest.Payload) (io.ReadCloser, error) {
	b, ok := s[p.Name()]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return sizedReader{bytes.NewReader(b)}, nil
}

// A sizedReader knows its size.
type sizedReader struct{ *bytes.Reader }

func (sizedReader) Close() error { return nil }

// put stores a payload and returns what a manifest says of it.
func (s shelf) put(t testing.TB, content string) manifest.Payload {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(z, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p := manifest.Payload{
		Content:    manifest.DigestsOf(manifest.SHA1.Sum([]byte(content)), manifest.SHA256.Sum([]byte(content))),
		Stored:     manifest.DigestsOf(manifest.SHA1.Sum(b.Bytes())),
		Size:       int64(len(content)),
		StoredSize: int64(b.Len()),
	}
	s[p.Name()] = b.Bytes()
	return p
}

// pack returns a package that delivers files with the given contents.
func (s shelf) pack(t testing.TB, text string, contents ...string) (fmri.FMRI, *manifest.Manifest) {
	t.Helper()
	f := fmri.MustParse(text)
	m := new(manifest.Manifest)
	actions := []manifest.Action{manifest.MustParseAction("set name=pkg.fmri value=" + f.String())}
	for i, content := range contents {
		a := manifest.MustParseAction(fmt.Sprintf("file NOHASH path=f%d mode=0644 owner=root group=sys", i))
		actions = append(actions, a.WithPayload(s.put(t, content)))
	}
	if err := m.Add(actions...); err != nil {
		t.Fatal(err)
	}
	return f, m
}

// names returns the names of all members.
func names(a *archive.Reader) (list []string) {
	for m := range a.Members() {
		list = append(list, m.Name)
	}
	return list
}

// TestWriterOrder pins the order of members: by package, payloads once for each publisher.
func TestWriterOrder(t *testing.T) {
	s := shelf{}
	var out bytes.Buffer
	w := archive.NewWriter(&out, nil)
	for _, p := range []struct {
		fmri     string
		contents []string
	}{
		{"pkg://p/b/x@2:20240101T000000Z", []string{"one", "two", "one"}},
		{"pkg://q/a@1:20240301T000000Z", []string{"two"}},
		{"pkg://p/b/x@1:20230101T000000Z", []string{"one", "three"}},
		{"pkg://p/a@1", nil},
	} {
		f, m := s.pack(t, p.fmri, p.contents...)
		if err := w.Add(f, m, s.open); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddPublisher(archive.Publisher{Name: "q", Alias: "Q"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	payload := func(content string) string {
		hex := manifest.SHA1.Sum([]byte(content)).Hex()
		return "file/" + hex[:2] + "\nfile/" + hex[:2] + "/" + hex
	}
	want := strings.Split(strings.Join([]string{
		"publisher",
		in("p", ".", "pkg", "pkg/b%2Fx", "pkg/b%2Fx/2%2C5.11%3A20240101T000000Z"),
		in("p", "file", payload("one"), payload("two")),
		in("q", ".", "pkg", "pkg/a", "pkg/a/1%2C5.11%3A20240301T000000Z"),
		in("q", "file", payload("two")),
		in("p", "pkg/b%2Fx/1%2C5.11%3A20230101T000000Z", payload("three")),
		in("p", "pkg/a", "pkg/a/1%2C5.11"),
		"pkg5.repository",
		in("q", "pub.p5i"),
	}, "\n"), "\n")
	a := newReader(t, out.Bytes())
	if diff := cmp.Diff(want, names(a)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const repository = "[CONFIGURATION]\nversion = 4\n\n[publisher]\nprefix = p\n\n[repository]\nversion = 4\n"
	if got := string(a.ReadMember(t, "pkg5.repository")); got != repository {
		t.Errorf("%q; want %q", got, repository)
	}
	if p, err := a.Publisher(t.Context(), "q"); p.Alias != "Q" || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	checkTimesOf(t, out.Bytes(), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
}

// in returns names in the directory of a publisher, one on a line.
func in(publisher string, names ...string) string {
	lines := strings.Split(strings.Join(names, "\n"), "\n")
	for i, name := range lines {
		lines[i] = strings.TrimSuffix("publisher/"+publisher+"/"+name, "/.")
	}
	return strings.Join(lines, "\n")
}

// checkTimesOf checks the modification times of all members and the size of the archive.
func checkTimesOf(t *testing.T, src []byte, want time.Time) {
	t.Helper()
	if len(src)%10240 != 0 {
		t.Errorf("size %d is no multiple of 10240", len(src))
	}
	for _, hdr := range headers(t, src) {
		if !hdr.ModTime.Equal(want) {
			t.Errorf("%s: %v; want %v", hdr.Name, hdr.ModTime, want)
		}
	}
}

func TestWriterModTime(t *testing.T) {
	s := shelf{}
	for _, test := range []struct {
		fmri        string
		opt, member time.Time
	}{
		{"pkg://p/a@1:20240101T000000Z", time.Unix(1234567890, 999), time.Unix(1234567890, 0)},
		{"pkg://p/a@1", time.Time{}, time.Unix(0, 0)},
		{"pkg://p/a@1:99991231T235959Z", time.Time{}, time.Unix(1<<33-1, 0)},
	} {
		var out bytes.Buffer
		w := archive.NewWriter(&out, &archive.WriterOptions{ModTime: test.opt})
		f, m := s.pack(t, test.fmri, "x")
		if err := errors.Join(w.Add(f, m, s.open), w.Close()); err != nil {
			t.Fatal(err)
		}
		checkTimesOf(t, out.Bytes(), test.member)
	}
}

// TestWriterRefuses: what cannot be in an archive is refused when it is added.
func TestWriterRefuses(t *testing.T) {
	s := shelf{}
	f, m := s.pack(t, "pkg://p/a@1", "x")
	w := archive.NewWriter(io.Discard, nil)
	if err := w.Add(f, m, s.open); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(f, m, s.open); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
	if err := w.Add(f.Stem(), m, s.open); !errors.Is(err, fmri.ErrNoVersion) {
		t.Errorf("without version: %v", err)
	}
	for name, f := range map[string]fmri.FMRI{
		"no publisher": f.WithPublisher(""), "zero": {}, "another version": fmri.MustParse("pkg://p/a@2"), "another name": fmri.MustParse("pkg://p/b@1"),
	} {
		if err := w.Add(f, m, s.open); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := w.Add(f.WithPublisher("q"), m, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without payloads: %v", err)
	}
	if err := w.AddPublisher(archive.Publisher{Name: "a b"}); err == nil {
		t.Error("illegal publisher: no error")
	}
	if err := w.AddPublisher(archive.Publisher{Name: "stranger"}); err != nil {
		t.Error(err)
	}
	if err := w.AddPublisher(archive.Publisher{Name: "stranger"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("publisher again: %v", err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("publisher without packages: %v", err)
	}
	if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

// A bareReader has no size.
type bareReader struct{ io.Reader }

func (bareReader) Close() error { return nil }

// TestWriterCounts: the size of a payload comes from Size or Stat. Where nobody says
// it, the payload is read twice.
func TestWriterCounts(t *testing.T) {
	s := shelf{}
	f, m := s.pack(t, "pkg://p/a@1", "content")
	file := filepath.Join(t.TempDir(), "payload")
	if err := os.WriteFile(file, s[allPayloads(t, m)[0].Name()], 0o600); err != nil {
		t.Fatal(err)
	}
	var sized, bare, stat bytes.Buffer
	opened := 0
	for out, open := range map[*bytes.Buffer]archive.Opener{
		&sized: s.open,
		&stat:  func(manifest.Payload) (io.ReadCloser, error) { return os.Open(file) },
		&bare: func(p manifest.Payload) (io.ReadCloser, error) {
			opened++
			return bareReader{bytes.NewReader(s[p.Name()])}, nil
		},
	} {
		w := archive.NewWriter(out, nil)
		if err := errors.Join(w.Add(f, m, open), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sized.Bytes(), bare.Bytes()) || !bytes.Equal(sized.Bytes(), stat.Bytes()) {
		t.Error("archives differ")
	}
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
}

// A liar says another size than it has.
type liar struct {
	sizedReader
	size int64
}

func (l liar) Size() int64 { return l.size }

// TestWriterVerifies: payloads that are not what the manifest says do not get into an
// archive, and neither do those that change while it is written.
func TestWriterVerifies(t *testing.T) {
	for size, content := range map[string]string{"small": strings.Repeat("content", 100), "large": noise(1 << 20)} {
		t.Run(size, func(t *testing.T) { testWriterVerifies(t, content) })
	}
}

// noise returns text that compresses to little less than half.
func noise(n int) string {
	src := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n/2)
	for i := range b {
		b[i] = byte(src.Uint32())
	}
	return hex.EncodeToString(b)
}

func testWriterVerifies(t *testing.T, content string) {
	s := shelf{}
	f, m := s.pack(t, "pkg://p/a@1", content)
	_, other := s.pack(t, "pkg://p/b@1", strings.Repeat("CONTENT", 100))
	name, foreign := allPayloads(t, m)[0].Name(), allPayloads(t, other)[0].Name()
	stored := s[name]
	flip := func(i int) []byte {
		b := bytes.Clone(stored)
		b[i] ^= 1
		return b
	}
	failure := errors.New("disk on fire")
	for what, open := range map[string]archive.Opener{
		"of another file": func(manifest.Payload) (io.ReadCloser, error) { return sizedReader{bytes.NewReader(s[foreign])}, nil },
		"flipped": func(manifest.Payload) (io.ReadCloser, error) {
			return sizedReader{bytes.NewReader(flip(len(stored) / 2))}, nil
		},
		"flipped checksum": func(manifest.Payload) (io.ReadCloser, error) {
			return sizedReader{bytes.NewReader(flip(len(stored) - 8))}, nil
		},
		"cut off": func(manifest.Payload) (io.ReadCloser, error) {
			return sizedReader{bytes.NewReader(stored[:len(stored)-1])}, nil
		},
		"with more behind": func(manifest.Payload) (io.ReadCloser, error) {
			return sizedReader{bytes.NewReader(append(bytes.Clone(stored), 'x'))}, nil
		},
		"says more": func(manifest.Payload) (io.ReadCloser, error) {
			return liar{sizedReader{bytes.NewReader(stored)}, int64(len(stored)) + 1}, nil
		},
		"has more than it says": func(manifest.Payload) (io.ReadCloser, error) {
			return liar{sizedReader{bytes.NewReader(append(bytes.Clone(stored), 'x'))}, int64(len(stored))}, nil
		},
		"says less": func(manifest.Payload) (io.ReadCloser, error) {
			return liar{sizedReader{bytes.NewReader(stored)}, int64(len(stored)) - 1}, nil
		},
		"negative": func(manifest.Payload) (io.ReadCloser, error) {
			return liar{sizedReader{bytes.NewReader(stored)}, -1}, nil
		},
		"not there": func(manifest.Payload) (io.ReadCloser, error) { return nil, fs.ErrNotExist },
		"unreadable": func(manifest.Payload) (io.ReadCloser, error) {
			return bareReader{io.MultiReader(bytes.NewReader(stored[:5]), errReader{failure})}, nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := archive.NewWriter(io.Discard, nil)
			if err := w.Add(f, m, open); err != nil {
				t.Fatal(err)
			}
			err := w.Close()
			var e *archive.Error
			if !errors.As(err, &e) || !strings.HasSuffix(e.Member, name.Hex()) {
				t.Errorf("%v; want an archive.Error with the member", err)
			}
			if what == "not there" && !errors.Is(err, fs.ErrNotExist) || what == "unreadable" && !errors.Is(err, failure) {
				t.Errorf("%v hides its reason", err)
			}
		})
	}
}

// TestWriterStoredForm: what counts is the content. Repositories may have compressed it
// in another way than where the manifest was written.
func TestWriterStoredForm(t *testing.T) {
	s := shelf{}
	f, m := s.pack(t, "pkg://p/a@1", strings.Repeat("content", 100))
	p := allPayloads(t, m)[0]
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, strings.Repeat("content", 100)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(s[p.Name()], b.Bytes()) {
		t.Fatal("two ways of compression have one result")
	}
	s[p.Name()] = b.Bytes()
	var out bytes.Buffer
	w := archive.NewWriter(&out, nil)
	if err := errors.Join(w.Add(f, m, s.open), w.Close()); err != nil {
		t.Fatal(err)
	}
	checkPayload(t, newReader(t, out.Bytes()), f, p.ContentOnly())
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// A fullDisk takes so many bytes.
type fullDisk struct{ room int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(d.room, len(b))
	d.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// TestWriterFullDisk: wherever the disk is full, Close says so.
func TestWriterFullDisk(t *testing.T) {
	s := shelf{}
	f, m := s.pack(t, "pkg://p/a@1", strings.Repeat("content", 100))
	var out bytes.Buffer
	w := archive.NewWriter(&out, nil)
	if err := errors.Join(w.Add(f, m, s.open), w.Close()); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < out.Len(); room += 256 {
		w := archive.NewWriter(&fullDisk{room}, nil)
		if err := w.Add(f, m, s.open); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
}

// TestWriterLongNames: names that need a pax header are read back, with index and without.
func TestWriterLongNames(t *testing.T) {
	s := shelf{}
	long := "pkg://p/" + strings.Repeat("long/", 40) + "name@" + strings.Repeat("1.", 40) + "1-2:20240101T000000Z"
	var out bytes.Buffer
	w := archive.NewWriter(&out, nil)
	f, m := s.pack(t, long, "x")
	if err := errors.Join(w.Add(f, m, s.open), w.Close()); err != nil {
		t.Fatal(err)
	}
	a := newReader(t, out.Bytes())
	if got := packages(t, a); !slices.Equal(got, []fmri.FMRI{f}) {
		t.Fatalf("%v", got)
	}
	checkPackage(t, a, f)
	for m := range a.Members() {
		plain := newReader(t, out.Bytes()[m.Offset:])
		checkPackage(t, plain, f)
		break
	}
}

// TestWriterSignature: the certificates of a signature, chain included, are payloads.
func TestWriterSignature(t *testing.T) {
	s := shelf{}
	cert, issuer := s.put(t, "certificate"), s.put(t, "issuer")
	m := new(manifest.Manifest)
	signature := fmt.Sprintf("signature %s algorithm=rsa-sha256 chain=%q chain.sizes=%d value=00 version=0",
		cert.Name().Hex(), issuer.Name().Hex(), issuer.Size)
	if err := m.Add(manifest.MustParseAction(signature)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := archive.NewWriter(&out, nil)
	if err := errors.Join(w.Add(fmri.MustParse("pkg://p/a@1"), m, s.open), w.Close()); err != nil {
		t.Fatal(err)
	}
	a := newReader(t, out.Bytes())
	for _, p := range []manifest.Payload{cert, issuer} {
		checkPayload(t, a, fmri.MustParse("pkg://p/a@1"), p)
	}
}

// TestEmptyArchive: no packages are an archive, too.
func TestEmptyArchive(t *testing.T) {
	var out bytes.Buffer
	if err := archive.NewWriter(&out, nil).Close(); err != nil {
		t.Fatal(err)
	}
	a := newReader(t, out.Bytes())
	if publishers, err := a.Publishers(t.Context()); len(publishers) > 0 || err != nil {
		t.Errorf("%v, %v", publishers, err)
	}
}

// A watchedReader tells when it is closed.
type watchedReader struct {
	sizedReader
	open *atomic.Int64
}

func (r watchedReader) Close() error {
	r.open.Add(-1)
	return nil
}

// TestWriterAhead writes payloads of all sizes. What is opened is closed, also when one
// of them is bad, and the archive is the same as if each had waited for its turn.
func TestWriterAhead(t *testing.T) {
	s := shelf{}
	var contents []string
	for i := range 120 {
		size := 10 * i
		if i%20 == 7 {
			size = 1 << 20 // too large to be read ahead
		}
		contents = append(contents, fmt.Sprint(i)+noise(size))
	}
	f, m := s.pack(t, "pkg://p/a@1", contents...)
	write := func(s shelf) ([]byte, error) {
		var out bytes.Buffer
		var open atomic.Int64
		w := archive.NewWriter(&out, nil)
		err := w.Add(f, m, func(p manifest.Payload) (io.ReadCloser, error) {
			open.Add(1)
			return watchedReader{sizedReader{bytes.NewReader(s[p.Name()])}, &open}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Close()
		if n := open.Load(); n != 0 {
			t.Errorf("%d payloads are open", n)
		}
		return out.Bytes(), err
	}
	whole, err := write(s)
	if err != nil {
		t.Fatal(err)
	}
	a := newReader(t, whole)
	for i, p := range allPayloads(t, m) {
		r, err := a.Payload(t.Context(), "p", p.Name())
		if err != nil {
			t.Fatal(err)
		}
		if stored, err := io.ReadAll(r); err != nil || !bytes.Equal(stored, s[p.Name()]) {
			t.Errorf("payload %d is another, %v", i, err)
		}
		if i%11 != 7 {
			continue
		}
		bad := maps.Clone(s)
		bad[p.Name()] = bytes.Clone(s[p.Name()])
		bad[p.Name()][len(bad[p.Name()])/2] ^= 1
		if _, err := write(bad); err == nil {
			t.Errorf("payload %d was damaged, and written", i)
		}
	}
}
