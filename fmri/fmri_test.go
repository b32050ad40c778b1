package fmri_test

import (
	"encoding/json"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
)

const full = "pkg://example.org/web/server@2.4,5.11-2024.0:20240702T164744Z"

// TestIdentityAndOrder pins that == and Compare are two things: the build is part
// of the identity and not of the order.
func TestIdentityAndOrder(t *testing.T) {
	a, b := fmri.MustParse("a@1,5.11"), fmri.MustParse("pkg:/a@1,5.12")
	if a == b {
		t.Errorf("%v == %v", a, b)
	}
	if c := a.Compare(b); c != 0 {
		t.Errorf("%v compares with %v as %d", a, b, c)
	}
	for _, same := range []string{"a@1", "/a@1", "pkg:/a@1", "pkg:///a@1", "///a@1,5.11", "a@1 \t\n\v\f\r"} {
		if f := fmri.MustParse(same); f != a {
			t.Errorf("%q gives %q, which is not == %q", same, f, a)
		}
	}
}

// TestSize pins how large values are that catalogs hold by the hundred thousand.
func TestSize(t *testing.T) {
	for _, test := range []struct {
		value any
		want  uintptr
	}{{fmri.FMRI{}, 56}, {fmri.Version{}, 24}, {fmri.Dots(""), 16}, {fmri.Pattern{}, 64}} {
		typ := reflect.TypeOf(test.value)
		if typ.Size() != test.want {
			t.Errorf("%v has %d bytes; want %d", typ, typ.Size(), test.want)
		}
		if !typ.Comparable() {
			t.Errorf("%v is not comparable", typ)
		}
	}
}

// TestZero pins what the documentation says of zero values.
func TestZero(t *testing.T) {
	var f fmri.FMRI
	var v fmri.Version
	var p fmri.Pattern
	if f.IsValid() || v.IsValid() || p.IsValid() {
		t.Error("a zero value is valid")
	}
	if s := f.String() + v.String() + v.Short() + p.String() + string(v.Release()+v.Build()+v.Branch()) + v.Timestamp(); s != "" {
		t.Errorf("zero values print as %q", s)
	}
	if _, ok := v.Time(); ok {
		t.Error("the zero Version has a time")
	}
	if p.Matches(fmri.MustParse("a@1")) || p.MatchesVersion(v) || p.MatchesName("") {
		t.Error("the zero Pattern matches something")
	}
	if fmri.Exactly(f) != p {
		t.Error("the zero FMRI has a pattern")
	}
	if f.WithPublisher("p") != f || f.WithVersion(fmri.MustParseVersion("1")) != f {
		t.Error("the zero FMRI becomes something else by parts")
	}
	if g := fmri.MustParse("a"); f.Compare(g) >= 0 || v.Compare(fmri.MustParseVersion("0")) >= 0 {
		t.Error("zero values do not come first")
	}
}

func TestParseError(t *testing.T) {
	for _, test := range []struct {
		in     string
		kind   fmri.ErrorKind
		offset int
		reason string
	}{
		{"", fmri.BadSyntax, 0, "missing package name"},
		{"@1", fmri.BadSyntax, 0, "missing package name"},
		{"pkg://p", fmri.BadSyntax, 7, "missing / after publisher"},
		{"pkg://p@1/a", fmri.BadSyntax, 7, "missing / after publisher"},
		{"pkg://p/@1", fmri.BadSyntax, 8, "missing package name"},
		{"pkg:a", fmri.BadName, 3, "illegal character in package name"},
		{"a b@1", fmri.BadName, 1, "illegal character in package name"},
		{"pkg:/a/-b", fmri.BadName, 7, "segment of package name begins with neither letter nor digit"},
		{"pkg://p//a", fmri.BadName, 8, "empty segment in package name"},
		{"a//b", fmri.BadName, 2, "empty segment in package name"},
		{"a/@1", fmri.BadName, 2, "empty segment in package name"},
		{"a\n@1", fmri.BadName, 1, "illegal character in package name"},
		{"a\u00a0", fmri.BadName, 1, "illegal character in package name"},
		{"a\x1c", fmri.BadName, 1, "illegal character in package name"},
		{"é", fmri.BadName, 0, "illegal character in package name"},
		{"a@1@2", fmri.BadName, 1, "illegal character in package name"},
		{"a@", fmri.BadVersion, 2, "empty version"},
		{"pkg:/a@01", fmri.BadVersion, 7, "leading zero"},
		{"a@1.", fmri.BadVersion, 4, "number expected"},
		{"a@1,-1", fmri.BadVersion, 4, "number expected"},
		{"a@1.*", fmri.BadVersion, 4, "number expected"},
		{"a@1-1,5.11", fmri.BadVersion, 5, "unexpected character in version"},
		{"a@1:2020", fmri.BadVersion, 8, "timestamp is not YYYYMMDDThhmmssZ"},
		{"a@1:20200101t000000Z", fmri.BadVersion, 12, "timestamp is not YYYYMMDDThhmmssZ"},
		{"a@1:20230229T000000Z", fmri.BadVersion, 4, "timestamp is no date and time of the calendar"},
		{"a@1:20240101T000000Z:", fmri.BadVersion, 20, "unexpected character in version"},
		{"pkg://p_q/a", fmri.BadPublisher, 7, "illegal character in publisher"},
		{"//.p/a@1", fmri.BadPublisher, 2, "publisher begins with a dot"},
		{"//[::1/a@1", fmri.BadPublisher, 6, "publisher is no address in brackets"},
		{"//[]/a@1", fmri.BadPublisher, 3, "empty address"},
		{"//_PRE_/a@1", fmri.BadPublisher, 7, "empty publisher"},
		{"//p q/a b@x", fmri.BadVersion, 10, "number expected"}, // the version is looked at first
	} {
		_, err := fmri.Parse(test.in)
		want := &fmri.ParseError{Kind: test.kind, What: "FMRI", Input: test.in, Offset: test.offset, Reason: test.reason}
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("Parse(%q): %#v\nwant %#v", test.in, err, want)
		}
	}
}

