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

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
)

// get prints properties of the repository or, with -p, of publishers.
func (c *call) get(ctx context.Context) error {
	c.withPublishers()
	c.withFormat()
	if err := c.parse(0, -1); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	if len(c.publishers) == 0 {
		props, err := r.Properties(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(props, func(p, q repo.Property) int {
			return cmp.Or(strings.Compare(p.Section, q.Section), strings.Compare(p.Name, q.Name))
		})
		t := table{heads: []string{"SECTION", "PROPERTY", "VALUE"}}
		return c.printProperties(&t, map[string][]repo.Property{"": props}, []string{""})
	}
	chosen, err := c.chosen(ctx, r)
	if err != nil {
		return err
	}
	all := map[string][]repo.Property{}
	for _, p := range chosen {
		if all[p], err = r.PublisherProperties(ctx, p); err != nil {
			return err
		}
	}
	t := table{heads: []string{"PUBLISHER", "SECTION", "PROPERTY", "VALUE"}}
	return c.printProperties(&t, all, chosen)
}

// printProperties prints those properties that the operands name: all without operands.
func (c *call) printProperties(t *table, all map[string][]repo.Property, publishers []string) error {
	seen := map[string]bool{}
	for _, p := range publishers {
		for _, prop := range all[p] {
			name := prop.Section + "/" + prop.Name
			if len(c.args) > 0 && !matches(c.args, name) {
				continue
			}
			seen[name] = true
			c.addProperty(t, p, prop)
		}
	}
	missing := 0
	for _, name := range c.args {
		if !seen[name] && strings.Contains(name, "/") {
			missing++
			fmt.Fprintf(c.errs, "pkgrepo: there is no property %s\n", name)
		}
	}
	if missing > 0 && len(t.rows) == 0 {
		return cli.Failed
	}
	if err := c.print(t); err != nil {
		return err
	}
	if missing > 0 {
		return cli.Partial
	}
	return nil
}

// matches reports whether one of the operands names a property or its section.
func matches(operands []string, name string) bool {
	section, _, _ := strings.Cut(name, "/")
	for _, o := range operands {
		if o == name || o == section {
			return true
		}
	}
	return false
}

func (c *call) addProperty(t *table, publisher string, p repo.Property) {
	unset := publisher != "" && p.Name != "registration-uri" // the only text that is not unset when it is empty
	text := p.Value.String()
	if text == "" && !unset {
		text = `""`
	}
	item := map[string]any{"section": p.Section, "property": p.Name, "value": jsonValue(p)}
	cells := []string{p.Section, p.Name, text}
	if publisher != "" {
		if text == "" {
			item["value"] = nil
		}
		item["publisher"] = publisher
		cells = append([]string{publisher}, cells...)
	}
	t.add(item, cells...)
}

// jsonValue returns the value of a property as JSON has it: a list, for those properties
// that are one a truth value or a number, and else a text.
func jsonValue(p repo.Property) any {
	text := p.Value.String()
	if items, isList := p.Value.Items(); isList {
		return append([]string{}, items...)
	}
	switch p.Name {
	case "check-certificate-revocation":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case "version", "refresh-seconds":
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	return text
}

// set changes properties.
func (c *call) set(ctx context.Context) error {
	c.withPublishers()
	if err := c.parse(1, -1); err != nil {
		return err
	}
	props, err := c.assignments()
	if err != nil {
		return err
	}
	if len(c.publishers) > 0 {
		if props, err = keepNames(props, c.publishers); err != nil {
			return err
		}
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	if len(c.publishers) == 0 {
		return r.SetProperties(ctx, props...)
	}
	publishers := c.publishers
	if publishers[0] == "all" {
		if publishers, err = r.Publishers(ctx); err != nil {
			return err
		}
	}
	for _, p := range publishers {
		if err := r.SetPublisherProperties(ctx, p, props...); err != nil {
			return err
		}
	}
	return nil
}

// keepNames takes publisher/prefix out of what is set of publishers. It may say what they
// are called, and cannot change that.
func keepNames(props []repo.Property, publishers []string) ([]repo.Property, error) {
	var rest []repo.Property
	for _, prop := range props {
		if prop.Section != "publisher" || prop.Name != "prefix" {
			rest = append(rest, prop)
			continue
		}
		for _, p := range publishers {
			if name := prop.Value.String(); name != p {
				return nil, cli.Usagef("publisher/prefix=%s: publisher %s cannot get another name", name, p)
			}
		}
	}
	return rest, nil
}

// assignments parses the operands of set. A property that is named again makes a list.
func (c *call) assignments() ([]repo.Property, error) {
	var props []repo.Property
	at := map[string]int{}
	for _, operand := range c.args {
		name, text, ok := strings.Cut(operand, "=")
		section, prop, ok2 := strings.Cut(name, "/")
		if !ok || !ok2 || section == "" || prop == "" {
			return nil, cli.UsageError("properties are written SECTION/PROPERTY=VALUE")
		}
		v, err := repo.ParseValue(text)
		if err != nil {
			return nil, cli.UsageError(err.Error())
		}
		if i, again := at[name]; again {
			props[i].Value = repo.List(append(items(props[i].Value), items(v)...)...)
			continue
		}
		at[name] = len(props)
		props = append(props, repo.Property{Section: section, Name: prop, Value: v})
	}
	return props, nil
}

// items returns the items of a list, or a text as the only one.
func items(v repo.Value) []string {
	if list, ok := v.Items(); ok {
		return list
	}
	return []string{v.String()}
}

// addPublisher adds publishers; those that are there already are an error.
func (c *call) addPublisher(ctx context.Context) error {
	if err := c.parse(1, -1); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	for _, p := range c.args {
		if err := fmri.CheckPublisher(p); err != nil {
			return err
		}
	}
	added := 0
	for _, p := range c.args {
		switch err := r.AddPublisher(ctx, p); {
		case err == nil:
			added++
		case errors.Is(err, fs.ErrExist):
			fmt.Fprintln(c.errs, "pkgrepo:", err)
		default:
			return err
		}
	}
	switch added {
	case len(c.args):
		return nil
	case 0:
		return cli.Failed
	}
	return cli.Partial
}

// removePublisher removes publishers with all their packages; if one is not there,
// nothing is done.
func (c *call) removePublisher(ctx context.Context) error {
	dry := c.flags.BoolP("dry-run", "n", false, "only say what would be done")
	c.flags.Bool("synchronous", false, "accepted: removal is always complete on return")
	if err := c.parse(1, -1); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	c.publishers = c.args
	if _, err := c.chosen(ctx, r); err != nil {
		return err
	}
	for _, p := range c.args {
		fmt.Fprintf(c.out, "Removing publisher %s\n", p)
		if *dry {
			continue
		}
		if err := r.RemovePublisher(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
