package manifest_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

func TestKey(t *testing.T) {
	tests := []struct {
		text, want string
		ok         bool
	}{
		{"file path=/a", "a", true},
		{"depend type=require-any fmri=b fmri=a", "b", true},
		{"signature algorithm=sha256", "", true},
		{"unknown path=a", "", false},
	}
	for _, test := range tests {
		if got, ok := manifest.MustParseAction(test.text).Key(); got != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %v", test.text, got, ok)
		}
	}
	if _, ok := (manifest.Action{}).Key(); ok {
		t.Error("the zero Action has a key")
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"dir path=a mode=1", "dir mode=1 path=/a", true},
		{"dir path=a mode=0o755", "dir path=a mode=0755", true},
		{"dir path=a b=1 b=2", "dir b=1 path=a b=2", true},
		{"dir path=a b=1 b=2", "dir path=a b=2 b=1", false},
		{"dir path=a mode=755", "dir path=a mode=0755", false},
		{"dir path=a", "dir path=a b=1", false},
		{"file path=a", "file hash=\"\" path=a", true},
		{"file path=a", "file NOHASH path=a", true},
		{"file x path=a", "file y path=a", false},
		{"link path=a", "dir path=a", false},
		{"set a=b", "set value=b name=a", true},
	}
	for _, test := range tests {
		a, b := manifest.MustParseAction(test.a), manifest.MustParseAction(test.b)
		b.Pos.Line = 7
		if a.Equal(b) != test.want || b.Equal(a) != test.want {
			t.Errorf("%q and %q: want %v", test.a, test.b, test.want)
		}
	}
}

// TestCompare lists actions in order. Those on one line compare equal.
func TestCompare(t *testing.T) {
	order := [][]string{
		{"set b=c", "set a=b"},
		{"depend type=require fmri=b", "depend type=optional fmri=a"},
		{"group groupname=a gid=3"},
		{"group groupname=z gid=7"},
		{"group groupname=y", "group groupname=x gid=many", "group groupname=w gid=1024"},
		{"user username=a uid=5 group=g"},
		{"user username=b group=g"},
		{"user username=c uid=2000 group=g"},
		{"dir path=a"},
		{"dir path=a/b"},
		{"file path=b", "file path=a"},
		{"hardlink path=a target=b"},
		{"hardlink path=b target=a"},
		{"link path=b target=a", "link path=a target=b"},
		{"driver name=clone", "driver name=clone x=1"},
		{"driver name=a"},
		{"driver name=z"},
		{"unknown b=1", "unknown a=1"},
		{"license license=b", "license license=a"},
		{"legacy pkg=b", "legacy pkg=a"},
		{"signature algorithm=a", "signature algorithm=b value=1"},
	}
	for i, as := range order {
		for j, bs := range order {
			for _, a := range as {
				for _, b := range bs {
					got := manifest.MustParseAction(a).Compare(manifest.MustParseAction(b))
					if got < 0 != (i < j) || got > 0 != (i > j) {
						t.Errorf("%q and %q compare %d", a, b, got)
					}
				}
			}
		}
	}
}

func TestNewAction(t *testing.T) {
	attrs := []manifest.Attr{{Name: "path", Value: "//usr"}, {Name: "mode", Value: "0755"}}
	a, err := manifest.NewAction(manifest.KindFile, "", attrs...)
	if err != nil || a.String() != "file NOHASH mode=0755 path=usr" {
		t.Errorf("got %v, %v", a, err)
	}
	if attrs[0].Value != "//usr" {
		t.Error("NewAction changed its arguments")
	}
	a.Attrs[1].Value = "0700"
	if attrs[1].Value != "0755" {
		t.Error("the action shares its arguments")
	}
}

// TestNewActionRefuses checks that what no text can express is no action.
func TestNewActionRefuses(t *testing.T) {
	path := manifest.Attr{Name: "path", Value: "a"}
	tests := []struct {
		kind manifest.Kind
		hash string
		attr manifest.Attr
		want manifest.Fault
		name string
	}{
		{0, "", path, manifest.FaultUnknownType, "Kind(0)"},
		{manifest.KindSignature + 1, "", path, manifest.FaultUnknownType, "Kind(14)"},
		{manifest.KindDir, "abc", path, manifest.FaultPayload, "dir"},
		{manifest.KindFile, "a\x00", path, manifest.FaultControl, "hash"},
		{manifest.KindDir, "", manifest.Attr{Name: ""}, manifest.FaultMissingName, ""},
		{manifest.KindDir, "", manifest.Attr{Name: "data"}, manifest.FaultDataName, "data"},
		{manifest.KindFile, "", manifest.Attr{Name: "hash"}, manifest.FaultName, "hash"},
		{manifest.KindDir, "", manifest.Attr{Name: "a b"}, manifest.FaultName, "a b"},
		{manifest.KindDir, "", manifest.Attr{Name: "a=b"}, manifest.FaultName, "a=b"},
		{manifest.KindDir, "", manifest.Attr{Name: "a\"b"}, manifest.FaultName, "a\"b"},
		{manifest.KindDir, "", manifest.Attr{Name: "a\x7f"}, manifest.FaultControl, "a\x7f"},
		{manifest.KindDir, "", manifest.Attr{Name: "a", Value: "\r"}, manifest.FaultControl, "a"},
		{manifest.KindDir, "", manifest.Attr{Name: "a", Value: "\xff"}, manifest.FaultEncoding, "a"},
		{manifest.KindDir, "", path, manifest.FaultRepeatedKey, "path"},
		{manifest.KindUser, "", path, manifest.FaultMissingKey, "username"},
		{manifest.KindSet, "", path, manifest.FaultSetForm, ""},
		{manifest.KindSignature, "", path, manifest.FaultNoAlgorithm, ""},
	}
	for _, test := range tests {
		attrs := []manifest.Attr{{Name: "path", Value: "x"}, test.attr}
		if test.kind == manifest.KindSet {
			attrs[1].Name = "other"
		}
		a, err := manifest.NewAction(test.kind, test.hash, attrs...)
		var syn *manifest.SyntaxError
		if !errors.As(err, &syn) || syn.Fault != test.want || syn.Name != test.name || a.Kind != 0 {
			t.Errorf("%v %q %q: got %v, %v, want %v %q", test.kind, test.hash, test.attr, a, err, test.want, test.name)
		}
		if _, err := (manifest.Action{Kind: test.kind, Hash: test.hash, Attrs: attrs}).AppendText(nil); err == nil {
			t.Errorf("%v %q %q: AppendText takes it", test.kind, test.hash, test.attr)
		}
	}
}

