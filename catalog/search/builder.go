package search

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"strings"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// Files is where an index is written to.
type Files interface {
	// Create makes a file, which is whole once Close has returned nil. Two
	// files may be open at a time.
	Create(name string) (io.WriteCloser, error)
}

// Scratch is a place for files that are needed for a while.
type Scratch interface {
	Files
	Open(name string) (io.ReadCloser, error)
	Remove(name string) error
}

// A Builder makes an index of manifests. The zero Builder makes one from nothing,
// in memory.
type Builder struct {
	// Base is an index to which packages are added; what it does not find any more is
	// left out, see Index.For. Nil means to begin anew.
	Base *Index

	// Scratch takes what does not fit into memory, as files that begin with
	// "sort.". They are removed when the index is written. Nil means to do
	// everything in memory.
	Scratch Scratch

	// Memory is how many bytes of tokens are held before they go to
	// Scratch. Zero means 128 MiB.
	Memory int

	// Skipped is told of the lines of manifests that are not indexed because
	// they are no actions, or have too many words. Nil means to pass over them.
	Skipped func(f fmri.FMRI, err error)

	names  []string // stem@version of a package by its id; "" for an id that is free
	ids    map[string]bool
	free   int // no id below is free
	run    run
	runs   int // in Scratch
	tokens []Token
	group  []byte
}

const (
	defaultMemory = 128 << 20
	runPrefix     = "sort."
)

// Add adds a package with the text of its manifest as it is stored: the index
// has offsets into it. The publisher does not matter. The error matches
// fs.ErrExist if the index has the package already; others are those of Scratch.
func (b *Builder) Add(f fmri.FMRI, text []byte) error {
	if !f.Version().IsValid() {
		return fmt.Errorf("%s: %w", f, fmri.ErrNoVersion)
	}
	if int64(len(text)) > math.MaxUint32 {
		return fmt.Errorf("%s: manifest of more than 4 GiB: %w", f, fs.ErrInvalid)
	}
	id, err := b.number(packageName(f))
	if err != nil {
		return err
	}
	for off, line := range actionLines(text) {
		var kind manifest.Kind
		kind, b.tokens, err = lineTokens(b.tokens[:0], line)
		if err != nil {
			if b.Skipped != nil {
				b.Skipped(f, err)
			}
			continue
		}
		for i := range b.tokens {
			t := &b.tokens[i]
			b.group = append(append(b.group[:0], t.Text...), 0)
			b.group = appendGroup(b.group, kind.String(), t)
			b.run.add(b.group, posting{id, uint32(off)})
		}
		if b.Scratch != nil && b.run.size > orDefault(b.Memory, defaultMemory) {
			if err := b.spill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// orDefault returns n, or the default for zero.
func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// number gives a package the lowest id that is free.
func (b *Builder) number(name string) (uint32, error) {
	b.start()
	if b.ids[name] {
		return 0, fmt.Errorf("%s: in the index already: %w", name, fs.ErrExist)
	}
	b.ids[name] = true
	for b.free < len(b.names) && b.names[b.free] != "" {
		b.free++
	}
	if b.free == len(b.names) {
		b.names = append(b.names, "")
	}
	b.names[b.free] = name
	return uint32(b.free), nil
}

// start takes over the packages of the base.
func (b *Builder) start() {
	if b.ids != nil {
		return
	}
	b.ids = map[string]bool{}
	if b.Base == nil {
		return
	}
	for _, p := range b.Base.packages {
		if p.removed {
			p.name = "" // its id is free
		}
		b.names = append(b.names, p.name)
		b.ids[p.name] = p.name != ""
	}
}

// spill moves the run at hand to Scratch.
func (b *Builder) spill() error {
	f, err := b.Scratch.Create(runName(b.runs))
	if err != nil {
		return err
	}
	b.runs++
	if err := b.run.writeTo(f); err != nil {
		return errors.Join(err, abandon(f))
	}
	b.run = run{}
	return f.Close()
}

func runName(i int) string { return fmt.Sprintf("%s%d", runPrefix, i) }

// packageName returns how an index names a package.
func packageName(f fmri.FMRI) string { return f.Format(fmri.OmitScheme | fmri.OmitPublisher) }

// actionLines yields the lines of a manifest that are not blank or comments, and
// their offsets. They are physical lines: the reference does not know of
// continuation here, so what is continued is no action.
func actionLines(text []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		off := 0
		for line := range bytes.Lines(text) {
			trimmed := strings.TrimSpace(string(line))
			if trimmed != "" && trimmed[0] != '#' && !yield(off, trimmed) {
				return
			}
			off += len(line)
		}
	}
}
