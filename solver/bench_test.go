package solver_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/solver"
)

// BenchmarkQueries answers each query of the corpora, all of them, and one of
// them with the opening of the catalog. An unsolvable one includes its
// explanation.
func BenchmarkQueries(b *testing.B) {
	for _, c := range corpora(b) {
		b.Run(filepath.Base(c.dir), func(b *testing.B) {
			model, err := solver.NewModel(c)
			if err != nil {
				b.Fatal(err)
			}
			s := solver.New(model, nil)
			b.Run("all", func(b *testing.B) { benchmarkQueries(b, s, c, c.queries) })
			for _, q := range c.queries {
				b.Run(q.Name, func(b *testing.B) { benchmarkQueries(b, s, c, []*query{q}) })
			}
		})
	}
}

func benchmarkQueries(b *testing.B, s *solver.Solver, c *corpus, queries []*query) {
	var images []*solver.Image
	var requests []solver.Request
	for _, q := range queries {
		images, requests = append(images, c.image(q)), append(requests, q.request())
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range images {
			solveOnce(b, s, images[i], requests[i])
		}
	}
}

func solveOnce(b *testing.B, s *solver.Solver, img *solver.Image, req solver.Request) {
	_, err := s.Solve(b.Context(), img, req)
	if solver.CategoryOf(err) == solver.NoCategory && err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen opens a catalog as a repository has it, and answers one query.
func BenchmarkOpen(b *testing.B) {
	for _, c := range corpora(b) {
		files := os.DirFS(filepath.Join(unpack(b, filepath.Join(c.dir, "v1.tar.zst")), "v1"))
		b.Run(filepath.Base(c.dir), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				known, err := catalog.Read(files, nil)
				if err != nil {
					b.Fatal(err)
				}
				model, err := solver.NewModel(solver.FromCatalog(known))
				if err != nil {
					b.Fatal(err)
				}
				q := c.queries[0]
				solveOnce(b, solver.New(model, nil), c.image(q), q.request())
			}
		})
	}
}

// BenchmarkModel compiles a corpus.
func BenchmarkModel(b *testing.B) {
	for _, c := range corpora(b) {
		b.Run(filepath.Base(c.dir), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := solver.NewModel(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// unpack unpacks an archive into a directory of the benchmark's; if there is
// none, the benchmark ends.
func unpack(b *testing.B, archive string) string {
	f, err := os.Open(archive)
	if errors.Is(err, os.ErrNotExist) {
		b.SkipNow()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	root, err := os.OpenRoot(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return root.Name()
		}
		if err != nil {
			b.Fatal(err)
		}
		if err := unpackEntry(root, h, r); err != nil {
			b.Fatal(err)
		}
	}
}

func unpackEntry(root *os.Root, h *tar.Header, r io.Reader) error {
	if h.Typeflag == tar.TypeDir {
		return root.Mkdir(filepath.Clean(h.Name), 0o777)
	}
	f, err := root.Create(h.Name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
