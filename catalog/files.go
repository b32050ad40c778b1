package catalog

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"github.com/goips/ips/internal/reason"
)

// A File is one file of a catalog's directory, ready to be written.
type File struct {
	Name     string    // a plain file name
	ModTime  time.Time // what the file's modification time is to be set to, in whole seconds
	Modified bool      // differs from what the catalog was read from or built on

	write func(io.Writer) error
}

// WriteTo writes the content of the file. It can be called more than once.
func (f File) WriteTo(w io.Writer) (int64, error) {
	count := counter{w: w}
	err := f.write(&count)
	return count.n, err
}

// A counter counts what is written, to nowhere if w is nil.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	if c.w == nil {
		c.n += int64(len(p))
		return len(p), nil
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Files returns the files that make up the catalog in the order in which they
// must become visible: update logs, parts, and at the end catalog.attrs, which
// is the commit point. Who keeps the directory of the catalog that this one was
// built on writes those that are modified. Logs that are not modified are not
// held in memory and do not occur.
func (c *Catalog) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		for _, u := range c.logs {
			if !yield(u.file()) {
				return
			}
		}
		modified := c.attrsChanged
		for _, p := range c.parts {
			modified = modified || p.changed
			if !p.skipped && !yield(c.partFile(p)) {
				return
			}
		}
		yield(File{Name: attrsName, ModTime: fileTime(c.modified), Modified: modified, write: c.WriteAttrs})
	}
}

func (c *Catalog) partFile(p *part) File {
	write := func(w io.Writer) error { return c.WritePart(w, Part(p.Name)) }
	return File{Name: p.Name, ModTime: fileTime(p.FileAttrs.Modified), Modified: p.changed, write: write}
}

// fileTime returns a time as a file's modification time records it.
func fileTime(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// WritePart writes one part, byte for byte as the reference writes it.
func (c *Catalog) WritePart(w io.Writer, name Part) error {
	p := c.part(name)
	if p == nil {
		return reason.Errorf(fs.ErrNotExist, "the catalog has no part %s", name)
	}
	if p.skipped {
		return errSkipped(name)
	}
	sum, err := c.encode(w, p)
	if err == nil {
		p.digest.once.Do(func() { p.digest.sum = sum })
	}
	return err
}

// errSkipped says that a part was left out when the catalog was read.
func errSkipped(name Part) error { return fmt.Errorf("part %s was not read", name) }

// WriteAttrs writes catalog.attrs, which names the parts and their digests.
func (c *Catalog) WriteAttrs(w io.Writer) error {
	a, err := c.Attrs()
	if err != nil {
		return err
	}
	_, err = w.Write(a.appendText(nil, a.Signature))
	return err
}
