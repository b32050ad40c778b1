package catalog_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// The benchmarks run on a generated catalog of 10,000 versions, and with IPS_CORPUS set on
// that of OpenIndiana and a generated one of 228,000 versions instead. The directories are
// made once, below the directory for temporary files, and are left there for the next run.

// A large catalog is in a directory, with its index in the file index.
type large struct {
	name, dir string
}

var largeCatalogs = sync.OnceValues(func() ([]large, error) {
	corpus := os.Getenv("IPS_CORPUS")
	if corpus == "" {
		l, err := generated(10000)
		return []large{l}, err
	}
	oi, err := openIndiana(filepath.Join(corpus, "solver", "oi", "v1.tar.zst"))
	if err != nil {
		return nil, err
	}
	l, err := generated(228000)
	return []large{oi, l}, err
})

func largeDir(name string) string { return filepath.Join(os.TempDir(), "ips-catalog-"+name) }

// prepare makes the directory of a large catalog unless it is there.
func prepare(name string, fill func(dir string) error) (large, error) {
	l := large{name, largeDir(name)}
	if _, err := os.Stat(filepath.Join(l.dir, "index")); err == nil {
		return l, nil
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return l, err
	}
	if err := fill(l.dir); err != nil {
		return l, err
	}
	c, err := catalog.Read(os.DirFS(l.dir), nil)
	if err != nil {
		return l, err
	}
	var b bytes.Buffer
	if err := c.WriteIndex(&b); err != nil {
		return l, err
	}
	return l, os.WriteFile(filepath.Join(l.dir, "index"), b.Bytes(), 0o644)
}

func generated(n int) (large, error) {
	return prepare(fmt.Sprint(n), func(dir string) error {
		c, err := catalogtest.Generate(&catalogtest.Options{Versions: n})
		if err != nil {
			return err
		}
		return writeFiles(dir, c)
	})
}

// writeFiles writes a catalog into a directory.
func writeFiles(dir string, c *catalog.Catalog) error {
	for f := range c.Files() {
		out, err := os.Create(filepath.Join(dir, f.Name))
		if err != nil {
			return err
		}
		_, err = f.WriteTo(out)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	return nil
}

func openIndiana(archive string) (large, error) {
	return prepare("openindiana", func(dir string) error {
		f, err := os.Open(archive)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			return err
		}
		defer z.Close()
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if h.Typeflag != tar.TypeReg {
				continue
			}
			data, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), data, 0o644); err != nil {
				return err
			}
		}
	})
}

// each runs a benchmark on every large catalog.
func each(b *testing.B, f func(b *testing.B, l large)) {
	b.Helper()
	list, err := largeCatalogs()
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range list {
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			f(b, l)
		})
	}
}

func (l large) fs() fs.FS { return os.DirFS(l.dir) }

// bytes returns the size of some files, of all parts if none is named.
func (l large) bytes(names ...string) (n int64) {
	if names == nil {
		names = []string{"catalog.base.C", "catalog.dependency.C", "catalog.summary.C"}
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(l.dir, name)); err == nil {
			n += info.Size()
		}
	}
	return n
}

