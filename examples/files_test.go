package examples_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// jsonsub FILE WANT: an object that has at least the members of WANT, with equal values.
func jsonsub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsonsub FILE WANT")
	}
	var got, want map[string]any
	ts.Check(json.Unmarshal([]byte(output(ts, args[0])), &got))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &want))
	for name, value := range want {
		if member, ok := got[name]; !ok || !sameJSON(member, value) {
			ts.Fatalf("%s: %q is %v and not %v", args[0], name, member, value)
		}
	}
}

// sub FILE RE TEXT: replaces all matches, of which there must be one.
func sub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sub FILE RE TEXT")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !re.MatchString(text) {
		ts.Fatalf("%s has nothing that matches %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(re.ReplaceAllString(text, args[2])), 0o644))
}

// mode FILE OCTAL: the permission bits of a file, also of one that is a link.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	got := uint64(info.Mode().Perm())
	for bit, flag := range map[uint64]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky} {
		if info.Mode()&flag != 0 {
			got |= bit
		}
	}
	if got != want {
		ts.Fatalf("%s has mode %04o and not %04o", args[0], got, want)
	}
}

// linkto LINK TARGET: a symbolic link with exactly that text.
func linkto(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: linkto LINK TARGET")
	}
	text, err := os.Readlink(ts.MkAbs(args[0]))
	ts.Check(err)
	if (text == args[1]) == neg {
		ts.Fatalf("%s is a link to %q", args[0], text)
	}
}
