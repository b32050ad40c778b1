package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	to, err := o.destination(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	j := &job{src: src, packages: packages, opts: &repo.CopyOptions{Transform: change, Progress: progress(out)}, out: out}
	if o.dryRun {
		return j.estimate(ctx, to)
	}
	fmt.Fprintf(out, "Receiving %s\n", plural(len(packages), "package"))
	if o.verbose {
		if err := j.list(ctx); err != nil {
			return err
		}
	}
	return to.receive(ctx, j)
}

// A job is what is to be received.
type job struct {
	src      repo.Source
	packages []fmri.FMRI
	opts     *repo.CopyOptions
	out      io.Writer
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list prints the names under which packages are received.
func (j *job) list(ctx context.Context) error {
	for _, f := range j.packages {
		name, _, err := j.manifest(ctx, f)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(j.out, name); err != nil {
			return err
		}
	}
	return nil
}

// manifest returns a package as it will be received, and its name.
func (j *job) manifest(ctx context.Context, f fmri.FMRI) (fmri.FMRI, *manifest.Manifest, error) {
	m, err := j.src.Manifest(ctx, f)
	if err != nil {
		return f, nil, err
	}
	return j.opts.Transformed(f, m)
}

// each calls do for each package as it will be received, with the name that it had.
func (j *job) each(ctx context.Context, do func(src repo.Source, f, name fmri.FMRI, m *manifest.Manifest) error) error {
	listed := *j
	listed.src = repo.Listed(j.src)
	for _, f := range j.packages {
		name, m, err := listed.manifest(ctx, f)
		if err != nil {
			return err
		}
		if err := do(listed.src, f, name, m); err != nil {
			return err
		}
	}
	return nil
}

// estimate says what would be received: the packages, and the files that the destination
// does not have, each once, and their stored size.
func (j *job) estimate(ctx context.Context, to destination) error {
	type file struct{ publisher, hash string }
	files := map[file]bool{}
	var names []fmri.FMRI
	var bytes int64
	for _, f := range j.packages {
		name, m, err := j.manifest(ctx, f)
		if err != nil {
			return err
		}
		if there, err := to.lists(ctx, name); there || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		names = append(names, name)
		for a := range m.All() {
			payloads, err := a.Payloads()
			if err != nil {
				return err
			}
			for _, p := range payloads {
				key := file{name.Publisher(), p.Name().Hex()}
				if there, err := to.holds(ctx, name.Publisher(), p); files[key] || there || err != nil {
					if err != nil {
						return err
					}
					continue
				}
				files[key] = true
				bytes += p.StoredSize
			}
		}
	}
	fmt.Fprintf(j.out, "Would receive %s with %s, %d bytes\n", plural(len(names), "package"), plural(len(files), "file"), bytes)
	for _, name := range names {
		fmt.Fprintln(j.out, name)
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
			return nil, fmt.Errorf("publisher %s: there is none in %s; it has %s", p, o.source, strings.Join(all, ", "))
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

// cloneAll makes the destination's publishers equal to the source's. One that the
// destination does not have is added only if -p asks for it.
func (o *options) cloneAll(ctx context.Context, src repo.Source, publishers []string, out io.Writer) (err error) {
	dst, err := o.openers.OpenSink(ctx, o.dest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if known, ok := dst.(repo.Source); ok && len(o.publishers) == 0 {
		if err := o.checkKnown(ctx, known, publishers); err != nil {
			return err
		}
	}
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

// checkKnown refuses publishers that the destination does not have.
func (o *options) checkKnown(ctx context.Context, dst repo.Source, publishers []string) error {
	known, err := dst.Publishers(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, p := range publishers {
		if !slices.Contains(known, p) {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no publisher %s; name those to add with -p, or all with -p '*'", o.dest, strings.Join(missing, ", "))
	}
	return nil
}
