package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// A destination is where packages go. It works when it is there: what keeps it from that
// is said before anything else is done.
type destination interface {
	// receive takes the packages of a job, except those that are there already.
	receive(ctx context.Context, j *job) error

	// lists reports whether a package is there already, and holds whether a payload is.
	lists(ctx context.Context, f fmri.FMRI) (bool, error)
	holds(ctx context.Context, publisher string, p manifest.Payload) (bool, error)

	io.Closer
}

// destination opens where the packages go. A dry run makes nothing there.
func (o *options) destination(ctx context.Context) (destination, error) {
	switch {
	case o.dryRun && (o.archive || o.raw):
		return empty{}, nil
	case o.archive:
		return newArchive(o.dest)
	case o.raw:
		return newRawWriter(o.dest, o.keep)
	}
	sink, err := o.openers.OpenSink(ctx, o.dest)
	if err != nil {
		return nil, err
	}
	return repository{sink}, nil
}

// An empty destination has nothing.
type empty struct{}

func (empty) lists(context.Context, fmri.FMRI) (bool, error)                { return false, nil }
func (empty) holds(context.Context, string, manifest.Payload) (bool, error) { return false, nil }
func (empty) receive(context.Context, *job) error                           { return nil }
func (empty) Close() error                                                  { return nil }

// A repository is a destination that may have some of the packages.
type repository struct{ repo.SinkCloser }

func (r repository) receive(ctx context.Context, j *job) error {
	_, err := repo.Copy(ctx, r.SinkCloser, j.src, slices.Values(j.packages), j.opts)
	return err
}

func (r repository) lists(ctx context.Context, f fmri.FMRI) (bool, error) {
	src, ok := r.SinkCloser.(repo.Source)
	if !ok {
		return false, nil
	}
	known, err := src.Catalog(ctx, f.Publisher())
	if err != nil {
		return false, ignoreMissing(err)
	}
	_, there := known.Lookup(f)
	return there, nil
}

func (r repository) holds(ctx context.Context, publisher string, p manifest.Payload) (bool, error) {
	src, ok := r.SinkCloser.(repo.Source)
	if !ok {
		return false, nil
	}
	content, err := src.Payload(ctx, publisher, p.Name())
	if err != nil {
		return false, ignoreMissing(err)
	}
	return true, content.Close()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// An archiveWriter is a new p5p archive.
type archiveWriter struct {
	empty
	w *archive.WriteCloser
}

func newArchive(name string) (*archiveWriter, error) {
	w, err := archive.Create(name, nil)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: there is no directory %s", name, filepath.Dir(name))
	}
	if err != nil {
		return nil, err
	}
	return &archiveWriter{w: w}, nil
}

func (a *archiveWriter) receive(ctx context.Context, j *job) error {
	err := j.each(ctx, func(src repo.Source, f, name fmri.FMRI, m *manifest.Manifest) error {
		return a.w.Add(name, m, func(p manifest.Payload) (io.ReadCloser, error) {
			return src.Payload(ctx, f.Publisher(), p.Name())
		})
	})
	if err != nil {
		return err
	}
	return a.w.Close()
}

// Close forgets what was begun. After receive there is nothing to forget.
func (a *archiveWriter) Close() error { return a.w.Abort() }
