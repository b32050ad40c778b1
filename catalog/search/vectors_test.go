package search_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// A vector is a recorded case.
type vector[In, Want any] struct {
	ID   string
	In   In
	Want Want
	Free bool
}

// vectors returns the cases of a file in testdata/vectors and, if it is there, in the
// directory that IPS_VECTORS names.
func vectors[In, Want any](t *testing.T, name string) []vector[In, Want] {
	t.Helper()
	dirs := []string{"testdata/vectors"}
	if dir := os.Getenv("IPS_VECTORS"); dir != "" {
		dirs = append(dirs, dir)
	}
	var list []vector[In, Want]
	for _, dir := range dirs {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) && dir != dirs[0] {
			t.Log(err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		before := len(list)
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<24)
		for s.Scan() {
			var v vector[In, Want]
			if err := json.Unmarshal(s.Bytes(), &v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			list = append(list, v)
		}
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d records", f.Name(), len(list)-before)
	}
	if len(list) == 0 {
		t.Fatalf("%s: no vectors", name)
	}
	return list
}

// A node is a query as vectors have it.
type node struct {
	Op                 string
	Left, Right, Query *node
	Pkg, Action, Key   string
	Token, Text        string
}

// nodeOf returns a query as vectors have it.
func nodeOf(q search.Query) *node {
	switch q := q.(type) {
	case search.Term:
		return &node{Op: "term", Pkg: q.Package, Action: q.Action, Key: q.Key, Token: q.Token}
	case search.Phrase:
		return &node{Op: "phrase", Pkg: q.Package, Action: q.Action, Key: q.Key, Text: q.Text}
	case search.And:
		return &node{Op: "and", Left: nodeOf(q.Left), Right: nodeOf(q.Right)}
	case search.Or:
		return &node{Op: "or", Left: nodeOf(q.Left), Right: nodeOf(q.Right)}
	case search.Packages:
		return &node{Op: "packages", Query: nodeOf(q.Query)}
	}
	return nil
}

func TestVectorsQuery(t *testing.T) {
	type in struct{ Query string }
	type want struct {
		Parsed, Returns, Error string
		Tree                   *node
	}
	for _, v := range vectors[in, want](t, "query.jsonl") {
		q, err := search.ParseQuery(v.In.Query)
		var bad *search.QueryError
		if v.Want.Error != "" {
			if !errors.As(err, &bad) || bad.Fault.String() != v.Want.Error {
				t.Errorf("%s: %q: %v, want error %s", v.ID, v.In.Query, err, v.Want.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		if d := cmp.Diff(v.Want.Tree, nodeOf(q)); d != "" || q.String() != v.Want.Parsed || q.Returns().String() != v.Want.Returns {
			t.Errorf("%s: %q is %s of %s, want %s of %s (-want +got):\n%s", v.ID, v.In.Query, q, q.Returns(), v.Want.Parsed, v.Want.Returns, d)
		}
	}
}

// A request is what a depot is asked.
type request struct {
	Repository, Query, Return string
	CaseSensitive             bool `json:"case_sensitive"`
	Count, Start              int
}

// A response is what it answers.
type response struct {
	Status int
	Lines  []string
}

// answer returns what a depot answers.
func answer(r request, find func(search.Query, *search.Options) iter.Seq2[search.Hit, error]) (a response, err error) {
	q, err := search.ParseQuery(r.Query)
	if err != nil {
		return response{Status: 400}, nil
	}
	if r.Return == "packages" {
		q = search.ByPackage(q)
	}
	a.Status = 204
	opts := &search.Options{CaseSensitive: r.CaseSensitive, Count: r.Count, Start: r.Start}
	for hit, err := range find(q, opts) {
		if err != nil {
			return a, err
		}
		line := fmt.Sprintf("0 1 %s", hit.FMRI)
		if hit.Kind != "" {
			line = fmt.Sprintf("0 2 %s %s %s", hit.FMRI, search.Escape(hit.Value), hit.Line)
		}
		a.Status, a.Lines = 200, append(a.Lines, line)
	}
	slices.Sort(a.Lines)
	return a, nil
}

// TestVectorsResult asks what the reference was asked: its own index, ours, one that came
// about in steps, and the manifests.
func TestVectorsResult(t *testing.T) {
	ways := map[string]map[string]func(search.Query, *search.Options) iter.Seq2[search.Hit, error]{}
	for _, v := range vectors[request, response](t, "searchresult.jsonl") {
		if ways[v.In.Repository] == nil {
			p := publishers(t, v.In.Repository+".tar.gz")[0]
			ways[v.In.Repository] = map[string]func(search.Query, *search.Options) iter.Seq2[search.Hit, error]{
				"reference": inIndex(t, p, openIndex(t, p.index)),
				"ours":      inIndex(t, p, openIndex(t, build(t, new(search.Builder), p, p.sorted()).files)),
				"steps":     inIndex(t, p, openIndex(t, buildSteps(t, p))),
				"walk": func(q search.Query, opts *search.Options) iter.Seq2[search.Hit, error] {
					return search.Walk(t.Context(), q, p.packages(), opts)
				},
			}
		}
		for way, find := range ways[v.In.Repository] {
			got, err := answer(v.In, find)
			if err != nil {
				t.Errorf("%s: %s: %v", v.ID, way, err)
				continue
			}
			if v.Free { // the order decides which hits these are
				for i := range min(len(got.Lines), len(v.Want.Lines)) {
					got.Lines[i] = v.Want.Lines[i]
				}
			}
			if d := cmp.Diff(v.Want, got); d != "" {
				t.Errorf("%s: %s: %+v (-want +got):\n%s", v.ID, way, v.In, d)
			}
		}
	}
}

// inIndex returns a function that searches an index.
func inIndex(t *testing.T, p *publisher, x *search.Index) func(search.Query, *search.Options) iter.Seq2[search.Hit, error] {
	return func(q search.Query, opts *search.Options) iter.Seq2[search.Hit, error] {
		return x.Search(t.Context(), q, p.manifests, opts)
	}
}

// buildSteps makes an index that is added to twice, in runs that are small.
func buildSteps(t *testing.T, p *publisher) fstest.MapFS {
	t.Helper()
	order := p.sorted()
	var base *search.Index
	var m *memory
	for chunk := range slices.Chunk(order, len(order)/3+1) {
		scratch := newMemory()
		m = build(t, &search.Builder{Base: base, Scratch: scratch, Memory: 20000}, p, chunk)
		if len(scratch.files) > 0 {
			t.Errorf("left in scratch: %v", scratch.files)
		}
		base = openIndex(t, m.files)
	}
	if base.Version() != 4 || base.Len() != len(order) || !base.Has(fmri.MustParse("pkg://x/"+order[0].Format(fmri.OmitScheme))) {
		t.Errorf("version %d of %d packages", base.Version(), base.Len())
	}
	return m.files
}
