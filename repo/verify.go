package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// A Fault is a kind of damage.
type Fault uint8

// The faults. The zero Fault is none.
const (
	BadHash       Fault = iota + 1 // a payload is another than the manifest says
	BadManifest                    // a manifest cannot be read, or is not the catalogued one
	BadGzip                        // the stored form of a payload cannot be decompressed
	Missing                        // a payload or manifest is not there
	Denied                         // something may not be read
	BadSignature                   // a signature does not fit
	BadDependency                  // nothing satisfies a dependency
	BadCatalog                     // a file of the catalog is damaged
)

// String says it in a few words.
func (f Fault) String() string {
	names := [...]string{"no fault", "invalid file hash", "corrupt manifest", "corrupted gzip file", "missing file",
		"permission denied", "bad signature", "missing dependency", "corrupt catalog"}
	if int(f) >= len(names) {
		return fmt.Sprintf("fault %d", uint8(f))
	}
	return names[f]
}

// A Finding is one fault of a package or, if FMRI is zero, of the repository.
type Finding struct {
	Fault      Fault
	Publisher  string
	FMRI       fmri.FMRI
	Digest     manifest.Digest // of the payload concerned
	Path       string          // where the payload goes in an image, "" if it is no file
	Dependency manifest.Depend // of BadDependency: type and package
	Name       string          // the object concerned, if the source is a Repository
	Err        error           // what exactly
}

// VerifyOptions adjust Verify. A nil *VerifyOptions is the zero value.
type VerifyOptions struct {
	// Dependencies makes Verify look whether the source has what its packages
	// depend on.
	Dependencies DependencyCheck

	// Ignore, if set, is asked whether a dependency need not be satisfied.
	Ignore func(pkg, dependency fmri.FMRI) bool

	// Signatures, if set, checks the signatures of a manifest.
	Signatures func(context.Context, *manifest.Manifest) error

	// Parallel is how many packages are looked at at once. Zero means one per
	// CPU.
	Parallel int

	// Progress is told of each package. Nil means nobody is.
	Progress func(Event)

	// Counts, if set, says at the end of the sequence how much was looked at.
	Counts *VerifyCounts

	// other has catalogs to take in the place of those that cannot be read.
	other Source
}

// VerifyCounts say how much Verify or Check has looked at.
type VerifyCounts struct {
	Packages int
	Payloads Amount // each once, however many packages have it
}

// Verify reads packages of a source, manifests and payloads, and yields what is
// wrong with them, in the order of the packages. A manifest must be the
// catalogued one, and a payload in both its forms what the manifest says. A
// payload that several packages have is read once and reported for each. Its
// stored form may also be what another manifest of the publisher in the source
// says.
//
// An error of the sequence is one that is not about a package; it is the last.
func Verify(ctx context.Context, s Source, pkgs iter.Seq[fmri.FMRI], opts *VerifyOptions) iter.Seq2[Finding, error] {
	if opts == nil {
		opts = &VerifyOptions{}
	}
	v := &verifying{source: s, opts: opts}
	v.repo, _ = s.(*Repository)
	return func(yield func(Finding, error) bool) {
		if err := v.readCatalogs(ctx); err != nil {
			yield(Finding{}, err)
			return
		}
		var todo []fmri.FMRI
		for f := range pkgs {
			todo = append(todo, f)
		}
		v.run(ctx, todo, yield)
	}
}

// A verifying is one Verify.
type verifying struct {
	source   Source
	repo     *Repository // source, if it is one
	opts     *VerifyOptions
	catalogs []*catalog.Catalog
	done     counter
	packers  packers
	forms    knownForms

	mu       sync.Mutex
	payloads map[verifiedPayload]*verdict
}

// A verifiedPayload is a payload as a manifest describes it.
type verifiedPayload struct {
	publisher string
	payload   manifest.Payload
}

// A verdict is what was found out about a payload.
type verdict struct {
	once sync.Once
	err  error
}