// index opens the index. The file is closed with the benchmark.
func (l large) index(t testing.TB) *catalog.Index {
	f, err := os.Open(filepath.Join(l.dir, "index"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	x, err := catalog.OpenIndex(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (l large) catalog(t testing.TB) *catalog.Catalog {
	c, err := l.index(t).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Parts() {
		if _, err := c.Table(p); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// hashFiles reads files and computes their SHA-1, which is the least that can be done.
func (l large) hashFiles(t testing.TB, w io.Writer, names ...string) {
	for _, name := range names {
		f, err := os.Open(filepath.Join(l.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		h := sha1.New()
		if _, err := io.CopyBuffer(io.MultiWriter(h, w), f, make([]byte, 256<<10)); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

var allParts = []string{"catalog.base.C", "catalog.dependency.C", "catalog.summary.C"}

// BenchmarkFloor reads and hashes all parts.
func BenchmarkFloor(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		b.SetBytes(l.bytes())
		for b.Loop() {
			l.hashFiles(b, io.Discard, allParts...)
		}
	})
}

// BenchmarkJSON decodes the dependency part with encoding/json into the obvious maps,
// without looking at the signature.
func BenchmarkJSON(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		b.SetBytes(l.bytes("catalog.dependency.C"))
		for b.Loop() {
			l.decodeJSON(b)
		}
	})
}

func (l large) decodeJSON(t testing.TB) {
	type entry struct {
		Version string   `json:"version"`
		Actions []string `json:"actions"`
	}
	src, err := os.ReadFile(filepath.Join(l.dir, "catalog.dependency.C"))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(src, &raw); err != nil {
		t.Fatal(err)
	}
	for name, text := range raw {
		var stems map[string][]entry
		if strings.HasPrefix(name, "_") {
			continue
		}
		if err := json.Unmarshal(text, &stems); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkDependency reads and verifies the dependency part, and the base part with it.
func BenchmarkDependency(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		b.SetBytes(l.bytes("catalog.dependency.C"))
		for b.Loop() {
			read(b, l.fs(), &catalog.ReadOptions{Parts: []catalog.Part{catalog.Dependency}})
		}
	})
}

// BenchmarkFullRefresh reads and verifies all parts and writes an index.
func BenchmarkFullRefresh(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		b.SetBytes(l.bytes())
		name := filepath.Join(b.TempDir(), "index")
		for b.Loop() {
			fullRefresh(b, l, name)
		}
	})
}

func fullRefresh(t testing.TB, l large, name string) {
	c, err := catalog.Refresh(nil, l.fs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.WriteIndex(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkIndexFind opens an index and finds one package with all that is known of it.
func BenchmarkIndexFind(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		publisher, stem := l.middle(b)
		name := filepath.Join(l.dir, "index")
		for b.Loop() {
			f, err := os.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			info, _ := f.Stat()
			x, err := catalog.OpenIndex(f, info.Size())
			if err != nil {
				b.Fatal(err)
			}
			c, err := x.Stem(publisher, stem)
			if err != nil || c.Len() == 0 {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}

// middle returns a package with some versions.
func (l large) middle(t testing.TB) (publisher, stem string) {
	c := l.catalog(t)
	for p := range c.Newest() {
		if lo, hi := c.Range(p.Publisher(), p.Name()); lo > c.Len()/2 && hi-lo >= 8 {
			return p.Publisher(), p.Name()
		}
	}
	t.Fatal("no package has 8 versions")
	return "", ""
}

// BenchmarkIndexList opens an index and lists all versions, as FMRIs with their state.
func BenchmarkIndexList(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		for b.Loop() {
			if n := list(b, l, (*catalog.Catalog).All); n == 0 {
				b.Fatal("nothing")
			}
		}
	})
}

// BenchmarkIndexNewest lists the newest versions only.
func BenchmarkIndexNewest(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		for b.Loop() {
			if n := list(b, l, (*catalog.Catalog).Newest); n == 0 {
				b.Fatal("nothing")
			}
		}
	})
}

func list(t testing.TB, l large, seq func(*catalog.Catalog) iter.Seq[catalog.Package]) (n int) {
	f, err := os.Open(filepath.Join(l.dir, "index"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	x, err := catalog.OpenIndex(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	c, err := x.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for p := range seq(c) {
		if !p.Obsolete() {
			n += len(p.FMRI().Name())
		}
	}
	return n
}

// thousand returns 1,000 new versions of packages of a catalog.
func thousand(t testing.TB, c *catalog.Catalog) map[fmri.FMRI]*manifest.Manifest {
	out := map[fmri.FMRI]*manifest.Manifest{}
	step := max(1, c.Len()/1000)
	for id := 0; id < c.Len() && len(out) < 1000; id += step {
		p := c.At(id)
		f := p.FMRI()
		f = f.WithVersion(f.Version().WithTime(at("2031-01-01 00:00:00").Add(time.Duration(id) * time.Second)))
		var text []byte
		for _, part := range c.Parts() {
			for action := range p.Texts(part) {
				text = append(append(text, action...), '\n')
			}
		}
		m, err := manifest.Parse("new", text)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = m
	}
	return out
}

// publish adds 1,000 versions as a repository does.
func publish(t testing.TB, base *catalog.Catalog, pkgs map[fmri.FMRI]*manifest.Manifest) *catalog.Catalog {
	b := &catalog.Builder{Base: base, Logs: fstest.MapFS{}, Now: at("2031-01-02 03:04:05")}
	for f, m := range pkgs {
		if err := b.Add(f, m); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, b)
}

// BenchmarkPublish adds 1,000 versions to a catalog in memory, as a repository does, and
// writes the files that changed.
func BenchmarkPublish(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		c := l.catalog(b)
		pkgs := thousand(b, c)
		b.SetBytes(l.bytes())
		for b.Loop() {
			for f := range publish(b, c, pkgs).Files() {
				if _, err := f.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkPublishBuild is that without writing.
func BenchmarkPublishBuild(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		c := l.catalog(b)
		pkgs := thousand(b, c)
		for b.Loop() {
			publish(b, c, pkgs)
		}
	})
}

// changed returns what a client fetches after 1,000 versions were published.
func changed(t testing.TB, l large) fstest.MapFS {
	c := l.catalog(t)
	dir := fstest.MapFS{}
	for f := range publish(t, c, thousand(t, c)).Files() {
		if strings.HasPrefix(f.Name, "update.") || f.Name == "catalog.attrs" {
			var b bytes.Buffer
			if _, err := f.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			dir[f.Name] = &fstest.MapFile{Data: b.Bytes()}
		}
	}
	return dir
}

// BenchmarkApply applies the log of 1,000 versions to a catalog that is in an index. The
// signatures of the parts that it leads to are verified, or not.
func BenchmarkApply(b *testing.B) {
	for _, trust := range []bool{false, true} {
		b.Run(fmt.Sprintf("trust=%v", trust), func(b *testing.B) {
			each(b, func(b *testing.B, l large) {
				dir := changed(b, l)
				src := dir["catalog.attrs"].Data
				attrs, err := catalog.ParseAttrs(src, nil)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					apply(b, l, dir, attrs, trust)
				}
			})
		})
	}
}

func apply(t testing.TB, l large, dir fstest.MapFS, attrs *catalog.Attrs, trust bool) {
	old, err := l.index(t).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	var logs []*catalog.Update
	for name, f := range dir {
		if !strings.HasPrefix(name, "update.") {
			continue
		}
		u, err := catalog.ReadUpdate(name, bytes.NewReader(f.Data), nil)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, u)
	}
	c, err := catalog.Apply(old, attrs, logs, &catalog.ReadOptions{TrustLogs: trust})
	if err != nil || c.Len() < old.Len()+900 {
		t.Fatal(err)
	}
}

// BenchmarkDiff compares two catalogs that differ in one version of a hundred.
func BenchmarkDiff(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		c := l.catalog(b)
		other, err := catalog.Filter(c, func(p catalog.Package) bool { return p.ID()%100 != 0 })
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			n := 0
			for range catalog.Diff(c, other) {
				n++
			}
			if n == 0 {
				b.Fatal("no difference")
			}
		}
	})
}

// BenchmarkWrite writes all parts with their signatures.
func BenchmarkWrite(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		c := l.catalog(b)
		b.SetBytes(l.bytes())
		for b.Loop() {
			for _, p := range c.Parts() {
				if err := c.WritePart(io.Discard, p); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkCopy copies and hashes all parts, to compare with.
func BenchmarkCopy(b *testing.B) {
	each(b, func(b *testing.B, l large) {
		b.SetBytes(l.bytes())
		for b.Loop() {
			l.hashFiles(b, io.Discard, allParts...)
		}
	})
}
