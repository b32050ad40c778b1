package examples_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs are what the scenarios run.
var programs = []string{"inventory", "mirror", "pkgrecv", "pkgrepo", "pkgsend", "whatif"}

// TestScripts runs the scenarios below testdata/scripts and, where IPS_SCRIPTS names a
// directory, those in it. They say what the programs of the reference do.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the scenarios need a POSIX shell")
	}
	bin := build(t)
	dirs := []string{filepath.Join("testdata", "scripts")}
	if dir := os.Getenv("IPS_SCRIPTS"); dir != "" {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		testscript.Run(t, testscript.Params{
			Dir:                 dir,
			RequireExplicitExec: true,
			Setup:               func(e *testscript.Env) error { return setup(e, bin) },
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"exit": exit, "publish": publish, "cmpcols": cmpcols, "cmpset": cmpset,
				"jsoncmp": jsoncmp, "jsonsub": jsonsub, "count": count, "sub": sub, "mode": mode, "linkto": linkto,
			},
		})
	}
}

// build builds the programs. It reads the module's sources, so that a test result is
// not taken from the cache when one of them has changed.
func build(t *testing.T) string {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range programs {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./"+name).CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", name, err, out)
		}
	}
	return bin
}

// setup prepares the environment of a scenario.
func setup(e *testscript.Env, bin string) error {
	e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	e.Setenv("LC_ALL", "C.UTF-8")
	e.Setenv("TZ", "UTC")
	home := filepath.Join(e.WorkDir, ".home")
	e.Setenv("HOME", home)
	return os.MkdirAll(home, 0o755)
}

// exit N PROGRAM ARG...: the program must exit with status N.
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit N PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var status *exec.ExitError
		if !errors.As(err, &status) {
			ts.Fatalf("%v", err)
		}
		got = status.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d", args[1], got, want)
	}
}

var beginning = regexp.MustCompile(`(?m)^set name=pkg\.fmri `)

// publish REPO FILE [DIR...]: each manifest in FILE is published with its own timestamp.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: publish REPO FILE [DIR...]")
	}
	text := ts.ReadFile(args[1])
	starts := beginning.FindAllStringIndex(text, -1)
	if starts == nil {
		ts.Fatalf("publish: no pkg.fmri in %s", args[1])
	}
	options := []string{"-D", "allow-timestamp", "publish", "-s", args[0]}
	for _, dir := range args[2:] {
		options = append(options, "-d", dir)
	}
	name := ts.MkAbs(".manifest")
	for i, start := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		ts.Check(os.WriteFile(name, []byte(text[start[0]:end]), 0o644))
		ts.Check(ts.Exec("pkgsend", append(options, name)...))
	}
	ts.Check(os.Remove(name))
}

// count N GLOB: exactly N paths match.
func count(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: count N GLOB")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(found) != want {
		ts.Fatalf("%d paths match %s, want %d: %v", len(found), args[1], want, found)
	}
}
