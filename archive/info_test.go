package archive_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/archive"
)

// small is a file that the reference wrote.
const small = `{
  "packages": [],
  "publishers": [
    {
      "alias": null,
      "name": "other.org",
      "packages": [],
      "repositories": []
    }
  ],
  "version": 1
}
`

// large has everything a file can have.
const large = `{
  "packages": [
    "web/server"
  ],
  "publishers": [
    {
      "alias": "a <b> & \"c\" \\u2028 ` + "\u2028\u2029 ü" + `",
      "name": "example.org",
      "packages": [
        "a@1.0,5.11-1",
        "b"
      ],
      "repositories": [
        {
          "collection_type": "supplemental",
          "description": "Größe 数",
          "legal_uris": [
            "http://example.org/legal"
          ],
          "mirrors": [
            "http://m1/",
            "http://m2/sub/"
          ],
          "name": "Example",
          "origins": [
            "file:///export/repo/"
          ],
          "refresh_seconds": 14400,
          "registration_uri": "http://example.org/register",
          "related_uris": []
        }
      ]
    },
    {
      "alias": null,
      "name": "q",
      "packages": [],
      "repositories": [
        {
          "collection_type": "core",
          "description": null,
          "legal_uris": [],
          "mirrors": [],
          "name": null,
          "origins": [],
          "refresh_seconds": null,
          "registration_uri": "",
          "related_uris": []
        }
      ]
    }
  ],
  "version": 1
}
`

func TestInfo(t *testing.T) {
	for _, test := range []struct {
		text string
		want archive.Info
	}{
		{small, archive.Info{Packages: []string{}, Publishers: []archive.Publisher{{Name: "other.org", Packages: []string{}}}}},
		{large, archive.Info{
			Packages: []string{"web/server"},
			Publishers: []archive.Publisher{{
				Name:     "example.org",
				Alias:    "a <b> & \"c\" \\u2028 \u2028\u2029 ü",
				Packages: []string{"a@1.0,5.11-1", "b"},
				Repository: &archive.Repository{
					Name: "Example", Description: "Größe 数", CollectionType: "supplemental",
					Origins: []string{"file:///export/repo/"}, Mirrors: []string{"http://m1/", "http://m2/sub/"},
					LegalURIs: []string{"http://example.org/legal"}, RelatedURIs: []string{},
					RegistrationURI: "http://example.org/register", RefreshSeconds: 14400,
				},
			}, {
				Name:     "q",
				Packages: []string{},
				Repository: &archive.Repository{
					CollectionType: "core", Origins: []string{}, Mirrors: []string{}, LegalURIs: []string{}, RelatedURIs: []string{},
				},
			}},
		}},
	} {
		info, err := archive.ParseInfo("x.p5i", []byte(test.text))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(test.want, *info); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		var b strings.Builder
		if n, err := info.WriteTo(&b); b.String() != test.text || n != int64(len(test.text)) || err != nil {
			t.Errorf("%d, %v: (-want +got)\n%s", n, err, cmp.Diff(test.text, b.String()))
		}
	}
}

// TestInfoLax pins what is read although it is not written.
func TestInfoLax(t *testing.T) {
	const text = `{"version": 0, "more": {}, "publishers": [{"name": null, "repositories": [
		{"origins": ["http://first"]},
		{"origins": ["http://o", "http://p///"], "mirrors": "none", "name": "None", "description": null,
		 "refresh_seconds": "60", "registration_uri": "None", "legal_uris": null}]}]}`
	info, err := archive.ParseInfo("x", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &archive.Info{Publishers: []archive.Publisher{{
		Name:       "Unknown",
		Repository: &archive.Repository{Origins: []string{"http://o/", "http://p///"}, RefreshSeconds: 60},
	}}}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestInfoError(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            ``,
		"no object":        `[]`,
		"no version":       `{"publishers": []}`,
		"version null":     `{"version": null}`,
		"version text":     `{"version": "1"}`,
		"negative version": `{"version": -1}`,
		"more behind":      `{"version": 1} {}`,
		"name":             `{"version": 1, "publishers": [{"name": "a b"}]}`,
		"name of number":   `{"version": 1, "publishers": [{"name": 1}]}`,
		"origin":           `{"version": 1, "publishers": [{"name": "a", "repositories": [{"origins": ["relative"]}]}]}`,
		"origin escape":    `{"version": 1, "publishers": [{"name": "a", "repositories": [{"origins": ["http://a/%zz"]}]}]}`,
		"origin number":    `{"version": 1, "publishers": [{"name": "a", "repositories": [{"origins": [1]}]}]}`,
		"refresh":          `{"version": 1, "publishers": [{"name": "a", "repositories": [{"refresh_seconds": 1.5}]}]}`,
		"collection":       `{"version": 1, "publishers": [{"name": "a", "repositories": [{"collection_type": "x"}]}]}`,
	} {
		_, err := archive.ParseInfo("dir/x.p5i", []byte(text))
		var e *archive.InfoError
		if !errors.As(err, &e) || e.File != "dir/x.p5i" || !strings.HasPrefix(err.Error(), "dir/x.p5i: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.ParseInfo("x", []byte(`{"version": 2}`)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("version 2: %v", err)
	}
	bad := archive.Info{Publishers: []archive.Publisher{{Name: ""}}}
	if text, err := bad.MarshalText(); err == nil {
		t.Errorf("unnamed publisher: %s", text)
	}
}

// TestPublisherFile: a pub.p5i that does not describe one publisher.
func TestPublisherFile(t *testing.T) {
	for _, text := range []string{`{"version": 1}`, large, "x"} {
		a := newReader(t, makeTar(t, regular("publisher/p/pub.p5i", text)))
		if p, err := a.Publisher(t.Context(), "p"); !errors.As(err, new(*archive.InfoError)) {
			t.Errorf("%+v, %v", p, err)
		}
	}
}
