package image

import (
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// databaseFile is where newer images keep both catalogs, in the directory "state".
// Such images are read and not changed.
const databaseFile = "catalog.db"

const maxDatabase = 2 << 30

// The columns of the table packages.
const (
	columnPublisher = 1
	columnStem      = 2
	columnVersion   = 3
	columnInstalled = 5
	columnBase      = 6
	packageColumns  = 7
)

// A listed package is one row of the table.
type listed struct {
	name      fmri.FMRI
	installed bool
	metadata  []byte
}

// loadDatabase makes the two catalogs from the list of packages in the database. What
// it does not say of them is in the publishers' catalogs, or else in manifests.
func (i *Image) loadDatabase(t, files *tree, s *state) error {
	rows, err := readDatabase(files)
	if err != nil {
		return err
	}
	published := map[string]*catalog.Catalog{}
	known, installed := catalog.Builder{Unsigned: true}, catalog.Builder{Unsigned: true}
	for _, r := range rows {
		p, err := i.describe(t, published, r.name)
		if err != nil {
			return err
		}
		if err := known.AddPackage(p, r.metadata); err != nil {
			return err
		}
		if !r.installed {
			continue
		}
		if err := installed.AddPackage(p, r.metadata); err != nil {
			return err
		}
	}
	if s.known, err = known.Build(); err != nil {
		return err
	}
	s.installed, err = installed.Build()
	return err
}

// describe returns the entry of a package, from its publisher or from its manifest.
func (i *Image) describe(t *tree, published map[string]*catalog.Catalog, f fmri.FMRI) (catalog.Package, error) {
	c, ok := published[f.Publisher()]
	if !ok {
		var err error
		if c, err = readCatalog(i.root, i.meta("publisher", f.Publisher(), "catalog")); err != nil {
			return catalog.Package{}, err
		}
		published[f.Publisher()] = c
	}
	if p, ok := c.Lookup(f); ok {
		return p, nil
	}
	m, err := i.localManifest(t, f, manifest.Digest{})
	if errors.Is(err, fs.ErrNotExist) {
		m, err = nil, nil
	}
	if err != nil {
		return catalog.Package{}, err
	}
	var b catalog.Builder
	if err := b.Add(f, m); err != nil {
		return catalog.Package{}, err
	}
	alone, err := b.Build()
	if err != nil {
		return catalog.Package{}, err
	}
	p, _ := alone.Lookup(f)
	return p, nil
}

// readDatabase reads the list of packages. A database that was being written when its
// program ended is refused: only that program can restore it.
func readDatabase(files *tree) ([]listed, error) {
	for _, suffix := range []string{"-journal", "-wal"} {
		if fi, err := files.lstat(databaseFile + suffix); err == nil && fi.Size() > 0 {
			return nil, &FormatError{File: stateDir + "/" + databaseFile, Msg: "is being written"}
		}
	}
	src, err := files.readFile(databaseFile, maxDatabase)
	if err != nil {
		return nil, err
	}
	d, err := openDatabase(src)
	if err != nil {
		return nil, &FormatError{File: stateDir + "/" + databaseFile, Msg: err.Error()}
	}
	var list []listed
	for row, err := range d.table("packages") {
		if err != nil {
			return nil, &FormatError{File: stateDir + "/" + databaseFile, Msg: err.Error()}
		}
		l, err := readListed(row)
		if err != nil {
			return nil, &FormatError{File: stateDir + "/" + databaseFile, Msg: err.Error()}
		}
		list = append(list, l)
	}
	return list, nil
}

func readListed(row []value) (l listed, err error) {
	if len(row) < packageColumns {
		return l, errDatabase
	}
	v, err := fmri.ParseVersion(string(row[columnVersion].text))
	if err != nil {
		return l, err
	}
	if l.name, err = fmri.New(string(row[columnPublisher].text), string(row[columnStem].text), v); err != nil {
		return l, err
	}
	l.installed = row[columnInstalled].num == 1
	var base struct {
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(row[columnBase].text, &base); err != nil {
		return l, err
	}
	l.metadata = base.Metadata
	return l, nil
}
