package catalog

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"time"

	"github.com/goips/ips/catalog/internal/scan"
	"github.com/goips/ips/fmri"
)

// An Update is an update log: the changes of one hour to the parts of one locale.
type Update struct {
	attrs  FileAttrs
	meta   []scan.Member
	ops    []Op // by publisher and stem; of one stem, in the order performed
	signed bool
}

// OpType says what an operation did.
type OpType uint8

// The types of operations. A rewritten entry is removed and added.
const (
	OpAdd OpType = iota + 1
	OpRemove
)

// String returns the name as logs have it, "add" or "remove".
func (t OpType) String() string {
	switch t {
	case OpAdd:
		return "add"
	case OpRemove:
		return "remove"
	}
	return fmt.Sprintf("OpType(%d)", uint8(t))
}

// An Op is one operation of an update log.
type Op struct {
	Time time.Time
	Type OpType
	FMRI fmri.FMRI

	entry *entry
	extra []scan.Member
}

// Name returns the file name, such as "update.20200102T03Z.C".
func (u *Update) Name() string { return u.attrs.Name }

// Modified returns the time of the last operation.
func (u *Update) Modified() time.Time { return u.attrs.Modified }

// Ops returns the operations. Those on one package come in the order performed.
func (u *Update) Ops() iter.Seq[Op] { return slices.Values(u.ops) }

// updateName returns the name of the log for operations at a time.
func updateName(t time.Time, locale string) string {
	return "update." + t.UTC().Format(hourLayout) + "." + locale
}

// ReadUpdate reads and verifies an update log.
func ReadUpdate(name string, r io.Reader, opts *ReadOptions) (*Update, error) {
	return readUpdate(FileAttrs{Name: name}, r, opts)
}

// readUpdate reads the log that attributes list.
func readUpdate(attrs FileAttrs, r io.Reader, opts *ReadOptions) (*Update, error) {
	f := newFile(attrs.Name, r, opts.limits())
	defer f.d.Close()
	d := &updateDecoder{s: f.s, Update: Update{attrs: attrs}}
	if err := f.decode(d); err != nil {
		return nil, err
	}
	u := &d.Update
	u.meta = f.meta
	u.sort()
	if f.sign == "" && opts.wantsSigned() {
		return nil, &SignatureError{File: attrs.Name}
	}
	err := f.verify(attrs.Signature, func() (string, error) {
		if d.odd {
			return "", nil // the canonical form cannot be had any more
		}
		return hexSHA1(u.appendText(nil)), nil
	})
	if err != nil {
		return nil, err
	}
	u.signed = f.sign != ""
	return u, nil
}

// openUpdate reads a log from a directory.
func openUpdate(fsys fs.FS, attrs FileAttrs, opts *ReadOptions) (*Update, error) {
	f, err := fsys.Open(attrs.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readUpdate(attrs, f, opts)
}

// sort puts operations in order and notes the time of the last.
func (u *Update) sort() {
	slices.SortStableFunc(u.ops, func(a, b Op) int {
		return cmp.Or(cmp.Compare(a.FMRI.Publisher(), b.FMRI.Publisher()), cmp.Compare(a.FMRI.Name(), b.FMRI.Name()))
	})
	for _, op := range u.ops {
		if op.Time.After(u.attrs.Modified) {
			u.attrs.Modified = op.Time
		}
	}
}

// WriteTo writes the log as the reference writes it.
func (u *Update) WriteTo(w io.Writer) (int64, error) {
	text := u.appendText(nil)
	if u.signed {
		text = appendSignature(text, hexSHA1(text))
	}
	n, err := w.Write(text)
	return int64(n), err
}

// file returns the log as a file to be written.
func (u *Update) file() File {
	write := func(w io.Writer) error {
		_, err := u.WriteTo(w)
		return err
	}
	return File{Name: u.Name(), ModTime: fileTime(u.Modified()), Modified: true, write: write}
}

// appendText appends the canonical text without a signature.
func (u *Update) appendText(dst []byte) []byte {
	meta := u.meta
	dst = append(dst, '{')
	for i := 0; i < len(u.ops); {
		pub := u.ops[i].FMRI.Publisher()
		for len(meta) > 0 && meta[0].Key < pub {
			dst = appendMember(dst, meta[0])
			meta = meta[1:]
		}
		dst = append(scan.AppendString(comma(dst), pub), `:{`...)
		for i < len(u.ops) && u.ops[i].FMRI.Publisher() == pub {
			i, dst = u.appendStem(dst, i)
		}
		dst = append(dst, '}')
	}
	for _, m := range meta {
		dst = appendMember(dst, m)
	}
	return append(dst, objectEnd...)
}

// appendStem appends the operations on the package of operation i, and returns where
// those on the next begin.
func (u *Update) appendStem(dst []byte, i int) (int, []byte) {
	stem := u.ops[i].FMRI.Stem()
	dst = append(scan.AppendString(comma(dst), stem.Name()), `:[`...)
	for ; i < len(u.ops) && u.ops[i].FMRI.Stem() == stem; i++ {
		dst = scan.AppendMembers(comma(dst), u.ops[i].members())
	}
	return i, append(dst, ']')
}

// comma separates the next element from the one before it, if there is one.
func comma(dst []byte) []byte {
	if last := dst[len(dst)-1]; last != '{' && last != '[' {
		dst = append(dst, ',')
	}
	return dst
}

func appendMember(dst []byte, m scan.Member) []byte {
	return append(append(scan.AppendString(comma(dst), m.Key), ':'), m.JSON...)
}

// members returns the members of an operation, sorted.
func (op *Op) members() []scan.Member {
	version := op.FMRI.Version().String()
	members := slices.Clone(op.extra)
	members = append(members,
		scan.Member{Key: "op-time", JSON: quoteTime(op.Time)},
		scan.Member{Key: "op-type", JSON: quote(op.Type.String())},
		scan.Member{Key: "version", JSON: quote(version)})
	if op.entry.base {
		members = append(members, scan.Member{Key: string(Base), JSON: op.entry.baseJSON(version)})
	}
	for i := range op.entry.lists {
		l := &op.entry.lists[i]
		members = append(members, scan.Member{Key: string(l.part), JSON: l.json(version)})
	}
	return sortMembers(members)
}

// baseJSON returns the entry of the base part.
func (e *entry) baseJSON(version string) string {
	members := append(slices.Clone(e.extra), scan.Member{Key: "version", JSON: quote(version)})
	if e.row.marks&markDigest != 0 {
		members = append(members, scan.Member{Key: digestKey, JSON: fmt.Sprintf(`"%x"`, e.row.digest)})
	}
	return string(scan.AppendMembers(nil, sortMembers(members)))
}

// json returns the entry of a part.
func (l *list) json(version string) string {
	members := append(slices.Clone(l.extra), scan.Member{Key: "version", JSON: quote(version)})
	if !l.missing {
		text := []byte{'['}
		for _, action := range l.actions {
			text = scan.AppendString(comma(text), action)
		}
		members = append(members, scan.Member{Key: "actions", JSON: string(append(text, ']'))})
	}
	return string(scan.AppendMembers(nil, sortMembers(members)))
}
