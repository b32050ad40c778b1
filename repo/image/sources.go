package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo"
)

// sources are the origins of an image's publishers, opened when first asked.
type sources struct {
	openers repo.Openers
	pubs    []Publisher

	mu   sync.Mutex
	open map[string]repo.SourceCloser
}

func (i *Image) sources(s *state) *sources {
	return &sources{openers: i.opts.Openers, pubs: s.config.Publishers, open: map[string]repo.SourceCloser{}}
}

// Close closes the origins.
func (s *sources) Close() error {
	var errs []error
	for _, src := range s.open {
		errs = append(errs, src.Close())
	}
	return errors.Join(errs...)
}

// origin opens one origin.
func (s *sources) origin(ctx context.Context, uri string) (repo.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.open[uri]; src != nil {
		return src, nil
	}
	src, err := s.openers.OpenSource(ctx, uri)
	if err != nil {
		return nil, err
	}
	s.open[uri] = src
	return src, nil
}

// An OriginError says which origin of which publisher did not give something.
type OriginError struct {
	Publisher, Origin string
	Err               error
}

func (e *OriginError) Error() string {
	return fmt.Sprintf("publisher %s: origin %s: %v", e.Publisher, e.Origin, e.Err)
}

// Unwrap returns the cause.
func (e *OriginError) Unwrap() error { return e.Err }

// try calls get with each of the URIs of a publisher until one succeeds. If none does,
// it returns what each of them said.
func (s *sources) try(ctx context.Context, publisher string, mirrors bool, get func(repo.Source) error) error {
	n := slices.IndexFunc(s.pubs, func(p Publisher) bool { return p.Name == publisher })
	if n < 0 {
		return because(fs.ErrNotExist, "publisher %s is not configured", publisher)
	}
	uris := s.pubs[n].Origins
	if mirrors {
		uris = slices.Concat(s.pubs[n].Mirrors, uris)
	}
	var errs []error
	for _, uri := range uris {
		src, err := s.origin(ctx, uri)
		if err == nil {
			err = get(src)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var disk *diskError
		if errors.As(err, &disk) {
			return disk
		}
		errs = append(errs, &OriginError{Publisher: publisher, Origin: uri, Err: err})
	}
	if len(errs) == 0 {
		return because(fs.ErrNotExist, "publisher %s has no origin", publisher)
	}
	return errors.Join(errs...)
}

// catalogs returns what the origins of a publisher offer, and which of them have failed.
func (s *sources) catalogs(ctx context.Context, p Publisher) (list []*catalog.Catalog, failed error) {
	var errs []error
	for _, uri := range p.Origins {
		src, err := s.origin(ctx, uri)
		var c *catalog.Catalog
		if err == nil {
			c, err = src.Catalog(ctx, p.Name)
		}
		if err != nil {
			errs = append(errs, &OriginError{Publisher: p.Name, Origin: uri, Err: err})
			continue
		}
		list = append(list, c)
	}
	return list, errors.Join(errs...)
}
