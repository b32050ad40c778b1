package search

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"github.com/goips/ips/fmri"
)

// Options adjust a search. A nil *Options has the defaults.
type Options struct {
	// CaseSensitive finds only what has the case of the query. Patterns for
	// packages and the words AND and OR are not affected.
	CaseSensitive bool

	// Start is how many hits to pass over, Count how many to yield; zero
	// means all. Their order is that of the index, or of the packages if
	// there is none: do not mix the two.
	Start, Count int
}

// A Hit is what a query found: an action, or only a package.
type Hit struct {
	FMRI  fmri.FMRI // as the index or the caller of Walk has it
	Kind  string    // of the action: "file"; "" for a package
	Key   string    // what the token is, such as "basename"
	Value string    // what to show: the key, or for a set action the value
	Line  string    // text of the action as it stands in the manifest
}

// Manifests returns the text of a package's manifest, as it was when the package
// was indexed. If the error matches fs.ErrNotExist the package is passed over.
type Manifests func(ctx context.Context, f fmri.FMRI) ([]byte, error)

// Search yields what a query finds in the index. Manifests is called for hits that
// are actions. A query of mixed results is a *[QueryError].
func (x *Index) Search(ctx context.Context, q Query, manifests Manifests, opts *Options) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		search(ctx, &indexCorpus{Index: x, manifests: manifests}, q, opts)(yield)
	}
}

// A Package is what Walk searches: a name and the text of the manifest.
type Package struct {
	FMRI fmri.FMRI
	Text []byte
}

// Walk searches without an index: it reads all manifests, once for each term of the
// query that is not to the right of an AND. It finds what an index of them finds.
func Walk(ctx context.Context, q Query, packages iter.Seq2[Package, error], opts *Options) iter.Seq2[Hit, error] {
	return search(ctx, walkCorpus{packages}, q, opts)
}

// A corpus is where terms are found.
type corpus interface {
	// find yields the places that a matcher accepts.
	find(ctx context.Context, m *matcher) iter.Seq2[place, error]

	// line returns the text of an action.
	line(ctx context.Context, p *place) (string, error)
}

// A place is a hit whose line may not have been read yet.
type place struct {
	Hit
	id, off uint32
}

// search yields the hits of a query that are asked for.
func search(ctx context.Context, c corpus, q Query, opts *Options) iter.Seq2[Hit, error] {
	if opts == nil {
		opts = new(Options)
	}
	e := &evaluator{c, !opts.CaseSensitive}
	return func(yield func(Hit, error) bool) {
		n := 0
		for hit, err := range e.hits(ctx, q) {
			if err != nil {
				yield(Hit{}, err)
				return
			}
			if n++; n <= opts.Start {
				continue
			}
			if !yield(hit, nil) || opts.Count > 0 && n-opts.Start == opts.Count {
				return
			}
		}
	}
}

// An evaluator finds what queries ask for.
type evaluator struct {
	corpus
	fold bool
}

func (e *evaluator) hits(ctx context.Context, q Query) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		switch q.Returns() {
		case ActionResults:
			all := func(*place) bool { return true }
			for p, err := range e.keep(ctx, e.actions(ctx, q), all) {
				if !yield(p.Hit, err) || err != nil {
					return
				}
			}
		case PackageResults:
			found, err := e.packages(ctx, q)
			if err != nil {
				yield(Hit{}, err)
				return
			}
			for _, f := range slices.SortedFunc(maps.Keys(found), fmri.FMRI.Compare) {
				if !yield(Hit{FMRI: f}, nil) {
					return
				}
			}
		default:
			yield(Hit{}, &QueryError{Fault: FaultMixed, Query: q.String(), Reason: "AND or OR of actions and packages"})
		}
	}
}

// actions yields the actions that a query finds.
func (e *evaluator) actions(ctx context.Context, q Query) iter.Seq2[place, error] {
	switch q := q.(type) {
	case Term:
		return e.find(ctx, e.matcher(q))
	case Phrase:
		return e.phrase(ctx, q)
	case Or:
		return chain(e.actions(ctx, q.Left), e.actions(ctx, q.Right))
	case And:
		f := e.filter(q.Right)
		return e.keep(ctx, e.actions(ctx, q.Left), f)
	}
	return func(func(place, error) bool) {}
}

