package search_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// A publisher is what an archive has of one: manifests, and the index that the
// reference made of them.
type publisher struct {
	name  string
	texts map[fmri.FMRI][]byte // without publisher
	index fs.FS
}

// publishers returns those of the archives in testdata/vectors and in the directory that
// IPS_VECTORS names, if the names of the archives match.
func publishers(t testing.TB, pattern string) []*publisher {
	t.Helper()
	dirs := []string{"testdata/vectors"}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "artefacts"))
	}
	var list []*publisher
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			list = append(list, open(t, name)...)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no artefact %s", pattern)
	}
	return list
}

// open reads the publishers of an archive that have an index.
func open(t testing.TB, archive string) []*publisher {
	t.Helper()
	files := untar(t, archive)
	dirs, err := fs.Glob(files, "*/publisher/*/index")
	if err != nil {
		t.Fatal(err)
	}
	var list []*publisher
	for _, dir := range dirs {
		p := &publisher{name: path.Base(path.Dir(dir)), texts: map[fmri.FMRI][]byte{}}
		if p.index, err = fs.Sub(files, dir); err != nil {
			t.Fatal(err)
		}
		prefix := path.Dir(dir) + "/pkg/"
		for name, file := range files {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				f, err := fmri.ParsePath("", rest)
				if err != nil {
					t.Fatal(err)
				}
				p.texts[f] = file.Data
			}
		}
		list = append(list, p)
	}
	return list
}

// untar reads the regular files of an archive.
func untar(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[path.Clean(h.Name)] = &fstest.MapFile{Data: data, ModTime: h.ModTime}
	}
}

// manifests returns the text of a manifest.
func (p *publisher) manifests(_ context.Context, f fmri.FMRI) ([]byte, error) {
	text, ok := p.texts[f]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return text, nil
}

// packages yields all packages, in order.
func (p *publisher) packages() iter.Seq2[search.Package, error] {
	return func(yield func(search.Package, error) bool) {
		for _, f := range p.sorted() {
			if !yield(search.Package{FMRI: f, Text: p.texts[f]}, nil) {
				return
			}
		}
	}
}

func (p *publisher) sorted() []fmri.FMRI {
	var list []fmri.FMRI
	for f := range p.texts {
		list = append(list, f)
	}
	slices.SortFunc(list, fmri.FMRI.Compare)
	return list
}

// A memory is Scratch in memory.
type memory struct {
	mu    sync.Mutex
	files fstest.MapFS
	open  int // files being written
	most  int // of them at a time
}

type memoryFile struct {
	bytes.Buffer
	dir  *memory
	name string
}

func newMemory() *memory { return &memory{files: fstest.MapFS{}} }

func (m *memory) Create(name string) (io.WriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open++
	m.most = max(m.most, m.open)
	return &memoryFile{dir: m, name: name}, nil
}

func (f *memoryFile) Close() error {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	f.dir.open--
	f.dir.files[f.name] = &fstest.MapFile{Data: bytes.Clone(f.Bytes())}
	return nil
}

func (f *memoryFile) Drop() error {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	f.dir.open--
	return nil
}

func (m *memory) Open(name string) (io.ReadCloser, error) { return m.files.Open(name) }

func (m *memory) Remove(name string) error {
	if m.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.files, name)
	return nil
}

// build makes an index of packages in an order.
func build(t testing.TB, b *search.Builder, p *publisher, order []fmri.FMRI) *memory {
	t.Helper()
	for _, f := range order {
		if err := b.Add(f, p.texts[f]); err != nil {
			t.Fatal(err)
		}
	}
	m := newMemory()
	if err := b.Write(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// openIndex opens an index that is to be good.
func openIndex(t testing.TB, fsys fs.FS) *search.Index {
	t.Helper()
	x, err := search.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// packagesOf yields one package.
func packagesOf(t testing.TB, text string) iter.Seq2[search.Package, error] {
	t.Helper()
	f := fmri.MustParse("app/hello@1.1:20200102T030405Z")
	return func(yield func(search.Package, error) bool) {
		yield(search.Package{FMRI: f, Text: []byte(text)}, nil)
	}
}

// emptyIndex returns an index, of version 1, without tokens, with the given content of
// some files behind the version.
func emptyIndex(content map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range []string{
		"main_dict.ascii.v2", "token_byte_offset.v1", "manf_list.v1", "full_fmri_list",
		"fmri_offsets.v1", "fast_add.v1", "fast_remove.v1",
	} {
		files[name] = &fstest.MapFile{Data: []byte("VERSION: 1\n")}
	}
	for name, text := range content {
		files[name] = &fstest.MapFile{Data: []byte("VERSION: 1\n" + text)}
	}
	return files
}
