package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// A rawWriter writes packages to directories.
type rawWriter struct {
	src  repo.Source
	root *os.Root
	opts *repo.CopyOptions
	keep bool // the stored form of payloads
}

// writeRaw writes each package to a directory of its own: its manifest, and its payloads
// under their names in a repository, with -k in their stored form.
func (o *options) writeRaw(ctx context.Context, src repo.Source, packages []fmri.FMRI, opts *repo.CopyOptions) error {
	if err := os.MkdirAll(o.dest, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.dest)
	if err != nil {
		return err
	}
	defer root.Close()
	w := rawWriter{src, root, opts, o.keep}
	for _, f := range packages {
		if err := w.writePackage(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *rawWriter) writePackage(ctx context.Context, f fmri.FMRI) error {
	m, err := w.src.Manifest(ctx, f)
	if err != nil {
		return err
	}
	name, m, err := w.opts.Transformed(f, m)
	if err != nil {
		return err
	}
	dir, err := name.DirPath()
	if err != nil {
		return err
	}
	if err := w.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			return err
		}
		for _, p := range payloads {
			if err := w.writePayload(ctx, f.Publisher(), path.Join(dir, p.Name().Hex()), p); err != nil {
				return err
			}
		}
	}
	return w.root.WriteFile(path.Join(dir, "manifest"), m.Text(), 0o644)
}

// writePayload writes a payload that was verified, if it is not there yet.
func (w *rawWriter) writePayload(ctx context.Context, publisher, name string, p manifest.Payload) error {
	out, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	stored, err := w.src.Payload(ctx, publisher, p.Name())
	if err == nil {
		err = errors.Join(w.copy(out, p, stored), stored.Close())
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, w.root.Remove(name))
	}
	return nil
}

// copy writes the content of a payload or its stored form, which may be another than the
// manifest says if several packages have it.
func (w *rawWriter) copy(out io.Writer, p manifest.Payload, stored io.Reader) error {
	p = p.ContentOnly()
	if w.keep {
		_, err := io.Copy(io.Discard, p.Verify(io.TeeReader(stored, out)))
		return err
	}
	_, err := io.Copy(out, p.Verify(stored))
	return err
}
