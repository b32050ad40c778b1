package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/catalog"
)

func TestV0(t *testing.T) {
	const text = "S Last-Modified: 2026-11-20T12:02:19.809448+00:00\nS prefix: CRSV\nS npkgs: 3\n" +
		"V pkg:/app/hello@1.0,5.11-2024.0.0.0:20261120T120218Z\nC pkg app/hello 1.1,5.11-1\nR old new\nX y\n\nV pkg://q/x@1\n"
	c, err := catalog.ParseV0(strings.NewReader(text), "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pkg://p/app/hello@1.0,5.11-2024.0.0.0:20261120T120218Z", "pkg://p/app/hello@1.1,5.11-1", "pkg://q/x@1,5.11"}
	if got := fmris(c); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if !c.Modified().Equal(at("2026-11-20 12:02:19.809448")) || !c.Created().IsZero() {
		t.Errorf("created %s, modified %s", c.Created(), c.Modified())
	}
	if got := files(t, c)["catalog.attrs"]; !strings.Contains(got, `"created":null`) || !strings.Contains(got, `"version":0`) {
		t.Errorf("attributes %s", got)
	}
	same(t, c, read(t, asFS(t, c), nil))
	attrs, list, _ := strings.Cut(text, "V ")
	d, err := catalog.ReadV0(files2fs(map[string]string{"attrs": attrs, "catalog": "V " + list}), "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, d)
	for text, want := range map[string]string{
		"S npkgs: 1\n": "npkgs is 1, but there are 0", "S npkgs: x\n": "not a count", "V x\n": "without a version",
		"V pkg:/a@1\nV pkg:/a@1\n": "there already", "S Last-Modified: never\n": "invalid time", "V pkg:/a@01\n": "offset",
	} {
		_, err := catalog.ParseV0(strings.NewReader(text), "p", nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v", text, err)
			continue
		}
		checkParsed(t, []byte(text), err)
	}
}
