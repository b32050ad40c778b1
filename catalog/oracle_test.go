package catalog_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
)

// This is the obvious way to read a catalog: maps that mirror the JSON. It is what the
// package is compared with, in content and in time.

type slowPart map[string]map[string][]slowEntry

type slowEntry struct {
	Version          string
	Digest, Metadata json.RawMessage
	Actions          []string
}

// UnmarshalJSON matches names exactly, which encoding/json by itself does not.
func (e *slowEntry) UnmarshalJSON(src []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(src, &members); err != nil {
		return err
	}
	e.Digest, e.Metadata = members["signature-sha-1"], members["metadata"]
	if err := json.Unmarshal(members["version"], &e.Version); err != nil {
		return err
	}
	if members["actions"] == nil {
		return nil
	}
	return json.Unmarshal(members["actions"], &e.Actions)
}

// decodeSlow decodes a part.
func decodeSlow(src []byte) (slowPart, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(src, &raw); err != nil {
		return nil, err
	}
	part := slowPart{}
	for publisher, text := range raw {
		if strings.HasPrefix(publisher, "_") {
			continue
		}
		var stems map[string][]slowEntry
		if err := json.Unmarshal(text, &stems); err != nil {
			return nil, err
		}
		part[publisher] = stems
	}
	return part, nil
}

