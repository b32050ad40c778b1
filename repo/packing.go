package repo

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"github.com/klauspost/compress/flate"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/internal/deflate"
)

// A Packing says how a Repository compresses payloads that come as content. What comes in
// a stored form is stored as it is.
type Packing uint8

const (
	// PackDefault is what the repository says.
	PackDefault Packing = iota

	// PackFast takes the least time.
	PackFast

	// PackExact makes the stored forms that the reference makes, byte for byte, so that
	// all that manifests say about them is the same whoever publishes.
	PackExact
)

// String returns "default", "fast" or "exact".
func (p Packing) String() string {
	names := [...]string{"default", "fast", "exact"}
	if int(p) < len(names) {
		return names[p]
	}
	return "Packing(" + strconv.Itoa(int(p)) + ")"
}

// packsFast is the comment in the configuration of a repository that packs fast.
const packsFast = "ips packs payloads fast here. Without this line it packs them as the reference does."

// Packing returns how the repository packs payloads: as Options say, else fast if its
// configuration has a comment that says so, and else exactly. The reference writes the
// configuration anew whenever it opens a repository to write, without comments. So what it
// made or writes to is packed exactly.
func (r *Repository) Packing(ctx context.Context) (p Packing, err error) {
	defer Error{Op: "read configuration of", Place: r.named}.explain(&err)
	return r.packing(ctx)
}

func (r *Repository) packing(ctx context.Context) (Packing, error) {
	if r.fixedPacking != PackDefault {
		return r.fixedPacking, nil
	}
	config, err := r.readConfig(ctx)
	if err := ignore(err, fs.ErrNotExist); err != nil {
		return PackDefault, err
	}
	if slices.Contains(config.Comments, packsFast) {
		return PackFast, nil
	}
	return PackExact, nil
}

// check refuses what is no Packing.
func (p Packing) check() error {
	if p > PackExact {
		return because(errors.ErrUnsupported, "%v is not known; payloads are packed fast or exact", p)
	}
	return nil
}

// packLevel is the level of PackFast. Compared with the highest, 9, it takes a quarter of
// the time for 3 to 6 percent more bytes.
const packLevel = 6

// newPacker returns what packs in one of both ways.
func (p Packing) newPacker() (*manifest.Packer, error) {
	if p != PackFast {
		return manifest.NewPacker(new(deflate.Writer)), nil
	}
	fast, err := flate.NewWriter(nil, packLevel)
	return manifest.NewPacker(fast), err
}
