// Command inventory prints what an image contains as JSON: each package that is installed,
// its version and its licenses.
//
//	inventory ROOT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/goips/ips/repo/image"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: inventory ROOT")
		os.Exit(2)
	}
	if err := inventory(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "inventory:", err)
		os.Exit(1)
	}
}

// An item is one installed package.
type item struct {
	Name, Version, Publisher string
	Licenses                 []string
}

func inventory(ctx context.Context, root string, out io.Writer) error {
	img, err := image.Open(ctx, root, &image.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer img.Close()
	items := []item{}
	for p := range img.Installed().All() {
		f := p.FMRI()
		it := item{Name: f.Name(), Version: f.Version().String(), Publisher: f.Publisher()}
		for l, err := range img.Licenses(ctx, f) {
			if err != nil {
				return err
			}
			it.Licenses = append(it.Licenses, l.Name)
		}
		items = append(items, it)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(items)
}
