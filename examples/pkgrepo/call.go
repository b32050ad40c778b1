package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/goips/ips/repo"
)

// A call is one run of a subcommand.
type call struct {
	flags      *pflag.FlagSet
	args       []string
	locations  []string // -s
	later      []string // -s behind the subcommand
	publishers []string // -p
	format     string   // -F
	noHeader   bool     // -H
	openers    repo.Openers
	opened     []io.Closer // closed at the end
	out, errs  io.Writer
}

// parse reads the options that were declared and checks the number of operands; most
// is -1 for any number.
func (c *call) parse(least, most int) error {
	if err := c.flags.Parse(c.args); errors.Is(err, pflag.ErrHelp) {
		return err
	} else if err != nil {
		return usageError(err.Error())
	}
	c.args = c.flags.Args()
	c.locations = append(c.locations, c.later...)
	if len(c.locations) == 0 && os.Getenv("PKG_REPO") != "" {
		c.locations = []string{os.Getenv("PKG_REPO")}
	}
	switch {
	case len(c.args) < least:
		return usageError("an operand is missing")
	case most >= 0 && len(c.args) > most:
		return usageError("too many operands")
	case c.format != "" && !slices.Contains(formats, c.format):
		return usageError("unknown format " + c.format)
	}
	return nil
}

// withPublishers declares -p.
func (c *call) withPublishers() {
	c.flags.StringArrayVarP(&c.publishers, "publisher", "p", nil, "only this publisher")
}

// withFormat declares -F and -H.
func (c *call) withFormat() {
	c.flags.StringVarP(&c.format, "format", "F", "default", "output format")
	c.flags.BoolVarP(&c.noHeader, "no-header", "H", false, "omit the headers")
}

// location returns the one location that was given.
func (c *call) location() (string, error) {
	switch {
	case len(c.locations) == 0:
		return "", usageError("a location (-s) is required")
	case len(c.locations) > 1:
		return "", usageError("only one location is expected")
	}
	return c.locations[0], nil
}

// source opens what can be read at the location.
func (c *call) source(ctx context.Context) (repo.Source, error) {
	location, err := c.location()
	if err != nil {
		return nil, err
	}
	return c.open(ctx, location)
}

// repository opens the repository at the location, for changing it.
func (c *call) repository(ctx context.Context) (*repo.Repository, error) {
	src, err := c.source(ctx)
	if err != nil {
		return nil, err
	}
	r, ok := src.(*repo.Repository)
	if !ok {
		return nil, errors.New("an archive is no repository, which this takes")
	}
	return r, nil
}

// open opens a repository or an archive, until the end.
func (c *call) open(ctx context.Context, location string) (repo.Source, error) {
	src, err := c.openers.OpenSource(ctx, location)
	if err != nil {
		return nil, asUsage(err, location)
	}
	c.opened = append(c.opened, src)
	return src, nil
}

// close closes what was opened.
func (c *call) close() error {
	var errs []error
	for _, o := range c.opened {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

// localPath returns the path that a location names.
func localPath(location string) (string, error) {
	l, err := repo.ParseLocation(location)
	if err == nil && l.Path() == "" {
		err = &repo.Error{Op: "open", Place: location, Err: errors.ErrUnsupported}
	}
	return l.Path(), asUsage(err, location)
}

// asUsage makes wrong usage of the error about a location that names none, or a depot.
func asUsage(err error, location string) error {
	if e := new(repo.LocationError); errors.As(err, &e) {
		return usageError(e.Error())
	}
	l, _ := repo.ParseLocation(location)
	if errors.Is(err, errors.ErrUnsupported) && (l.Scheme() == "http" || l.Scheme() == "https") {
		return usageError("network repositories are not supported for this operation: " + location)
	}
	return err
}

// chosen returns the publishers of src that -p selects: all without it. One that is
// not there is an error.
func (c *call) chosen(ctx context.Context, src repo.Source) ([]string, error) {
	all, err := src.Publishers(ctx)
	if err != nil || len(c.publishers) == 0 || slices.Contains(c.publishers, "all") {
		return all, err
	}
	for _, p := range c.publishers {
		if !slices.Contains(all, p) {
			return nil, fmt.Errorf("publisher %s: %w", p, fs.ErrNotExist)
		}
	}
	return c.publishers, nil
}
