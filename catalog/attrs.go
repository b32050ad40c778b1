package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/catalog/internal/scan"
)

// Attrs is the content of catalog.attrs: what files there are, and in which state.
type Attrs struct {
	Created   time.Time // identity of the catalog; zero if null, for converted ones
	Modified  time.Time // last operation
	Packages  int       // names, counted per publisher
	Versions  int       // package versions
	Format    int       // 1, or 0 for a catalog converted from format 0
	Parts     []FileAttrs
	Updates   []FileAttrs // sorted by name, which is the order of time
	Signature string      // hex SHA-1 of the attributes, empty if they are not signed

	extra []scan.Member
}

// FileAttrs describes one part or update log in [Attrs].
type FileAttrs struct {
	Name      string
	Modified  time.Time // last operation that touched the file
	Signature string    // hex SHA-1 of the content, empty if it is not signed

	extra []scan.Member
}

// Part returns what the attributes say of a part.
func (a *Attrs) Part(name Part) (FileAttrs, bool) { return lookFile(a.Parts, string(name)) }

// Update returns what the attributes say of an update log.
func (a *Attrs) Update(name string) (FileAttrs, bool) { return lookFile(a.Updates, name) }

func lookFile(files []FileAttrs, name string) (FileAttrs, bool) {
	i, ok := slices.BinarySearchFunc(files, name, func(f FileAttrs, name string) int {
		return cmp.Compare(f.Name, name)
	})
	if !ok {
		return FileAttrs{}, false
	}
	return files[i], true
}

// ParseAttrs parses catalog.attrs and, if it is signed, verifies it. Errors
// are of type [*FormatError] or [*SignatureError].
func ParseAttrs(src []byte, opts *ReadOptions) (*Attrs, error) {
	a, _, err := parseAttrs(src, opts.limits())
	if err == nil && a.Signature == "" && opts.wantsSigned() {
		return nil, &SignatureError{File: attrsName}
	}
	return a, err
}

// parseAttrs also reports whether the text is canonical.
func parseAttrs(src []byte, limits *Limits) (a *Attrs, canonical bool, err error) {
	d := attrsDecoder{s: scan.NewBytes(src, limits.scan())}
	canonical = d.decode()
	if err := d.s.Err(); err != nil {
		return nil, false, fileError(attrsName, err)
	}
	if d.sign == "" {
		return &d.Attrs, canonical, nil
	}
	sum := hexSHA1(append(slices.Clip(src[:d.cut]), objectEnd...))
	if !d.last || d.sign != signatureValue(sum) {
		canonical = false
		sum = hexSHA1(canonicalAttrs(src, limits))
	}
	if d.sign != signatureValue(sum) {
		return nil, false, &SignatureError{File: attrsName, Got: sum, Want: trimSignature(d.sign)}
	}
	d.Signature = sum
	return &d.Attrs, canonical, nil
}

// canonicalAttrs returns the canonical form of valid attributes without their signature,
// even if they would be written otherwise.
func canonicalAttrs(src []byte, limits *Limits) []byte {
	s := scan.NewBytes(src, scan.Limits{String: len(src), Depth: limits.Depth, Size: limits.File})
	members := slices.DeleteFunc(s.Members(), func(m scan.Member) bool { return m.Key == signatureKey })
	return append(scan.AppendMembers(nil, members), '\n')
}

// attrsKeys are the members that catalog.attrs must have.
var attrsKeys = []string{"created", "last-modified", "package-count", "package-version-count", "parts", "updates", "version"}

// An attrsDecoder reads catalog.attrs.
type attrsDecoder struct {
	Attrs
	s    *scan.Scanner
	seen []string
	sign string // value of the signature
	cut  int64  // where its member begins
	last bool   // it is the last member
}

// decode reads all of it and reports whether it is canonical.
func (d *attrsDecoder) decode() bool {
	d.s.Trailer = signatureKey
	for d.s.Begin('{'); d.s.More('}'); {
		at, key := d.s.Member(), string(d.s.Key())
		if slices.Contains(d.seen, key) {
			d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
		}
		d.last = key == signatureKey
		switch {
		case d.last:
			d.sign, d.cut = d.s.Value(), at
		case slices.Contains(attrsKeys, key):
			d.member(key)
		default:
			d.extra = d.s.InsertValue(d.extra, key)
			continue
		}
		d.seen = append(d.seen, key)
	}
	canonical := d.s.End() && (d.last || d.sign == "")
	for _, key := range attrsKeys {
		if !slices.Contains(d.seen, key) {
			d.s.Fail(d.s.Offset(), fmt.Errorf("member %q is missing", key))
		}
	}
	return canonical
}

