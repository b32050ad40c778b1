package repo_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestVersionTold opens stores of which what lies in them, or is written there, tells the
// version of the layout.
func TestVersionTold(t *testing.T) {
	for name, test := range map[string]struct {
		objects map[string]string
		want    int
		text    string // of the error
	}{
		"empty":                  {nil, 0, "open: there is no repository in it"},
		"something else":         {map[string]string{"README": "x", "src/main.c": "x"}, 0, "open: there is no repository in it"},
		"new":                    {map[string]string{"pkg5.repository": "[repository]\nversion = 4\n"}, 4, ""},
		"no version written":     {map[string]string{"pkg5.repository": "[publisher]\nprefix = a.org\n"}, 4, ""},
		"an empty configuration": {map[string]string{"pkg5.repository": ""}, 4, ""},
		"version 0":              {map[string]string{"pkg5.repository": "[repository]\nversion = 0\n"}, 4, ""},
		"no number":              {map[string]string{"pkg5.repository": "[repository]\nversion = four\n"}, 4, ""},
		"publishers alone":       {map[string]string{"publisher/a.org/pub.p5i": "{}"}, 4, ""},
		"version 3":              {map[string]string{"cfg_cache": "[repository]\nversion = 3\n"}, 3, ""},
		"version 3, not written": {map[string]string{"cfg_cache": "\n", "catalog/catalog.attrs": "{}"}, 3, ""},
		"only cfg_cache":         {map[string]string{"cfg_cache": "\n"}, 3, ""},
		"version 2":              {map[string]string{"cfg_cache": "\n", "catalog/attrs": "S x\n"}, 0, "open: it is a repository of version 2; only 3 and 4 are supported"},
		"version 9":              {map[string]string{"pkg5.repository": "[repository]\nversion = 9\n"}, 0, "open: it is a repository of version 9; only 3 and 4 are supported"},
		"both configurations":    {map[string]string{"pkg5.repository": "[repository]\nversion = 4\n", "cfg_cache": "[repository]\nversion = 3\n"}, 4, ""},
		"junk":                   {map[string]string{"pkg5.repository": "junk\n"}, 0, "open: pkg5.repository:1: property outside of a section"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.Memory()
			for object, text := range test.objects {
				putText(t, s, object, text)
			}
			r, err := repo.Open(t.Context(), s, nil)
			if test.text != "" {
				require.EqualError(t, err, test.text)
				require.Nil(t, r)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, r.Version())
		})
	}
}

// TestCreateRefuses makes no repository where there is something, or of what cannot be.
func TestCreateRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		config repo.Config
		is     error
		text   string
	}{
		"a repository":  {"pkg5.repository", repo.Config{}, fs.ErrExist, "create: there is pkg5.repository already; a new repository needs an empty place"},
		"a directory":   {"some/thing", repo.Config{}, fs.ErrExist, "create: there is some/ already; a new repository needs an empty place"},
		"version 5":     {"", repo.Config{Version: 5}, errors.ErrUnsupported, "create: version 5 is not known; it may be 4 or 3"},
		"version -1":    {"", repo.Config{Version: -1}, errors.ErrUnsupported, "create: version -1 is not known; it may be 4 or 3"},
		"a bad name":    {"", repo.Config{DefaultPublisher: "-x"}, fs.ErrInvalid, `create: publisher "-x" does not begin with a letter or digit`},
		"a bad name, 3": {"", repo.Config{DefaultPublisher: "-x", Version: 3}, fs.ErrInvalid, `create: publisher "-x" does not begin with a letter or digit`},
	} {
		t.Run(name, func(t *testing.T) {
			s := store.Memory()
			if test.object != "" {
				putText(t, s, test.object, "x")
			}
			before := objects(t, s, "")
			_, err := repo.Create(t.Context(), s, test.config, nil)
			require.ErrorIs(t, err, test.is)
			require.EqualError(t, err, test.text)
			require.Empty(t, cmp.Diff(before, objects(t, s, "")))
		})
	}
	s := store.Memory()
	putText(t, s, ".zfs/snapshot/x", "x")
	_, err := repo.Create(t.Context(), s, repo.Config{}, nil)
	require.NoError(t, err, ".zfs is at the top of a file system")
}

// TestValues reads values as command lines have them, and prints what reads back.
func TestValues(t *testing.T) {
	for text, want := range map[string][]string{ // nil for a text
		"":                        nil,
		"plain":                   nil,
		"two words":               nil,
		"a)":                      nil,
		"()":                      {},
		"(a)":                     {"a"},
		"(a b\tc\nd)":             {"a", "b", "c", "d"},
		`("a b" 'c d')`:           {"a b", "c d"},
		`("")`:                    {""},
		`(a"b c"d)`:               {"ab cd"},
		`(a\ b)`:                  {"a b"},
		`("say \"x\"" 'it\x')`:    {`say "x"`, `it\x`},
		`("back\\slash" "a\b")`:   {`back\slash`, `a\b`},
		"(http://a.example/ b,c)": {"http://a.example/", "b,c"},
	} {
		v, err := repo.ParseValue(text)
		require.NoError(t, err, text)
		items, isList := v.Items()
		require.Equal(t, want != nil, isList, text)
		if !isList {
			require.Equal(t, text, v.String())
			continue
		}
		require.Equal(t, len(want), len(items), text)
		for i := range want {
			require.Equal(t, want[i], items[i], text)
		}
		again, err := repo.ParseValue(v.String())
		require.NoError(t, err, text)
		require.Equal(t, v, again, text)
	}
	for text, want := range map[string]string{
		"(a":    "(a: list without closing parenthesis",
		`("a)`:  `("a): quote is not closed`,
		`('a")`: `('a"): quote is not closed`,
	} {
		_, err := repo.ParseValue(text)
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.EqualError(t, err, want)
	}
}

