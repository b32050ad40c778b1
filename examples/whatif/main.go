// Command whatif says what an update would do to an image, and why packages would stay
// behind. It changes nothing, and whoever may read the image may ask.
//
//	whatif ROOT [PATTERN...]
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/image"
	"github.com/goips/ips/solver"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: whatif ROOT [PATTERN...]")
		os.Exit(2)
	}
	if err := whatif(context.Background(), os.Args[1], os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "whatif:", err)
		os.Exit(1)
	}
}

func whatif(ctx context.Context, root string, patterns []string, out io.Writer) error {
	img, err := image.Open(ctx, root, &image.Options{Openers: repo.Local(nil), ReadOnly: true})
	if err != nil {
		return err
	}
	defer img.Close()
	if err := img.Refresh(ctx); err != nil {
		return err
	}
	request := solver.Request{Op: solver.Update}
	if request.Patterns, err = fmri.ParsePatterns(patterns...); err != nil {
		return err
	}
	p, err := img.Plan(ctx, request)
	if err != nil {
		return err
	}
	fmt.Fprint(out, p.Plan)
	for held := range p.Solution.Blocked() {
		why, err := p.Why(ctx, held.Name())
		if err != nil {
			return err
		}
		fmt.Fprintln(out, why)
	}
	return nil
}