// TestParseErrorText pins the two printed forms.
func TestParseErrorText(t *testing.T) {
	_, err := fmri.Parse("pkg:/wéb\t/server@2.04 ")
	const text = `invalid FMRI "pkg:/wéb\t/server@2.04": leading zero at offset 20`
	if err == nil || err.Error() != text {
		t.Errorf("%v\nwant %s", err, text)
	}
	const caret = "pkg:/wéb./server@2.04\n" +
		"                   ^ leading zero"
	if got := err.(*fmri.ParseError).Caret(); got != caret {
		t.Errorf("\n%s\nwant\n%s", got, caret)
	}
	for kind, want := range map[fmri.ErrorKind]string{fmri.BadPublisher: "BAD_PUBLISHER", 0: "ErrorKind(0)"} {
		if kind.String() != want {
			t.Errorf("%s; want %s", kind, want)
		}
	}
}

func TestParseBuild(t *testing.T) {
	for _, test := range []struct{ in, build, want string }{
		{"a@1-2:20200101T000000Z", "5.12", "pkg:/a@1,5.12-2:20200101T000000Z"},
		{"a@1,5.10", "5.12", "pkg:/a@1,5.10"},
		{"a", "x", "pkg:/a"},
		{"a@1", "x", ""},
		{"a@1", "", ""},
		{"a@1", "5.11-", ""},
	} {
		f, err := fmri.ParseBuild(test.in, fmri.Dots(test.build))
		if f.String() != test.want || (err == nil) != (test.want != "") {
			t.Errorf("ParseBuild(%q, %q) = %q, %v; want %q", test.in, test.build, f, err, test.want)
		}
	}
}

func TestNew(t *testing.T) {
	v := fmri.MustParseVersion("1")
	for _, test := range []struct {
		publisher, name string
		version         fmri.Version
		want            string
	}{
		{"p", "a/b", v, "pkg://p/a/b@1,5.11"},
		{"", "a", fmri.Version{}, "pkg:/a"},
		{"p/q", "a", v, ""},
		{"_PRE_p", "a", v, ""},
		{"p", "", v, ""},
		{"p", "a@1", v, ""},
		{"p", "a\n", v, ""},
	} {
		f, err := fmri.New(test.publisher, test.name, test.version)
		if f.String() != test.want || (err == nil) != (test.want != "") {
			t.Errorf("New(%q, %q, %q) = %q, %v; want %q", test.publisher, test.name, test.version, f, err, test.want)
		}
	}
}

func TestWith(t *testing.T) {
	f := fmri.MustParse(full)
	for _, test := range []struct{ got, want fmri.FMRI }{
		{f.WithPublisher("q").WithVersion(fmri.MustParseVersion("3")), fmri.MustParse("pkg://q/web/server@3")},
		{f.WithPublisher(""), fmri.MustParse("/web/server@2.4,5.11-2024.0:20240702T164744Z")},
		{f.WithVersion(fmri.Version{}), f.Stem()},
		{f.WithPublisher("a b"), fmri.FMRI{}},
	} {
		if test.got != test.want {
			t.Errorf("%v; want %v", test.got, test.want)
		}
	}
}

