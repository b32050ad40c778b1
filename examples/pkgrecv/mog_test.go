package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/manifest/transform"
)

const signed = `# Signed.
set name=pkg.fmri value=pkg://test.org/quilt@1.0,5.11-0:20250101T000000Z
dir path=opt mode=0755 owner=root group=sys
signature algorithm=sha256 value=00
`

// transformer returns what changes manifests by the texts of files of rules.
func transformer(t *testing.T, texts ...string) (change func(*manifest.Manifest) (*manifest.Manifest, error), out, errs *strings.Builder) {
	t.Helper()
	o := &options{}
	for _, text := range texts {
		name := filepath.Join(t.TempDir(), "t.mog")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		o.mog = append(o.mog, name)
	}
	out, errs = &strings.Builder{}, &strings.Builder{}
	change, err := o.transformer(out, errs)
	if err != nil {
		t.Fatal(err)
	}
	return change, out, errs
}

// TestSignatures has a signed package: it keeps its signature only if it stays as it is.
func TestSignatures(t *testing.T) {
	m := manifesttest.MustParse(signed)
	change, _, errs := transformer(t, "<transform file -> drop>")
	if same, err := change(m); same != m || err != nil || errs.String() != "" {
		t.Errorf("unchanged: %v, %s%s", err, same.Text(), errs)
	}
	change, _, errs = transformer(t, "<transform dir -> set group bin>")
	plain, err := change(m)
	if err != nil {
		t.Fatal(err)
	}
	const want = "set name=pkg.fmri value=pkg://test.org/quilt@1.0,5.11-0:20250101T000000Z\ndir group=bin mode=0755 owner=root path=opt\n"
	if string(plain.Canonical().Text()) != want {
		t.Errorf("changed to %s", plain.Text())
	}
	if !strings.Contains(errs.String(), "quilt") {
		t.Errorf("said is %q", errs)
	}
	// Rules can drop the signature themselves, and then nothing need be said.
	change, _, errs = transformer(t, "<transform signature -> drop>")
	if plain, err := change(m); err != nil || plain.Len() != 2 || errs.String() != "" {
		t.Errorf("dropped: %v, %s%s", err, plain.Text(), errs)
	}
}

// TestTransformer has what rules print, in order, and their orders.
func TestTransformer(t *testing.T) {
	change, out, _ := transformer(t, "<transform dir -> set a 1>", "<transform dir -> print %(a)>\n<transform pkg -> print end>")
	if _, err := change(manifesttest.MustParse(signed)); err != nil {
		t.Fatal(err)
	}
	if out.String() != "1\nend\n" {
		t.Errorf("printed is %q", out)
	}
	change, out, _ = transformer(t, "<transform dir -> print x>\n<transform dir -> exit 3>")
	var exit *transform.ExitError
	if _, err := change(manifesttest.MustParse(signed)); !errors.As(err, &exit) || exit.Code != 3 || out.String() != "" {
		t.Errorf("%v, %q", err, out)
	}
	if change, err := (&options{}).transformer(nil, nil); change != nil || err != nil {
		t.Errorf("without rules: %v", err)
	}
}
