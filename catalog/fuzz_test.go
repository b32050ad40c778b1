package catalog_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/goips/ips/catalog"
)

// seeds adds the files of real catalogs that have a name.
func seeds(f *testing.F, name string) {
	f.Helper()
	for _, a := range artefacts(f, "catalog-sequence.tar.gz") {
		for _, dir := range a.catalogs()[3:5] {
			for file, content := range a.fs {
				if strings.HasPrefix(file, dir+"/"+name) {
					f.Add(content.Data)
				}
			}
		}
	}
	for file, text := range files(f, small(f)) {
		if strings.HasPrefix(file, name) {
			f.Add([]byte(text))
		}
	}
	for file, text := range unsignedFiles(f, small(f)) {
		if strings.HasPrefix(file, name) {
			f.Add([]byte(text))
		}
	}
}

// fuzzPart reads a directory in which one part is arbitrary.
func fuzzPart(f *testing.F, name catalog.Part) {
	good := unsignedFiles(f, small(f))
	seeds(f, string(name))
	f.Fuzz(func(t *testing.T, src []byte) {
		fsys := with(good, string(name), string(src))
		testRead(t, fsys, nil)
		testRead(t, fsys, &catalog.ReadOptions{Salvage: true})
	})
}

func FuzzDependency(f *testing.F) { fuzzPart(f, catalog.Dependency) }
func FuzzSummary(f *testing.F)    { fuzzPart(f, catalog.Summary) }