// readSlow reads a catalog into the form that function content returns.
func readSlow(fsys fs.FS, parts []catalog.Part) (map[string]map[string]any, error) {
	out := map[string]map[string]any{}
	for _, name := range append([]catalog.Part{catalog.Base}, parts...) {
		src, err := fs.ReadFile(fsys, string(name))
		if err != nil {
			return nil, err
		}
		part, err := decodeSlow(src)
		if err != nil {
			return nil, err
		}
		for publisher, stems := range part {
			for stem, entries := range stems {
				for _, e := range entries {
					if err := e.addTo(out, "pkg://"+publisher+"/"+stem, name); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return out, nil
}

// addTo adds an entry of a part to what is known.
func (e *slowEntry) addTo(out map[string]map[string]any, name string, part catalog.Part) error {
	v, err := fmri.ParseVersion(e.Version)
	if err != nil {
		return err
	}
	name += "@" + v.String()
	if part == catalog.Base {
		pkg := map[string]any{"obsolete": false, "renamed": false, "metadata": string(e.Metadata)}
		var digest string
		_ = json.Unmarshal(e.Digest, &digest)
		if b, err := hex.DecodeString(digest); err == nil && len(b) == 20 && strings.ToLower(digest) == digest {
			pkg["digest"] = digest
		}
		out[name] = pkg
		return nil
	}
	pkg := out[name]
	if pkg == nil {
		return errors.New(name + " is not in the base part")
	}
	if len(e.Actions) > 0 {
		pkg[string(part)] = e.Actions
	}
	for _, a := range e.Actions {
		if part == catalog.Dependency {
			pkg["obsolete"] = pkg["obsolete"] == true || a == "set name=pkg.obsolete value=true"
			pkg["renamed"] = pkg["renamed"] == true || a == "set name=pkg.renamed value=true"
		}
	}
	return nil
}

// TestOracle compares what Read reads with what encoding/json does.
func TestOracle(t *testing.T) {
	for _, a := range artefacts(t, "*.tar.gz") {
		for _, dir := range a.catalogs() {
			fsys := a.sub(t, dir)
			c := read(t, fsys, nil)
			if c.Len() == 0 {
				continue
			}
			want, err := readSlow(fsys, c.Parts()[1:])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, content(t, c)); diff != "" {
				t.Errorf("%s/%s (-want +got):\n%s", a.name, dir, diff)
			}
		}
	}
}

// TestAcceptance reads text that is not canonical, and compares it with the oracle.
func TestAcceptance(t *testing.T) {
	const attrs = `{"version": 1, "updates": {}, "extra": [1, {"b": 2, "a": "é"}], "parts": {
		"catalog.dependency.C": {"last-modified": "20200102T030405Z"},
		"catalog.base.C": {"signature-sha-512": "x", "last-modified": "20200102T030405.5Z"}},
		"package-version-count": 4, "package-count": 3, "created": "20200102T030405.000000Z", "last-modified": "20200102T030405Z"}`
	const base = `
	{ "_FEATURE" : [ "ooce:utf8" ] , "_zzz": {"y":1, "x": [ ] },
	  "b.org": {"x": [{"version": "1.0,5.11-1:20200102T030405Z", "extra": "\u00E9", "signature-sha-1": "ABC"}]},
	  "a.org": {
	    "b": [{"version": "2.0-1"}, {"signature-sha-1": "03f1396f1b2525da6b417436dc9b4dd7d83dc0af", "version": "1.0,5.11-1"}],
	    "a": [{"metadata": {"states": [0, 2]}, "version": "1,5.11"}]
	  } }`
	const dependency = `{"b.org": {"x": [{"version": "1.0,5.11-1:20200102T030405Z", "x": true}]},
	  "a.org": {
	    "b": [{"version": "2.0,5.11-1", "actions": ["set name=pkg.obsolete value=true", "set name=x value=\"\u00e9\ud83d\ude00é\/\""]}],
	    "a": [{"version": "1", "actions": []}]}}
	`
	fsys := files2fs(map[string]string{"catalog.attrs": attrs, "catalog.base.C": base, "catalog.dependency.C": dependency})
	c := read(t, fsys, nil)
	want, err := readSlow(fsys, []catalog.Part{catalog.Dependency})
	if err != nil {
		t.Fatal(err)
	}
	want["pkg://a.org/a@1,5.11"]["metadata"] = `{"states":[0,2]}`
	if diff := cmp.Diff(want, content(t, c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sameFiles(t, map[string]string{
		"catalog.attrs": `{"created":"20200102T030405Z","extra":[1,{"a":"\u00e9","b":2}],"last-modified":"20200102T030405Z",` +
			`"package-count":3,"package-version-count":4,"parts":{"catalog.base.C":{"last-modified":"20200102T030405Z","signature-sha-512":"x"},` +
			`"catalog.dependency.C":{"last-modified":"20200102T030405Z"}},"updates":{},"version":1}` + "\n",
		"catalog.base.C": `{"_FEATURE":["ooce:utf8"],"_zzz":{"x":[],"y":1},"a.org":{"a":[{"metadata":{"states":[0,2]},"version":"1,5.11"}],` +
			`"b":[{"version":"2.0,5.11-1"},{"signature-sha-1":"03f1396f1b2525da6b417436dc9b4dd7d83dc0af","version":"1.0,5.11-1"}]},` +
			`"b.org":{"x":[{"extra":"\u00e9","signature-sha-1":"ABC","version":"1.0,5.11-1:20200102T030405Z"}]}}` + "\n",
		"catalog.dependency.C": `{"a.org":{"a":[{"actions":[],"version":"1,5.11"}],"b":[{"actions":["set name=pkg.obsolete value=true",` +
			`"set name=x value=\"\u00e9\ud83d\ude00\u00e9/\""],"version":"2.0,5.11-1"}]},"b.org":{"x":[{"version":"1.0,5.11-1:20200102T030405Z","x":true}]}}` + "\n",
	}, files(t, c))
	for f := range c.Files() {
		if !f.Modified {
			t.Errorf("%s is not canonical and not marked as modified", f.Name)
		}
	}
	if got := fmris(c)[1]; got != "pkg://a.org/b@1.0,5.11-1" {
		t.Errorf("second entry is %s", got)
	}
}

// testRead reads a directory that may be broken. What is accepted must be what the oracle
// reads, must be written so that it is read again, and must survive an index.
func testRead(t *testing.T, fsys fs.FS, opts *catalog.ReadOptions) {
	t.Helper()
	c, err := catalog.Read(fsys, opts)
	if err != nil {
		checkError(t, fsys, err)
		return
	}
	got := content(t, c)
	var parts []catalog.Part
	for _, p := range c.Parts() {
		if p != catalog.Base {
			parts = append(parts, p)
		}
	}
	if opts == nil || !opts.Salvage {
		want, err := readSlow(fsys, parts)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		for name := range want {
			got[name]["metadata"] = want[name]["metadata"] // spelled otherwise
		}
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	first := files(t, c)
	again := read(t, files2fs(first), nil)
	sameFiles(t, first, files(t, again))
	for f := range again.Files() {
		if f.Modified {
			t.Errorf("%s was written and is not canonical", f.Name)
		}
	}
	x, err := index(t, again).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, first, files(t, x))
}

// checkError demands that an error of reading names a file and a place in it.
func checkError(t *testing.T, fsys fs.FS, err error) {
	t.Helper()
	var format *catalog.FormatError
	var signature *catalog.SignatureError
	switch {
	case errors.As(err, &format):
		src, _ := fs.ReadFile(fsys, format.File)
		if format.Offset < 0 || format.Offset > int64(len(src)) {
			t.Fatalf("offset is not within %d bytes: %v", len(src), err)
		}
	case errors.As(err, &signature):
		if signature.File == "" {
			t.Fatalf("no file: %v", err)
		}
	case errors.Is(err, fs.ErrNotExist):
	default:
		t.Fatalf("unexpected type of error %T: %v", err, err)
	}
}

// checkParsed is checkError for text that is not in a file.
func checkParsed(t *testing.T, src []byte, err error) {
	t.Helper()
	var format *catalog.FormatError
	var signature *catalog.SignatureError
	if errors.As(err, &format) && (format.Offset < 0 || format.Offset > int64(len(src))) ||
		format == nil && !errors.As(err, &signature) {
		t.Fatalf("error without a place in %d bytes: %T %v", len(src), err, err)
	}
}
