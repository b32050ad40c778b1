package transform_test

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/transform"
)

// TestCorpus runs the manifests of OpenIndiana, which are written for pkgmogrify. What
// they include from elsewhere is not there, and some look behind; all others must run.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("IPS_CORPUS")
	if dir == "" {
		t.Log("IPS_CORPUS is not set")
		return
	}
	f, err := os.Open(filepath.Join(dir, "manifests", "openindiana.tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var ran, absent, malformed int
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		var syn *manifest.SyntaxError
		switch err := runText(t, h.Name, text); {
		case err == nil:
			ran++
		case errors.Is(err, fs.ErrNotExist):
			absent++
		case errors.As(err, &syn): // one has an include without end
			malformed++
			t.Log(err)
		default:
			t.Error(err)
		}
	}
	t.Logf("%d files ran, %d include others, %d are malformed", ran, absent, malformed)
	if ran < 5000 || malformed > 1 {
		t.Error("these are not the right numbers")
	}
}

// runText runs a file and checks what comes out.
func runText(t *testing.T, name string, text []byte) error {
	t.Helper()
	r, err := transform.Parse([]transform.File{{name, text}}, nil)
	if err != nil {
		return err
	}
	out, err := r.Run()
	if err != nil {
		return err
	}
	checkOutput(t, out)
	return nil
}