// member reads the value of one of attrsKeys.
func (d *attrsDecoder) member(key string) {
	switch key {
	case "created":
		if !d.s.Null() {
			d.Created = readTime(d.s)
		}
	case "last-modified":
		d.Modified = readTime(d.s)
	case "package-count":
		d.Packages = d.s.Int()
	case "package-version-count":
		d.Versions = d.s.Int()
	case "version":
		if d.Format = d.s.Int(); d.Format > 1 {
			d.s.Fail(d.s.Start(), fmt.Errorf("%w: catalog version %d", errors.ErrUnsupported, d.Format))
		}
	case "parts":
		d.Parts = d.files("catalog.")
	case "updates":
		d.Updates = d.files("update.")
	}
}

// files reads the list of parts or of update logs.
func (d *attrsDecoder) files(prefix string) []FileAttrs {
	var files []FileAttrs
	for d.s.Begin('{'); d.s.More('}'); {
		f, at := FileAttrs{Name: string(d.s.Key())}, d.s.Start()
		if d.s.Err() == nil && !plainName(f.Name, prefix) {
			d.s.Fail(at, fmt.Errorf("%.100q is not a name of a catalog file", f.Name))
		}
		d.file(&f)
		files = append(files, f)
	}
	byName := func(a, b FileAttrs) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(files, byName)
	for i := 1; i < len(files); i++ {
		if files[i-1].Name == files[i].Name {
			d.s.Fail(d.s.Start(), scan.DuplicateKey(files[i].Name))
		}
	}
	return files
}

// file reads what is said of one file.
func (d *attrsDecoder) file(f *FileAttrs) {
	for d.s.Begin('{'); d.s.More('}'); {
		switch key := string(d.s.Key()); {
		case key == "last-modified" && !f.Modified.IsZero(), key == digestKey && f.Signature != "":
			d.s.Fail(d.s.Start(), scan.DuplicateKey(key))
		case key == "last-modified":
			f.Modified = readTime(d.s)
		case key == digestKey:
			f.Signature = string(d.s.Str())
		default:
			f.extra = d.s.InsertValue(f.extra, key)
		}
	}
	if f.Modified.IsZero() {
		d.s.Fail(d.s.Offset(), errors.New(`member "last-modified" is missing`))
	}
}

// readTime reads a time.
func readTime(s *scan.Scanner) time.Time {
	t, exact := scanTime(s)
	if !exact {
		s.Loosen()
	}
	return t
}

// scanTime reads a time and reports whether its text is the one it would be written with.
func scanTime(s *scan.Scanner) (t time.Time, exact bool) {
	text := string(s.Str())
	if s.Err() != nil {
		return t, false
	}
	t, err := parseTime(text)
	if err != nil {
		s.Fail(s.Start(), err)
	}
	return t, string(appendTime(nil, t)) == text
}

// appendText appends the attributes as they are written, signed if sum is not empty.
func (a *Attrs) appendText(dst []byte, sum string) []byte {
	dst = append(scan.AppendMembers(dst, a.members()), '\n')
	if sum != "" {
		dst = appendSignature(dst, sum)
	}
	return dst
}

// members returns the sorted members without the signature.
func (a *Attrs) members() []scan.Member {
	created := "null"
	if !a.Created.IsZero() {
		created = quoteTime(a.Created)
	}
	return sortMembers(append([]scan.Member{
		{Key: "created", JSON: created},
		{Key: "last-modified", JSON: quoteTime(a.Modified)},
		{Key: "package-count", JSON: strconv.Itoa(a.Packages)},
		{Key: "package-version-count", JSON: strconv.Itoa(a.Versions)},
		{Key: "parts", JSON: fileMembers(a.Parts)},
		{Key: "updates", JSON: fileMembers(a.Updates)},
		{Key: "version", JSON: strconv.Itoa(a.Format)},
	}, a.extra...))
}

// fileMembers returns the JSON of a list of files.
func fileMembers(files []FileAttrs) string {
	list := make([]scan.Member, len(files))
	for i, f := range files {
		members := append([]scan.Member{{Key: "last-modified", JSON: quoteTime(f.Modified)}}, f.extra...)
		if f.Signature != "" {
			members = append(members, scan.Member{Key: digestKey, JSON: quote(f.Signature)})
		}
		list[i] = scan.Member{Key: f.Name, JSON: string(scan.AppendMembers(nil, sortMembers(members)))}
	}
	return string(scan.AppendMembers(nil, list))
}

func quote(s string) string        { return string(scan.AppendString(nil, s)) }
func quoteTime(t time.Time) string { return quote(string(appendTime(nil, t))) }
func trimSignature(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, `{"sha-1":"`), `"}`)
}
