package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/bundle"
)

// generate prints the actions of directories and tar archives.
func (c *call) generate(context.Context) error {
	real := c.flags.BoolP("owners", "u", false, "the owners that the files have")
	targets := c.flags.StringArray("target", nil, "a file that others are hard links to")
	c.flags.StringArrayVarP(&c.timestamps, "timestamp", "T", nil, "files that keep their time")
	if err := c.parse(1, -1); err != nil {
		return err
	}
	opts := &bundle.Options{Targets: *targets, Timestamps: c.timestamps}
	if *real {
		opts.Owner = owner
	}
	for _, name := range c.args {
		err := c.generateFrom(name, opts)
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("there is no such file or directory")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// generateFrom prints the actions of one source.
func (c *call) generateFrom(name string, opts *bundle.Options) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.printActions(bundle.Dir(os.DirFS(name), opts))
	}
	f, err := openTar(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.printActions(bundle.Tar(f, opts))
}

func (c *call) printActions(actions iter.Seq2[manifest.Action, error]) error {
	for a, err := range actions {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(c.out, a); err != nil {
			return err
		}
	}
	return nil
}
