package manifest_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// diff compares values that may hold FMRIs and digests.
func diff(want, got any) string {
	return cmp.Diff(want, got,
		cmp.Comparer(func(a, b fmri.FMRI) bool { return a == b }),
		cmp.Comparer(func(a, b manifest.Payload) bool { return a == b }))
}

const (
	sha1abc   = "a9993e364706816aba3e25717850c26c9cd0d89d"
	sha512abc = "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
	sha1gz    = "5c0c491697f0f91d603c9f247d6c5db2db1a8931"
)

// abc is what an action says about a payload.
var abc = manifest.Payload{
	Content: manifest.DigestsOf(manifest.MustParseDigest(sha1abc), manifest.MustParseDigest("sha512t_256:"+sha512abc)),
	Stored:  manifest.DigestsOf(manifest.MustParseDigest(sha1gz)),
	Size:    3, StoredSize: 23,
}

const abcAttrs = "chash=" + sha1gz + " pkg.content-hash=file:sha512t_256:" + sha512abc + " pkg.csize=23 pkg.size=3"

func number(n int) *int { return &n }

func attrs(pairs ...string) (list manifest.Attrs) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, manifest.Attr{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

// decodeTests are actions that say the same in both layers.
var decodeTests = []struct {
	text  string
	value manifest.Decoded
}{
	{"set name=pkg.summary value=\"a b\"", manifest.Set{Name: "pkg.summary", Values: []string{"a b"}}},
	{"set name=variant.arch value=i386 value=sparc", manifest.Set{Name: "variant.arch", Values: []string{"i386", "sparc"}}},
	{"depend facet.doc=true fmri=pkg:/a@1-2 type=require", manifest.Depend{
		Type: manifest.DependRequire, FMRIs: []fmri.FMRI{fmri.MustParse("a@1-2")}, Extra: attrs("facet.doc", "true"),
	}},
	{"depend fmri=pkg:/a@1,5.12 fmri=pkg://p/b type=require-any", manifest.Depend{
		Type: manifest.DependRequireAny, FMRIs: []fmri.FMRI{fmri.MustParse("a@1,5.12"), fmri.MustParse("pkg://p/b")},
	}},
	{"depend fmri=__TBD predicate=pkg:/b@1 type=conditional", manifest.Depend{
		Type: manifest.DependConditional, FMRIs: []fmri.FMRI{{}}, Predicate: fmri.MustParse("b@1"),
	}},
	{"depend fmri=pkg:/a ignore-check=external root-image=true type=origin", manifest.Depend{
		Type: manifest.DependOrigin, FMRIs: []fmri.FMRI{fmri.MustParse("a")}, RootImage: true, IgnoreCheck: "external",
	}},
	{"group gid=0 groupname=root", manifest.Group{Name: "root", GID: number(0)}},
	{"group groupname=g", manifest.Group{Name: "g"}},
	{"user expire=-1 ftpuser=false gcos-field=\"A B\" group=g group-list=a group-list=b home-dir=/h lastchg=3 login-shell=/bin/sh max=5 min=4 password=UP uid=0 username=u", manifest.User{
		Name: "u", Group: "g", UID: number(0), Password: "UP", Gecos: "A B", HomeDir: "/h", LoginShell: "/bin/sh",
		GroupList: []string{"a", "b"}, NoFTP: true,
		LastChange: number(3), Min: number(4), Max: number(5), Expire: number(-1),
	}},
	{"user ftpuser=true group=g username=u", manifest.User{Name: "u", Group: "g", Extra: attrs("ftpuser", "true")}},
	{"dir group=sys mode=1777 owner=root path=tmp revert-tag=a=* salvage-from=var/tmp", manifest.Dir{
		Path: "tmp", Owner: "root", Group: "sys", Mode: 0o777 | fs.ModeSticky,
		RevertTags: []string{"a=*"}, SalvageFrom: []string{"var/tmp"},
	}},
	{"file " + sha1abc + " " + abcAttrs + " group=bin mode=4755 original_name=a:b overlay=allow owner=root path=usr/bin/x" +
		" preserve=renamenew preserve-version=2 reboot-needed=true release-note=a release-note=b revert-tag=t sysattr=hidden timestamp=20240102T030405Z", manifest.File{
		Path: "usr/bin/x", Owner: "root", Group: "bin", Mode: 0o755 | fs.ModeSetuid,
		Preserve: "renamenew", PreserveVersion: "2", Overlay: "allow", OriginalName: "a:b",
		ReleaseNote: []string{"a", "b"}, RevertTags: []string{"t"}, SysAttrs: []string{"hidden"},
		Timestamp: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), Payload: abc, Extra: attrs("reboot-needed", "true"),
	}},
	{"file usr/src/x group=bin mode=0000 owner=root path=x", manifest.File{
		Path: "x", Owner: "root", Group: "bin", Source: "usr/src/x", Extra: attrs("mode", "0000"),
	}},
	{"dir path=a", manifest.Dir{Path: "a"}},
	{"file NOHASH group=bin mode=0644 owner=\"\" path=x pkg.content-hash=tar:sha9:00 timestamp=never", manifest.File{
		Path: "x", Group: "bin", Mode: 0o644,
		Extra: attrs("owner", "", "pkg.content-hash", "tar:sha9:00", "timestamp", "never"),
	}},
	{"hardlink path=a/b target=../c", manifest.Hardlink{Path: "a/b", Target: "../c"}},
	{"link mediator=java mediator-implementation=x@2 mediator-priority=site mediator-version=1.8 path=a target=/etc/../../b", manifest.Link{
		Path: "a", Target: "/etc/../../b",
		Mediation: manifest.Mediation{Mediator: "java", Version: "1.8", Implementation: "x@2", Priority: "site"},
	}},
	{"driver alias=a alias=b class=c clone_perms=\"m 0600 root sys\" devlink=l name=d perms=\"* 0666 root sys\" policy=p privs=r", manifest.Driver{
		Name: "d", Aliases: []string{"a", "b"}, Classes: []string{"c"}, Policies: []string{"p"}, Privs: []string{"r"},
		DevLinks: []string{"l"}, Perms: []string{"* 0666 root sys"}, ClonePerms: []string{"m 0600 root sys"},
	}},
	{"unknown a=1 path=../x", manifest.Unknown{Extra: attrs("a", "1", "path", "../x")}},
	{"license " + sha1abc + " " + abcAttrs + " license=\"BSD 2\" must-accept=true must-display=false", manifest.License{
		Name: "BSD 2", MustAccept: true, Payload: abc, Extra: attrs("must-display", "false"),
	}},
	{"legacy arch=i386 basedir=/ category=system desc=d hotline=h name=n pkg=SUNWx pkginst=i pstamp=p sunw_prodvers=s vendor=v version=1", manifest.Legacy{
		Pkg: "SUNWx", Arch: "i386", Category: "system", Desc: "d", Hotline: "h", Name: "n", Vendor: "v", Version: "1",
		BaseDir: "/", PkgInst: "i", PStamp: "p", SunwProdVers: "s",
	}},
	{"signature " + sha1abc + " algorithm=rsa-sha256 chain=\"" + sha1abc + " " + sha1gz + "\" chain.chashes=\"" + sha1gz + " " + sha1abc + "\"" +
		" chain.csizes=\"5 6\" chain.sizes=\"10 20\" pkg.chain.sha512t_256=\"" + sha512abc + " " + sha512abc + "\" pkg.csize=23 value=00ff version=0", manifest.Signature{
		Algorithm: "rsa-sha256", Value: "00ff", Version: "0",
		Payload: manifest.Payload{Content: manifest.DigestsOf(manifest.MustParseDigest(sha1abc)), Size: -1, StoredSize: 23},
		Chain: []manifest.Payload{
			{Content: abc.Content, Stored: abc.Stored, Size: 10, StoredSize: 5},
			{
				Content: abc.Content.With(manifest.MustParseDigest(sha1gz)),
				Stored:  manifest.DigestsOf(manifest.MustParseDigest(sha1abc)), Size: 20, StoredSize: 6,
			},
		},
	}},
}

