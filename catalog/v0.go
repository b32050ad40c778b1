package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/fmri"
)

// ReadV0 reads a catalog of format 0 from a directory, where it is in two files,
// attrs and catalog. See [ParseV0].
func ReadV0(fsys fs.FS, publisher string, opts *ReadOptions) (*Catalog, error) {
	attrs, err := fsys.Open("attrs")
	if err != nil {
		return nil, err
	}
	defer attrs.Close()
	list, err := fsys.Open("catalog")
	if err != nil {
		return nil, err
	}
	defer list.Close()
	return ParseV0(io.MultiReader(attrs, list), publisher, opts)
}

// ParseV0 reads a catalog of format 0 as depots serve it:
//
//	S Last-Modified: 2026-11-20T12:02:19.809448+00:00
//	S prefix: CRSV
//	S npkgs: 2
//	V pkg:/app/hello@1.0,5.11-1:20261120T120218Z
//	C pkg app/hello 1.1,5.11-1:20261120T130000Z
//
// Lines S are attributes, V versions and C critical ones. All others are ignored.
// Such a catalog names its versions and nothing else; they become those of
// the publisher. The result is not signed and has no time of creation; without
// Last-Modified it was modified at the beginning of 1970. The lines are of one
// file, "catalog", in errors.
func ParseV0(r io.Reader, publisher string, opts *ReadOptions) (*Catalog, error) {
	d := decoderV0{publisher: publisher, limits: opts.limits(), count: -1, modified: time.Unix(0, 0).UTC()}
	d.b.Unsigned = true
	in := bufio.NewScanner(io.LimitReader(r, d.limits.File+1))
	in.Buffer(nil, d.limits.String)
	in.Split(d.split)
	for in.Scan() {
		if err := d.line(in.Text()); err != nil {
			return nil, &FormatError{File: "catalog", Offset: d.at, Err: err}
		}
	}
	err := in.Err()
	if d.next > d.limits.File {
		err = fmt.Errorf("text is longer than %d bytes", d.limits.File)
	}
	if err != nil {
		return nil, &FormatError{File: "catalog", Offset: d.next, Err: err}
	}
	return d.catalog()
}

// A decoderV0 reads lines.
type decoderV0 struct {
	publisher string
	limits    *Limits
	b         Builder
	modified  time.Time
	count     int   // that the attributes give, -1 if they give none
	n         int   // versions so far
	at, next  int64 // offsets of this line and the next
}

// split is bufio.ScanLines and keeps account of the offset.
func (d *decoderV0) split(data []byte, atEOF bool) (int, []byte, error) {
	n, line, err := bufio.ScanLines(data, atEOF)
	d.at = d.next
	d.next += int64(n)
	return n, line, err
}

// line reads a line.
func (d *decoderV0) line(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch kind {
	case "S":
		return d.attribute(rest)
	case "V", "C":
		f, err := parseV0(rest)
		if err != nil {
			return err
		}
		if f.Publisher() == "" {
			f = f.WithPublisher(d.publisher)
		}
		if d.n++; d.n > d.limits.Versions {
			return fmt.Errorf("more than %d versions", d.limits.Versions)
		}
		return d.b.Add(f, nil)
	}
	return nil
}

// parseV0 parses a name in one of its two forms.
func parseV0(text string) (fmri.FMRI, error) {
	if words := strings.Fields(text); len(words) == 3 && words[0] == "pkg" {
		text = "pkg:/" + words[1] + "@" + words[2]
	}
	f, err := fmri.Parse(text)
	if err == nil && !f.Version().IsValid() {
		err = errors.New("package without a version")
	}
	return f, err
}

// attribute reads an attribute.
func (d *decoderV0) attribute(text string) error {
	key, value, _ := strings.Cut(text, ": ")
	switch key {
	case "npkgs":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("%.100q is not a count", value)
		}
		d.count = n
	case "Last-Modified":
		value, _ = strings.CutSuffix(value, "+00:00")
		t, err := time.Parse("2006-01-02T15:04:05.999999", value)
		if err != nil {
			return fmt.Errorf("invalid time %.100q", value)
		}
		d.modified = t
	}
	return nil
}

// catalog returns what was read.
func (d *decoderV0) catalog() (*Catalog, error) {
	if d.count >= 0 && d.count != d.n {
		return nil, &FormatError{File: "catalog", Offset: d.next, Err: fmt.Errorf("npkgs is %d, but there are %d", d.count, d.n)}
	}
	d.b.Now = d.modified
	c, err := d.b.Build()
	if err != nil {
		return nil, err
	}
	c.created, c.modified, c.v0 = time.Time{}, d.modified, true
	for _, p := range c.parts {
		p.FileAttrs.Modified = d.modified
	}
	return c, nil
}
