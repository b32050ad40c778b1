package archive

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/internal/reason"
	"github.com/goips/ips/manifest"
)

// The names in an archive.
const (
	publisherDir = "publisher"
	manifestDir  = "pkg"
	payloadDir   = "file"
	catalogDir   = "catalog"
	infoName     = "pub.p5i"
)

// Limits of what is read into memory.
const (
	maxManifest = 256 << 20
	maxInfo     = 16 << 20
)

// below returns a name in the directory of a publisher.
func below(publisher string, elem ...string) string {
	return publisherDir + "/" + publisher + "/" + path.Join(elem...)
}

// findPublishers collects the publishers of all names and checks theirs.
func (a *Reader) findPublishers() error {
	last := ""
	for _, m := range a.members {
		rest, ok := strings.CutPrefix(m.Name, publisherDir+"/")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, "/")
		if name == last {
			continue
		}
		if err := fmri.CheckPublisher(name); err != nil {
			return &Error{m.Name, m.Offset, err}
		}
		a.publishers = append(a.publishers, name)
		last = name
	}
	slices.Sort(a.publishers)
	a.publishers = slices.Compact(a.publishers)
	return nil
}

// Publishers returns the names of the publishers, sorted.
func (a *Reader) Publishers(ctx context.Context) ([]string, error) {
	return slices.Clone(a.publishers), ctx.Err()
}

// checkPublisher returns an error matching [fs.ErrNotExist] if the archive does not have
// the publisher.
func (a *Reader) checkPublisher(publisher string) error {
	if _, ok := slices.BinarySearch(a.publishers, publisher); !ok {
		return reason.Errorf(fs.ErrNotExist, "the archive has no publisher %q, only %s", publisher, strings.Join(a.publishers, ", "))
	}
	return nil
}

// Packages returns the package versions of a publisher in the order of the archive. It
// takes their names from the index and does not read manifests.
func (a *Reader) Packages(publisher string) iter.Seq2[fmri.FMRI, error] {
	return func(yield func(fmri.FMRI, error) bool) {
		for p, err := range a.packages(publisher) {
			if !yield(p.fmri, err) {
				return
			}
		}
	}
}

// A listed is a package and its manifest.
type listed struct {
	fmri   fmri.FMRI
	member Member
}

// packages is Packages with the members that the names come from.
func (a *Reader) packages(publisher string) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		prefix := below(publisher, manifestDir) + "/"
		for _, m := range a.members {
			rest, ok := strings.CutPrefix(m.Name, prefix)
			if !ok || m.Dir || strings.Count(rest, "/") != 1 {
				continue
			}
			f, err := parsePath(publisher, rest)
			if err != nil {
				err = &Error{m.Name, m.Offset, err}
			}
			if !yield(listed{f, m}, err) {
				return
			}
		}
	}
}

// parsePath returns the package whose manifest has the given name. Another spelling of
// the name would be that of no package, or of one that has two manifests.
func parsePath(publisher, name string) (fmri.FMRI, error) {
	f, err := fmri.ParsePath(publisher, name)
	if err != nil {
		return fmri.FMRI{}, err
	}
	if canonical, err := f.DirPath(); canonical != name || err != nil {
		return fmri.FMRI{}, ErrName
	}
	return f, nil
}

// Manifest returns the manifest of a package version of a publisher, whose Text is what
// the archive has. The error matches [fs.ErrNotExist] if there is no such manifest.
func (a *Reader) Manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir, err := f.DirPath()
	if err != nil {
		return nil, err
	}
	member, err := a.find(below(f.Publisher(), manifestDir, dir))
	if err != nil {
		return nil, err
	}
	return a.manifest(listed{f, member}, new([]byte))
}

// manifest reads a manifest into *buf, which it makes larger if need be.
func (a *Reader) manifest(p listed, buf *[]byte) (*manifest.Manifest, error) {
	text, err := a.readContent(buf, p.member, maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse(p.member.Name, text)
	if err != nil {
		return nil, err
	}
	if named, ok := m.FMRI(); ok && (named.Name() != p.fmri.Name() || named.Version() != p.fmri.Version()) {
		return nil, &Error{p.member.Name, p.member.Offset, fmt.Errorf("%w: manifest of %v", ErrMismatch, named)}
	}
	return m, nil
}

// Payload returns a payload of a publisher as it is stored, compressed. Without a publisher,
// any that has it will do. The bytes are not verified: read them through
// [manifest.Payload.Verify]. What is returned has a method Size, which returns the number
// of bytes as an int64. The error matches [fs.ErrNotExist] if there is no such payload.
func (a *Reader) Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	publishers := a.publishers
	if publisher != "" {
		publishers = []string{publisher}
	}
	for _, p := range publishers {
		name := below(p, payloadPath(d))
		if _, ok := a.byName[name]; ok || publisher != "" {
			return a.open(name)
		}
	}
	return nil, reason.Errorf(fs.ErrNotExist, "the archive has no payload %v", d)
}

// payloadPath returns the name of a payload below the directory of a publisher.
func payloadPath(d manifest.Digest) string {
	hex := d.Hex()
	return path.Join(payloadDir, hex[:min(2, len(hex))], hex)
}

// Publisher returns what the archive says about a publisher. The error matches
// [fs.ErrNotExist] if it says nothing, as most do.
func (a *Reader) Publisher(ctx context.Context, publisher string) (Publisher, error) {
	if err := ctx.Err(); err != nil {
		return Publisher{}, err
	}
	name := below(publisher, infoName)
	src, err := a.readFile(name, maxInfo)
	if err != nil {
		return Publisher{}, err
	}
	info, err := ParseInfo(name, src)
	if err != nil {
		return Publisher{}, err
	}
	if len(info.Publishers) != 1 {
		return Publisher{}, &InfoError{File: name, Err: fmt.Errorf("%d publishers instead of one", len(info.Publishers))}
	}
	return info.Publishers[0], nil
}
