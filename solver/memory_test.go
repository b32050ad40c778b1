package solver_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/solver"
)

// TestMemory shows that one query from the index of a catalog of 76,629 versions
// needs less than 64 MB, in a process of its own: the index is opened, a model
// made, a request answered.
func TestMemory(t *testing.T) {
	if dir := os.Getenv("IPS_SOLVER_PEAK"); dir != "" {
		answerAlone(t, dir)
		return
	}
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("there is no other way to see what a process needs")
	}
	for _, c := range corpora(t)[:min(1, len(corpora(t)))] {
		dir := t.TempDir()
		files := os.DirFS(filepath.Join(unpack(t, filepath.Join(c.dir, "v1.tar.zst")), "v1"))
		writeIndex(t, files, filepath.Join(dir, "index"))
		for _, name := range []string{"e05-mate-newest", "i03-leaf-on-i24d", "u01-update-i21m",
			"u04-update-i17s", "n01-unsat-mate-2022-01", "n11-unsat-mate-2014"} {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemory$")
			cmd.Env = append(os.Environ(), "IPS_SOLVER_PEAK="+dir)
			c.writeQuery(t, name, filepath.Join(dir, "query"))
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			line, _, _ := strings.Cut(string(out), "\n")
			var peak int
			if _, err := fmt.Sscanf(line, "peak %d kB", &peak); err != nil || peak > 64<<10 {
				t.Errorf("%s: %s, %v", name, line, err)
			}
			t.Logf("%-25s %s", name, line)
		}
	}
}

// An alone is a query for another process.
type alone struct {
	Image   solver.Image
	Request solver.Request
}

// writeIndex writes the index of a catalog.
func writeIndex(t testing.TB, files fs.FS, path string) {
	t.Helper()
	known, err := catalog.Read(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := known.WriteIndex(f); err != nil {
		t.Fatal(err)
	}
}

// writeQuery writes a query to a file.
func (c *corpus) writeQuery(t *testing.T, name, path string) {
	t.Helper()
	for _, q := range c.queries {
		if q.Name != name {
			continue
		}
		text, err := json.Marshal(alone{*c.image(q), q.request()})
		if err == nil {
			err = os.WriteFile(path, text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no query %s", name)
}

// answerAlone answers the query in dir, and prints how much memory the process has
// had at most, and how long it took.
func answerAlone(t *testing.T, dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "query"))
	if err != nil {
		t.Fatal(err)
	}
	var q alone
	if err := json.Unmarshal(text, &q); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	known, err := openIndex(t, filepath.Join(dir, "index"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := solver.NewModel(solver.FromCatalog(known))
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	_, err = solver.Solve(t.Context(), model, &q.Image, q.Request)
	if err != nil && solver.CategoryOf(err) == solver.NoCategory {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, _, _ := strings.Cut(rest, "\n")
	fmt.Printf("peak %s, open in %v, all in %v\n", strings.TrimSpace(peak), opened.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
}
