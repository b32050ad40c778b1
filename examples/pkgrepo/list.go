package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// info prints one line a publisher.
func (c *call) info(ctx context.Context) error {
	c.withPublishers()
	c.withFormat()
	if err := c.parse(0, 0); err != nil {
		return err
	}
	src, err := c.source(ctx)
	if err != nil {
		return err
	}
	chosen, err := c.chosen(ctx, src)
	if err != nil {
		return err
	}
	t := table{heads: []string{"PUBLISHER", "PACKAGES", "STATUS", "UPDATED"}}
	for _, p := range chosen {
		known, err := src.Catalog(ctx, p)
		if err != nil {
			return err
		}
		packages := 0
		for range known.Stems(p) {
			packages++
		}
		count, updated := strconv.Itoa(packages), isoTime(known.Modified())
		status, err := statusOf(ctx, src, p)
		if err != nil {
			return err
		}
		t.add(map[string]any{"publisher": p, "packages": count, "status": status, "updated": updated},
			p, count, status, updated)
	}
	return c.print(&t)
}

// statusOf says whether somebody is writing for a publisher, in the words of pkgrepo(1).
func statusOf(ctx context.Context, src repo.Source, publisher string) (string, error) {
	r, ok := src.(*repo.Repository)
	if !ok {
		return "online", nil
	}
	busy, err := r.Busy(ctx, publisher)
	if busy {
		return "processing", err
	}
	return "online", err
}

// isoTime writes a time to the microsecond or, if it has none, to the second.
func isoTime(t time.Time) string {
	if t.Nanosecond()/1000 == 0 {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// list prints one line a package version.
func (c *call) list(ctx context.Context) error {
	c.withPublishers()
	c.withFormat()
	if err := c.parse(0, -1); err != nil {
		return err
	}
	src, err := c.source(ctx)
	if err != nil {
		return err
	}
	found, missing, err := c.find(ctx, src)
	if err != nil {
		return err
	}
	t := table{heads: []string{"PUBLISHER", "NAME", "O", "VERSION"}}
	if c.format == "tsv" {
		t.heads = []string{"PUBLISHER", "NAME", "O", "RELEASE", "BUILD RELEASE", "BRANCH", "PACKAGING DATE", "FMRI"}
	}
	for _, p := range found {
		if err := c.addPackage(&t, p); err != nil {
			return err
		}
	}
	return errors.Join(c.print(&t), c.complain(missing, len(found) > 0))
}

// find returns the packages that the operands and -p select, by name and publisher and
// then newest first, and the patterns that fit none.
func (c *call) find(ctx context.Context, src repo.Source) ([]catalog.Package, []fmri.Pattern, error) {
	chosen, err := c.chosen(ctx, src)
	if err != nil {
		return nil, nil, err
	}
	patterns, err := fmri.ParsePatterns(c.args...)
	if err != nil {
		return nil, nil, err
	}
	names, err := (&repo.Selection{Patterns: patterns, Publishers: chosen}).Find(ctx, src)
	var none *repo.NoMatchError
	if err != nil && !errors.As(err, &none) {
		return nil, nil, err
	}
	var found []catalog.Package
	catalogs := map[string]*catalog.Catalog{}
	for _, f := range names {
		known, ok := catalogs[f.Publisher()]
		if !ok {
			if known, err = src.Catalog(ctx, f.Publisher()); err != nil {
				return nil, nil, err
			}
			catalogs[f.Publisher()] = known
		}
		if p, ok := known.Lookup(f); ok {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, comparePackages)
	if none != nil {
		return found, none.Patterns, nil
	}
	return found, nil, nil
}

// comparePackages orders by name and publisher, newest first.
func comparePackages(p, q catalog.Package) int {
	return cmp.Or(strings.Compare(p.Name(), q.Name()), strings.Compare(p.Publisher(), q.Publisher()),
		q.Version().Compare(p.Version()))
}

// complain says which patterns fitted nothing, and returns the exit status.
func (c *call) complain(missing []fmri.Pattern, some bool) error {
	for _, p := range missing {
		fmt.Fprintf(c.errs, "pkgrepo: no package matches %s\n", p)
	}
	switch {
	case len(missing) == 0:
		return nil
	case some:
		return cli.Partial
	}
	return cli.Failed
}

// addPackage adds a package version to a table.
func (c *call) addPackage(t *table, p catalog.Package) error {
	v, mark := p.Version(), ""
	switch {
	case p.Obsolete():
		mark = "o"
	case p.Renamed():
		mark = "r"
	}
	cells := []string{p.Publisher(), p.Name(), mark, strings.Replace(v.String(), ","+string(v.Build()), "", 1)}
	if c.format == "tsv" {
		cells = []string{p.Publisher(), p.Name(), mark, string(v.Release()), string(v.Build()), string(cmp.Or(v.Branch(), "None")),
			v.Timestamp(), p.FMRI().String()}
	}
	item := map[string]any{
		"publisher": p.Publisher(), "name": p.Name(), "version": v.String(), "release": v.Release(),
		"build-release": v.Build(), "branch": cmp.Or(v.Branch(), "None"), "timestamp": v.Timestamp(),
		"pkg.fmri": p.FMRI().String(),
	}
	err := addAttributes(item, p)
	t.add(item, cells...)
	return err
}

// addAttributes adds the set actions that the catalog has of a package, each with its
// values and the other attributes it bears.
func addAttributes(item map[string]any, p catalog.Package) error {
	for _, part := range []catalog.Part{catalog.Dependency, catalog.Summary} {
		for a, err := range p.Actions(part) {
			if err != nil {
				return err
			}
			name, ok := a.Attrs.Get("name")
			if a.Kind != manifest.KindSet || !ok {
				continue
			}
			list, _ := item[name].([]map[string]any)
			item[name] = append(list, attribute(a))
		}
	}
	return nil
}

func attribute(a manifest.Action) map[string]any {
	m := map[string]any{"value": slices.Collect(a.Attrs.Values("value"))}
	for _, x := range a.Attrs {
		if x.Name != "name" && x.Name != "value" {
			m[x.Name] = x.Value
		}
	}
	return m
}

// contents prints the actions of packages.
func (c *call) contents(ctx context.Context) error {
	c.withPublishers()
	types := c.flags.StringSliceP("type", "t", nil, "only actions of these types")
	c.flags.BoolP("manifest", "m", false, "print whole manifests")
	if err := c.parse(0, -1); err != nil {
		return err
	}
	kinds := map[manifest.Kind]bool{}
	for _, name := range *types {
		k, ok := manifest.ParseKind(name)
		if !ok {
			return fmt.Errorf("action type %s: %w", name, fs.ErrNotExist)
		}
		kinds[k] = true
	}
	src, err := c.source(ctx)
	if err != nil {
		return err
	}
	found, missing, err := c.find(ctx, src)
	if err != nil {
		return err
	}
	for _, p := range found {
		m, err := src.Manifest(ctx, p.FMRI())
		if err != nil {
			return err
		}
		for a := range m.All() {
			if len(kinds) == 0 || kinds[a.Kind] {
				fmt.Fprintln(c.out, a)
			}
		}
	}
	return c.complain(missing, len(found) > 0)
}
