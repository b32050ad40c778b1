package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
)

// create makes a repository in a directory that is missing or empty.
func (c *call) create(ctx context.Context) error {
	version := c.flags.Int("version", 4, "layout of the repository")
	exact := c.flags.Bool("exact", false, "pack payloads byte for byte as the reference does, for repositories that both publish to")
	if err := c.parse(0, 1); err != nil {
		return err
	}
	if len(c.args) == 1 {
		c.locations = append(c.locations, c.args[0])
	}
	location, err := c.location()
	if err != nil {
		return err
	}
	path, err := localPath(location)
	if err != nil {
		return err
	}
	config := repo.Config{Version: *version}
	if *exact {
		config.Packing = repo.PackExact
	}
	r, err := repo.CreateDir(ctx, path, config, nil)
	if err != nil {
		return err
	}
	return r.Close()
}

// What rebuild and refresh do to a publisher.
type maintenance struct {
	both, catalog, index func(r *repo.Repository, ctx context.Context, publisher string) error
}

// maintain opens the repository and does for each publisher that -p selects what the
// options leave.
func (c *call) maintain(ctx context.Context, m maintenance) error {
	c.withPublishers()
	noCatalog := c.flags.Bool("no-catalog", false, "leave the catalog alone")
	noIndex := c.flags.Bool("no-index", false, "leave the search index alone")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	chosen, err := c.chosen(ctx, r)
	if err != nil || *noCatalog && *noIndex {
		return err
	}
	do := m.both
	switch {
	case *noCatalog:
		do = m.index
	case *noIndex:
		do = m.catalog
	}
	for _, p := range chosen {
		if err := do(r, ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// rebuild makes catalogs and search indexes anew from the manifests.
func (c *call) rebuild(ctx context.Context) error {
	return c.maintain(ctx, maintenance{
		both:    (*repo.Repository).Rebuild,
		catalog: (*repo.Repository).RebuildCatalog,
		index:   (*repo.Repository).RebuildIndex, // RebuildCatalog removes the old one
	})
}

// refresh lists packages that are stored but not in the catalog, and indexes those that
// are in the catalog but not in the index.
func (c *call) refresh(ctx context.Context) error {
	return c.maintain(ctx, maintenance{
		both: func(r *repo.Repository, ctx context.Context, publisher string) error {
			_, err := r.Refresh(ctx, publisher)
			return err
		},
		catalog: func(r *repo.Repository, ctx context.Context, publisher string) error {
			_, err := r.RefreshCatalog(ctx, publisher)
			return err
		},
		index: (*repo.Repository).RefreshIndex,
	})
}

// remove removes packages and the payloads that no other package needs.
func (c *call) remove(ctx context.Context) error {
	c.withPublishers()
	dry := c.flags.BoolP("dry-run", "n", false, "only say what would be removed")
	before := c.flags.StringP("date", "d", "", "only what was published before this day, YYYYMMDD")
	if err := c.parse(1, -1); err != nil {
		return err
	}
	if err := checkDay(*before); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	found, missing, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return c.complain(missing, false)
	}
	found = publishedBefore(found, *before)
	for publisher, packages := range byPublisher(found) {
		for _, f := range packages {
			fmt.Fprintf(c.out, "Removing %s\n", f)
		}
		if *dry {
			continue
		}
		if _, err := r.Remove(ctx, packages...); err != nil {
			return fmt.Errorf("%s: %w", publisher, err)
		}
	}
	return nil
}

// checkDay refuses what is neither a day nor empty.
func checkDay(text string) error {
	if _, err := time.Parse("20060102", text); text != "" && err != nil {
		return cli.Usagef("-d %s: a day is written YYYYMMDD, as 20250131", text)
	}
	return nil
}

// publishedBefore returns the packages that were published before a day (UTC); all if
// that is empty.
func publishedBefore(found []catalog.Package, day string) []catalog.Package {
	if day == "" {
		return found
	}
	return slices.DeleteFunc(found, func(p catalog.Package) bool {
		return p.Version().Timestamp() >= day // the one begins as the other is written
	})
}

// byPublisher groups packages, in the order of their publishers.
func byPublisher(found []catalog.Package) func(yield func(string, []fmri.FMRI) bool) {
	groups := map[string][]fmri.FMRI{}
	var order []string
	for _, p := range found {
		if groups[p.Publisher()] == nil {
			order = append(order, p.Publisher())
		}
		groups[p.Publisher()] = append(groups[p.Publisher()], p.FMRI())
	}
	return func(yield func(string, []fmri.FMRI) bool) {
		for _, publisher := range order {
			if !yield(publisher, groups[publisher]) {
				return
			}
		}
	}
}

// version prints which build of the library this is.
func (c *call) version(context.Context) error {
	if err := c.parse(0, 0); err != nil {
		return err
	}
	if len(c.given) > 0 {
		return cli.UsageError("version is that of the program; it takes no location")
	}
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(c.out, version)
	return err
}
