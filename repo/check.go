package repo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Check yields everything that is wrong with what the repository has of some
// publishers or, without any, of all: the files of their catalogs, all manifests
// that are stored, listed or not, and all packages as Verify does. What a writer
// changes meanwhile may be reported as damaged.
func (r *Repository) Check(ctx context.Context, opts *VerifyOptions, publishers ...string) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		names, err := r.known(ctx, publishers)
		if err != nil {
			yield(Finding{}, err)
			return
		}
		var all []fmri.FMRI
		for _, name := range names {
			found, err := r.checkCatalog(ctx, r.home(name))
			pkgs, more, err2 := r.stored(ctx, r.home(name))
			if err := join(err, err2); err != nil {
				yield(Finding{}, &Error{Op: "check", Publisher: name, Err: err})
				return
			}
			for _, f := range append(found, more...) {
				if !yield(f, nil) {
					return
				}
			}
			all = append(all, pkgs...)
		}
		for f, err := range Verify(ctx, r, slices.Values(all), opts) {
			if !yield(f, err) {
				return
			}
		}
	}
}

// known returns the given publishers, all of which must be there, or all there
// are.
func (r *Repository) known(ctx context.Context, publishers []string) ([]string, error) {
	if len(publishers) == 0 {
		return r.Publishers(ctx)
	}
	for _, name := range publishers {
		if err := r.checkPublisher(ctx, name); err != nil {
			return nil, &Error{Op: "check", Publisher: name, Err: err}
		}
	}
	return publishers, nil
}

// checkCatalog returns what is wrong with the files of a catalog.
func (r *Repository) checkCatalog(ctx context.Context, h home) ([]Finding, error) {
	var found []Finding
	report := func(name string, err error) {
		found = append(found, Finding{Fault: BadCatalog, Publisher: h.publisher, Name: h.catalogDir() + "/" + name, Err: err})
	}
	r.state(h.publisher).remember(nil, nil) // read it again
	if _, err := r.readCatalog(ctx, h); err != nil {
		report(damagedFile(err), err)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	text, err := readObject(ctx, r.store, h.attrs(), maxAttrs)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return found, err
	}
	attrs, err := catalog.ParseAttrs(text, nil)
	if err != nil {
		return found, nil // reported above
	}
	files := append(slices.Concat(attrs.Parts, attrs.Updates), catalog.FileAttrs{Name: attrsName})
	for _, file := range files {
		if err := r.checkFile(ctx, h, file); err != nil {
			report(file.Name, err)
		}
	}
	return found, ctx.Err()
}

// damagedFile returns the file of a catalog that an error is about.
func damagedFile(err error) string {
	var sig *catalog.SignatureError
	var format *catalog.FormatError
	switch {
	case errors.As(err, &sig):
		return path.Base(sig.File)
	case errors.As(err, &format):
		return path.Base(format.File)
	}
	return attrsName
}

// checkFile compares the bytes of a file of a catalog with the signature at their
// end, which there must be, and that with what the attributes say.
func (r *Repository) checkFile(ctx context.Context, h home, file catalog.FileAttrs) error {
	name := h.catalogDir() + "/" + file.Name
	text, err := readObject(ctx, r.store, name, maxPart)
	if err != nil {
		return err
	}
	got, signed := signatureOf(text)
	want := cmp.Or(file.Signature, signed)
	if signed == "" || want != got || want != signed {
		return &catalog.SignatureError{File: name, Got: got, Want: want}
	}
	return nil
}

// maxPart bounds the size of a file of a catalog that is read into memory, in bytes. The
// largest there are have a quarter of that.
const maxPart = 512 << 20

// signatureOf returns the digest of what is signed in a file of a catalog, and
// the signature that the file ends with. Both are "" if it is not signed.
func signatureOf(text []byte) (got, signed string) {
	const key = `"_SIGNATURE":{"sha-1":"`
	i := bytes.LastIndex(text, []byte(key))
	if i < 0 {
		return "", ""
	}
	signed, ok := strings.CutSuffix(string(text[i+len(key):]), "\"}}\n")
	if !ok {
		return "", ""
	}
	content := bytes.TrimSuffix(text[:i], []byte(","))
	return manifest.SHA1.Sum(slices.Concat(content, []byte("}\n"))).Hex(), signed
}

// stored returns the packages that are listed or have a stored manifest, sorted,
// and reports objects among the manifests that are none.
func (r *Repository) stored(ctx context.Context, h home) ([]fmri.FMRI, []Finding, error) {
	have := map[fmri.FMRI]bool{}
	if c, err := r.tryCatalog(ctx, h); err == nil {
		for p := range c.All() {
			have[p.FMRI()] = true
		}
	}
	var found []Finding
	for info, err := range r.store.List(ctx, h.packages()) {
		if err != nil {
			return nil, nil, err
		}
		f, err := h.packageOf(info.Name)
		if err != nil {
			err = fmt.Errorf("not the name of a manifest: %w", err)
			found = append(found, Finding{Fault: BadManifest, Publisher: h.publisher, Name: info.Name, Err: err})
			continue
		}
		have[f] = true
	}
	return sortedNames(have), found, nil
}
