package catalog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goips/ips/catalog"
)

// small is a catalog with something of everything.
func small(t testing.TB) *catalog.Catalog {
	t.Helper()
	b := &catalog.Builder{Now: at("2020-01-02 03:04:05.000006"), Logs: fstest.MapFS{}}
	add(t, b,
		[]string{"pkg://a.org/lib/ssl@1.0-1:20200101T000000Z", "set name=pkg.summary value=\"é and 😀\"", "set name=pkg.summary:fr value=oui"},
		[]string{"pkg://a.org/lib/ssl@1.1-1:20200102T000000Z", "set name=pkg.obsolete value=true"},
		[]string{"pkg://a.org/web@2-1:20200102T000000Z", "depend type=require fmri=lib/ssl@1", `set name=pkg.description value="a \"b\""`},
		[]string{"pkg://b.org/web@2-1:20200102T000000Z", "depend type=require fmri=lib/tls", "set name=pkg.renamed value=true"},
	)
	return build(t, b)
}

// unsignedFiles returns files with everything listed and nothing signed, so that a
// change to one of them is not noticed for that alone.
func unsignedFiles(t testing.TB, c *catalog.Catalog) map[string]string {
	t.Helper()
	b := &catalog.Builder{Base: c, Unsigned: true}
	if err := b.SetMetadata(c.At(0).FMRI(), []byte(`{"states": [0, 2]}`)); err != nil {
		t.Fatal(err)
	}
	return files(t, build(t, b))
}

func with(files map[string]string, name, text string) fstest.MapFS {
	fsys := files2fs(files)
	fsys[name] = &fstest.MapFile{Data: []byte(text)}
	return fsys
}

