package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A call is one run of a subcommand.
type call struct {
	flags         *pflag.FlagSet
	args          []string
	location      string // -s
	keepTimestamp bool   // -D allow-timestamp
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
	path := c.location
	if strings.Contains(path, ":") {
		u, err := url.Parse(path)
		if err != nil {
			return nil, usageError(err.Error())
		}
		if u.Scheme != "file" {
			return nil, fmt.Errorf("publishing to %s: %w", c.location, errors.ErrUnsupported)
		}
		path = u.Path
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	now, err := clock()
	if err != nil {
		return nil, err
	}
	return repo.Open(ctx, store.Dir(root), &repo.Options{Now: now})
}

// clock returns the clock that SOURCE_DATE_EPOCH asks for, nil for the real one.
func clock() (func() time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
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
		return manifest.Parse("standard input", src)
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
	return manifest.Parse(strings.Join(c.args, " "), text.Bytes())
}

// content returns the function that opens payloads: in the directories and archives that
// were given or, without any, by their own names.
func (c *call) content() (func(name string) (fs.File, error), error) {
	var areas []fs.FS
	for _, dir := range c.dirs {
		areas = append(areas, os.DirFS(dir))
	}
	for _, name := range c.bundles {
		area, err := bundle(name)
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

// bundle opens a directory or a tar archive as a place of payloads.
func bundle(name string) (fs.FS, error) {
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
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	return repo.TarFS(f, info.Size())
}