// FuzzBase reads a base part alone, with the counts that the oracle finds.
func FuzzBase(f *testing.F) {
	seeds(f, string(catalog.Base))
	f.Fuzz(func(t *testing.T, src []byte) {
		packages, versions := 0, 0
		if part, err := decodeSlow(src); err == nil {
			for _, stems := range part {
				for _, entries := range stems {
					packages += min(1, len(entries))
					versions += len(entries)
				}
			}
		}
		attrs, err := json.Marshal(map[string]any{
			"created": "20200102T030405Z", "last-modified": "20200102T030405Z", "version": 1, "updates": map[string]any{},
			"package-count": packages, "package-version-count": versions,
			"parts": map[string]any{"catalog.base.C": map[string]any{"last-modified": "20200102T030405Z"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		testRead(t, files2fs(map[string]string{"catalog.attrs": string(attrs), "catalog.base.C": string(src)}), nil)
	})
}

// FuzzAttrs parses attributes and writes them.
func FuzzAttrs(f *testing.F) {
	seeds(f, "catalog.attrs")
	f.Fuzz(func(t *testing.T, src []byte) {
		a, err := catalog.ParseAttrs(src, nil)
		if err != nil {
			checkParsed(t, src, err)
			return
		}
		if !json.Valid(src) {
			t.Fatal("accepted what encoding/json refuses")
		}
		text := a.Canonical()
		b, err := catalog.ParseAttrs([]byte(text), nil)
		if err != nil || b.Canonical() != text {
			t.Fatalf("%v\n%s\n%s", err, text, b.Canonical())
		}
		catalog.PlanRefresh(a, b)
		catalog.PlanRefresh(nil, b)
	})
}

// FuzzUpdate reads update logs, writes them, and applies them to a catalog.
func FuzzUpdate(f *testing.F) {
	seeds(f, "update.")
	base := small(f)
	attrs, err := base.Attrs()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		u, err := catalog.ReadUpdate("update.20200102T03Z.C", bytes.NewReader(src), nil)
		if err != nil {
			checkParsed(t, src, err)
			return
		}
		if !json.Valid(src) {
			t.Fatal("accepted what encoding/json refuses")
		}
		var first, second bytes.Buffer
		if _, err := u.WriteTo(&first); err != nil {
			t.Fatal(err)
		}
		v, err := catalog.ReadUpdate(u.Name(), bytes.NewReader(first.Bytes()), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, &first)
		}
		if _, err := v.WriteTo(&second); err != nil || first.String() != second.String() {
			t.Fatalf("%v\n%s\n%s", err, &first, &second)
		}
		c, err := catalog.Apply(base, attrs, []*catalog.Update{u}, &catalog.ReadOptions{TrustLogs: true})
		if err == nil {
			files(t, c)
		}
	})
}

// FuzzV0 reads catalogs of format 0.
func FuzzV0(f *testing.F) {
	f.Add([]byte("S Last-Modified: 2026-11-20T12:02:19.809448+00:00\nS prefix: CRSV\nS npkgs: 1\nV pkg:/app/hello@1.0,5.11-2024.0.0.0:20261120T120218Z\n"))
	f.Add([]byte("C pkg app/hello 1.0-1\nR x\n\nV pkg://p/a@1\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := catalog.ParseV0(bytes.NewReader(src), "p", nil)
		if err != nil {
			checkParsed(t, src, err)
			return
		}
		same(t, c, read(t, asFS(t, c), nil))
	})
}

// unusual is a catalog with all that an index has a section for: entries that are not in
// order, without actions, with further members, with metadata.
func unusual(t testing.TB) *catalog.Catalog {
	t.Helper()
	fsys := files2fs(map[string]string{
		"catalog.attrs": `{"created":"20200102T030405Z","last-modified":"20200102T030405Z","package-count":3,"package-version-count":5,"parts":{` +
			`"catalog.base.C":{"last-modified":"20200102T030405Z"},"catalog.dependency.C":{"last-modified":"20200102T030405Z"}},"updates":{},"version":1}`,
		"catalog.base.C": `{"_x":1,"a.org":{"lib/ssl":[{"version":"2,5.11"},{"metadata":{"states":[0]},"version":"1,5.11"}],"web":[{"extra":2,"version":"1,5.11"}]},` +
			`"b.org":{"web":[{"version":"3,5.11"},{"version":"2,5.11"}]}}`,
		"catalog.dependency.C": `{"a.org":{"lib/ssl":[{"actions":["set name=a value=\"b\""],"version":"2,5.11"},{"actions":[],"version":"1,5.11"}],` +
			`"web":[{"version":"1,5.11"}]},"b.org":{"web":[{"actions":["depend fmri=a type=require"],"version":"3,5.11"},{"actions":["depend fmri=a type=require"],"version":"2,5.11","x":[]}]}}`,
	})
	return read(t, fsys, nil)
}

// indexes returns the bytes of some small indexes.
func indexes(t testing.TB) [][]byte {
	t.Helper()
	var list [][]byte
	for _, c := range []*catalog.Catalog{small(t), unusual(t)} {
		var b bytes.Buffer
		if err := c.WriteIndex(&b); err != nil {
			t.Fatal(err)
		}
		list = append(list, b.Bytes())
	}
	return list
}

// FuzzIndex opens indexes in which something was changed and the checksums put right, so
// that only the content is wrong.
func FuzzIndex(f *testing.F) {
	good := indexes(f)
	f.Add(uint32(0), []byte{}, false)
	for i := 16; i < len(good[0]); i += 37 {
		f.Add(uint32(i), []byte{0xff}, i%2 == 0)
		f.Add(uint32(i), []byte{0, 0, 0, 0x80}, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, at uint32, change []byte, odd bool) {
		src := bytes.Clone(good[0])
		if odd {
			src = bytes.Clone(good[1])
		}
		if n := copy(src[int(at)%len(src):], change); n == 0 && len(change) > 0 {
			return
		}
		reseal(src)
		useIndex(t, src)
	})
}

// TestIndexNumbers puts wrong numbers in the place of each one in an index. All that are not
// right must be noticed, or do no harm.
func TestIndexNumbers(t *testing.T) {
	for _, good := range indexes(t) {
		useIndex(t, good)
		for i := 0; i+4 <= len(good); i += 4 {
			n := binary.LittleEndian.Uint32(good[i:])
			sometimes := []uint32{1, 4, n - 1, n << 8, 1 << 20}
			for _, wrong := range []uint32{0, n + 1, n - 4, math.MaxUint32, sometimes[i/4%len(sometimes)]} {
				src := bytes.Clone(good)
				binary.LittleEndian.PutUint32(src[i:], wrong)
				reseal(src)
				useIndex(t, src)
			}
		}
	}
}

// reseal corrects the checksums of an index as far as it can.
func reseal(src []byte) {
	const tailSize, block, entry = 32, 8 << 10, 24
	if len(src) < tailSize {
		return
	}
	tail := src[len(src)-tailSize:]
	end := binary.LittleEndian.Uint64(tail)
	sections := uint64(binary.LittleEndian.Uint32(tail[8:]))
	if end > uint64(len(src)-tailSize) || sections*entry > uint64(len(src)-tailSize)-end {
		return
	}
	dir := src[end : len(src)-tailSize]
	table := crc32.MakeTable(crc32.Castagnoli)
	sums := dir[sections*entry:]
	for i := uint64(0); i*block < end && i*4+4 <= uint64(len(sums)); i++ {
		binary.LittleEndian.PutUint32(sums[i*4:], crc32.Checksum(src[i*block:min(end, (i+1)*block)], table))
	}
	binary.LittleEndian.PutUint32(tail[12:], crc32.Checksum(dir, table))
}

// useIndex asks an index for all that it has. It must answer, or fail with an error.
func useIndex(t *testing.T, src []byte) {
	t.Helper()
	x, err := catalog.OpenIndex(bytes.NewReader(src), int64(len(src)))
	if err != nil {
		checkIndexError(t, err)
		return
	}
	for _, stem := range []string{"lib/ssl", "web", "none"} {
		if _, err := x.Stem("a.org", stem); err != nil {
			checkIndexError(t, err)
		}
	}
	c, err := x.Catalog()
	if err != nil {
		checkIndexError(t, err)
		return
	}
	for p := range c.All() {
		_, _ = p.FMRI(), p.Metadata()
		for _, part := range c.Parts() {
			for _, err := range p.Actions(part) {
				_ = err
			}
		}
	}
	for f := range c.Files() {
		if _, err := f.WriteTo(io.Discard); err != nil {
			checkIndexError(t, err)
		}
	}
	for range c.Newest() {
		break
	}
}

func checkIndexError(t *testing.T, err error) {
	t.Helper()
	var format *catalog.FormatError
	var signature *catalog.SignatureError
	if !errors.As(err, &format) && !errors.As(err, &signature) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, io.EOF) {
		t.Fatalf("unexpected type of error %T: %v", err, err)
	}
}