// TestHostile offers files that an attacker might make. Each must be refused at the place
// where it is wrong.
func TestHostile(t *testing.T) {
	const entry = `{"version":"1,5.11"}`
	base := func(stems string) string { return `{"a.org":{` + stems + `}}` }
	tests := []struct {
		attack, file, text, want string
	}{
		{"deep nesting in the attributes", "catalog.attrs", strings.Repeat(`{"a":`, 100000), "nested deeper"},
		{"deep nesting in a publisher", "catalog.base.C", strings.Repeat("[", 100000), "want {"},
		{"deep nesting in a member", "catalog.base.C", `{"_x":` + strings.Repeat("[", 100000), "nested deeper"},
		{"deep nesting in metadata", "catalog.base.C", base(`"a":[{"metadata":` + strings.Repeat(`{"x":`, 100000)), "nested deeper"},
		{"deep nesting in an entry", "catalog.dependency.C", base(`"lib/ssl":[{"x":` + strings.Repeat("[", 100000)), "nested deeper"},
		{"huge string", "catalog.base.C", base(`"a":[{"version":"` + strings.Repeat("1", 5<<20)), "longer than 4194304"},
		{"huge key", "catalog.base.C", `{"` + strings.Repeat("a", 5<<20), "longer than 4194304"},
		{"huge action", "catalog.dependency.C", base(`"web":[{"actions":["` + strings.Repeat("x", 5<<20)), "longer than 4194304"},
		{"huge unknown value", "catalog.base.C", `{"_x":[` + strings.Repeat("1,", 3<<20), "value is longer than 4194304"},
		{"huge number", "catalog.attrs", `{"package-count":` + strings.Repeat("9", 5<<20), "number is longer"},
		{"count out of range", "catalog.attrs", `{"package-count":99999999999999999999}`, "not a count"},
		{"float as a count", "catalog.attrs", `{"package-count":1e308}`, "not a count"},
		{"negative count", "catalog.attrs", `{"package-count":-1}`, "not a count"},
		{"duplicate publisher", "catalog.base.C", `{"a.org":{"a":[` + entry + `]},"b.org":{"a":[` + entry + `]},"a.org":{}}`, `duplicate key "a.org"`},
		{"duplicate stem", "catalog.base.C", base(`"a":[` + entry + `],"b":[` + entry + `],"a":[` + entry + `]`), `duplicate key "a"`},
		{"duplicate stem, adjacent", "catalog.base.C", base(`"a":[` + entry + `],"a":[` + entry + `]`), `duplicate key "a"`},
		{"duplicate version", "catalog.base.C", base(`"a":[` + entry + `,` + entry + `]`), "duplicate version"},
		{"duplicate version, apart", "catalog.base.C", base(`"a":[` + entry + `,{"version":"2"},` + entry + `]`), "duplicate version"},
		{"duplicate version, spelled otherwise", "catalog.base.C", base(`"a":[` + entry + `,{"version":"1"}]`), "duplicate version"},
		{"duplicate member version", "catalog.base.C", base(`"a":[{"version":"1","x":1,"version":"2"}]`), `duplicate key "version"`},
		{"duplicate member of an entry", "catalog.base.C", base(`"a":[{"x":1,"version":"1","x":2}]`), `duplicate key "x"`},
		{"duplicate digest", "catalog.base.C", base(`"a":[{"signature-sha-1":"a","version":"1","signature-sha-1":"b"}]`), `duplicate key "signature-sha-1"`},
		{"duplicate list of actions", "catalog.dependency.C", base(`"web":[{"actions":[],"version":"2,5.11-1:20200102T000000Z","actions":[]}]`), `duplicate key "actions"`},
		{"duplicate entry of a part", "catalog.dependency.C", base(`"web":[` + strings.Repeat(`,{"version":"2,5.11-1:20200102T000000Z"}`, 2)[1:] + `]`), "duplicate version"},
		{"duplicate attribute", "catalog.attrs", `{"version":1,"a":2,"version":1}`, `duplicate key "version"`},
		{"duplicate signature", "catalog.base.C", `{"_SIGNATURE":{},"_x":1,"_SIGNATURE":{}}`, `duplicate key "_SIGNATURE"`},
		{"invalid UTF-8", "catalog.base.C", base("\"a\xff\":[]"), "invalid UTF-8"},
		{"overlong UTF-8", "catalog.dependency.C", base("\"web\":[{\"actions\":[\"set \xc0\xaf\"]}]"), "invalid UTF-8"},
		{"surrogate in UTF-8", "catalog.dependency.C", base("\"web\":[{\"actions\":[\"\xed\xa0\x80\"]}]"), "invalid UTF-8"},
		{"half a surrogate pair", "catalog.dependency.C", base(`"web":[{"actions":["\udead"]}]`), "surrogate"},
		{"control characters in a stem", "catalog.base.C", base(`"a\u0000b":[` + entry + `]`), "illegal character"},
		{"newline in a stem", "catalog.base.C", base(`"a\nb":[` + entry + `]`), "illegal character"},
		{"path in a stem", "catalog.base.C", base(`"../../etc":[` + entry + `]`), "package name"},
		{"path in a publisher", "catalog.base.C", `{"../a":{"a":[` + entry + `]}}`, "publisher"},
		{"empty publisher", "catalog.base.C", `{"":{"a":[` + entry + `]}}`, "publisher"},
		{"path in the name of a part", "catalog.attrs", `{"parts":{"catalog.base/../../x":{}}}`, "not a name"},
		{"absolute path of a log", "catalog.attrs", `{"updates":{"/update.x":{}}}`, "not a name"},
		{"version that is none", "catalog.base.C", base(`"a":[{"version":"1..2"}]`), "version"},
		{"version with a huge number", "catalog.base.C", base(`"a":[{"version":"` + strings.Repeat("9", 70000) + `"}]`), "version"},
		{"entry without a version", "catalog.base.C", base(`"a":[{}]`), "without a version"},
		{"entry of a part without a version", "catalog.dependency.C", base(`"web":[{"actions":[]}]`), "without a version"},
		{"part with an unknown publisher", "catalog.dependency.C", `{"c.org":{}}`, `publisher "c.org" is not in`},
		{"part with an unknown stem", "catalog.dependency.C", base(`"zzz":[]`), `stem "zzz" is not in`},
		{"part with an unknown version", "catalog.dependency.C", base(`"web":[{"version":"9"}]`), `version "9" is not in`},
		{"list for an object", "catalog.base.C", `[]`, "want {"},
		{"string for a list", "catalog.dependency.C", base(`"web":[{"actions":"x"}]`), "want ["},
		{"text after the end", "catalog.base.C", "{}{}", "after the end"},
		{"byte order mark", "catalog.base.C", "\ufeff{}", "want {"},
		{"NUL bytes", "catalog.base.C", "\x00\x00\x00\x00", "want {"},
		{"catalog of the future", "catalog.attrs", `{"version":2}`, "unsupported"},
		{"attributes without parts", "catalog.attrs", `{"version":1}`, `"created" is missing`},
		{"time that is none", "catalog.attrs", `{"created":"20201332T000000Z"}`, "invalid time"},
	}
	good := unsignedFiles(t, small(t))
	read(t, files2fs(good), nil)
	for _, tt := range tests {
		t.Run(tt.attack, func(t *testing.T) {
			fsys := with(good, tt.file, tt.text)
			_, err := catalog.Read(fsys, nil)
			var format *catalog.FormatError
			if !errors.As(err, &format) || format.File != tt.file || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got error %.300v, want %q in %s", err, tt.want, tt.file)
			}
			checkError(t, fsys, err)
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// TestCountsThatLie changes the counts in the attributes.
func TestCountsThatLie(t *testing.T) {
	good := unsignedFiles(t, small(t))
	for _, count := range []string{`"package-count":3`, `"package-version-count":4`} {
		text := strings.Replace(good["catalog.attrs"], count, count[:len(count)-1]+"9", 1)
		if text == good["catalog.attrs"] {
			t.Fatalf("no %s in %s", count, text)
		}
		_, err := catalog.Read(with(good, "catalog.attrs", text), nil)
		var format *catalog.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), "is 9, but") {
			t.Errorf("%s: got error %v", count, err)
		}
	}
	text := strings.Replace(good["catalog.attrs"], `"catalog.base.C"`, `"catalog.bass.C"`, 1)
	if _, err := catalog.Read(with(good, "catalog.attrs", text), nil); err == nil || !strings.Contains(err.Error(), "no catalog.base.C") {
		t.Errorf("without a base part: got error %v", err)
	}
}

// TestTruncated cuts each file at every byte.
func TestTruncated(t *testing.T) {
	c := small(t)
	for _, good := range []map[string]string{files(t, c), unsignedFiles(t, c)} {
		for name, text := range good {
			if strings.HasPrefix(name, "update.") {
				continue
			}
			for i := range len(text) - 1 { // but for the newline
				fsys := with(good, name, text[:i])
				_, err := catalog.Read(fsys, nil)
				if err == nil {
					t.Fatalf("%s cut at %d is accepted: %q", name, i, text[:i])
				}
				checkError(t, fsys, err)
			}
		}
	}
}

// TestTruncatedLog cuts a log at every byte.
func TestTruncatedLog(t *testing.T) {
	for name, text := range files(t, small(t)) {
		if !strings.HasPrefix(name, "update.") {
			continue
		}
		for i := range len(text) - 1 {
			_, err := catalog.ReadUpdate(name, strings.NewReader(text[:i]), nil)
			if err == nil {
				t.Fatalf("%s cut at %d is accepted", name, i)
			}
			checkParsed(t, []byte(text[:i]), err)
		}
	}
}

// TestFlippedBits flips a bit of each byte of signed files. What may go unnoticed is the case of
// a hexadecimal digit of an escape, for the canonical form is still the same, and what
// a part says of its signature, for the attributes have the last word.
func TestFlippedBits(t *testing.T) {
	good := files(t, small(t))
	for name, text := range good {
		n := len(text)
		if strings.HasPrefix(name, "catalog.") && name != "catalog.attrs" {
			n = strings.LastIndex(text, `,"_SIGNATURE"`)
		}
		for i := range n {
			b := []byte(text)
			b[i] ^= 1 << (i % 8)
			var err error
			if strings.HasPrefix(name, "update.") {
				if _, err = catalog.ReadUpdate(name, bytes.NewReader(b), &catalog.ReadOptions{Signed: true}); err != nil {
					checkParsed(t, b, err)
				}
			} else {
				fsys := with(good, name, string(b))
				if _, err = catalog.Read(fsys, &catalog.ReadOptions{Signed: true}); err != nil {
					checkError(t, fsys, err)
				}
			}
			if err == nil && !strings.EqualFold(string(b), text) && strings.TrimSpace(string(b)) != strings.TrimSpace(text) {
				t.Fatalf("%s: a changed bit at %d (%q for %q) is accepted", name, i, b[i], text[i])
			}
		}
	}
}

// TestSwappedParts puts parts of one state beside the attributes of another.
func TestSwappedParts(t *testing.T) {
	for _, a := range artefacts(t, "catalog-sequence.tar.gz") {
		dirs, _ := a.steps(t)
		for i, dir := range dirs[1:] {
			good := files(t, read(t, a.sub(t, dir), nil))
			old := files(t, read(t, a.sub(t, dirs[i]), nil))
			for name := range good {
				if old[name] == good[name] {
					continue
				}
				fsys := with(good, name, old[name])
				_, err := catalog.Read(fsys, nil)
				if err == nil {
					t.Fatalf("%s of another state is accepted", name)
				}
				checkError(t, fsys, err)
			}
		}
	}
}

// TestSignatures tries what may be wrong with a signature, as the reference decides it.
func TestSignatures(t *testing.T) {
	c := small(t)
	good := files(t, c)
	base := good["catalog.base.C"]
	sum := base[len(base)-44 : len(base)-4]
	attrs := func(old, new string) map[string]string { // the attributes are changed and not signed
		out := map[string]string{}
		for name, text := range good {
			out[name] = text
		}
		text, _, _ := strings.Cut(good["catalog.attrs"], `,"_SIGNATURE"`)
		out["catalog.attrs"] = strings.Replace(text, old, new, 1) + "}\n"
		return out
	}
	listed := `,"signature-sha-1":"` + sum + `"`
	unlisted := attrs(listed, "")
	cut, _, _ := strings.Cut(base, `,"_SIGNATURE"`)
	tests := []struct {
		name   string
		files  map[string]string
		base   string
		accept bool
	}{
		{"as written", good, base, true},
		{"not signed but listed", good, cut + "}\n", true},
		{"neither signed nor listed", unlisted, cut + "}\n", true},
		{"signed and not listed", unlisted, base, true},
		{"wrongly signed and not listed", unlisted, strings.Replace(base, sum, strings.Repeat("0", 40), 1), false},
		{"wrongly signed and listed", good, strings.Replace(base, sum, strings.Repeat("0", 40), 1), true},
		{"another algorithm beside", unlisted, strings.Replace(base, sum+`"`, sum+`","sha-256":"x"`, 1), false},
		{"another algorithm listed", attrs(listed, listed+`,"signature-sha-256":"x"`), base, true},
		{"wrongly listed", attrs(listed, strings.Replace(listed, sum[:4], "0000", 1)), base, false},
		{"white space", good, strings.Replace(base, ":", ": ", 1), true},
		{"signature first", good, `{"_SIGNATURE":{"sha-1":"` + sum + `"},` + cut[1:] + "}\n", true},
		{"further member", good, strings.Replace(base, `{"a.org"`, `{"_new":1,"a.org"`, 1), false},
	}
	for _, tt := range tests {
		got, err := catalog.Read(with(tt.files, "catalog.base.C", tt.base), nil)
		var signature *catalog.SignatureError
		if tt.accept != (err == nil) || err != nil && (!errors.As(err, &signature) || signature.File != "catalog.base.C") {
			t.Errorf("%s: got error %v", tt.name, err)
		}
		if err == nil {
			same(t, c, got)
		}
	}
}

// TestUpperCaseEscapes reads what a server writes that escapes in upper case. Its signature
// is of other bytes than the canonical ones.
func TestUpperCaseEscapes(t *testing.T) {
	good := files(t, small(t))
	upper := strings.Replace(good["catalog.summary.C"], `\u00e9`, `\u00E9`, 1)
	cut, _, _ := strings.Cut(upper, `,"_SIGNATURE"`)
	old := good["catalog.summary.C"][len(upper)-44 : len(upper)-4]
	sum := fmt.Sprintf("%x", sha1Sum(cut+"}\n"))
	attrs, _, _ := strings.Cut(strings.Replace(good["catalog.attrs"], old, sum, 1), `,"_SIGNATURE"`)
	fsys := with(good, "catalog.summary.C", strings.Replace(upper, old, sum, 1))
	fsys["catalog.attrs"] = &fstest.MapFile{Data: []byte(attrs + "}\n")}
	c := read(t, fsys, nil)
	if files(t, c)["catalog.summary.C"][:100] != good["catalog.summary.C"][:100] {
		t.Error("is not written in lower case")
	}
}

// endless is a file that goes on for ever.
type endless struct{ head io.Reader }

func (e endless) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = "ab,"[i%3]
	}
	return len(p), nil
}

