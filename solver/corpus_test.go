package solver_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/solver"
)

// A corpus is a catalog of real size with queries and what they should give.
// It lies in a directory below IPS_CORPUS.
type corpus struct {
	dir      string
	packs    []*pack            // as the file has them
	byName   map[string][]*pack // oldest first
	queries  []*query
	expected map[string]*expectation
	former   map[string][]string // what the reference answered
}

// A pack is one package version of a corpus.
type pack struct {
	fmri       fmri.FMRI
	actions    []string
	obsolete   bool
	renamed    bool
	badVariant bool
	hold       bool
	deps       []*cdep // one for each depend action
}

// A cdep is a depend action, shared by the versions that have it.
type cdep struct {
	dependency
	attrs [][2]string
	text  string
}

// A query is one request on one image.
type query struct {
	Name      string
	Installed []string
	Request   struct {
		Install, Uninstall, Reject []string
		Update, Downgrade          bool
	}
	Freeze, Avoid []string
	Facets        map[string]bool
	Publisher     string
	Note          string
}

// An expectation says what an answer must have: a version for each objective,
// or none where the version behind it is obsolete or renamed.
type expectation struct {
	Name, Status string
	Objectives   [][2]*string
	Effective    map[string]struct{ Version, Kind string }
	Size, Extras int
}

// corpora returns the corpora of IPS_CORPUS, none if it is not set.
func corpora(t testing.TB) []*corpus {
	if os.Getenv("IPS_CORPUS") == "" {
		t.Log("IPS_CORPUS is not set")
		return nil
	}
	all, err := readCorpora()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var readCorpora = sync.OnceValues(func() (all []*corpus, err error) {
	for _, name := range []string{"oi", "debian"} {
		c, err := readCorpus(filepath.Join(os.Getenv("IPS_CORPUS"), "solver", name))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
})

func readCorpus(dir string) (*corpus, error) {
	c := &corpus{dir: dir, byName: map[string][]*pack{}, expected: map[string]*expectation{}, former: map[string][]string{}}
	if err := c.readPacks(); err != nil {
		return nil, err
	}
	var expected []*expectation
	var former []struct {
		Name     string
		Solution []string
	}
	if err := cmp.Or(readZstd(dir, "queries.json.zst", &c.queries), readZstd(dir, "expected.json.zst", &expected),
		readZstd(dir, "reference-pkg5.json.zst", &former)); err != nil {
		return nil, err
	}
	for _, e := range expected {
		c.expected[e.Name] = e
	}
	for _, f := range former {
		c.former[f.Name] = f.Solution
	}
	return c, nil
}

func readZstd(dir, name string, v any) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := zstd.NewReader(f)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// readPacks reads catalog.ndjson.zst.
func (c *corpus) readPacks() error {
	f, err := os.Open(filepath.Join(c.dir, "catalog.ndjson.zst"))
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := zstd.NewReader(f)
	if err != nil {
		return err
	}
	defer r.Close()
	actions, deps := map[string]string{}, map[string]*cdep{}
	lines := bufio.NewScanner(r)
	for lines.Buffer(nil, 64<<20); lines.Scan(); {
		if !bytes.HasPrefix(lines.Bytes(), []byte(`{"fmri":`)) {
			continue
		}
		var known universePackage
		if err := json.Unmarshal(lines.Bytes(), &known); err != nil {
			return err
		}
		for i, a := range known.Actions {
			if actions[a] == "" {
				actions[a] = strings.Clone(a)
			}
			known.Actions[i] = actions[a]
		}
		c.add(&known, deps)
	}
	for _, packs := range c.byName {
		slices.SortFunc(packs, func(a, b *pack) int { return a.fmri.Version().Compare(b.fmri.Version()) })
	}
	return lines.Err()
}

func (c *corpus) add(known *universePackage, deps map[string]*cdep) {
	p := &pack{fmri: fmri.MustParse(known.FMRI), actions: known.Actions}
	image := &universe{}
	var v version
	for _, a := range known.Actions {
		kind, rest, _ := strings.Cut(a, " ")
		switch {
		case kind == "set":
			v.readSet(image, readAttrs(rest))
		case kind == "depend" && deps[a] == nil:
			deps[a] = newCdep(a, rest)
			fallthrough
		case kind == "depend":
			p.deps = append(p.deps, deps[a])
		}
	}
	p.obsolete, p.renamed, p.badVariant, p.hold = v.obsolete, v.renamed, v.foreign, len(v.holds) > 0
	c.packs = append(c.packs, p)
	c.byName[p.fmri.Name()] = append(c.byName[p.fmri.Name()], p)
}

func newCdep(text, rest string) *cdep {
	d := &cdep{attrs: readAttrs(rest), text: text}
	var v version
	v.readDepend(&universe{Facets: map[string]bool{"facet.*": true}}, d.attrs)
	if len(v.depends) > 0 { // else it is for another variant
		d.dependency = v.depends[0]
	}
	return d
}

// find returns the version that text, a full FMRI with or without publisher,
// names, or nil.
func (c *corpus) find(text string) *pack {
	f, err := fmri.Parse(text)
	if err != nil {
		return nil
	}
	packs := c.byName[f.Name()]
	i, ok := slices.BinarySearchFunc(packs, f.Version(), func(p *pack, v fmri.Version) int { return p.fmri.Version().Compare(v) })
	if !ok {
		return nil
	}
	return packs[i]
}

// Packages makes a corpus a [solver.Source].
func (c *corpus) Packages() iter.Seq2[solver.Package, error] {
	return func(yield func(solver.Package, error) bool) {
		for _, p := range c.packs {
			if !yield(solver.Package{FMRI: p.fmri, Actions: p.actions}, nil) {
				return
			}
		}
	}
}

// image returns the image of a query.
func (c *corpus) image(q *query) *solver.Image {
	img := &solver.Image{
		Publishers: []solver.Publisher{{Name: c.packs[0].fmri.Publisher(), Sticky: true}},
		Varcets:    manifest.Varcets{Variants: (&universe{}).variants(), Facets: q.Facets},
		Avoid:      solver.AvoidSet{Avoided: q.Avoid},
	}
	for _, text := range q.Installed {
		img.Installed = append(img.Installed, c.find(text).fmri)
	}
	for _, text := range q.Freeze {
		img.Frozen = append(img.Frozen, solver.Freeze{Package: fmri.MustParse(text)})
	}
	return img
}

// request returns what a query asks for. Its names are whole names.
func (q *query) request() solver.Request {
	req := solver.Request{Op: solver.Install, Downgrade: q.Request.Downgrade}
	patterns := q.Request.Install
	switch {
	case q.Request.Update:
		req.Op = solver.Update
	case len(q.Request.Uninstall) > 0:
		req.Op, patterns = solver.Uninstall, q.Request.Uninstall
	}
	for _, p := range patterns {
		req.Patterns = append(req.Patterns, fmri.MustParsePattern("pkg:/"+p))
	}
	for _, p := range q.Request.Reject {
		req.Reject = append(req.Reject, fmri.MustParsePattern("pkg:/"+p))
	}
	return req
}
