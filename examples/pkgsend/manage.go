package main

import (
	"context"
	"strings"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/repo"
)

// createRepository makes a repository in a directory that is missing or empty.
func (c *call) createRepository(ctx context.Context) error {
	properties := c.flags.StringArray("set-property", nil, "publisher.prefix=NAME: whose packages have no publisher in their name")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	config := repo.Config{}
	for _, p := range *properties {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name != "publisher.prefix" {
			return cli.Usagef("--set-property %s: what can be set is publisher.prefix=NAME; pkgrepo set has the rest", p)
		}
		config.DefaultPublisher = value
	}
	if c.location == "" {
		return cli.UsageError("a location (-s) is required")
	}
	l, err := repo.ParseLocation(c.location)
	if err != nil {
		return err
	}
	if l.Path() == "" {
		return cli.Usagef("%s: a repository is made on this machine, not at a location of scheme %q", c.location, l.Scheme())
	}
	r, err := repo.CreateDir(ctx, l.Path(), config, c.options)
	if err != nil {
		return err
	}
	return r.Close()
}

// refreshIndex brings the search indexes of all publishers up to date.
func (c *call) refreshIndex(ctx context.Context) error {
	if err := c.parse(0, 0); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	publishers, err := r.Publishers(ctx)
	if err != nil {
		return err
	}
	for _, p := range publishers {
		if err := r.RefreshIndex(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