func TestCheckPublisher(t *testing.T) {
	valid := []string{"example.com", "solaris", "-a", "a..b", "a.", "a-", "1.2.3.4", "[::1]", "[1:2:3]", "[::ffff:1.2.3.4]"}
	for _, s := range valid {
		if err := fmri.CheckPublisher(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "a_b", ".a", "a:b", "a b", "a/b", "é", "_PRE_a", "[", "[]", "[::1", "[::1]x", "[g]"} {
		if err := fmri.CheckPublisher(s); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}

func TestFormat(t *testing.T) {
	f := fmri.MustParse(full)
	for _, test := range []struct {
		form fmri.Form
		want string
	}{
		{fmri.Canonical, full},
		{fmri.Short, "pkg://example.org/web/server@2.4-2024.0"},
		{fmri.OmitTime, "pkg://example.org/web/server@2.4,5.11-2024.0"},
		{fmri.OmitScheme | fmri.OmitBuild, "example.org/web/server@2.4-2024.0:20240702T164744Z"},
		{fmri.OmitScheme | fmri.OmitPublisher | fmri.Short, "web/server@2.4-2024.0"},
	} {
		if got := f.Format(test.form); got != test.want {
			t.Errorf("form %#b: %s; want %s", test.form, got, test.want)
		}
	}
	if got := f.Stem().Format(fmri.Short); got != "pkg://example.org/web/server" {
		t.Errorf("stem: %s", got)
	}
}

// TestOldPublisher pins how the preferred publisher of old images is read.
func TestOldPublisher(t *testing.T) {
	f := fmri.MustParse("pkg://_PRE_p/a@1")
	if f.Publisher() != "_PRE_p" || f.String() != "pkg:/a@1,5.11" || f.Format(fmri.OmitScheme) != "a@1,5.11" {
		t.Errorf("publisher %q, text %q", f.Publisher(), f)
	}
}

func TestEscape(t *testing.T) {
	for _, test := range []struct{ text, escaped string }{
		{"", ""},
		{"plain-A_z.0~9", "plain-A_z.0~9"},
		{"a/b+c", "a%2Fb%2Bc"},
		{"1.0,5.11-2:20200101T000000Z", "1.0%2C5.11-2%3A20200101T000000Z"},
		{"100%@é\x00", "100%25%40%C3%A9%00"},
	} {
		if got := fmri.Escape(test.text); got != test.escaped {
			t.Errorf("Escape(%q) = %q; want %q", test.text, got, test.escaped)
		}
		if got, err := fmri.Unescape(test.escaped); got != test.text || err != nil {
			t.Errorf("Unescape(%q) = %q, %v; want %q", test.escaped, got, err, test.text)
		}
	}
	if got, err := fmri.Unescape("a%2fb,c"); got != "a/b,c" || err != nil {
		t.Errorf("lax form: %q, %v", got, err)
	}
	for _, bad := range []string{"%", "a%2", "%2g", "%+1", "%%41"} {
		if got, err := fmri.Unescape(bad); err == nil {
			t.Errorf("Unescape(%q) = %q", bad, got)
		}
	}
}

func TestPaths(t *testing.T) {
	f := fmri.MustParse("pkg://p/a/b+c@1.0-2:20200101T000000Z")
	const dir, url = "a%2Fb%2Bc/1.0%2C5.11-2%3A20200101T000000Z", "a%2Fb%2Bc@1.0%2C5.11-2%3A20200101T000000Z"
	if got, err := f.DirPath(); got != dir || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := f.URLPath(); got != url || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := f.Stem().DirPath(); err != fmri.ErrNoVersion {
		t.Errorf("without a version: %q, %v", got, err)
	}
	for _, path := range []string{dir, url, "a%2fb+c/1.0-2:20200101T000000Z"} {
		if g, err := fmri.ParsePath("p", path); g != f || err != nil {
			t.Errorf("ParsePath(%q) = %v, %v", path, g, err)
		}
	}
}

// TestParsePathTraversal: no path of a repository or URL becomes a name that leads
// out of where names are kept.
func TestParsePathTraversal(t *testing.T) {
	for _, path := range []string{
		"..", "../1", "..%2F../1", "%2Fetc%2Fpasswd/1", "a/../1", "a/..", "a%2F..%2Fb/1", "a%00/1", "a/1%2F..", "a/", "/1", "%/1", "a/%",
	} {
		if f, err := fmri.ParsePath("p", path); err == nil {
			t.Errorf("ParsePath(%q) = %v", path, f)
		}
	}
	if f, err := fmri.ParsePath("..", "a/1"); err == nil {
		t.Errorf("publisher ..: %v", f)
	}
}

func TestText(t *testing.T) {
	type record struct {
		F fmri.FMRI
		V fmri.Version
		P fmri.Pattern
		M map[fmri.FMRI]int
	}
	in := record{fmri.MustParse(full), fmri.MustParseVersion("1"), fmri.MustParsePattern("//p/a*@1.*"), map[fmri.FMRI]int{fmri.MustParse("b"): 1}}
	const want = `{"F":"` + full + `","V":"1,5.11","P":"pkg://p/a*@1.*","M":{"pkg:/b":1}}`
	text, err := json.Marshal(in)
	if err != nil || string(text) != want {
		t.Fatalf("%s, %v", text, err)
	}
	var out record
	if err := json.Unmarshal(text, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"F":"","V":"","P":"","M":{}}`), &out); err != nil || out.F.IsValid() || out.V.IsValid() || out.P.IsValid() {
		t.Errorf("empty text: %v, %v", out, err)
	}
	for _, bad := range []string{`{"F":"@"}`, `{"V":"x"}`, `{"P":"["}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestLogValue(t *testing.T) {
	var b strings.Builder
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	slog.New(h).Info("m", "f", fmri.MustParse("a"), "v", fmri.MustParseVersion("1"), "p", fmri.MustParsePattern("/a"))
	if got, want := b.String(), "level=INFO msg=m f=pkg:/a v=1,5.11 p=pkg:/a\n"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestLongText: names and numbers have no limit, versions have one, and neither
// makes offsets overflow.
func TestLongText(t *testing.T) {
	name := strings.Repeat("n/", 50000) + "n"
	if f, err := fmri.Parse(name); err != nil || f.Name() != name {
		t.Errorf("long name: %v", err)
	}
	digits := strings.Repeat("9", 65535-len(",5.11"))
	v, err := fmri.ParseVersion(digits)
	if err != nil || string(v.Release()) != digits || v.Build() != "5.11" {
		t.Errorf("long version: %v", err)
	}
	if w, err := fmri.ParseVersion(v.String()); w != v || err != nil {
		t.Errorf("long version does not read back: %v", err)
	}
	for _, long := range []string{digits + "9", digits + "99,5.1", strings.Repeat("1.", 1<<17) + "1"} {
		if _, err := fmri.ParseVersion(long); err == nil {
			t.Errorf("version of %d bytes is read", len(long))
		}
		if p, err := fmri.ParsePattern("a@*." + long); err == nil && len(long) > 65535 {
			t.Errorf("pattern %.20q with a version of %d bytes is read", p, len(long))
		}
	}
	if w := v.WithTime(testTime); w.IsValid() {
		t.Error("a timestamp makes a version longer than the longest")
	}
}

func TestSort(t *testing.T) {
	want := []string{
		"pkg:/a", "pkg:/a@9", "pkg:/b@0", "pkg://p/A@1", "pkg://p/a-b@1", "pkg://p/a/b@1.9",
		"pkg://p/a/b@1.10", "pkg://p/a/b@1.10:20200101T000000Z", "pkg://p/a/b@1.10-0", "pkg://q/a@1",
	}
	var list []fmri.FMRI
	for _, s := range want {
		list = append(list, fmri.MustParse(s))
	}
	shuffled := slices.Clone(list)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, fmri.FMRI.Compare)
	if !slices.Equal(shuffled, list) {
		t.Errorf("%v; want %v", shuffled, list)
	}
}

// TestRelations compares each pair of some FMRIs, which differ in everything that
// matters and in what does not.
func TestRelations(t *testing.T) {
	var list []string
	for _, publisher := range []string{"", "pkg://p/", "//q/"} {
		for _, name := range []string{"a", "A", "a/b", "a-b"} {
			for _, version := range []string{"", "@1", "@1,5.12", "@1.0", "@1-1", "@1-1.10", "@1-1.9", "@1:20200101T000000Z", "@10"} {
				list = append(list, publisher+name+version)
			}
		}
	}
	for _, a := range list {
		for _, b := range list {
			f, g := fmri.MustParse(a), fmri.MustParse(b)
			slowF, _ := slowParse(a)
			slowG, _ := slowParse(b)
			if got, want := f.Compare(g), slowF.compare(slowG); got != want {
				t.Errorf("%v compares with %v as %d; want %d", f, g, got, want)
			}
			want := slowF.name == slowG.name && slowCompare(slowF.version, slowG.version) >= 0
			if f.Succeeds(g) != want {
				t.Errorf("%v succeeds %v: %t; want %t", f, g, !want, want)
			}
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"MustParse":        func() { fmri.MustParse("@") },
		"MustParseVersion": func() { fmri.MustParseVersion("") },
		"MustParsePattern": func() { fmri.MustParsePattern("[") },
	} {
		func() {
			defer func() {
				if _, ok := recover().(*fmri.ParseError); !ok {
					t.Errorf("%s does not panic with a ParseError", name)
				}
			}()
			f()
		}()
	}
}
