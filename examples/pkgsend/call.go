package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/bundle"
	"github.com/goips/ips/repo/store"
)

// A call is one run of a subcommand.
type call struct {
	usage         string // of the subcommand, whole lines
	flags         *pflag.FlagSet
	args          []string
	location      string // -s
	keepTimestamp bool   // -D allow-timestamp
	options       *repo.Options
	opened        []io.Closer // closed at the end
	in            io.Reader
	out, errs     io.Writer

	dirs, bundles, timestamps []string // -d, -b, -T
	strict                    bool     // --strict
}

// withPayloads declares the options that say where payloads are.
func (c *call) withPayloads() {
	c.flags.StringArrayVarP(&c.dirs, "directory", "d", nil, "directory of payloads")
	c.flags.StringArrayVarP(&c.bundles, "bundle", "b", nil, "tar archive of payloads")
	c.flags.StringArrayVarP(&c.timestamps, "timestamp", "T", nil, "files that keep their time")
	c.flags.BoolVar(&c.strict, "strict", false, "refuse what is most likely a mistake")
}

// parse reads the options that were declared and checks the number of operands; most is
// -1 for any number.
func (c *call) parse(least, most int) error {
	if err := cli.Parse(c.flags, c.args); err != nil {
		return err
	}
	if err := c.debug(); err != nil {
		return err
	}
	c.args = c.flags.Args()
	switch {
	case len(c.args) < least:
		return cli.UsageError("an operand is missing")
	case most >= 0 && len(c.args) > most:
		return cli.UsageError("too many operands")
	}
	for _, pattern := range c.timestamps {
		if _, err := path.Match(pattern, ""); err != nil {
			return cli.Usagef("-T %s: not a pattern of file names, such as *.py", pattern)
		}
	}
	for _, dir := range c.dirs {
		if err := checkDir(dir); err != nil {
			return fmt.Errorf("-d %s: %w", dir, err)
		}
	}
	return nil
}

// checkDir refuses what is no directory.
func checkDir(name string) error {
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such directory")
	case err != nil:
		return reason(err)
	case !info.IsDir():
		return errors.New("it is no directory; an archive of payloads is given with -b")
	}
	return nil
}

// reason returns why the system refused something, without its own names for what it did.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// repository opens the repository.
func (c *call) repository(ctx context.Context) (*repo.Repository, error) {
	if c.location == "" {
		return nil, cli.UsageError("a repository (-s) is required")
	}
	if l, err := repo.ParseLocation(c.location); err == nil && l.Scheme() == nullScheme {
		return c.nowhere(ctx)
	}
	sink, err := repo.Local(c.options).OpenSink(ctx, c.location)
	if err != nil {
		return nil, err
	}
	c.opened = append(c.opened, sink)
	r, ok := sink.(*repo.Repository)
	if !ok {
		return nil, fmt.Errorf("%s is no repository on this machine, which this takes", c.location)
	}
	return r, nil
}

// closeAll closes what was opened.
func (c *call) closeAll() error {
	var errs []error
	for _, o := range c.opened {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

// nullScheme is that of a repository that keeps nothing, null://.
const nullScheme = "null"

// nowhere returns a repository in memory, which ends with the program.
func (c *call) nowhere(ctx context.Context) (*repo.Repository, error) {
	return repo.Create(ctx, store.Memory(), repo.Config{DefaultPublisher: "nobody"}, c.options)
}

// lastSecond is the end of the year 9999, the last that a version can be of.
const lastSecond = 253402300799

// clock returns the clock that SOURCE_DATE_EPOCH asks for, nil for the real one.
func clock(epoch string) (func() time.Time, error) {
	if epoch == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		return nil, cli.Usagef("SOURCE_DATE_EPOCH=%s: not a number of seconds from 0, which is 1970, to %d, the end of 9999", epoch, lastSecond)
	}
	return func() time.Time { return time.Unix(seconds, 0).UTC() }, nil
}

// maxManifest bounds what is read as a manifest, in bytes. The largest of a distribution
// have a tenth of that.
const maxManifest = 64 << 20

// manifest reads the operands, or standard input, as one manifest.
// What is most likely a mistake in it is told and, with --strict, refused.
func (c *call) manifest(ctx context.Context) (*manifest.Manifest, error) {
	m, err := c.readManifest(ctx)
	if err != nil {
		return nil, err
	}
	suspects := m.Suspects()
	for _, e := range suspects {
		e.File = c.manifestName()
		fmt.Fprintln(c.errs, "pkgsend: warning:", e)
	}
	if c.strict && len(suspects) > 0 {
		return nil, fmt.Errorf("%s: --strict refuses what has warnings", c.manifestName())
	}
	return m, nil
}

func (c *call) readManifest(ctx context.Context) (*manifest.Manifest, error) {
	if len(c.args) == 0 {
		src, err := readAll(ctx, c.in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.manifestName(), err)
		}
		return manifest.Parse(c.manifestName(), src)
	}
	var text bytes.Buffer
	for _, name := range c.args {
		src, err := readFile(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m, err := manifest.Parse(name, src)
		if err != nil {
			return nil, err
		}
		if _, err := m.Canonical().WriteTo(&text); err != nil {
			return nil, err
		}
	}
	return manifest.Parse(c.manifestName(), text.Bytes())
}

func readFile(ctx context.Context, name string) ([]byte, error) {
	f, err := cli.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such manifest")
	}
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	src, err := readAll(ctx, f)
	return src, reason(err)
}

// readAll reads a manifest, until the context ends: what is typed, or comes from another
// program, may not end by itself.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // which the end of the program ends, if nothing else does
		text, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case all := <-done:
		if len(all.text) > maxManifest {
			return nil, fmt.Errorf("it has more than %d MiB, which no manifest has", maxManifest>>20)
		}
		return all.text, all.err
	}
}

// manifestName is what errors call the manifest.
func (c *call) manifestName() string {
	if len(c.args) == 0 {
		return "standard input"
	}
	return strings.Join(c.args, " ")
}

// content returns the function that opens payloads: in the directories and archives that
// were given or, without any, by their own names.
func (c *call) content() (func(name string) (fs.File, error), error) {
	var areas []fs.FS
	for _, dir := range c.dirs {
		areas = append(areas, os.DirFS(dir))
	}
	for _, name := range c.bundles {
		area, err := c.bundle(name)
		if err != nil {
			return nil, err
		}
		areas = append(areas, area)
	}
	if len(areas) == 0 {
		return openHere, nil
	}
	where := strings.Join(slices.Concat(c.dirs, c.bundles), ", ")
	find := repo.Proto(areas...)
	return func(name string) (fs.File, error) {
		f, err := find(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("there is no file %s in %s", name, where)
		}
		return f, err
	}, nil
}

// openHere opens a payload by its own name.
func openHere(name string) (fs.File, error) {
	f, err := cli.Open(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s; directories of payloads are given with -d", name)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, reason(err))
	}
	return f, nil
}

// bundle opens a directory or a tar archive as a place of payloads, until the end.
func (c *call) bundle(name string) (fs.FS, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("-b %s: there is no such archive", name)
	}
	if err != nil {
		return nil, fmt.Errorf("-b %s: %w", name, reason(err))
	}
	if info.IsDir() {
		return os.DirFS(name), nil
	}
	f, err := openTar(name)
	if err != nil {
		return nil, fmt.Errorf("-b %s: %w", name, reason(err))
	}
	c.opened = append(c.opened, f)
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	area, err := bundle.TarFS(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("-b %s: not a whole tar archive: %w", name, reason(err))
	}
	return area, nil
}
