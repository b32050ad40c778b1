package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/repo"
)

// A call is one run of a subcommand.
type call struct {
	usage      string // of the subcommand, whole lines
	flags      *pflag.FlagSet
	args       []string
	locations  []string // -s
	later      []string // -s behind the subcommand
	given      []string // both, without what the environment says
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
	if err := cli.Parse(c.flags, c.args); err != nil {
		return err
	}
	if _, err := cli.Debug(c.flags); err != nil {
		return err
	}
	c.args = c.flags.Args()
	c.locations = append(c.locations, c.later...)
	c.given = c.locations
	if len(c.locations) == 0 && os.Getenv("PKG_REPO") != "" {
		c.locations = []string{os.Getenv("PKG_REPO")}
	}
	switch {
	case len(c.args) < least:
		return cli.UsageError("an operand is missing")
	case most >= 0 && len(c.args) > most:
		return cli.UsageError("too many operands")
	case c.format != "" && !slices.Contains(formats, c.format):
		return cli.Usagef("unknown format %s; there are %s", c.format, strings.Join(formats, ", "))
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
		return "", cli.UsageError("a location (-s) is required")
	case len(c.locations) > 1:
		return "", cli.UsageError("only one location is expected")
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
		return nil, fmt.Errorf("%s is an archive; this is for repositories, which are directories", c.locations[0])
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
		err = &elsewhereError{location, l.Scheme()}
	}
	return l.Path(), asUsage(err, location)
}

// An elsewhereError reports a location that is not on this machine.
type elsewhereError struct{ location, scheme string }

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("%s: a repository is made and managed on this machine, not at a location of scheme %q", e.location, e.scheme)
}

func (e *elsewhereError) Unwrap() error { return errors.ErrUnsupported }

// asUsage makes wrong usage of the error about a location that is a depot.
func asUsage(err error, location string) error {
	l, _ := repo.ParseLocation(location)
	if errors.Is(err, errors.ErrUnsupported) && (l.Scheme() == "http" || l.Scheme() == "https") {
		return cli.Usagef("network repositories are not supported for this operation: %s", location)
	}
	return err
}

// noPublisher says that a publisher is not there, and which are.
func noPublisher(name string, all []string) error {
	if len(all) == 0 {
		return fmt.Errorf("publisher %s: there is none; the repository has no publishers yet", name)
	}
	return fmt.Errorf("publisher %s: there is none; the repository has %s", name, strings.Join(all, ", "))
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
			return nil, noPublisher(p, all)
		}
	}
	return c.publishers, nil
}
