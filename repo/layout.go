package repo

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// The names of a repository's objects at its top.
const (
	configName    = "pkg5.repository"
	oldConfigName = "cfg_cache" // version 3
	publishersDir = "publisher"
)

// A home is the part of a repository that belongs to one publisher: the names of
// its objects.
type home struct {
	publisher string
	prefix    string // "publisher/<name>/", or "" in version 3
}

func (h home) catalogDir() string   { return h.prefix + "catalog" }
func (h home) attrs() string        { return h.prefix + "catalog/catalog.attrs" }
func (h home) info() string         { return h.prefix + "pub.p5i" }
func (h home) lock() string         { return h.prefix + "tmp/lock" }
func (h home) journal() string      { return h.prefix + "tmp/ips.journal" }
func (h home) index() string        { return h.prefix + "tmp/ips.index" }
func (h home) packages() string     { return h.prefix + "pkg/" }
func (h home) payloads() string     { return h.prefix + "file/" }
func (h home) quarantine() string   { return h.prefix + "pkg5-quarantine/" }
func (h home) transactions() string { return h.prefix + "trans/" }

// manifest returns the name of a package's manifest.
func (h home) manifest(f fmri.FMRI) string {
	return h.packages() + fmri.Escape(f.Name()) + "/" + fmri.Escape(f.Version().String())
}

// payload returns the name under which a payload is stored.
func (h home) payload(d manifest.Digest) string {
	hex := d.Hex()
	return h.payloads() + hex[:2] + "/" + hex
}

// oldPayload returns the name that repositories before version 4 may use.
func (h home) oldPayload(d manifest.Digest) string {
	hex := d.Hex()
	return h.payloads() + hex[:2] + "/" + hex[2:8] + "/" + hex
}

// packageOf returns the package whose manifest has a name.
func (h home) packageOf(name string) (fmri.FMRI, error) {
	dir, base := path.Split(strings.TrimPrefix(name, h.packages()))
	stem, err1 := fmri.Unescape(strings.TrimSuffix(dir, "/"))
	text, err2 := fmri.Unescape(base)
	if err := join(err1, err2); err != nil {
		return fmri.FMRI{}, err
	}
	v, err := fmri.ParseVersion(text)
	if err != nil {
		return fmri.FMRI{}, err
	}
	f, err := fmri.New(h.publisher, stem, v)
	if err == nil && h.manifest(f) != name {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("not the canonical name of a manifest")}
	}
	return f, err
}

// checkName refuses names of publishers that cannot be: beyond what an FMRI may
// say they begin with a letter or digit.
func checkName(publisher string) error {
	if err := fmri.CheckPublisher(publisher); err != nil {
		return err
	}
	if c := publisher[0]; c|0x20-'a' >= 26 && c-'0' >= 10 {
		return because(fs.ErrInvalid, "publisher %q does not begin with a letter or digit", publisher)
	}
	return nil
}
