package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/manifest"
)

// WriterOptions adjust writing. A nil *WriterOptions has the defaults, and so has
// every field that is zero.
type WriterOptions struct {
	// ModTime is the modification time of all members. Zero means when the newest
	// package was published.
	ModTime time.Time
}

// A Writer writes an archive. Packages are collected by Add, and the archive, which
// begins with the index of all that follows, is written by Close. The same packages in
// the same order make the same archive.
//
// A Writer keeps manifests in memory, not payloads. It must not be used by several
// goroutines at once.
type Writer struct {
	w       io.Writer
	opts    WriterOptions
	entries []entry
	seen    map[string]bool // names of the entries
	first   string          // publisher of the first package
	newest  time.Time
	infos   []Publisher
	closed  bool

	// Kept from one member to the next.
	head    []byte
	content manifest.PayloadReader
	zeros   [blockSize]byte
}

// An Opener returns the stored form of a payload, which is compressed with gzip. Where
// the result has a method Stat, as an *os.File does, or a method Size that returns an
// int64, the size of the payload is taken from there. Otherwise it is read to
// the end and opened again. One Opener is called at a time, but what several calls have
// returned may be read at once.
type Opener func(p manifest.Payload) (io.ReadCloser, error)

// An entry is a member that will be written. If it is neither a directory nor a
// payload, it has text.
type entry struct {
	name    string
	dir     bool
	size    int64
	text    []byte
	payload manifest.Payload
	open    Opener
}

// NewWriter returns a Writer of an archive to w.
func NewWriter(w io.Writer, opts *WriterOptions) *Writer {
	if opts == nil {
		opts = &WriterOptions{}
	}
	return &Writer{w: w, opts: *opts, seen: map[string]bool{}}
}

// Add adds a package: its manifest, byte for byte, and those payloads that the archive
// does not have yet for the publisher. They are opened in Close. The FMRI must have
// a publisher and a version. If the archive has the package already, the error
// matches [fs.ErrExist].
func (w *Writer) Add(f fmri.FMRI, m *manifest.Manifest, open Opener) error {
	if f.Publisher() == "" {
		return fmt.Errorf("%v: no publisher; write pkg://PUBLISHER/NAME@VERSION", f)
	}
	dir, err := f.DirPath()
	if err != nil {
		return fmt.Errorf("%v: %w", f, err)
	}
	if named, ok := m.FMRI(); ok && (named.Name() != f.Name() || named.Version() != f.Version()) {
		return fmt.Errorf("%v: the manifest names itself %v", f, named)
	}
	name := below(f.Publisher(), manifestDir, dir)
	if w.seen[name] {
		return reason.Errorf(fs.ErrExist, "%v: the archive has it already", f)
	}
	payloads, err := payloadsOf(m)
	if err != nil {
		return fmt.Errorf("%v: %w", f, err)
	}
	if len(payloads) > 0 && open == nil {
		return reason.Errorf(fs.ErrNotExist, "%v: it has payloads, and there is no Opener to get them from", f)
	}
	text := m.Text()
	w.add(entry{name: name, text: text, size: int64(len(text))})
	for _, p := range payloads {
		w.add(entry{name: below(f.Publisher(), payloadPath(p.Name())), payload: p, open: open})
	}
	if w.first == "" {
		w.first = f.Publisher()
	}
	if t, ok := f.Version().Time(); ok && t.After(w.newest) {
		w.newest = t
	}
	return nil
}

// payloadsOf returns the payloads of all actions in their order.
func payloadsOf(m *manifest.Manifest) ([]manifest.Payload, error) {
	var all []manifest.Payload
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			return nil, err
		}
		all = append(all, payloads...)
	}
	return all, nil
}

// AddPublisher adds what is known of a publisher, which must have packages by the time
// of Close.
func (w *Writer) AddPublisher(p Publisher) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("publisher %q: %w", p.Name, err)
	}
	if slices.ContainsFunc(w.infos, func(q Publisher) bool { return q.Name == p.Name }) {
		return reason.Errorf(fs.ErrExist, "publisher %q: the archive has it already", p.Name)
	}
	w.infos = append(w.infos, p)
	return nil
}

// add adds an entry behind the directories that it lies in, unless it is there.
func (w *Writer) add(e entry) {
	if w.seen[e.name] {
		return
	}
	if parent := path.Dir(e.name); parent != "." {
		w.add(entry{name: parent, dir: true})
	}
	w.seen[e.name] = true
	w.entries = append(w.entries, e)
}

