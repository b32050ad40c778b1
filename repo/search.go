package repo

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// A Searcher is a Source that finds by itself what a query asks for.
type Searcher interface {
	// Search yields what a query finds in the packages of a publisher, with
	// names that have the publisher.
	Search(ctx context.Context, publisher string, q search.Query, opts *search.Options) iter.Seq2[search.Hit, error]
}

// Search yields what a query finds in the packages of a publisher. Of a source that is
// not a Searcher it reads all manifests.
func Search(ctx context.Context, s Source, publisher string, q search.Query, opts *search.Options) iter.Seq2[search.Hit, error] {
	if s, ok := s.(Searcher); ok {
		return s.Search(ctx, publisher, q, opts)
	}
	return func(yield func(search.Hit, error) bool) {
		c, err := s.Catalog(ctx, publisher)
		if err != nil {
			yield(search.Hit{}, err)
			return
		}
		search.Walk(ctx, q, manifestsOf(ctx, c, publisher, textsOf(s)), opts)(yield)
	}
}

// textsOf returns how to read manifests from a source.
func textsOf(s Source) search.Manifests {
	return func(ctx context.Context, f fmri.FMRI) ([]byte, error) {
		m, err := s.Manifest(ctx, f)
		if err != nil {
			return nil, err
		}
		return m.Text(), nil
	}
}

// manifestsOf yields what there is to search in the packages of a catalog. Manifests are
// read in parallel. Those that are gone since the catalog was read are passed over.
func manifestsOf(ctx context.Context, c *catalog.Catalog, publisher string, read search.Manifests) iter.Seq2[search.Package, error] {
	names := func(yield func(fmri.FMRI, error) bool) {
		for f := range listedIn(c) {
			if !yield(f.WithPublisher(publisher), nil) {
				return
			}
		}
	}
	found := ordered(ctx, names, 2*workers(0), func(ctx context.Context, f fmri.FMRI) (search.Package, error) {
		text, err := read(ctx, f)
		if errors.Is(err, fs.ErrNotExist) {
			return search.Package{}, nil
		}
		return search.Package{FMRI: f, Text: text}, err
	})
	return func(yield func(search.Package, error) bool) {
		for p, err := range found {
			if err == nil && !p.FMRI.IsValid() {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// Search makes a Repository a Searcher. It uses the search index, if there is one, and
// reads the manifests of packages that the index lacks; so it finds what is in the
// catalog, whether that has been indexed or not. Signatures that were appended to a
// package since it was indexed are not found.
func (r *Repository) Search(ctx context.Context, publisher string, q search.Query, opts *search.Options) iter.Seq2[search.Hit, error] {
	return func(yield func(search.Hit, error) bool) {
		c, err := r.Catalog(ctx, publisher)
		if err != nil {
			yield(search.Hit{}, err)
			return
		}
		h := r.home(publisher)
		read := func(ctx context.Context, f fmri.FMRI) ([]byte, error) {
			return readObject(ctx, r.store, h.manifest(f), maxManifest)
		}
		x, err := r.openSearchIndex(ctx, h)
		if err != nil {
			yield(search.Hit{}, &Error{Op: "search", Publisher: publisher, Err: err})
			return
		}
		defer x.Close()
		hits := search.Walk(ctx, q, manifestsOf(ctx, c, publisher, read), opts)
		if x != nil {
			hits = x.For(listedIn(c)).Search(ctx, q, read, opts)
		}
		for hit, err := range hits {
			if err != nil {
				err = &Error{Op: "search", Publisher: publisher, Err: err}
			}
			hit.FMRI = hit.FMRI.WithPublisher(publisher)
			if !yield(hit, err) || err != nil {
				return
			}
		}
	}
}