// TestPropertiesRefused writes nothing of what would not read back.
func TestPropertiesRefused(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	before := read(t, s, "pkg5.repository")
	for _, p := range []repo.Property{
		{}, {Section: "a"}, {Name: "b"},
		{Section: "a]", Name: "b"}, {Section: "a\nb", Name: "b"}, {Section: " a", Name: "b"},
		{Section: "a", Name: "b=c"}, {Section: "a", Name: "b:c"}, {Section: "a", Name: "[b"}, {Section: "a", Name: "#b"},
		{Section: "a", Name: ";b"}, {Section: "a", Name: "b "}, {Section: "a", Name: "b\nc"},
		{Section: "a", Name: "b", Value: repo.Text("x\ny")}, {Section: "a", Name: "b", Value: repo.Text(" x")},
	} {
		good := repo.Property{Section: "good", Name: "good", Value: repo.Text("good")}
		err := r.SetProperties(t.Context(), good, p)
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.EqualError(t, err, fmt.Sprintf("write configuration: property %s/%s with value %q cannot be written so that it reads back", p.Section, p.Name, p.Value.String()))
		require.Equal(t, before, read(t, s, "pkg5.repository"))
	}
	for _, text := range []string{"x", "[x", "(x", "#x", "= x", `"x"`} {
		want := repo.Property{Section: "any", Name: "thing", Value: repo.Text(text)}
		require.NoError(t, r.SetProperties(t.Context(), want))
		got, err := open(t, s).Properties(t.Context())
		require.NoError(t, err)
		require.Contains(t, got, want)
	}
}

// TestPublisherProperty sets each thing that is known about a publisher, and refuses what
// is none.
func TestPublisherProperty(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	set := func(section, name string, v repo.Value) error {
		return r.SetPublisherProperties(t.Context(), "test.org", repo.Property{Section: section, Name: name, Value: v})
	}
	for key, v := range map[string]repo.Value{
		"publisher/alias":             repo.Text("t"),
		"repository/collection-type":  repo.Text("core"),
		"repository/description":      repo.Text("All of it"),
		"repository/legal_uris":       repo.List("http://a.example/legal"),
		"repository/mirrors":          repo.List("http://a.example/", "http://b.example/"),
		"repository/name":             repo.Text("Name"),
		"repository/origins":          repo.Text("http://c.example/"), // a list of one
		"repository/refresh-seconds":  repo.Text("60"),
		"repository/registration-uri": repo.Text("http://a.example/register"),
		"repository/related-uris":     repo.List(),
	} {
		section, name, _ := strings.Cut(key, "/")
		require.NoError(t, set(section, name, v), key)
		props, err := open(t, s).PublisherProperties(t.Context(), "test.org")
		require.NoError(t, err)
		found := false
		for _, p := range props {
			if p.Section == section && p.Name == strings.ReplaceAll(name, "_", "-") {
				found = true
				require.Equal(t, strings.Trim(v.String(), "()"), strings.Trim(p.Value.String(), "()"), key)
			}
		}
		require.True(t, found, key)
	}
	for text, err := range map[string]error{
		"unknown property publisher/colour":                set("publisher", "colour", repo.Text("red")),
		"unknown property publisher/prefix":                set("publisher", "prefix", repo.Text("other.org")),
		"unknown property elsewhere/name":                  set("elsewhere", "name", repo.Text("x")),
		"repository/name is not a list":                    set("repository", "name", repo.List("x")),
		"repository/refresh-seconds is not a list":         set("repository", "refresh-seconds", repo.List("60")),
		`repository/refresh-seconds is not "soon" seconds`: set("repository", "refresh-seconds", repo.Text("soon")),
		`repository/refresh-seconds is not "-1" seconds`:   set("repository", "refresh-seconds", repo.Text("-1")),
	} {
		require.EqualError(t, err, "write information about test.org: "+text)
	}
	require.NoError(t, set("repository", "refresh-seconds", repo.Text("")))
}

// TestHomeless asks for what belongs to publishers that are not there, or cannot be.
func TestHomeless(t *testing.T) {
	r := create(t, store.Memory())
	for _, name := range []string{"none.org", "..", "-x", ""} {
		_, err := r.Catalog(t.Context(), name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		_, err = r.Info(t.Context(), name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		_, _, err = r.CatalogFile(t.Context(), name, "catalog.attrs")
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		_, err = r.Busy(t.Context(), name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		require.ErrorIs(t, r.Rebuild(t.Context(), name), fs.ErrNotExist, name)
		require.ErrorIs(t, errOf(r.Refresh(t.Context(), name)), fs.ErrNotExist, name)
		require.ErrorIs(t, r.RemovePublisher(t.Context(), name), fs.ErrNotExist, name)
		require.ErrorIs(t, errOf(r.Fix(t.Context(), nil, name)), fs.ErrNotExist, name)
	}
	for _, name := range []string{"..", "-x", "", "a/b", "a b"} {
		require.ErrorContains(t, r.AddPublisher(t.Context(), name), "add publisher", name)
	}
	_, err := r.Manifest(t.Context(), fmri.MustParse("a"))
	require.ErrorIs(t, err, fmri.ErrNoVersion)
	_, err = r.Begin(t.Context(), fmri.MustParse("a"))
	require.ErrorIs(t, err, fmri.ErrNoVersion)
	bare, err := repo.Create(t.Context(), store.Memory(), repo.Config{}, nil)
	require.NoError(t, err)
	_, err = bare.Begin(t.Context(), fmri.MustParse("a@1"))
	require.EqualError(t, err, "publish pkg:/a@1,5.11: the name has no publisher, and the repository no default publisher")
}
