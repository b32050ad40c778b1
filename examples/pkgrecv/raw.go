package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A rawWriter writes each package to a directory of its own: its manifest, and its
// payloads under their names in a repository.
type rawWriter struct {
	empty
	store store.Closer
	keep  bool // the stored form of payloads
}

// newRawWriter opens a directory, which is made if it is not there.
func newRawWriter(dir string, keep bool) (*rawWriter, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s, err := store.OpenDir(dir)
	return &rawWriter{store: s, keep: keep}, err
}

func (w *rawWriter) Close() error { return w.store.Close() }

func (w *rawWriter) receive(ctx context.Context, j *job) error {
	return j.each(ctx, func(src repo.Source, f, name fmri.FMRI, m *manifest.Manifest) error {
		return w.writePackage(ctx, src, f, name, m)
	})
}

// writePackage writes a package. Its files have their names when all are written.
func (w *rawWriter) writePackage(ctx context.Context, src repo.Source, f, name fmri.FMRI, m *manifest.Manifest) error {
	dir, err := name.DirPath()
	if err != nil {
		return err
	}
	b, err := store.NewBatch(ctx, w.store)
	if err != nil {
		return err
	}
	defer b.Close()
	done := map[manifest.Digest]bool{}
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			return err
		}
		for _, p := range payloads {
			if done[p.Name()] {
				continue
			}
			done[p.Name()] = true
			if err := w.writePayload(ctx, b, src, f.Publisher(), path.Join(dir, p.Name().Hex()), p.ContentOnly()); err != nil {
				return err
			}
		}
	}
	for name, text := range companions(m) {
		if err := store.PutBatch(ctx, b, path.Join(dir, name), strings.NewReader(text)); err != nil {
			return err
		}
	}
	if err := store.PutBatch(ctx, b, path.Join(dir, "manifest"), bytes.NewReader(m.Text())); err != nil {
		return err
	}
	return b.Flush(ctx)
}

// companions returns the files that old programs want beside a manifest: for each type of
// action one that has those lines, empty if there are none.
func companions(m *manifest.Manifest) map[string]string {
	files := map[string]string{}
	for kind := manifest.KindSet; kind.IsValid(); kind++ {
		var lines []string
		for a := range m.Kind(kind) {
			lines = append(lines, a.String()+"\n")
		}
		slices.Sort(lines)
		files["manifest."+kind.String()] = strings.Join(lines, "")
	}
	return files
}

// writePayload writes a payload, its content or its stored form, which may be another than
// the manifest says if several packages have it. It has its name only when all of it is
// there and was verified. What is there already is verified, and written anew if it is
// something else.
func (w *rawWriter) writePayload(ctx context.Context, b store.Batch, src repo.Source, publisher, name string, p manifest.Payload) error {
	if w.isWhole(ctx, name, p) {
		return nil
	}
	stored, err := src.Payload(ctx, publisher, p.Name())
	if err != nil {
		return err
	}
	defer stored.Close()
	if w.keep {
		return writeStored(ctx, b, name, p, stored)
	}
	return store.PutBatch(ctx, b, name, p.Verify(stored))
}

// writeStored writes a payload as it is stored, while its content is verified.
func writeStored(ctx context.Context, b store.Batch, name string, p manifest.Payload, stored io.Reader) error {
	out, in := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := io.Copy(io.Discard, p.Verify(io.TeeReader(stored, in)))
		in.CloseWithError(err)
	}()
	err := store.PutBatch(ctx, b, name, out)
	out.Close()
	<-done
	return err
}

// isWhole reports whether a payload is there as it is to be.
func (w *rawWriter) isWhole(ctx context.Context, name string, p manifest.Payload) bool {
	r, _, err := w.store.Open(ctx, name)
	if err != nil {
		return false
	}
	defer r.Close()
	content := p.VerifyContent(r)
	if w.keep {
		content = p.Verify(r)
	}
	_, err = io.Copy(io.Discard, content)
	return err == nil
}