// Close writes the archive. It does not close the writer below. If it fails, what was
// written is no archive.
func (w *Writer) Close() error {
	if w.closed {
		return fs.ErrClosed
	}
	w.closed = true
	w.addRepository()
	if err := w.addInfos(); err != nil {
		return err
	}
	if err := w.findSizes(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w.w, 1<<18)
	n, err := w.writeIndex(out)
	if err != nil {
		return err
	}
	payloads := newAhead(w.entries)
	defer payloads.wait()
	for _, e := range w.entries {
		size, err := w.writeEntry(out, e, payloads)
		if err != nil {
			return &Error{e.name, n, err}
		}
		n += size
	}
	n += 2 * blockSize
	if _, err := out.Write(make([]byte, 2*blockSize+padding(n, recordSize))); err != nil {
		return err
	}
	return out.Flush()
}

// addRepository adds the file that marks the archive as a repository.
func (w *Writer) addRepository() {
	text := fmt.Appendf(nil, "[CONFIGURATION]\nversion = 4\n\n[publisher]\nprefix = %s\n\n[repository]\nversion = 4\n", w.first)
	w.add(entry{name: repositoryName, text: text, size: int64(len(text))})
}

// addInfos adds what is known of publishers.
func (w *Writer) addInfos() error {
	for _, p := range w.infos {
		if !w.seen[path.Join(publisherDir, p.Name)] {
			return fmt.Errorf("publisher %q has no packages", p.Name)
		}
		text, err := (&Info{Publishers: []Publisher{p}}).AppendText(nil)
		if err != nil {
			return err
		}
		w.add(entry{name: below(p.Name, infoName), text: text, size: int64(len(text))})
	}
	return nil
}

// findSizes finds out how large the payloads are.
func (w *Writer) findSizes() (err error) {
	for i := range w.entries {
		e := &w.entries[i]
		if e.open == nil {
			continue
		}
		if e.size, err = sizeOf(e.open, e.payload); err == nil && e.size < 0 {
			err = fmt.Errorf("size %d", e.size)
		}
		if err != nil {
			return &Error{e.name, 0, err}
		}
	}
	return nil
}

// sizeOf returns the size of a payload as it is stored.
func sizeOf(open Opener, p manifest.Payload) (n int64, err error) {
	r, err := open(p)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	switch r := r.(type) {
	case interface{ Size() int64 }:
		return r.Size(), nil
	case interface{ Stat() (fs.FileInfo, error) }:
		info, err := r.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	return io.Copy(io.Discard, r)
}

// header returns the header of e, appended to b.
func (w *Writer) header(b []byte, e entry) []byte {
	h := header{name: e.name, dir: e.dir, size: e.size, modTime: w.modTime()}
	if e.dir {
		h.name += "/"
	}
	return h.append(b)
}

// modTime returns the modification time of all members.
func (w *Writer) modTime() time.Time {
	if w.opts.ModTime.IsZero() {
		return w.newest
	}
	return w.opts.ModTime
}

// writeIndex writes the index member and returns its size.
func (w *Writer) writeIndex(out io.Writer) (int64, error) {
	var text []byte
	offset := int64(0)
	for _, e := range w.entries {
		w.head = w.header(w.head[:0], e)
		m := Member{e.name, e.dir, offset, int64(len(w.head)) + e.size + padding(e.size, blockSize), e.size}
		text = m.appendRecord(text, 0)
		offset = m.end()
	}
	packed, err := gzipIndex(text)
	if err != nil {
		return 0, err
	}
	n := int64(len(packed))
	head := header{name: indexName, size: n, modTime: w.modTime(), comment: commentPrefix + indexVersion}.append(nil)
	err = writeAll(out, head, packed, w.zeros[:padding(n, blockSize)])
	return int64(len(head)) + n + padding(n, blockSize), err
}

// writeAll writes all of parts.
func writeAll(w io.Writer, parts ...[]byte) error {
	for _, b := range parts {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// writeEntry writes a member and returns its size.
func (w *Writer) writeEntry(out io.Writer, e entry, payloads *ahead) (int64, error) {
	w.head = w.header(w.head[:0], e)
	if err := writeAll(out, w.head, e.text); err != nil {
		return 0, err
	}
	if err := w.writePayload(out, e, payloads); err != nil {
		return 0, err
	}
	pad := padding(e.size, blockSize)
	return int64(len(w.head)) + e.size + pad, writeAll(out, w.zeros[:pad])
}

// writePayload writes the payload of an entry, if it has one.
func (w *Writer) writePayload(out io.Writer, e entry, payloads *ahead) error {
	if e.open == nil {
		return nil
	}
	if isAhead(e) {
		return payloads.writeNext(out)
	}
	r, err := e.open(e.payload)
	if err != nil {
		return err
	}
	return errors.Join(copyPayload(out, e, r, &w.content), r.Close())
}
