package search_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
)

// FuzzParseQuery reads what it prints: a query written out is the same query.
func FuzzParseQuery(f *testing.F) {
	for _, query := range words {
		f.Add(query)
	}
	for _, query := range []string{
		`a:b c 'd e' OR <x AND (y z)>`, `foo\:bar`, `:::\:`, `a\\:b:c`, `x(y`, `)x`, `pkgs<a> PKG<b>`, `a>b`, `don't`, `é 日本`,
		`a: b:c`, "a\tb", "\u00a0", `p<p<a>>`, `*:*:*:*`, `a:b:c:d:e`, "\xff", `'x' :AND`, `"don't" x:'(a'`,
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10000 {
			return
		}
		q, err := search.ParseQuery(text)
		if err != nil {
			if !strings.Contains(err.Error(), "invalid query") {
				t.Errorf("error %v", err)
			}
			return
		}
		if again, err := search.ParseQuery(q.String()); err != nil || again != q {
			t.Errorf("%q is %s, which reads back as %v, error %v", text, q, again, err)
		}
		if q.Returns() == search.Mixed {
			t.Errorf("%s finds both", q)
		}
	})
}

// FuzzOpen opens and searches an index of arbitrary files, and adds to it. If that goes
// well, what is found before is found afterwards.
func FuzzOpen(f *testing.F) {
	f.Add("w set!x@w#0,0\n", "0w 11\n", "a@1,5.11\n", "pkg:/a@1,5.11\n")
	f.Add("a%20b set!x@a%20b#0,0,5#1,7!y@z#1,0 user!name@name#0,0\n", "1a%20b 11\n", "a@1,5.11\nb@1,5.11\n", "pkg:/b@1,5.11\npkg:/a@1,5.11\n")
	f.Add(" set!x@#0,0\n", "0 11\n", "\na@1,5.11\n", "pkg:/a@1,5.11\n")
	f.Add("w set!x@w#0,0\n", strings.Repeat("0a 11\n", 2000)+"0w 11\n"+strings.Repeat("0x", 3000), "a@1,5.11\n", "pkg:/a@1,5.11\n")
	f.Add("a set!x@a#0,0\nb set!x@b#0,0\n", "0a 11\n0b 25\n", "a@1,5.11\n", "pkg:/a@1,5.11\n")
	manifests := func(context.Context, fmri.FMRI) ([]byte, error) { return []byte(strings.Repeat("\n", 100)), nil }
	f.Fuzz(func(t *testing.T, dict, tokens, packages, full string) {
		x, err := search.Open(emptyIndex(map[string]string{
			"main_dict.ascii.v2": dict, "token_byte_offset.v1": tokens, "manf_list.v1": packages, "full_fmri_list": full,
		}))
		if err != nil {
			return
		}
		defer x.Close()
		found := func(x *search.Index, query string, exact bool) (list []string, err error) {
			for hit, err := range x.Search(t.Context(), mustParse(t, query), manifests, &search.Options{CaseSensitive: exact}) {
				if err != nil {
					return nil, err
				}
				list = append(list, fmt.Sprint(hit))
			}
			slices.Sort(list)
			return list, nil
		}
		for _, query := range []string{"w", "[a-c]*", "<*>"} {
			found(x, query, false)
			found(x, query, true)
		}
		want, err := found(x, "*", false)
		m := newMemory()
		if werr := (&search.Builder{Base: x}).Write(m); err != nil || werr != nil {
			return
		}
		y, err := search.Open(m.files)
		if err != nil {
			t.Fatalf("what was added to cannot be opened: %v", err)
		}
		got, err := found(y, "*", true)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("after adding: %v (-before +after):\n%s", err, d)
		}
	})
}

// FuzzBuild makes an index of an arbitrary manifest; what it finds is what the
// manifest has.
func FuzzBuild(f *testing.F) {
	p := publishers(f, "repo-two.tar.gz")[0]
	for _, text := range p.texts {
		f.Add(string(text), "*a*")
	}
	f.Add("set name=\"a b\" value=\" x \"\nset name=x!y@z value=1\n  user username=joe\r\n\n#\nlink path=a/b/ target=x mediator=m", "*")
	f.Fuzz(func(t *testing.T, text, query string) {
		q, err := search.ParseQuery(query)
		if err != nil || len(text) > 10000 {
			return
		}
		a, b := fmri.MustParse("a@1"), fmri.MustParse("dir/b@1")
		two := &publisher{texts: map[fmri.FMRI][]byte{a: []byte(text), b: []byte("\n" + text)}}
		files := build(t, new(search.Builder), two, two.sorted()).files
		if _, ok := files["lock"]; ok || !fstestValid(files) {
			t.Errorf("files %v", files)
		}
		x := openIndex(t, files)
		want := hits(t, search.Walk(t.Context(), q, two.packages(), nil))
		if d := cmp.Diff(want, hits(t, x.Search(t.Context(), q, two.manifests, nil))); d != "" {
			t.Errorf("%s (-walk +index):\n%s", q, d)
		}
	})
}

// fstestValid reports whether all names are names of files in one directory.
func fstestValid(files fstest.MapFS) bool {
	for name := range files {
		if strings.ContainsAny(name, "/\n") || name == "" {
			return false
		}
	}
	return true
}