// TestEndless reads streams without an end.
func TestEndless(t *testing.T) {
	opts := &catalog.ReadOptions{Limits: catalog.Limits{File: 8 << 20}}
	for _, head := range []string{"", "{", `{"a":`, `{"a.org":{"x":["`, `{"a.org":{"x":[{"op-time":"`} {
		start := time.Now()
		if _, err := catalog.ReadUpdate("update.2020010203Z.C", endless{strings.NewReader(head)}, opts); err == nil {
			t.Errorf("%q: no error", head)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%q: took %s", head, d)
		}
	}
	if _, err := catalog.ParseV0(endless{strings.NewReader("")}, "p", opts); err == nil {
		t.Error("format 0: no error")
	}
}

// TestBoundedMemory reads ten million entries that make nothing but work.
func TestBoundedMemory(t *testing.T) {
	good := unsignedFiles(t, small(t))
	attacks := map[string]func(io.Writer){
		"catalog.base.C": func(w io.Writer) {
			io.WriteString(w, `{"a.org":{"a":[`)
			for i := range 200000 {
				fmt.Fprintf(w, `{"version":"%d"},`, i)
			}
		},
		"catalog.dependency.C": func(w io.Writer) {
			io.WriteString(w, `{"a.org":{"web":[{"actions":[""`)
			io.WriteString(w, strings.Repeat(`,""`, 2000000))
		},
		"catalog.summary.C": func(w io.Writer) {
			io.WriteString(w, `{"a.org":{"web":[{"x":[`)
			io.WriteString(w, strings.Repeat(`{},`, 1000000))
		},
	}
	for name, write := range attacks {
		var b strings.Builder
		write(&b)
		fsys := with(good, name, b.String())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := catalog.Read(fsys, &catalog.ReadOptions{Limits: catalog.Limits{Versions: 100000}})
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 16*uint64(b.Len())+(16<<20) {
			t.Errorf("%s: %d bytes allocated for %d", name, n, b.Len())
		}
	}
}

