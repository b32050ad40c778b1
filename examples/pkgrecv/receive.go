package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// receive does what the options say.
func receive(ctx context.Context, o *options, out, errs io.Writer) (err error) {
	change, err := o.transformer(out, errs)
	if err != nil {
		return err
	}
	src, err := o.openers.OpenSource(ctx, o.source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	publishers, err := o.chosen(ctx, src)
	if err != nil {
		return err
	}
	switch {
	case o.newest:
		return listNewest(ctx, src, publishers, out)
	case o.clone:
		return o.cloneAll(ctx, src, publishers, out)
	}
	packages, err := o.find(ctx, src, publishers)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Receiving %s\n", plural(len(packages), "package"))
	opts := &repo.CopyOptions{Transform: change, Progress: progress(out)}
	if o.dryRun || o.verbose {
		if err := list(ctx, src, packages, opts, out); err != nil {
			return err
		}
	}
	switch {
	case o.dryRun:
		return nil
	case o.archive:
		return writeArchive(ctx, repo.Listed(src), o.dest, packages, opts)
	case o.raw:
		return o.writeRaw(ctx, repo.Listed(src), packages, opts)
	}
	dst, err := o.openers.OpenSink(ctx, o.dest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = repo.Copy(ctx, dst, src, slices.Values(packages), opts)
	return err
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list prints the names under which packages would be received.
func list(ctx context.Context, src repo.Source, packages []fmri.FMRI, opts *repo.CopyOptions, out io.Writer) error {
	for _, f := range packages {
		if opts.Transform != nil {
			m, err := src.Manifest(ctx, f)
			if err != nil {
				return err
			}
			if f, _, err = opts.Transformed(f, m); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(out, f); err != nil {
			return err
		}
	}
	return nil
}

// chosen returns the publishers that -p names: all without it, or where it says so.
func (o *options) chosen(ctx context.Context, src repo.Source) ([]string, error) {
	all, err := src.Publishers(ctx)
	if err != nil || len(o.publishers) == 0 || slices.Contains(o.publishers, "*") || slices.Contains(o.publishers, "all") {
		return all, err
	}
	for _, p := range o.publishers {
		if !slices.Contains(all, p) {
			return nil, fmt.Errorf("publisher %s: %w", p, fs.ErrNotExist)
		}
	}
	return o.publishers, nil
}

// find returns the packages that the patterns select.
func (o *options) find(ctx context.Context, src repo.Source, publishers []string) (_ []fmri.FMRI, err error) {
	selection := &repo.Selection{Publishers: publishers, Versions: modes[o.mode], Dependencies: o.recursive}
	if selection.Patterns, err = fmri.ParsePatterns(o.patterns...); err != nil {
		return nil, err
	}
	return selection.Find(ctx, src)
}

// listNewest prints the newest version of each package.
func listNewest(ctx context.Context, src repo.Source, publishers []string, out io.Writer) error {
	var newest []catalog.Package
	for _, p := range publishers {
		c, err := src.Catalog(ctx, p)
		if err != nil {
			return err
		}
		newest = slices.AppendSeq(newest, c.Newest())
	}
	slices.SortStableFunc(newest, func(p, q catalog.Package) int { return cmp.Compare(p.Name(), q.Name()) })
	for _, p := range newest {
		if _, err := fmt.Fprintln(out, p.FMRI().Format(fmri.OmitBuild)); err != nil {
			return err
		}
	}
	return nil
}

// cloneAll makes the destination's publishers equal to the source's.
func (o *options) cloneAll(ctx context.Context, src repo.Source, publishers []string, out io.Writer) (err error) {
	dst, err := o.openers.OpenSink(ctx, o.dest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	for _, p := range publishers {
		fmt.Fprintln(out, "Cloning", p)
		if o.dryRun {
			continue
		}
		if _, err := repo.Clone(ctx, dst, src, p, &repo.CopyOptions{Progress: progress(out)}); err != nil {
			return err
		}
	}
	return nil
}

// writeArchive writes packages to a new p5p archive.
func writeArchive(ctx context.Context, src repo.Source, name string, packages []fmri.FMRI, opts *repo.CopyOptions) error {
	w, err := archive.Create(name, nil)
	if err != nil {
		return err
	}
	defer w.Abort()
	for _, f := range packages {
		m, err := src.Manifest(ctx, f)
		if err != nil {
			return err
		}
		open := func(p manifest.Payload) (io.ReadCloser, error) {
			return src.Payload(ctx, f.Publisher(), p.Name())
		}
		name, m, err := opts.Transformed(f, m)
		if err != nil {
			return err
		}
		if err := w.Add(name, m, open); err != nil {
			return err
		}
	}
	return w.Close()
}
