// Command mirror copies the newest version of packages from any place to a directory, and
// says what it has copied.
//
//	mirror FROM DIRECTORY [PATTERN...]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: mirror FROM DIRECTORY [PATTERN...]")
		os.Exit(2)
	}
	if err := mirror(context.Background(), os.Args[1], os.Args[2], os.Args[3:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mirror:", err)
		os.Exit(1)
	}
}

func mirror(ctx context.Context, from, to string, patterns []string, out io.Writer) error {
	src, err := repo.Local(nil).OpenSource(ctx, from)
	if err != nil {
		return err
	}
	defer src.Close()
	selection := repo.Selection{Versions: repo.Latest}
	if selection.Patterns, err = fmri.ParsePatterns(patterns...); err != nil {
		return err
	}
	packages, err := selection.Find(ctx, src)
	if err != nil {
		return err
	}
	dst, err := repo.OpenDir(ctx, to, nil)
	if errors.Is(err, fs.ErrNotExist) {
		dst, err = repo.CreateDir(ctx, to, repo.Config{}, nil)
	}
	if err != nil {
		return err
	}
	defer dst.Close()
	done, err := repo.Copy(ctx, dst, src, slices.Values(packages), nil)
	for _, f := range done.Copied {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintf(out, "%d packages copied, %d were there; %d bytes\n", len(done.Copied), len(done.Skipped), done.Brought.Bytes)
	return err
}
