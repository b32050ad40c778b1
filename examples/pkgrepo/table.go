package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// formats are the values of -F.
var formats = []string{"default", "tsv", "json", "json-formatted"}

// A table is what list, info and get print.
type table struct {
	heads []string // for people and tsv
	rows  [][]string
	items []map[string]any // the rows for json
}

func (t *table) add(item map[string]any, cells ...string) {
	t.rows = append(t.rows, cells)
	t.items = append(t.items, item)
}

// print writes the table in the format that was asked for.
func (c *call) print(t *table) error {
	switch c.format {
	case "json", "json-formatted":
		return c.printJSON(t)
	case "tsv":
		return t.write(c.out, c.noHeader)
	}
	w := tabwriter.NewWriter(c.out, 0, 8, 1, ' ', 0)
	if err := t.write(w, c.noHeader); err != nil {
		return err
	}
	return w.Flush()
}

// write writes lines of cells, with tabs between them.
func (t *table) write(w io.Writer, noHeader bool) error {
	lines := t.rows
	if !noHeader {
		lines = append([][]string{t.heads}, t.rows...)
	}
	for _, cells := range lines {
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) printJSON(t *table) error {
	items := t.items
	if items == nil {
		items = []map[string]any{}
	}
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	if c.format == "json-formatted" {
		e.SetIndent("", "  ")
	}
	return e.Encode(items)
}
