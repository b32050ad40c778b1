package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"
)

var limits = Limits{String: 1 << 10, Depth: 8, Size: 1 << 20}

// read returns the canonical form of a text, and whether it is canonical itself.
func read(s *Scanner) (string, bool, error) {
	v := s.Value()
	ok := s.End()
	return v, ok, s.Err()
}

func TestValue(t *testing.T) {
	tests := []struct {
		in, want  string
		canonical bool
	}{
		{"{}\n", `{}`, true},
		{"{}", `{}`, false},
		{"{} \n", `{}`, false},
		{"[]\n", `[]`, true},
		{"[1,[2],{\"a\":null}]\n", `[1,[2],{"a":null}]`, true},
		{"{\"b\":1,\"a\":2}\n", `{"a":2,"b":1}`, false},
		{"{ \"a\" : [ true , false ] }\n", `{"a":[true,false]}`, false},
		{`"\u00e9"` + "\n", `"\u00e9"`, true},
		{`"\u00E9"` + "\n", `"\u00e9"`, false},
		{`"é"` + "\n", `"\u00e9"`, false},
		{`"\ud83d\ude00"` + "\n", `"\ud83d\ude00"`, true},
		{`"😀"` + "\n", `"\ud83d\ude00"`, false},
		{`"\u0041"` + "\n", `"A"`, false},
		{`"\b\t\n\f\r\"\\\u0001"` + "\n", `"\b\t\n\f\r\"\\\u0001"`, true},
		{`"\/"` + "\n", `"/"`, false},
		{`"\u007f"` + "\n", "\"\x7f\"", false},
		{"\"\x7f</>&\"\n", "\"\x7f</>&\"", true},
		{`"\u2028"` + "\n", `"\u2028"`, true},
		{`-0.5e+10` + "\n", `-0.5e+10`, true},
	}
	for _, tt := range tests {
		got, canonical, err := read(NewBytes([]byte(tt.in), limits))
		if got != tt.want || canonical != tt.canonical || err != nil {
			t.Errorf("%q: got %q, canonical %v, error %v", tt.in, got, canonical, err)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		in     string
		offset int64
		want   string
	}{
		{``, 0, "truncated: the file ends where a value should be"},
		{`{`, 1, "truncated"},
		{`{"a"`, 4, "truncated: the file ends where : should be"},
		{`{"a":1,}`, 7, "after a comma"},
		{`[1,]`, 3, "after a comma"},
		{`[1 2]`, 3, "want ,"},
		{`{"a":1 "b":2}`, 7, "want ,"},
		{`{a:1}`, 1, "want \""},
		{`{"a":1,"a":2}`, 7, `duplicate key "a"`},
		{`{"a":1,"b":2,"a":3}`, 13, `duplicate key "a"`},
		{`{"b":{"x":1,"y":0,"x":1}}`, 18, `duplicate key "x"`},
		{`[01]`, 1, "invalid number"},
		{`[1.]`, 1, "invalid number"},
		{`[-]`, 1, "invalid number"},
		{`[1e]`, 1, "invalid number"},
		{`[+1]`, 1, "want a value"},
		{`nul`, 0, "want a value"},
		{`truth`, 0, "want a value"},
		{"\"a\nb\"", 2, "control character"},
		{"\"a\xffb\"", 2, "invalid UTF-8"},
		{"\"\xed\xa0\x80\"", 1, "invalid UTF-8"},
		{`"\ud800"`, 1, "half of a surrogate pair"},
		{`"\udc00\ud800"`, 1, "half of a surrogate pair"},
		{`"\x"`, 1, `invalid escape \x`},
		{`"\u12g4"`, 1, `invalid \u escape`},
		{`"abc`, 4, "truncated"},
		{`"abc\`, 5, "truncated"},
		{`{} {}`, 3, "after the end"},
		{strings.Repeat("[", 9), 8, "nested deeper than 8"},
		{`"` + strings.Repeat("x", 1025) + `"`, 0, "longer than 1024"},
		{`"` + strings.Repeat(`\n`, 1025) + `"`, 0, "longer than 1024"},
		{strings.Repeat("1", 1025), 0, "longer than 1024"},
		{"[" + strings.Repeat("1,", 600) + "1]", 1026, "longer than 1024"},
		{strings.Repeat(" ", 1<<20+1), 0, "longer than 1048576"},
	}
	for _, tt := range tests {
		_, _, err := read(NewBytes([]byte(tt.in), limits))
		var bad *Error
		if !errors.As(err, &bad) || bad.Offset != tt.offset || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: got error %v, want %q at %d", tt.in, err, tt.want, tt.offset)
		}
	}
}

// TestReader reads a text that is larger than the window, in pieces of one byte, and
// with strings across its edges.
func TestReader(t *testing.T) {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 3 * maxWindow / 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"key%d":"%s\u00e9\ud83d\ude00","z":[%d]}`, i, strings.Repeat("x", i%100), i)
	}
	b.WriteString("]\n")
	big := Limits{String: 1 << 20, Depth: 8, Size: 1 << 20}
	for name, r := range map[string]io.Reader{
		"whole":          strings.NewReader(b.String()),
		"bytes":          iotest.OneByteReader(strings.NewReader(b.String())),
		"data and error": iotest.DataErrReader(strings.NewReader(b.String())),
	} {
		got, canonical, err := read(New(r, b.Len(), big))
		if err != nil || !canonical || got+"\n" != b.String() {
			t.Errorf("%s: canonical %v, error %v", name, canonical, err)
		}
	}
	small := big
	small.Size = 1000
	if _, _, err := read(New(strings.NewReader(b.String()), b.Len(), small)); err == nil {
		t.Error("no error for a text that is too long")
	}
	want := errors.New("disk on fire")
	_, _, err := read(New(io.MultiReader(strings.NewReader(b.String()[:100000]), iotest.ErrReader(want)), 1<<10, big))
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want that of the reader", err)
	}
}

