package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/transform"
)

// A mogrifier changes manifests by the rules of --mog-file.
type mogrifier struct {
	rules     *transform.Rules
	out, errs io.Writer
}

// anywhere has all files of the machine, as the command line names them.
type anywhere struct{}

func (anywhere) Open(name string) (fs.File, error) { return os.Open(name) }

// transformer returns what changes manifests, nil if nothing does. All rules are read
// before anything else is done.
func (o *options) transformer(out, errs io.Writer) (func(*manifest.Manifest) (*manifest.Manifest, error), error) {
	if len(o.mog) == 0 {
		return nil, nil
	}
	opts := &transform.Options{Includes: []fs.FS{anywhere{}}}
	var files []transform.File
	for _, name := range o.mog {
		text, err := readRules(opts, name)
		if err != nil {
			return nil, err
		}
		files = append(files, transform.File{Name: name, Text: text})
	}
	rules, err := transform.Parse(files, opts)
	if err != nil {
		return nil, err
	}
	return (&mogrifier{rules, out, errs}).change, nil
}

// readRules reads a file of rules, or the standard input.
func readRules(opts *transform.Options, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return opts.ReadFile(name)
}

// change applies the rules to a manifest, and prints what they print.
func (g *mogrifier) change(m *manifest.Manifest) (*manifest.Manifest, error) {
	f, _ := m.FMRI()
	output, err := g.rules.Apply(f.String(), m)
	if err != nil {
		return nil, err
	}
	for _, line := range output.Printed {
		if _, err := fmt.Fprintln(g.out, line); err != nil {
			return nil, err
		}
	}
	changed, err := output.Manifest()
	if err != nil || changed == m {
		return changed, err
	}
	return g.unsigned(changed)
}

// unsigned returns a changed manifest without signatures, which do not fit any more. An
// image would refuse the package for them.
func (g *mogrifier) unsigned(m *manifest.Manifest) (*manifest.Manifest, error) {
	plain := new(manifest.Manifest)
	for a := range m.All() {
		if a.Kind == manifest.KindSignature {
			continue
		}
		if err := plain.Add(a); err != nil {
			return nil, err
		}
	}
	if plain.Len() == m.Len() {
		return m, nil
	}
	f, _ := m.FMRI()
	_, err := fmt.Fprintf(g.errs, "pkgrecv: %v was changed and lost its signatures\n", f)
	return plain, err
}