// A faulty directory fails at the n-th operation.
type faulty struct {
	fs.FS
	left *int
}

var errFault = errors.New("injected fault")

func (f faulty) fail() bool {
	*f.left--
	return *f.left < 0
}

func (f faulty) Open(name string) (fs.File, error) {
	if f.fail() {
		return nil, errFault
	}
	file, err := f.FS.Open(name)
	return faultyFile{file, f}, err
}

type faultyFile struct {
	fs.File
	f faulty
}

func (f faultyFile) Read(p []byte) (int, error) {
	if f.f.fail() {
		return 0, errFault
	}
	return f.File.Read(p[:min(len(p), 100)])
}

// TestInterruptedRefresh stops a refresh at every operation. The old catalog must stay as
// it is, and a second attempt must succeed.
func TestInterruptedRefresh(t *testing.T) {
	a := artefacts(t, "catalog-sequence.tar.gz")[0]
	dirs, _ := a.steps(t)
	fsys := a.sub(t, dirs[4])
	want := files(t, read(t, fsys, nil))
	for _, old := range []*catalog.Catalog{nil, read(t, a.sub(t, dirs[1]), nil)} {
		var before map[string]string
		if old != nil {
			before = files(t, old)
		}
		for n := 0; ; n++ {
			left := n
			c, err := catalog.Refresh(old, faulty{fsys, &left}, &catalog.ReadOptions{Parallel: 1})
			if err == nil {
				sameFiles(t, want, files(t, c))
				break
			}
			if !errors.Is(err, errFault) {
				t.Fatalf("operation %d: %v", n, err)
			}
			if old != nil {
				sameFiles(t, before, files(t, old))
			}
		}
	}
}
