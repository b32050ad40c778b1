package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
)

// diff compares two repositories.
func (c *call) diff(ctx context.Context) error {
	c.withPublishers()
	quiet := c.flags.BoolP("quiet", "q", false, "print nothing")
	verbose := c.flags.BoolP("verbose", "v", false, "print every package")
	strict := c.flags.Bool("strict", false, "compare the times of the catalogs too")
	parsable := c.flags.Bool("parsable", false, "print JSON")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	if *quiet && (*verbose || *parsable) {
		return cli.UsageError("-q prints nothing, and so excludes -v and --parsable")
	}
	if len(c.locations) != 2 {
		return cli.UsageError("two locations (-s) are required")
	}
	diffs, err := c.differences(ctx)
	if err != nil {
		return err
	}
	same := true
	for _, d := range diffs {
		same = same && d.IsEmpty() && (d.SameCatalog || !*strict)
	}
	switch {
	case *quiet || same && !*parsable:
	case *parsable && *verbose:
		err = c.printVersions(diffs)
	case *parsable:
		err = c.printCounts(diffs)
	default:
		err = c.printDifferences(diffs, *verbose)
	}
	if err != nil || same {
		return err
	}
	return different
}

func (c *call) differences(ctx context.Context) ([]repo.Difference, error) {
	a, err := c.open(ctx, c.locations[0])
	if err != nil {
		return nil, err
	}
	b, err := c.open(ctx, c.locations[1])
	if err != nil {
		return nil, err
	}
	return repo.Diff(ctx, a, b, c.publishers...)
}

// A count is how many packages and versions there are.
type count struct {
	Packages int `json:"packages"`
	Versions int `json:"versions"`
}

// counted returns how much of a difference is in the first repository only, in the
// second only, in both, and in all. A package is in both if each has some version of it.
func counted(d repo.Difference) (a, b, both, total count) {
	inA, inB := names(d.A, d.Both), names(d.B, d.Both)
	for name := range inA {
		if inB[name] {
			both.Packages++
		}
	}
	a = count{len(inA) - both.Packages, len(d.A)}
	b = count{len(inB) - both.Packages, len(d.B)}
	both.Versions = len(d.Both)
	total = count{a.Packages + b.Packages + both.Packages, a.Versions + b.Versions + both.Versions}
	return a, b, both, total
}

func names(lists ...[]fmri.FMRI) map[string]bool {
	all := map[string]bool{}
	for _, l := range lists {
		for _, f := range l {
			all[f.Name()] = true
		}
	}
	return all
}

// String returns what stands in a table; a nil count is "-".
func (n *count) String() string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%d [%d]", n.Packages, n.Versions)
}

var countHeads = []string{"Publisher", "Repo1 only", "Repo2 only", "In both", "Total"}

// legend names the repositories as the output does.
func (c *call) legend() [][2]string {
	var names [][2]string
	for i, location := range c.locations {
		if path, err := localPath(location); err == nil {
			if abs, err := filepath.Abs(path); err == nil {
				location = abs + "/"
			}
		}
		names = append(names, [2]string{fmt.Sprintf("Repo%d", i+1), location})
	}
	return names
}

// printCounts prints the numbers as JSON.
func (c *call) printCounts(diffs []repo.Difference) error {
	rows := [][]any{}
	for _, d := range diffs {
		row := []any{d.Publisher}
		for _, n := range counts(d) {
			row = append(row, n)
		}
		rows = append(rows, row)
	}
	return json.NewEncoder(c.out).Encode(map[string]any{
		"table_legend": c.legend(), "table_header": countHeads, "table_data": rows,
	})
}

// counts returns the columns of a row: those of a repository that does not have the
// publisher are nil.
func counts(d repo.Difference) [4]*count {
	a, b, both, total := counted(d)
	switch {
	case !d.HasA:
		return [4]*count{nil, &b, nil, &total}
	case !d.HasB:
		return [4]*count{&a, nil, nil, &total}
	}
	return [4]*count{&a, &b, &both, &total}
}

// printVersions prints the packages as JSON.
func (c *call) printVersions(diffs []repo.Difference) error {
	plus, minus, common := []map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, d := range diffs {
		_, _, both, total := counted(d)
		only := map[string]any{"publisher": d.Publisher, "packages": total.Packages, "versions": total.Versions}
		switch {
		case !d.HasA:
			plus = append(plus, only)
		case !d.HasB:
			minus = append(minus, only)
		default:
			common = append(common, map[string]any{
				"publisher": d.Publisher, "+": texts(d.B), "-": texts(d.A), "common": both,
			})
		}
	}
	return json.NewEncoder(c.out).Encode(map[string]any{
		"plus_pubs": plus, "minus_pubs": minus, "common_pubs": common,
	})
}

func texts(all []fmri.FMRI) []string {
	out := []string{}
	for _, f := range all {
		out = append(out, f.String())
	}
	return out
}

// printDifferences prints the numbers or the packages for people.
func (c *call) printDifferences(diffs []repo.Difference, verbose bool) error {
	if verbose {
		for _, d := range diffs {
			for _, f := range d.A {
				fmt.Fprintf(c.out, "- %s\n", f)
			}
			for _, f := range d.B {
				fmt.Fprintf(c.out, "+ %s\n", f)
			}
		}
		return nil
	}
	t := table{heads: countHeads}
	for _, d := range diffs {
		cells := []string{d.Publisher}
		for _, n := range counts(d) {
			cells = append(cells, n.String())
		}
		t.add(nil, cells...)
	}
	c.format = "default"
	return c.print(&t)
}
