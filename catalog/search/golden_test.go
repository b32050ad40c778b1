package search_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest/manifesttest"
)

// TestGolden tells stories of small indexes: sections named for a package are manifests,
// those named for a file are what the index has, and the others are queries.
func TestGolden(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/golden/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			p := &publisher{texts: map[fmri.FMRI][]byte{}}
			for name, text := range c.Section {
				if f, err := fmri.Parse(name); err == nil && f.Version().IsValid() {
					p.texts[f] = []byte(text)
				}
			}
			m := build(t, new(search.Builder), p, p.sorted())
			x := openIndex(t, m.files)
			for name := range c.Section {
				f, err := fmri.Parse(name)
				switch file := m.files[name]; {
				case err == nil && p.texts[f] != nil:
				case file != nil:
					c.Want(t, name, string(file.Data))
				default:
					c.Want(t, name, results(t, x, p, name))
				}
			}
		})
	}
}

// results returns what a query finds, a line each.
func results(t *testing.T, x *search.Index, p *publisher, query string) string {
	t.Helper()
	var b strings.Builder
	for hit, err := range x.Search(t.Context(), mustParse(t, query), p.manifests, nil) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprint(hit.FMRI.Format(fmri.Short), " ", hit.Key, " ", hit.Value, " ", hit.Line)))
	}
	return b.String()
}
