package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// A call is one run of a subcommand.
type call struct {
	flags         *pflag.FlagSet
	args          []string
	location      string // -s
	keepTimestamp bool   // -D allow-timestamp
	openers       repo.Openers
	opened        []io.Closer // closed at the end
	in            io.Reader
	out           io.Writer

	dirs, bundles, timestamps []string // -d, -b, -T
}

// withPayloads declares the options that say where payloads are.
func (c *call) withPayloads() {
	c.flags.StringArrayVarP(&c.dirs, "directory", "d", nil, "directory of payloads")
	c.flags.StringArrayVarP(&c.bundles, "bundle", "b", nil, "tar archive of payloads")
	c.flags.StringArrayVarP(&c.timestamps, "timestamp", "T", nil, "files that keep their time")
}

// parse reads the options that were declared and checks the number of operands.
func (c *call) parse(least, most int) error {
	if err := parse(c.flags, c.args); err != nil {
		return err
	}
	c.args = c.flags.Args()
	if len(c.args) < least || most >= 0 && len(c.args) > most {
		return usageError("wrong number of operands")
	}
	return nil
}

// repository opens the repository.
func (c *call) repository(ctx context.Context) (*repo.Repository, error) {
	if c.location == "" {
		return nil, usageError("a repository (-s) is required")
	}
	sink, err := c.openers.OpenSink(ctx, c.location)
	if e := new(repo.LocationError); errors.As(err, &e) {
		return nil, usageError(e.Error())
	}
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

// clock returns the clock that SOURCE_DATE_EPOCH asks for, nil for the real one.
func clock() (func() time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, usageError("SOURCE_DATE_EPOCH is no number of seconds: " + text)
	}
	return func() time.Time { return time.Unix(seconds, 0).UTC() }, nil
}

// manifest reads the operands, or standard input, as one manifest.
func (c *call) manifest() (*manifest.Manifest, error) {
	if len(c.args) == 0 {
		src, err := io.ReadAll(c.in)
		if err != nil {
			return nil, err
		}
		return manifest.Parse(c.manifestName(), src)
	}
	var text bytes.Buffer
	for _, name := range c.args {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
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
		return func(name string) (fs.File, error) { return os.Open(filepath.FromSlash(name)) }, nil
	}
	return repo.Proto(areas...), nil
}

// bundle opens a directory or a tar archive as a place of payloads, until the end.
func (c *call) bundle(name string) (fs.FS, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return os.DirFS(name), nil
	}
	f, err := openTar(name)
	if err != nil {
		return nil, err
	}
	c.opened = append(c.opened, f)
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	return repo.TarFS(f, info.Size())
}