func TestDecode(t *testing.T) {
	for _, test := range decodeTests {
		a := manifest.MustParseAction(test.text)
		value, err := a.Decode()
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if d := diff(test.value, value); d != "" {
			t.Errorf("%s (-want +got)\n%s", test.text, d)
		}
		b, err := test.value.Action().AppendText(nil)
		if err != nil || string(b) != a.String() {
			t.Errorf("got %s, want %s (%v)", b, a, err)
		}
	}
}

// TestDecodeLoose has actions whose values have another text than they were read from.
func TestDecodeLoose(t *testing.T) {
	for _, test := range []struct{ in, out string }{
		{"dir path=a/./b//c/ mode=755", "dir mode=0755 path=a/b/c"},
		{"dir path=a mode=00755", "dir mode=0755 path=a"},
		{"group groupname=g gid=007", "group gid=7 groupname=g"},
		{"depend type=require fmri=a@1,5.11", "depend fmri=pkg:/a@1 type=require"},
		{"license license=x must-accept=TRUE", "license NOHASH license=x must-accept=true"},
		{"user username=u group=g password=''", "user group=g password=UP username=u"},
		{"user username=u group=g login-shell=''", "user group=g login-shell=\"\" username=u"},
		{"file " + sha1abc + " path=a mode=0644 pkg.hash.sha256=" + strings.Repeat("0", 64), "file " + sha1abc + " mode=0644 path=a pkg.content-hash=file:sha256:" + strings.Repeat("0", 64)},
		{"file path=a mode=0644 pkg.size=0 pkg.csize=0", "file NOHASH mode=0644 path=a pkg.csize=0 pkg.size=0"},
		{"file path=a mode=0644 pkg.size=0", "file NOHASH mode=0644 path=a pkg.size=0"},
	} {
		value, err := manifest.MustParseAction(test.in).Decode()
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if b, err := value.Action().AppendText(nil); err != nil || string(b) != test.out {
			t.Errorf("%s became %s, want %s (%v)", test.in, b, test.out, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, test := range []struct{ text, attr string }{
		{"dir path=a mode=''", "mode"},
		{"dir path=a mode=0999", "mode"},
		{"dir path=a mode=0755 mode=0755", "mode"},
		{"dir path=a mode=0755 owner=a owner=b", "owner"},
		{"dir path=../a mode=0755", "path"},
		{"file path=a mode=0644 pkg.size=-1", "pkg.size"},
		{"file path=a mode=0644 pkg.size=99999999999999999999", "pkg.size"},
		{"file path=a mode=0644 pkg.size=1 pkg.size=2", "pkg.size"},
		{"file path=a mode=0644 chash=xyz", "chash"},
		{"file path=a mode=0644 elfarch=i386 elfarch=i386", "elfarch"},
		{"file path=a mode=0644 pkg.content-hash=file:sha256:00", "pkg.content-hash"},
		{"file path=a chash=" + sha1abc + " chash=" + sha1gz, "chash"},
		{"file path=a pkg.content-hash=file:sha256:" + sha512abc + " pkg.content-hash=file:sha256:" + strings.Repeat("0", 64), "pkg.content-hash"},
		{"file path=a pkg.content-hash=file:sha256:" + sha512abc + " pkg.hash.sha256=" + strings.Repeat("0", 64), "pkg.hash.sha256"},
		{"hardlink path=a target=../b", "target"},
		{"hardlink path=a", "target"},
		{"hardlink path=a target=''", "target"},
		{"depend fmri=a", "type"},
		{"depend fmri=a type=maybe", "type"},
		{"depend fmri=a type=require type=require", "type"},
		{"depend fmri=a fmri=b type=require", "fmri"},
		{"depend fmri=a@latest type=require", "fmri"},
		{"depend fmri=a predicate=-b type=conditional", "predicate"},
		{"user username=u group=g uid=x", "uid"},
		{"user username=u group=g uid=99999999999999999999", "uid"},
		{"legacy pkg=a/../b", "pkg"},
		{"legacy pkg=..", "pkg"},
		{"signature algorithm=a chain=x", "chain"},
		{"signature algorithm=a chain=" + sha1abc + " chain.sizes=\"1 2\"", "chain.sizes"},
		{"signature algorithm=a chain.sizes=1", "chain"},
	} {
		_, err := manifest.MustParseAction(test.text).Decode()
		var attr *manifest.AttrError
		if !errors.As(err, &attr) || attr.Name != test.attr {
			t.Errorf("%s: error %v, want one about %s", test.text, err, test.attr)
		}
	}
	if _, err := (manifest.Action{}).Decode(); err == nil {
		t.Error("the zero Action decodes")
	}
}

// TestDecodedZero checks that the zero values cannot be written, so that a forgotten
// field does not make an action of something else.
func TestDecodedZero(t *testing.T) {
	for _, v := range []manifest.Decoded{manifest.File{}, manifest.Dir{}, manifest.Link{}, manifest.Hardlink{}, manifest.Depend{}} {
		if b, err := v.Action().AppendText(nil); err == nil {
			t.Errorf("%T is written as %s", v, b)
		}
	}
}

// TestSetWithoutValues checks that it does not turn into the short form.
func TestSetWithoutValues(t *testing.T) {
	var m manifest.Manifest
	if err := m.Add(manifest.Set{Name: "a"}.Action()); err != nil || string(m.Text()) != "set name=a value=\"\"\n" {
		t.Errorf("%s, %v", m.Text(), err)
	}
}

// TestExtraYields checks that a field takes the place of an attribute of Extra.
func TestExtraYields(t *testing.T) {
	f := manifest.File{Path: "a", Owner: "root", Mode: 0o644, RevertTags: []string{"x"}, Extra: attrs("owner", "", "path", "b", "revert-tag", "y", "facet.a", "true")}
	want := "file NOHASH facet.a=true mode=0644 owner=root path=a revert-tag=x revert-tag=y"
	if got := f.Action().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzDecode checks that a decoded value that is written and read again is the same.
func FuzzDecode(f *testing.F) {
	for _, test := range decodeTests {
		f.Add(test.text)
	}
	f.Add("depend type=require fmri=pkg://_PRE_p/a@1")
	f.Add("file path=a/b mode=04755 elfhash=" + sha1abc + " pkg.content-hash=gelf:sha256:" + strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, text string) {
		a, err := manifest.ParseAction(text)
		if err != nil {
			return
		}
		value, err := a.Decode()
		if err != nil {
			return
		}
		b, err := manifest.NewAction(a.Kind, value.Action().Hash, value.Action().Attrs...)
		if err != nil {
			t.Fatalf("%q: %#v cannot be written: %v", text, value, err)
		}
		again, err := b.Decode()
		if err != nil {
			t.Fatalf("%q: %v does not decode: %v", text, b, err)
		}
		if d := diff(value, again); d != "" {
			t.Fatalf("%q (-first +again)\n%s", text, d)
		}
	})
}

// TestCorpusDecode decodes all actions of real manifests, and those that it writes again.
func TestCorpusDecode(t *testing.T) {
	n, reworded, refused := 0, 0, map[string]int{}
	for name, src := range corpus(t) {
		m, _ := manifest.Parse(name, src)
		for a := range m.All() {
			value, err := a.Decode()
			var attr *manifest.AttrError
			if errors.As(err, &attr) && strings.Contains(attr.Value, "$(") {
				refused[a.Kind.String()+" "+attr.Name]++
				continue
			}
			if err != nil {
				t.Errorf("%s: %v: %v", name, a, err)
				continue
			}
			b := value.Action()
			again, err := b.Decode()
			if d := diff(value, again); d != "" || err != nil {
				t.Errorf("%s: %v: %v (-first +again)\n%s", name, a, err, d)
			}
			if n++; a.String() != b.String() {
				reworded++
			}
		}
	}
	if n > 0 {
		t.Logf("%d actions decoded, %d have another text; refused because of macros: %v", n, reworded, refused)
	}
}
