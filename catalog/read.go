package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
)

// Read reads and verifies the catalog in a directory. If there is none the error
// matches [fs.ErrNotExist]. Other errors are of type [*FormatError] or
// [*SignatureError], or are those of fsys.
//
// The parts are streamed: they are never in memory as a whole.
func Read(fsys fs.FS, opts *ReadOptions) (*Catalog, error) {
	limits := opts.limits()
	src, err := readFile(fsys, attrsName, limits.File)
	if err != nil {
		return nil, err
	}
	attrs, canonical, err := parseAttrs(src, limits)
	if err != nil {
		return nil, err
	}
	if attrs.Signature == "" && opts.wantsSigned() {
		return nil, &SignatureError{File: attrsName}
	}
	r := reader{fsys: fsys, opts: opts, limits: limits}
	c := r.indexed(attrs)
	if c == nil {
		if c, err = r.catalog(attrs); err != nil {
			return nil, err
		}
	}
	c.attrsChanged = !canonical
	return c, nil
}

// indexed returns the catalog from the index if it fits, alone or with update logs.
func (r *reader) indexed(attrs *Attrs) *Catalog {
	if r.opts == nil || r.opts.Index == nil || r.opts.Salvage {
		return nil
	}
	x := r.opts.Index
	c, err := x.Catalog()
	if err != nil || !r.covers(c) {
		return nil
	}
	if bytes.Equal(x.text, attrs.appendText(nil, attrs.Signature)) {
		r.backUp(c)
		return c
	}
	plan, err := r.planFrom(c, attrs)
	if err != nil || plan.Full || plan.Nothing || plan.parts() {
		return nil
	}
	if c, err = r.incremental(c, attrs, plan); err != nil {
		return nil
	}
	for _, p := range c.parts {
		p.changed = false // the directory has the parts already
	}
	return c
}

// backUp makes parts that turn out to be damaged in an index come from their files.
func (r *reader) backUp(c *Catalog) {
	for _, p := range c.parts {
		if load := p.load; load != nil {
			p.load = sync.OnceValues(func() (*table, error) {
				if t, err := load(); err == nil {
					return t, nil
				}
				q := &part{FileAttrs: p.FileAttrs}
				err := r.table(&Catalog{columns: c.columns, unsigned: c.unsigned}, q)
				return q.table, err
			})
		}
	}
}

// covers reports whether a catalog has all parts that are wanted.
func (r *reader) covers(c *Catalog) bool {
	return !slices.ContainsFunc(c.parts, func(p *part) bool {
		return p.skipped && r.wants(p.Name) && Part(p.Name).Locale() == Base.Locale()
	})
}

// readFile reads a small file whole.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var buf bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() < limit {
		buf.Grow(int(info.Size()) + bytes.MinRead)
	}
	_, err = buf.ReadFrom(io.LimitReader(f, limit+1))
	return buf.Bytes(), err
}

// A reader reads the parts that attributes list.
type reader struct {
	fsys   fs.FS
	opts   *ReadOptions
	limits *Limits
	plan   []string // only these parts; nil means all that opts want
}

// catalog reads all parts that are wanted.
func (r *reader) catalog(attrs *Attrs) (*Catalog, error) {
	c := newCatalog(attrs)
	base := c.part(Base)
	if base == nil {
		if attrs.Versions != 0 && !r.salvage() {
			return nil, &FormatError{File: attrsName, Err: fmt.Errorf("%d versions but no %s", attrs.Versions, Base)}
		}
		return c, nil
	}
	if err := r.base(c, base); err != nil {
		return nil, err
	}
	if err := r.checkCounts(attrs, c); err != nil {
		return nil, err
	}
	if err := r.tables(c); err != nil {
		return nil, err
	}
	c.markStates()
	return c, nil
}

func (r *reader) salvage() bool { return r.opts != nil && r.opts.Salvage }

// checkCounts compares the counts of the attributes with the base part.
func (r *reader) checkCounts(attrs *Attrs, c *Catalog) error {
	if got := len(c.stems); got != attrs.Packages && !r.salvage() {
		return &FormatError{File: attrsName, Err: fmt.Errorf("package-count is %d, but %s has %d", attrs.Packages, Base, got)}
	}
	if got := len(c.versions); got != attrs.Versions && !r.salvage() {
		return &FormatError{File: attrsName, Err: fmt.Errorf("package-version-count is %d, but %s has %d", attrs.Versions, Base, got)}
	}
	return nil
}

// base reads the base part.
func (r *reader) base(c *Catalog, p *part) error {
	return r.file(p, func(f *file) error {
		d := &baseDecoder{s: f.s, limits: r.limits}
		if err := f.decode(d); err != nil {
			return err
		}
		cols, err := d.columns()
		if err != nil {
			return fileError(f.name, err)
		}
		p.meta, p.order = f.meta, d.order
		c.columns = *cols
		return nil
	}, c)
}

// tables reads the other parts.
func (r *reader) tables(c *Catalog) error {
	for _, p := range c.parts {
		p.skipped = p.Name != string(Base) && !r.wants(p.Name)
	}
	return eachPart(c, r.opts.parallel(), func(p *part) error {
		if p.Name == string(Base) || p.skipped {
			return nil
		}
		err := r.table(c, p)
		if errors.Is(err, fs.ErrNotExist) && Part(p.Name).Locale() != Base.Locale() {
			p.skipped = true // a client has only the languages it asked for
			return nil
		}
		return err
	})
}

// wants reports whether a part besides the base part is to be read.
func (r *reader) wants(name string) bool {
	if r.plan != nil && !slices.Contains(r.plan, name) {
		return false
	}
	return r.opts == nil || r.opts.Parts == nil || slices.Contains(r.opts.Parts, Part(name))
}

// eachPart calls f for every part of c, for several at the same time.
func eachPart(c *Catalog, parallel int, f func(*part) error) error {
	errs := make([]error, len(c.parts))
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, p := range c.parts {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = f(p)
			<-slots
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// table reads one dependency or summary part.
func (r *reader) table(c *Catalog, p *part) error {
	return r.file(p, func(f *file) (err error) {
		d := newTableDecoder(f.s, &c.columns, r.salvage())
		defer d.queue.finish()
		if err := f.decode(d); err != nil {
			return err
		}
		p.meta, p.order = f.meta, d.order
		p.table, err = d.table()
		return fileError(f.name, err)
	}, c)
}

// file opens the file of a part, has it decoded and verifies it.
func (r *reader) file(p *part, decode func(*file) error, c *Catalog) error {
	in, err := r.fsys.Open(p.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	f := newFile(p.Name, in, r.limits)
	defer f.d.Close()
	if err := decode(f); err != nil {
		return err
	}
	if f.sign == "" && r.opts.wantsSigned() {
		return &SignatureError{File: p.Name}
	}
	listed := p.Signature
	if r.salvage() && f.sign != "" {
		listed = ""
	}
	if err := f.verify(listed, func() (string, error) { return c.encode(io.Discard, p) }); err != nil {
		return err
	}
	p.loose = !f.good || (f.sign == "") != c.unsigned || listed != p.Signature
	if p.changed = p.loose; p.loose {
		p.Signature = ""
	}
	return nil
}
