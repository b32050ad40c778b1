package image

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/internal/ini"
)

// TestConfigOfReference reads a configuration that the reference has written, and
// writes it back unchanged.
func TestConfigOfReference(t *testing.T) {
	src, err := os.ReadFile("testdata/pkg5.image")
	if err != nil {
		t.Fatal(err)
	}
	file, err := ini.Parse(configFile, src)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Publishers: []Publisher{
			{Name: "one.public.example", Origins: []string{"file:///srv/repo-single/"}},
			{Name: "two.example", Origins: []string{"http://b/"}, Mirrors: []string{"http://c/"}, NonSticky: true, Disabled: true},
		},
		Varcets: manifest.Varcets{
			Variants: map[string]string{
				"variant.arch": "i386", "variant.opensolaris.zone": "global", "variant.opensolaris.imagetype": "full",
			},
			Facets: map[string]bool{"facet.doc.man": false, "facet.locale.*": true},
		},
	}
	if got.Properties["signature-policy"] != "verify" || got.Properties["ca-path"] != "/etc/ssl/certs" {
		t.Errorf("properties: %v", got.Properties)
	}
	want.Properties = got.Properties
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	writeConfig(file, got)
	if diff := cmp.Diff(string(src), string(file.Text())); diff != "" {
		t.Errorf("written back (-want +got):\n%s", diff)
	}
}

// TestConfigRoundTrip writes a new configuration and reads it again.
func TestConfigRoundTrip(t *testing.T) {
	want := Config{
		Publishers: []Publisher{
			{Name: "z", Origins: []string{"file:///it's here/"}},
			{Name: "a", Origins: []string{"http://x/", "http://y/"}, Mirrors: []string{"http://m/"}},
		},
		Varcets: manifest.Varcets{
			Variants: map[string]string{"variant.arch": "sparc", "variant.opensolaris.zone": "nonglobal"},
			Facets:   map[string]bool{"facet.doc.*": false},
		},
		Properties: map[string]string{"be-policy": "always-new", "signature-required-names": "['a', 'b']"},
	}
	var file ini.File
	writeConfig(&file, want)
	again, err := ini.Parse(configFile, file.Text())
	if err != nil {
		t.Fatal(err)
	}
	got, err := readConfig(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestConfigPublisherGoes checks that a publisher that is dropped leaves nothing, and
// that what we do not know of another one stays.
func TestConfigPublisherGoes(t *testing.T) {
	src, err := os.ReadFile("testdata/pkg5.image")
	if err != nil {
		t.Fatal(err)
	}
	file, err := ini.Parse(configFile, src)
	if err != nil {
		t.Fatal(err)
	}
	c, err := readConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	c.Publishers = c.Publishers[1:]
	c.Publishers[0].Origins = append(c.Publishers[0].Origins, "http://d/")
	writeConfig(file, c)
	text := string(file.Text())
	for _, gone := range []string{"one.public.example", "http://proxy/"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is still there", gone)
		}
	}
	for _, there := range []string{
		"publisher-search-order = ['two.example']\n", "repo.name = Second\n", "origins = ['http://b/', 'http://d/']\n",
	} {
		if !strings.Contains(text, there) {
			t.Errorf("%q is not there", there)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"version = 4\n":          "pkg5.image:1: property outside of a section",
		"[image]\nversion\n":     "pkg5.image:2: neither section, property nor comment",
		"[image\n":               "pkg5.image:1: section without ]",
		"[image]\n\xff = 1\n":    "pkg5.image: not UTF-8",
		"[image]\nversion = 3\n": `the image is of format version "3"; versions 4 to 5 are read`,
		"[image]\nversion = 6\n": `the image is of format version "6"; versions 4 to 5 are read`,
		"[property]\n":           `the image is of format version ""; versions 4 to 5 are read`,
		"[image]\nversion = 4\n[facet]\nfacet.x = perhaps\n":   `pkg5.image: facet.x: a facet is True or False`,
		"[image]\nversion = 4\n[authority_p]\norigins = [x]\n": `pkg5.image: origins: "[x]" is not a list of strings`,
	} {
		file, err := ini.Parse(configFile, []byte(text))
		if err == nil {
			_, err = readConfig(file)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	for name, c := range map[string]Config{
		"no name":           {Publishers: []Publisher{{}}},
		"path as name":      {Publishers: []Publisher{{Name: "../x"}}},
		"slash in name":     {Publishers: []Publisher{{Name: "a/b"}}},
		"name twice":        {Publishers: []Publisher{{Name: "a"}, {Name: "a"}}},
		"no location":       {Publishers: []Publisher{{Name: "a", Origins: []string{""}}}},
		"line in property":  {Properties: map[string]string{"a\nb": "1"}},
		"reserved property": {Properties: map[string]string{"publisher-search-order": "[]"}},
		"line in value":     {Properties: map[string]string{"a": "1\n[image]"}},
		"line in URI":       {Publishers: []Publisher{{Name: "a", Origins: []string{"http://x/\n[image]"}}}},
		"line in variant":   {Varcets: manifest.Varcets{Variants: map[string]string{"variant.x": "1\n[image]"}}},
	} {
		var bad *ConfigError
		located, err := c.located()
		if err := errors.Join(err, located.check()); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := Config{Publishers: []Publisher{{Name: "a", Origins: []string{"file:///repo/"}}}}
	if err := good.check(); err != nil {
		t.Error(err)
	}
}

// TestLocated keeps what is on this machine as URIs, as other programs want them.
func TestLocated(t *testing.T) {
	at, err := filepath.Abs("a b")
	require.NoError(t, err)
	c := Config{Publishers: []Publisher{{Name: "a", Origins: []string{"a b", "http://x/y"}, Mirrors: []string{"file:///z"}}}}
	got, err := c.located()
	require.NoError(t, err)
	want := (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(at), "/")}).String()
	require.Equal(t, Publisher{Name: "a", Origins: []string{want, "http://x/y"}, Mirrors: []string{"file:///z"}}, got.Publishers[0])
	require.Equal(t, "a b", c.Publishers[0].Origins[0], "what was given is left alone")
}

func FuzzConfig(f *testing.F) {
	src, err := os.ReadFile("testdata/pkg5.image")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(src))
	f.Add("[image]\nversion = 4\n\n[property]\na = b\n\tc\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ini.Parse(configFile, []byte(text))
		if err != nil {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Fatalf("error of no type: %v", err)
			}
			return
		}
		again, err := ini.Parse(configFile, file.Text())
		if err != nil {
			t.Fatalf("%q: printed form: %v", file.Text(), err)
		}
		if diff := cmp.Diff(string(file.Text()), string(again.Text())); diff != "" {
			t.Fatalf("round trip:\n%s", diff)
		}
		c, err := readConfig(file)
		if err != nil || c.check() != nil {
			return
		}
		writeConfig(again, c)
		back, err := readConfig(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Fatalf("meaning changed:\n%s", diff)
		}
	})
}