// readCatalogs reads the catalogs that can be read. What is wrong with the
// others is not the business of Verify.
func (v *verifying) readCatalogs(ctx context.Context) error {
	names, err := v.source.Publishers(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		c, err := v.source.Catalog(ctx, name)
		if err != nil && v.opts.other != nil {
			c, err = v.opts.other.Catalog(ctx, name)
		}
		if err == nil {
			v.catalogs = append(v.catalogs, c)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (v *verifying) run(ctx context.Context, todo []fmri.FMRI, yield func(Finding, error) bool) {
	v.payloads = map[verifiedPayload]*verdict{}
	if v.opts.Counts != nil {
		defer func() { *v.opts.Counts = v.counts() }()
	}
	for found, err := range ordered(ctx, withoutError(todo), workers(v.opts.Parallel), v.verify) {
		if err != nil {
			yield(Finding{}, err)
			return
		}
		for _, f := range found {
			if !yield(f, nil) {
				return
			}
		}
		v.done.step(func(n int, bytes int64) {
			if v.opts.Progress != nil {
				v.opts.Progress(Event{Op: "verify", FMRI: todo[n-1], Done: n, Total: len(todo), Bytes: bytes})
			}
		})
	}
}

// counts returns how much was looked at.
func (v *verifying) counts() VerifyCounts {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := map[payloadKey]bool{}
	for p := range v.payloads {
		names[payloadKey{p.publisher, p.payload.Name()}] = true
	}
	return VerifyCounts{v.done.steps(), Amount{len(names), v.done.total()}}
}

// verify returns what is wrong with a package.
func (v *verifying) verify(ctx context.Context, f fmri.FMRI) ([]Finding, error) {
	m, err := v.source.Manifest(ctx, f)
	if err == nil {
		err = v.checkListed(f, m)
	}
	if err != nil {
		return v.finding(ctx, Finding{Fault: manifestFault(err), FMRI: f, Name: v.manifestName(f), Err: err})
	}
	found, err := v.verifyPayloads(ctx, f, m)
	if err != nil {
		return nil, err
	}
	if v.opts.Signatures != nil {
		if err := v.opts.Signatures(ctx, m); err != nil {
			found = append(found, Finding{Fault: BadSignature, Publisher: f.Publisher(), FMRI: f, Name: v.manifestName(f), Err: err})
		}
	}
	return append(found, v.verifyDependencies(f, m)...), ctx.Err()
}

// finding returns one finding, unless it only says that time is up.
func (v *verifying) finding(ctx context.Context, f Finding) ([]Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.Publisher = f.FMRI.Publisher()
	return []Finding{f}, nil
}

// checkListed compares a manifest with the catalog, if it is in one.
func (v *verifying) checkListed(f fmri.FMRI, m *manifest.Manifest) error {
	for _, c := range v.catalogs {
		if err := checkListed(c, f, m); err != nil {
			return &Error{Op: "verify", FMRI: f, Err: err}
		}
	}
	return nil
}

func (v *verifying) manifestName(f fmri.FMRI) string {
	if v.repo == nil {
		return ""
	}
	return v.repo.home(f.Publisher()).manifest(f)
}

func (v *verifying) payloadName(publisher string, d manifest.Digest) string {
	if v.repo == nil {
		return ""
	}
	return v.repo.home(publisher).payload(d)
}

// manifestFault classifies an error of reading a manifest.
func manifestFault(err error) Fault {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Missing
	case errors.Is(err, fs.ErrPermission):
		return Denied
	}
	return BadManifest
}

// verifyPayloads returns what is wrong with the payloads of a package.
func (v *verifying) verifyPayloads(ctx context.Context, f fmri.FMRI, m *manifest.Manifest) ([]Finding, error) {
	var found []Finding
	seen := map[manifest.Payload]bool{}
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			found = append(found, Finding{Fault: BadManifest, Publisher: f.Publisher(), FMRI: f, Name: v.manifestName(f), Err: err})
		}
		path, _ := a.Attrs.Get("path")
		for _, p := range payloads {
			if seen[p] || !p.Name().IsValid() {
				continue
			}
			seen[p] = true
			if err := v.verifyPayload(ctx, f.Publisher(), p); err != nil {
				found = append(found, Finding{
					Fault: payloadFault(err), Publisher: f.Publisher(), FMRI: f, Digest: p.Name(), Path: path,
					Name: v.payloadName(f.Publisher(), p.Name()), Err: err,
				})
			}
		}
	}
	return found, ctx.Err()
}

// payloadFault classifies an error of reading a payload.
func payloadFault(err error) Fault {
	var hash *manifest.HashError
	var size *manifest.SizeError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Missing
	case errors.Is(err, fs.ErrPermission):
		return Denied
	case errors.As(err, &hash), errors.As(err, &size):
		return BadHash
	}
	return BadGzip
}

// verifyPayload reads a payload, if that was not done yet.
func (v *verifying) verifyPayload(ctx context.Context, publisher string, p manifest.Payload) error {
	v.mu.Lock()
	key := verifiedPayload{publisher, p}
	one := v.payloads[key]
	if one == nil {
		one = new(verdict)
		v.payloads[key] = one
	}
	v.mu.Unlock()
	one.once.Do(func() { one.err = v.readPayload(ctx, publisher, p) })
	return one.err
}

// readPayload reads a payload, which must be what p says or, in its stored form,
// what another manifest does.
func (v *verifying) readPayload(ctx context.Context, publisher string, p manifest.Payload) error {
	err := v.compare(ctx, publisher, p)
	if !isOtherForm(err) {
		return err
	}
	all, failed := v.forms.of(ctx, v.source, publisher)
	if failed != nil {
		return err
	}
	for other := range all.others(p) {
		if v.compare(ctx, publisher, other) == nil {
			return nil
		}
	}
	if content := v.compare(ctx, publisher, p.ContentOnly()); content != nil {
		return content // which says more
	}
	return err
}

func (v *verifying) compare(ctx context.Context, publisher string, p manifest.Payload) error {
	stored, err := v.source.Payload(ctx, publisher, p.Name())
	if err != nil {
		return err
	}
	defer stored.Close()
	return v.packers.verify(ctx, p, &countingReader{r: stored, c: &v.done})
}