// TestTruncation cuts a text at every byte.
func TestTruncation(t *testing.T) {
	text := `{"a":["x\u00e9\ud83d\ude00",-1.5e3,true,null],"b":{"c":"\n"}}`
	for i := range len(text) {
		_, _, err := read(NewBytes([]byte(text[:i]), limits))
		var bad *Error
		if !errors.As(err, &bad) || bad.Offset > int64(i) {
			t.Errorf("%q: got error %v", text[:i], err)
		}
	}
}

func TestSkip(t *testing.T) {
	s := NewBytes([]byte(`["abc","abcd","ab"]`), limits)
	s.Begin('[')
	s.More(']')
	for _, wrong := range []string{"ab", "abcd", "", "abc\",\"abcd"} {
		if Skip(s, wrong) && wrong != "abc\",\"abcd" {
			t.Errorf("skipped %q", wrong)
		}
	}
	s = NewBytes([]byte(`["abc","abcd"]`), limits)
	s.Begin('[')
	s.More(']')
	if !Skip(s, "abc") || !s.More(']') || string(s.Str()) != "abcd" || s.More(']') || !s.Canonical() {
		t.Error("does not skip what comes next")
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []byte{0, 1, 31, '"', '\\', 0x7f, 0x80, 0xff, ' ', '!', '#', '[', ']'} {
		for n := range 20 {
			b := bytes.Repeat([]byte{'x'}, 40)
			b[n] = c
			want := 40
			if c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
				want = n
			}
			if got := plain(b); got != want {
				t.Errorf("%q at %d: got %d", c, n, got)
			}
			if Plain(string(b)) != (want == 40) {
				t.Errorf("Plain: %q at %d", c, n)
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	text := []byte(`{"a":["` + strings.Repeat(`abc","`, 1000) + `"],"b":"\u00e9"}`)
	s := &Scanner{}
	if n := testing.AllocsPerRun(100, func() {
		*s = Scanner{limits: Limits{String: 100, Depth: 4, Size: 1 << 20}, stop: 1 << 20, buf: text, end: len(text), rerr: io.EOF, keys: s.keys, tmp: s.tmp}
		for s.Begin('{'); s.More('}'); {
			if string(s.Key()) == "b" {
				s.Str()
				continue
			}
			for s.Begin('['); s.More(']'); {
				s.Str()
			}
		}
	}); n != 0 || s.Err() != nil {
		t.Errorf("%v allocations, error %v", n, s.Err())
	}
}

// canonical is the slow way to the canonical form.
func canonical(src []byte) (string, bool) {
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return "", false
	}
	if _, err := dec.Token(); err != io.EOF {
		return "", false
	}
	return slowText(v), true
}

func slowText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			members = append(members, slowString(k)+":"+slowText(v[k]))
		}
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, slowText(e))
		}
		return "[" + strings.Join(list, ",") + "]"
	case string:
		return slowString(v)
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return "null"
}

func slowString(s string) string {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out := `"`
	for _, r := range s {
		switch {
		case short[r] != "":
			out += short[r]
		case r >= 1<<16:
			hi, lo := utf16.EncodeRune(r)
			out += fmt.Sprintf(`\u%04x\u%04x`, hi, lo)
		case r < ' ' || r >= 0x80:
			out += fmt.Sprintf(`\u%04x`, r)
		default:
			out += string(r)
		}
	}
	return out + `"`
}

// FuzzValue compares the scanner with encoding/json. It may refuse more: encoding/json
// takes broken characters, half surrogate pairs and duplicate keys.
func FuzzValue(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,"é\u00e9\ud83d\ude00"],"_b":null}` + "\n", `[]`, `{"b":1,"a":{"c":[{}]}}`, "\"\x7f\"", `-1.5e+3`, `"\ud800"`, "[\n]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		big := Limits{String: 1 << 20, Depth: 100, Size: 1 << 20}
		got, isCanonical, err := read(NewBytes(src, big))
		streamed, streamedCanonical, streamedErr := read(New(iotest.OneByteReader(bytes.NewReader(src)), 1, big))
		if err == nil && streamed != got || streamedCanonical != isCanonical || fmt.Sprint(streamedErr) != fmt.Sprint(err) {
			t.Fatalf("from memory %q, %v; streamed %q, %v", got, err, streamed, streamedErr)
		}
		want, ok := canonical(src)
		if err != nil {
			var bad *Error
			if !errors.As(err, &bad) || bad.Offset < 0 || bad.Offset > int64(len(src)) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if !ok || got != want || !utf8.ValidString(got) {
			t.Fatalf("got %q, want %q, %v", got, want, ok)
		}
		if isCanonical != (string(src) == got+"\n") {
			t.Fatalf("canonical %v: %q", isCanonical, src)
		}
	})
}

func BenchmarkString(b *testing.B) {
	text := []byte(`["` + strings.Repeat(`depend fmri=pkg:/library/zlib@1.2.13-2023.0.0.1 type=require","`, 10000) + `"]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s := NewBytes(text, Limits{String: 1 << 20, Depth: 8, Size: 1 << 30})
		for s.Begin('['); s.More(']'); {
			s.Str()
		}
		if s.Err() != nil {
			b.Fatal(s.Err())
		}
	}
}
