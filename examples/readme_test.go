package examples_test

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	goBlock  = regexp.MustCompile("(?s)\n```go\n(.*?)\n```\n")
	selector = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)
)

// TestREADME makes a program of the examples of README.md, one function of each in their
// order, and runs it. What they take for granted is in testdata/readme.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	var bodies []string
	for _, found := range goBlock.FindAllSubmatch(text, -1) {
		bodies = append(bodies, string(found[1]))
	}
	require.GreaterOrEqual(t, len(bodies), 10)

	source, err := format.Source([]byte(exampleFile(bodies)))
	require.NoError(t, err)
	given, err := os.ReadFile(filepath.Join("testdata", "readme", "main.go"))
	require.NoError(t, err)
	program, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(program, "examples.go"), source, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(program, "main.go"), given, 0o644))
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(program, "readme"),
		filepath.Join(program, "main.go"), filepath.Join(program, "examples.go")).CombinedOutput()
	require.NoError(t, err, "%s", said)
	cmd := exec.CommandContext(t.Context(), filepath.Join(program, "readme"))
	cmd.Dir = dir
	said, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	for i := range bodies {
		require.Contains(t, string(said), fmt.Sprintf("-- %d --\n", i+1))
	}
	require.DirExists(t, filepath.Join(dir, "root", "usr", "bin"), "the image that is made")
}

// exampleFile returns the file that lists functions with these bodies.
func exampleFile(bodies []string) string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n")
	paths := importPaths()
	seen := map[string]bool{}
	for _, m := range selector.FindAllStringSubmatch(strings.Join(bodies, "\n"), -1) {
		if path := paths[m[1]]; path != "" && !seen[path] {
			seen[path] = true
			fmt.Fprintf(&b, "%q\n", path)
		}
	}
	b.WriteString(")\n\nvar examples = []func() error{\n")
	for _, body := range bodies {
		end := "\nreturn nil"
		if last := body[strings.LastIndexByte(body, '\n')+1:]; strings.HasPrefix(last, "return ") {
			end = ""
		}
		fmt.Fprintf(&b, "func() error {\n%s%s\n},\n", body, end)
	}
	b.WriteString("}\n")
	return b.String()
}

// importPaths returns what the names before a dot may stand for in README.md.
func importPaths() map[string]string {
	paths := map[string]string{"errors": "errors", "fmt": "fmt", "os": "os"}
	for _, path := range []string{
		"fmri", "manifest", "manifest/transform", "catalog", "catalog/upkeep", "catalog/search",
		"archive", "solver", "solver/plan", "repo", "repo/store", "repo/image",
	} {
		paths[path[strings.LastIndexByte(path, '/')+1:]] = "github.com/goips/ips/" + path
	}
	return paths
}
