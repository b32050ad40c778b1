package search_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/catalog/search"
	"github.com/goips/ips/manifest"
)

// TestTokens has for each action its tokens, as key=token, and behind another "=" the value
// where that is not the key.
func TestTokens(t *testing.T) {
	for action, want := range map[string]string{
		"dir path=usr/bin mode=0755":           "basename=bin path=/usr/bin",
		"dir path=usr/bin/ mode=0755":          "basename=bin path=/usr/bin/",
		"file abc path=/etc/a.conf mode=0644":  "content=abc=abc hash=abc basename=a.conf path=/etc/a.conf",
		"link path=usr/a target=b":             "basename=a path=/usr/a",
		"hardlink path=a target=b":             "basename=a path=/a",
		"user username=joe group=staff uid=1":  "name=joe",
		"group groupname=staff gid=10":         "name=staff",
		"driver name=e1000 alias=a alias=b":    "driver_name=e1000 alias=a alias=b",
		"legacy pkg=SUNWcs name=x":             "legacy_pkg=SUNWcs pkg=SUNWcs",
		"unknown a=b":                          "",
		"license abc license=MIT":              "", // no pkg.content-hash
		"signature algorithm=sha256 version=0": "algorithm=sha256=sha256 signature==",

		"file abc path=a pkg.content-hash=file:sha256:1 pkg.content-hash=gzip:sha256:2 pkg.hash.sha256=3 chash=4": "content=abc=abc hash=abc basename=a path=/a" +
			" pkg.content-hash=file:sha256:1 pkg.content-hash=gzip:sha256:2 pkg.hash.sha256=3",
		"link path=usr/a target=b mediator=java mediator-version=8 mediator-priority=site": "basename=a path=/usr/a mediator=java mediator-version=8 mediator-priority=site",
		"link path=usr/a target=b mediator-version=8":                                      "basename=a path=/usr/a",
		"license abc license=MIT pkg.content-hash=file:sha256:1":                           "license=MIT hash=abc content=abc pkg.content-hash=file:sha256:1",
		"signature abc algorithm=rsa-sha256 value=12 version=0 pkg.content-hash=x":         "certificate=abc=abc algorithm=rsa-sha256=rsa-sha256 signature=12=12 pkg.content-hash=x",

		"depend type=require fmri=pkg:/a/b@1.0":                                "require=a/b@1.0 require=a/b",
		"depend type=require-any fmri=pkg:///a fmri=pkg://p/c/d@2 fmri=e":      "require-any=a require-any=c/d@2 require-any=c/d require-any=e",
		"depend type=require-any fmri=pkg://x":                                 "require-any=pkg://x",
		"depend type=other fmri=a":                                             "",
		"set name=pkg.summary value=tool":                                      "pkg.summary=tool=tool",
		"set name=x value=\"\"":                                                "x==",
		"set name=x value=\" \"":                                               "",
		"set name=x value=\"a b  a\"":                                          "x=a=a_b__a x=b=a_b__a x=a=a_b__a",
		"set name=x value=\"a\tb\"":                                            "x=a\tb=a\tb",
		"set name=x value=a value=\"b c\"":                                     "x=a=a x=b=b_c x=c=b_c",
		"set name=info.classification value=o.c.2008:System/Core value=Games":  "info.classification=System/Core=System/Core info.classification=System=System/Core info.classification=Core=System/Core info.classification=Games=Games info.classification=Games=Games",
		"set name=info.classification value=\"x:A B/C\"":                       "info.classification=A_B/C=A_B/C info.classification=A=A_B/C info.classification=B=A_B/C info.classification=C=A_B/C",
		"set name=info.classification value=a:b:c":                             "info.classification=a:b:c=a:b:c",
		"set name=info.classification value=a:b value=a:b:c":                   "info.classification=a:b=a:b info.classification=a:b:c=a:b:c",
		"set name=pkg.fmri value=pkg://p/a/b/c@1.2,5.11-3:20200102T030405Z":    "pkg.fmri=p/a/b/c=p/a/b/c pkg.fmri=5.11=p/a/b/c pkg.fmri=1.2=p/a/b/c pkg.fmri=20200102T030405Z=p/a/b/c pkg.fmri=a/b/c=p/a/b/c pkg.fmri=b/c=p/a/b/c pkg.fmri=c=p/a/b/c",
		"set name=fmri value=a@1":                                              "fmri=a=a fmri=5.11=a fmri=1=a fmri=a=a",
		"set name=pkg.fmri value=a":                                            "", // no version
		"set name=pkg.fmri value=\"not one\"":                                  "",
		"set name=com.example value=\"Größe\u00a0数 x\"":                        "com.example=Größe=Größe\u00a0数_x com.example=数=Größe\u00a0数_x com.example=x=Größe\u00a0数_x",
		"file NOHASH path=usr/lib/x/../y owner=root group=bin mode=0644 foo=1": "content=NOHASH=NOHASH hash=NOHASH basename=y path=/usr/lib/x/../y",
	} {
		var got []string
		for _, tok := range search.Tokens(manifest.MustParseAction(action)) {
			text := tok.Key + "=" + strings.ReplaceAll(tok.Text, " ", "_")
			if tok.Value != tok.Key {
				text += "=" + strings.ReplaceAll(tok.Value, " ", "_")
			}
			got = append(got, text)
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("%s (-want +got):\n%s", action, d)
		}
	}
}
