package catalog

import (
	"fmt"
	"iter"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Package is a handle on one entry: two words, comparable, no copy of the data.
// Handles of different catalogs are never equal. The zero Package is invalid; only
// IsValid may be called on it.
type Package struct {
	c  *Catalog
	id uint32
}

// IsValid reports whether p is a handle on anything.
func (p Package) IsValid() bool { return p.c != nil }

// row returns the place of the entry in its catalog.
func (p Package) row() int { return int(p.id) }

func (p Package) data() *version { return &p.c.versions[p.id] }

// FMRI returns publisher, name and version.
func (p Package) FMRI() fmri.FMRI {
	f, _ := fmri.New(p.Publisher(), p.Name(), p.Version()) // was checked when it was added
	return f
}

// String returns the text of the FMRI.
func (p Package) String() string {
	return "pkg://" + p.Publisher() + "/" + p.Name() + "@" + p.c.version(p.row())
}

// Publisher returns the publisher's name.
func (p Package) Publisher() string { return p.c.publisherOf(int(p.data().stem)).name }

// Name returns the name without publisher and version.
func (p Package) Name() string { return p.c.stem(int(p.data().stem)) }

// Version returns the version.
func (p Package) Version() fmri.Version { return p.c.parsed(p.row()) }

// Obsolete reports whether the version is marked with pkg.obsolete=true.
func (p Package) Obsolete() bool { return p.data().marks&markObsolete != 0 }

// Renamed reports whether the version is marked with pkg.renamed=true.
func (p Package) Renamed() bool { return p.data().marks&markRenamed != 0 }

// ManifestDigest returns the SHA-1 of the manifest's text as it is stored, if the
// catalog has it.
func (p Package) ManifestDigest() (manifest.Digest, bool) {
	row := p.data()
	if row.marks&markDigest == 0 {
		return manifest.Digest{}, false
	}
	d, err := manifest.ParseDigest(fmt.Sprintf("sha1:%x", row.digest))
	return d, err == nil
}

// Metadata returns the JSON object that an image keeps with an entry, or nil.
func (p Package) Metadata() []byte {
	for _, m := range p.c.extraOf(p.row()) {
		if m.Key == metadataKey {
			return []byte(m.JSON)
		}
	}
	return nil
}

const metadataKey = "metadata"

// Actions returns the version's actions in a part, in the manifest's order. An action
// that cannot be parsed is passed as an error, and does not end the sequence.
func (p Package) Actions(part Part) iter.Seq2[manifest.Action, error] {
	return func(yield func(manifest.Action, error) bool) {
		for text, err := range p.Texts(part) {
			var a manifest.Action
			if err == nil {
				a, err = manifest.ParseAction(text)
			}
			if err != nil {
				err = fmt.Errorf("%s: %s: %w", part, p, err)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// Texts returns the texts of the version's actions in a part, without parsing them.
func (p Package) Texts(part Part) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		t, err := p.c.table(part)
		if err != nil {
			yield("", err)
			return
		}
		for _, id := range t.list(p.row()) {
			if !yield(t.Text(id), nil) {
				return
			}
		}
	}
}

// Depends returns the version's dependencies. One that cannot be understood is passed
// as an error, and does not end the sequence.
func (p Package) Depends() iter.Seq2[manifest.Depend, error] {
	return func(yield func(manifest.Depend, error) bool) {
		for a, err := range p.Actions(Dependency) {
			if err == nil && a.Kind != manifest.KindDepend {
				continue
			}
			var d manifest.Depend
			if err == nil {
				d, err = decodeDepend(a)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

func decodeDepend(a manifest.Action) (manifest.Depend, error) {
	decoded, err := a.Decode()
	d, _ := decoded.(manifest.Depend)
	return d, err
}

// Compare orders entries by publisher, name and version, then by the version's text.
func (p Package) Compare(q Package) int {
	return compareAt(p.c, p.row(), q.c, q.row())
}
