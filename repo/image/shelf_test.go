package image

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// A shelf is a repository in memory, small enough to be damaged on purpose.
type shelf struct {
	mu        sync.Mutex
	manifests map[fmri.FMRI]*manifest.Manifest
	stored    map[string][]byte // payloads by name
	served    int               // payloads sent
	packer    *manifest.Packer

	onManifest func(fmri.FMRI)      // called when a manifest is asked for, if set
	onPayload  func() io.ReadCloser // what is sent instead of payloads, if set
}

func newShelf() *shelf {
	fast, _ := flate.NewWriter(nil, flate.HuffmanOnly)
	return &shelf{
		manifests: map[fmri.FMRI]*manifest.Manifest{}, stored: map[string][]byte{},
		packer: manifest.NewPacker(fast),
	}
}

// publish puts a package on the shelf. Payload words in the manifest are names of
// files. A package without a time gets one, each later than the one before.
func (s *shelf) publish(t testing.TB, text string, files map[string]string) fmri.FMRI {
	t.Helper()
	src, err := manifest.Parse("manifest", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f, ok := src.FMRI()
	if !ok {
		t.Fatalf("package without a name:\n%s", text)
	}
	if _, ok := f.Version().Time(); !ok {
		stamp := time.Date(2026, 1, 1, 0, 0, len(s.manifests), 0, time.UTC).Format("20060102T150405Z")
		v, err := fmri.ParseVersion(f.Version().String() + ":" + stamp)
		if err != nil {
			t.Fatal(err)
		}
		f = f.WithVersion(v)
	}
	m := new(manifest.Manifest)
	for a := range src.All() {
		if key, _ := a.Key(); a.Kind == manifest.KindSet && key == "pkg.fmri" {
			a.Attrs = a.Attrs.With("value", f.String())
		}
		if content, ok := files[a.Hash]; ok && a.Hash != "" {
			elfhash, program := a.Attrs.Get("elfhash")
			a = a.WithPayload(s.store(t, content))
			if program {
				a.Attrs = a.Attrs.With("elfhash", elfhash) // which the content of a test cannot have
			}
		}
		if err := m.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	s.manifests[f] = m
	return f
}

func (s *shelf) store(t testing.TB, content string) manifest.Payload {
	t.Helper()
	var b bytes.Buffer
	p, err := s.packer.Pack(&b, strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	s.stored[p.Name().Hex()] = b.Bytes()
	return p
}

func (s *shelf) Publishers(context.Context) ([]string, error) {
	set := map[string]bool{}
	for f := range s.manifests {
		set[f.Publisher()] = true
	}
	return slices.Sorted(maps.Keys(set)), nil
}

func (s *shelf) Catalog(_ context.Context, publisher string) (*catalog.Catalog, error) {
	b := catalog.Builder{Now: time.Date(2026, 1, 1, 0, 0, len(s.manifests), 0, time.UTC)}
	for f, m := range s.manifests {
		if f.Publisher() != publisher {
			continue
		}
		if err := b.Add(f, m); err != nil {
			return nil, err
		}
	}
	return b.Build()
}

func (s *shelf) Manifest(_ context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	if s.onManifest != nil {
		s.onManifest(f)
	}
	if m := s.manifests[f]; m != nil {
		return m, nil
	}
	return nil, fs.ErrNotExist
}

func (s *shelf) Payload(_ context.Context, _ string, d manifest.Digest) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	if s.onPayload != nil {
		return s.onPayload(), nil
	}
	if b, ok := s.stored[d.Hex()]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return nil, fs.ErrNotExist
}

var _ repo.Source = (*shelf)(nil)

// options returns options of an image whose origins are all this shelf. The clock goes
// on by a second with each look at it.
func (s *shelf) options() *Options {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return &Options{
		Openers: repo.Openers{"test": repo.Opened(s)},
		Now: func() time.Time {
			now = now.Add(time.Second)
			return now
		},
	}
}

// config returns the configuration of a full image with all publishers of the shelf.
func (s *shelf) config() Config {
	c := Config{Type: Full, Varcets: manifest.Varcets{Variants: map[string]string{"variant.arch": "i386"}}}
	names, _ := s.Publishers(context.Background())
	for _, name := range names {
		c.Publishers = append(c.Publishers, Publisher{Name: name, Origins: []string{"test://shelf/"}})
	}
	return c
}

// owners are the databases of users and groups of the images in tests.
const (
	passwdText = "root:x:0:0::/:\ndaemon:x:1:1::/:\nbin:x:2:2::/:\nsys:x:3:3::/:\n"
	groupText  = "root::0:\nother::1:root\nbin::2:\nsys::3:\ndaemon::12:\n"
)

// create makes an image with the shelf's publishers and databases of owners.
func (s *shelf) create(t testing.TB, root string) *Image {
	t.Helper()
	return s.createAs(t, root, s.config())
}

// createAs does so with a configuration of the test's.
func (s *shelf) createAs(t testing.TB, root string, c Config) *Image {
	t.Helper()
	i, err := create(t.Context(), root, c, s.options(), hooks{volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	if err := i.tree.mkdirAll("etc"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"etc/passwd": passwdText, "etc/group": groupText} {
		if err := i.tree.writeFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return i
}

// tempDir returns a directory of the test, in memory where the system has a place for
// that: the tests make thousands of small files, and a busy disk makes them wait.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ips-image")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// names returns what is installed as name@version, sorted.
func names(i *Image) []string {
	list := []string{}
	for p := range i.Installed().All() {
		list = append(list, fmt.Sprintf("pkg://%s/%s@%s", p.Publisher(), p.Name(), p.Version().Short()))
	}
	slices.Sort(list)
	return list
}
