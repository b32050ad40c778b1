package catalog_test

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/catalog"
)

// TestLarge reads the large catalogs and writes them back.
func TestLarge(t *testing.T) {
	if os.Getenv("IPS_CORPUS") == "" {
		t.Log("IPS_CORPUS is not set; the large catalogs are not read")
		return
	}
	list, err := largeCatalogs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		c := read(t, l.fs(), nil)
		for f := range c.Files() {
			h, w := sha1.New(), sha1.New()
			if _, err := f.WriteTo(h); err != nil {
				t.Fatal(err)
			}
			l.hashFiles(t, w, f.Name)
			if f.Modified || !bytes.Equal(h.Sum(nil), w.Sum(nil)) {
				t.Errorf("%s: %s is written otherwise", l.name, f.Name)
			}
		}
		for ch := range catalog.Diff(c, l.catalog(t)) {
			t.Errorf("%s: index: %s", l.name, ch)
		}
	}
}

// TestCost prints how much memory a process has had at most, and how much time of processors
// it took, that did one thing. Other than those of a benchmark the figures do not depend on
// what else a machine does; those of a process that does nothing are to be subtracted.
func TestCost(t *testing.T) {
	list, err := largeCatalogs()
	if os.Getenv("IPS_CORPUS") == "" || err != nil {
		t.Log("IPS_CORPUS is not set; no large catalogs are used", err)
		return
	}
	if do := os.Getenv("IPS_CATALOG_PEAK"); do != "" {
		what, n, _ := strings.Cut(do, " ")
		peakOf(t, what, list[len(n)-1])
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		peak, _, _ := strings.Cut(rest, "\n")
		fmt.Printf("peak %s\n", strings.TrimSpace(peak))
		return
	}
	for i, l := range list {
		for _, what := range []string{"nothing", "floor", "json", "refresh", "dependency", "find", "list", "newest", "load", "trust", "verify", "thousand", "publish", "publish+write"} {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCost$")
			cmd.Env = append(os.Environ(), "IPS_CATALOG_PEAK="+what+" "+strings.Repeat("x", i+1))
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			line, _, _ := strings.Cut(string(out), "\n")
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("%s: %-12s %s, processor time %s", l.name, what, line, used)
		}
	}
}

// peakOf does one thing.
func peakOf(t *testing.T, what string, l large) {
	switch what {
	case "floor":
		l.hashFiles(t, io.Discard, allParts...)
	case "json":
		l.decodeJSON(t)
	case "load":
		l.catalog(t)
	case "thousand":
		thousand(t, l.catalog(t))
	case "publish", "publish+write":
		c := l.catalog(t)
		for f := range publish(t, c, thousand(t, c)).Files() {
			if what == "publish" {
				break
			}
			if _, err := f.WriteTo(io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	case "trust", "verify":
		dir := changed(t, l)
		attrs, err := catalog.ParseAttrs(dir["catalog.attrs"].Data, nil)
		if err != nil {
			t.Fatal(err)
		}
		apply(t, l, dir, attrs, what == "trust")
	case "refresh":
		fullRefresh(t, l, filepath.Join(t.TempDir(), "index"))
	case "dependency":
		read(t, l.fs(), &catalog.ReadOptions{Parts: []catalog.Part{catalog.Dependency}})
	case "find":
		if _, err := l.index(t).Stem("openindiana.org", "compress/xz"); err != nil {
			t.Fatal(err)
		}
	case "list":
		list(t, l, (*catalog.Catalog).All)
	case "newest":
		list(t, l, (*catalog.Catalog).Newest)
	}
}
