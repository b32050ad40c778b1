package repotest

import (
	"fmt"
	"iter"
	"slices"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/repo"
)

// queries are what a repo.Searcher is asked: actions, packages, and what needs both the
// words and the lines.
var queries = [...]string{"*", "pkg.fmri:*", "file:: AND path:/*", "<file::> OR <depend::>", "'a' OR 'e'"}

// searches compares a source that searches by itself with the manifests that it has.
func (c *sourceChecker) searches(publisher string) {
	const rule = "Search finds what is in the manifests of the packages that are listed"
	s, ok := c.source.(repo.Searcher)
	if !ok {
		return
	}
	for _, query := range queries {
		q, err := search.ParseQuery(query)
		if err != nil {
			c.broken("queries of the suite can be parsed", "%v", err)
			continue
		}
		for _, opts := range []*search.Options{nil, {CaseSensitive: true}} {
			want, err1 := hits(repo.Search(c.ctx, struct{ repo.Source }{c.source}, publisher, q, opts))
			got, err2 := hits(s.Search(c.ctx, publisher, q, opts))
			if err1 != nil || err2 != nil || !slices.Equal(got, want) {
				c.broken(rule, "%s in %s: %d hits, error %v; the manifests have %d, error %v", q, publisher, len(got), err2, len(want), err1)
			}
		}
	}
}

// hits returns what a search finds, as sorted text.
func hits(seq iter.Seq2[search.Hit, error]) (list []string, err error) {
	for hit, err := range seq {
		if err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprint(hit))
	}
	slices.Sort(list)
	return list, nil
}
