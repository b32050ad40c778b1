package repo

import (
	"context"
	"io"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Source is anything packages can be read from: a repository on a disk or in
// a bucket, a depot, an archive.
//
// What is not there is reported by an error matching fs.ErrNotExist. A Source
// may be used by several goroutines at once. What was opened is a SourceCloser.
type Source interface {
	// Publishers returns the names of the publishers, sorted.
	Publishers(ctx context.Context) ([]string, error)

	// Catalog returns what a publisher offers.
	Catalog(ctx context.Context, publisher string) (*catalog.Catalog, error)

	// Manifest returns the manifest of a package version, whose Text is the
	// published bytes.
	Manifest(ctx context.Context, f fmri.FMRI) (*manifest.Manifest, error)

	// Payload returns a payload as it is stored, compressed. The bytes are not
	// verified: read them through manifest.Payload.Verify.
	Payload(ctx context.Context, publisher string, d manifest.Digest) (io.ReadCloser, error)
}

// A Sink is anything packages can be published to.
type Sink interface {
	// Begin starts the publication of a package version. The FMRI needs a
	// version; a publisher and a timestamp are supplied if it has none. If
	// there is such a version already, the error matches fs.ErrExist.
	Begin(ctx context.Context, f fmri.FMRI) (Tx, error)
}

// A Tx is one package version being published. Nobody sees anything of it
// before Commit. It ends with Commit or Abort; after either, and after a Commit
// that failed, Abort does nothing. Its methods are those of the depot protocol.
//
// Add and Store may be called by several goroutines at once; the order of
// actions is then that in which the calls began.
type Tx interface {
	// Add publishes an action. Content is the payload as it is to be
	// installed, nil for an action without one; the receiver compresses it
	// and supplies hashes and sizes.
	Add(ctx context.Context, a manifest.Action, content io.Reader) error

	// Store takes a payload as it is stored elsewhere, byte for byte, and
	// checks that it has that digest.
	Store(ctx context.Context, d manifest.Digest, stored io.Reader) error

	// SetManifest takes a finished manifest, byte for byte, signatures intact.
	// Its payloads are stored or have been there before.
	SetManifest(ctx context.Context, m *manifest.Manifest) error

	// Commit publishes the package and returns its full name.
	Commit(ctx context.Context) (fmri.FMRI, error)

	// Abort forgets the package.
	Abort(ctx context.Context) error
}
