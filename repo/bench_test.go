package repo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/flate"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// BenchmarkPublishOne publishes one package after the other, each durable.
func BenchmarkPublishOne(b *testing.B) {
	r := create(b, openDir(b, b.TempDir()))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		publish(b, r, fmt.Sprintf("pkg%d@1", i), "shared", fmt.Sprint("own ", i))
	}
}

// A sourcePackage is what is to be published.
type sourcePackage struct {
	manifest *manifest.Manifest
	proto    fs.FS
}

// sources makes packages of files that compress about as well as programs do.
func sources(packages, files, size int) []sourcePackage {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 4000)
	for i := range words {
		words[i] = make([]byte, 3+rnd.IntN(12))
		for j := range words[i] {
			words[i][j] = byte(rnd.IntN(256))
		}
	}
	var all []sourcePackage
	for i := range packages {
		m := new(manifest.Manifest)
		proto := fstest.MapFS{}
		actions := []manifest.Action{manifest.MustParseAction(fmt.Sprintf("set name=pkg.fmri value=group%d/pkg%d@1.%d,5.11-1", i%10, i, i))}
		for j := range files {
			name := fmt.Sprintf("usr/lib/pkg%d/file%d", i, j)
			actions = append(actions, manifest.MustParseAction("file path="+name+" mode=0444 owner=root group=bin"))
			var data []byte
			for len(data) < size {
				data = append(data, words[rnd.IntN(len(words))]...)
			}
			proto[name] = &fstest.MapFile{Data: data[:size], Mode: 0o644}
		}
		if err := m.Add(actions...); err != nil {
			panic(err)
		}
		all = append(all, sourcePackage{m, proto})
	}
	return all
}

// publishAll publishes packages in one batch.
func publishAll(ctx context.Context, r *repo.Repository, all []sourcePackage) error {
	batch, err := r.NewBatch(ctx)
	if err != nil {
		return err
	}
	defer batch.Abort(ctx)
	for _, s := range all {
		if _, err := repo.Publish(ctx, batch, s.manifest, &repo.PublishOptions{Content: repo.Proto(s.proto)}); err != nil {
			return err
		}
	}
	return batch.Commit(ctx)
}

// BenchmarkPublishBatch publishes 100 packages of 20 files, 40 MB in all, in one
// durable batch.
func BenchmarkPublishBatch(b *testing.B) {
	all := sources(100, 20, 20_000)
	b.SetBytes(100 * 20 * 20_000)
	b.ReportAllocs()
	for b.Loop() {
		r := create(b, openDir(b, b.TempDir()))
		if err := publishAll(b.Context(), r, all); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRebuild makes the catalog of 2,000 packages in 3 versions anew, and the search
// index.
func BenchmarkRebuild(b *testing.B) {
	r := create(b, openDir(b, b.TempDir()))
	batch, err := r.NewBatch(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for i := range 6000 {
		name := fmt.Sprintf("pkg%d@%d.%d,5.11-1:20260101T000000Z", i/3, i%3, i)
		tx, err := batch.Begin(b.Context(), fmri.MustParse(name))
		if err != nil {
			b.Fatal(err)
		}
		for _, text := range []string{
			"set name=pkg.summary value=\"A package to be measured\"",
			"depend type=require fmri=pkg:/system/library@0.5.11",
			"dir path=usr/lib mode=0755 owner=root group=bin",
		} {
			if err := tx.Add(b.Context(), manifest.MustParseAction(text), nil); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := tx.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := batch.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
	for name, rebuild := range map[string]func(context.Context, string) error{
		"catalog": r.RebuildCatalog,
		"index":   r.RebuildIndex,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rebuild(b.Context(), "test.org"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCopy copies 20 packages with 10,000 files of 4 kB.
func BenchmarkCopy(b *testing.B) {
	src := create(b, openDir(b, b.TempDir()))
	if err := publishAll(b.Context(), src, sources(20, 500, 4000)); err != nil {
		b.Fatal(err)
	}
	pkgs, err := new(repo.Selection).Find(b.Context(), src)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(10_000 * 4000)
	b.ReportAllocs()
	for b.Loop() {
		dst := create(b, openDir(b, b.TempDir()))
		if _, err := repo.Copy(b.Context(), dst, src, slices.Values(pkgs), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublishFloor hashes and compresses what BenchmarkPublishBatch
// publishes, on all CPUs, and stores nothing.
func BenchmarkPublishFloor(b *testing.B) {
	all := sources(100, 20, 20_000)
	b.SetBytes(100 * 20 * 20_000)
	for b.Loop() {
		var wg sync.WaitGroup
		todo := make(chan []byte)
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				w, _ := flate.NewWriter(nil, 6)
				p := manifest.NewPacker(w)
				for data := range todo {
					if _, err := p.PackStream(io.Discard, bytes.NewReader(data)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for _, s := range all {
			for _, f := range s.proto.(fstest.MapFS) {
				todo <- f.Data
			}
		}
		close(todo)
		wg.Wait()
	}
}

// BenchmarkCopyFloor copies the files that BenchmarkCopy copies with cp -a.
func BenchmarkCopyFloor(b *testing.B) {
	dir := b.TempDir()
	src := create(b, openDir(b, dir))
	if err := publishAll(b.Context(), src, sources(20, 500, 4000)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(10_000 * 4000)
	for b.Loop() {
		if out, err := exec.Command("cp", "-a", dir, b.TempDir()).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

// BenchmarkOpenList opens a repository of 76,629 versions, which has an index,
// and lists them.
func BenchmarkOpenList(b *testing.B) {
	s := store.Memory()
	r := create(b, s)
	batch, err := r.NewBatch(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for i := range 76_629 {
		tx, err := batch.Begin(b.Context(), fmri.MustParse(fmt.Sprintf("group%d/pkg%d@1.%d,5.11-1:20260101T000000Z", i%7, i/8, i%8)))
		if err != nil {
			b.Fatal(err)
		}
		if err := tx.Add(b.Context(), manifest.MustParseAction("depend fmri=pkg:/system/library@0.5.11 type=require"), nil); err != nil {
			b.Fatal(err)
		}
		if _, err := tx.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := batch.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := open(b, s).Catalog(b.Context(), "test.org")
		if err != nil {
			b.Fatal(err)
		}
		for p := range c.All() {
			if p.Obsolete() || !p.FMRI().IsValid() {
				b.Fatal(p)
			}
		}
	}
}
