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

// writeRaw writes each package to a directory of its own: its manifest, and the content of
// its payloads under their names in a repository.
func writeRaw(ctx context.Context, src repo.Source, dir string, packages []fmri.FMRI, opts *repo.CopyOptions) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range packages {
		if err := writePackage(ctx, src, root, f, opts); err != nil {
			return err
		}
	}
	return nil
}

func writePackage(ctx context.Context, src repo.Source, root *os.Root, f fmri.FMRI, opts *repo.CopyOptions) error {
	m, err := src.Manifest(ctx, f)
	if err != nil {
		return err
	}
	name, m, err := opts.Transformed(f, m)
	if err != nil {
		return err
	}
	dir, err := name.DirPath()
	if err != nil {
		return err
	}
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			return err
		}
		for _, p := range payloads {
			if err := writePayload(ctx, src, root, f.Publisher(), dir, p); err != nil {
				return err
			}
		}
	}
	return root.WriteFile(path.Join(dir, "manifest"), m.Text(), 0o644)
}

// writePayload writes the verified content of a payload, if it is not there yet.
func writePayload(ctx context.Context, src repo.Source, root *os.Root, publisher, dir string, p manifest.Payload) error {
	name := path.Join(dir, p.Name().Hex())
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	stored, err := src.Payload(ctx, publisher, p.Name())
	if err == nil {
		_, err = io.Copy(out, p.Verify(stored))
		err = errors.Join(err, stored.Close())
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}