func TestMustParseAction(t *testing.T) {
	defer func() {
		const want = `manifest: "dir": no attributes at offset 3`
		if got := recover(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}()
	manifest.MustParseAction("dir")
}

func TestActionJSON(t *testing.T) {
	in := []manifest.Action{manifest.MustParseAction("dir path=a"), manifest.MustParseAction(`set name=a value="b c"`)}
	text, err := json.Marshal(in)
	if want := `["dir path=a","set name=a value=\"b c\""]`; err != nil || string(text) != want {
		t.Fatalf("got %s, %v, want %s", text, err, want)
	}
	var out []manifest.Action
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(in, out, identical) {
		t.Errorf("got %#v, want %#v", out, in)
	}
	var syn *manifest.SyntaxError
	if err := json.Unmarshal([]byte(`["dir"]`), &out); !errors.As(err, &syn) {
		t.Errorf("got %v, want a SyntaxError", err)
	}
}

// TestManyQuotes reads a value of very many quoted strings. Joined one by one they
// would take minutes.
func TestManyQuotes(t *testing.T) {
	a, err := manifest.ParseAction("dir path=a b=" + strings.Repeat(`"x"`, 1<<20))
	if value, _ := a.Attrs.Get("b"); err != nil || len(value) != 1<<20 {
		t.Errorf("got %d bytes, %v", len(value), err)
	}
}

// TestManyHistoricAttributes reads attributes that each bring another. Growing for
// one at a time would copy hundreds of gigabytes.
func TestManyHistoricAttributes(t *testing.T) {
	const many = 1 << 16
	m, err := manifest.Parse("", []byte("unknown"+strings.Repeat(" opensolaris.zone=x", many)))
	if err == nil {
		t.Fatalf("read %d actions beyond MaxLine", m.Len())
	}
	o := &manifest.Options{MaxLine: 1 << 24}
	m, err = o.Parse("", []byte("unknown"+strings.Repeat(" opensolaris.zone=x", many)))
	if err != nil {
		t.Fatal(err)
	}
	for a := range m.All() {
		if len(a.Attrs) != 2*many {
			t.Errorf("%d attributes, want %d", len(a.Attrs), 2*many)
		}
	}
}

// TestLongDriverName reads a name that is to be put before very many values.
// Together they would take gigabytes.
func TestLongDriverName(t *testing.T) {
	text := "driver name=" + strings.Repeat("x", 1<<19) + strings.Repeat(` clone_perms="a b c"`, 1<<15)
	a, err := manifest.ParseAction(text)
	if perms, _ := a.Attrs.Get("clone_perms"); err != nil || perms != "a b c" {
		t.Errorf("got %d bytes, %v", len(perms), err)
	}
	checkRoundTrip(t, a)
}

// TestLongShortSet has no room in its list for the name.
func TestLongShortSet(t *testing.T) {
	a, err := manifest.ParseAction("set" + strings.Repeat(" a=b", 16))
	if err != nil || len(a.Attrs) != 17 || a.Attrs[0] != (manifest.Attr{Name: "name", Value: "a"}) {
		t.Errorf("got %v, %v", a, err)
	}
}

// TestManyAttributes reads as many attributes as the limit allows, and one more.
func TestManyAttributes(t *testing.T) {
	const most = 1 << 16
	text := "dir path=a" + strings.Repeat(" b=c", most-1)
	if a, err := manifest.ParseAction(text); err != nil || len(a.Attrs) != most {
		t.Errorf("got %d attributes, %v", len(a.Attrs), err)
	}
	var limit *manifest.LimitError
	if _, err := manifest.ParseAction(text + " b=c"); !errors.As(err, &limit) || limit.Limit != "MaxAttrs" {
		t.Errorf("got %v, want a LimitError", err)
	}
}
