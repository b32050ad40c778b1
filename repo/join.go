package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Join returns a source that has what any of the sources has. Where several have
// a package or payload, the first of them is asked, and the next one if it
// fails. Close closes those of them that can be closed.
func Join(srcs ...Source) SourceCloser { return joined(srcs) }

type joined []Source

func (j joined) Publishers(ctx context.Context) ([]string, error) {
	var all []string
	for _, s := range j {
		names, err := s.Publishers(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (j joined) Catalog(ctx context.Context, publisher string) (*catalog.Catalog, error) {
	var found []*catalog.Catalog
	for _, s := range j {
		c, err := s.Catalog(ctx, publisher)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	switch len(found) {
	case 0:
		return nil, &Error{Op: "read catalog of", Publisher: publisher, Err: because(fs.ErrNotExist, "no source has this publisher")}
	case 1:
		return found[0], nil
	}
	return catalog.Merge(found...)
}

func (j joined) Manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	return first(ctx, j, &Error{Op: "read manifest of", FMRI: f}, func(s Source) (*manifest.Manifest, error) {
		return s.Manifest(ctx, f)
	})
}

func (j joined) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	return first(ctx, j, &Error{Op: "read", Publisher: publisher, Digest: d}, func(s Source) (io.ReadCloser, error) {
		return s.Payload(ctx, publisher, d)
	})
}

// first returns the result of the first source that does not fail, or the error
// of the first one that has what is asked for.
func first[T any](ctx context.Context, j joined, missing *Error, ask func(Source) (T, error)) (T, error) {
	var none T
	missing.Err = because(fs.ErrNotExist, "no source has it")
	var failed error
	for _, s := range j {
		v, err := ask(s)
		if err == nil {
			return v, nil
		}
		if ctx.Err() != nil {
			return none, err
		}
		if failed == nil && !errors.Is(err, fs.ErrNotExist) {
			failed = err
		}
	}
	if failed != nil {
		return none, failed
	}
	return none, missing
}

// Close closes the sources that can be closed.
func (j joined) Close() error {
	var errs []error
	for _, s := range j {
		if c, ok := s.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return join(errs...)
}