// chain yields one sequence after the other, up to an error.
func chain(seqs ...iter.Seq2[place, error]) iter.Seq2[place, error] {
	return func(yield func(place, error) bool) {
		for _, seq := range seqs {
			for p, err := range seq {
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

// keep yields those places whose line passes. What is gone meanwhile does not.
func (e *evaluator) keep(ctx context.Context, seq iter.Seq2[place, error], pass func(p *place) bool) iter.Seq2[place, error] {
	return func(yield func(place, error) bool) {
		for p, err := range seq {
			if err == nil {
				p.Line, err = e.line(ctx, &p)
				if err == nil && !pass(&p) || errors.Is(err, fs.ErrNotExist) {
					continue
				}
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// phrase yields the actions with the first word of a phrase that have all of it.
func (e *evaluator) phrase(ctx context.Context, q Phrase) iter.Seq2[place, error] {
	first, isLonger := firstWord(q.Text)
	if isLonger {
		first += "*"
	}
	found := e.find(ctx, e.matcher(Term{q.Scope, first}))
	text := e.contains(q.Text)
	return e.keep(ctx, found, func(p *place) bool {
		if !text(p.Line) {
			return false
		}
		if p.Kind == setKind && !text(p.Value) {
			p.Value = q.Text // it was found elsewhere in the action
		}
		return true
	})
}

// packages returns the packages that a query finds.
func (e *evaluator) packages(ctx context.Context, q Query) (map[fmri.FMRI]bool, error) {
	switch q := q.(type) {
	case And:
		left, err := e.packages(ctx, q.Left)
		if err != nil || len(left) == 0 {
			return left, err
		}
		right, err := e.packages(ctx, q.Right)
		maps.DeleteFunc(left, func(f fmri.FMRI, _ bool) bool { return !right[f] })
		return left, err
	case Or:
		left, err := e.packages(ctx, q.Left)
		if err != nil {
			return nil, err
		}
		right, err := e.packages(ctx, q.Right)
		maps.Copy(left, right)
		return left, err
	case Packages:
		return e.packagesOf(ctx, q.Query)
	}
	return nil, nil
}

func (e *evaluator) packagesOf(ctx context.Context, q Query) (map[fmri.FMRI]bool, error) {
	if q.Returns() == PackageResults {
		return e.packages(ctx, q)
	}
	found := map[fmri.FMRI]bool{}
	for p, err := range e.actions(ctx, q) {
		if err != nil {
			return nil, err
		}
		found[p.FMRI] = true
	}
	return found, nil
}

// A walkCorpus reads manifests.
type walkCorpus struct{ packages iter.Seq2[Package, error] }

func (c walkCorpus) line(_ context.Context, p *place) (string, error) { return p.Line, nil }

func (c walkCorpus) find(ctx context.Context, m *matcher) iter.Seq2[place, error] {
	return func(yield func(place, error) bool) {
		for pkg, err := range c.packages {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(place{}, err)
				return
			}
			if m.allows(packageName(pkg.FMRI)) && !m.walk(pkg, yield) {
				return
			}
		}
	}
}

// walk yields the places in one manifest and reports whether to go on.
func (m *matcher) walk(pkg Package, yield func(place, error) bool) bool {
	var tokens []Token
	for _, line := range actionLines(pkg.Text) {
		k, all, err := lineTokens(tokens[:0], line)
		tokens = all
		kind := k.String()
		if err != nil || !m.isKind(kind) {
			continue
		}
		for _, t := range tokens {
			if !m.isKey(t.Key) || !m.isToken(t.Text) {
				continue
			}
			if !yield(place{Hit: Hit{pkg.FMRI, kind, t.Key, t.Value, line}}, nil) {
				return false
			}
		}
	}
	return true
}
