// Command quickstart takes real files through every floor of the library.
//
//	go run ./examples/quickstart [-dir DIR] [-keep] [-package PATH]
//
// It turns each package of the installed Go standard library into an IPS package, twice,
// publishes both builds into a repository on disk, writes an archive, installs net/http
// into an image, updates, verifies and uninstalls it, and asks for something
// impossible to show how that is explained. With -package it takes the tour with another
// package than net/http, and publishes only that one and what it imports. It needs the Go
// toolchain and nothing else, and leaves nothing behind unless it is told to.
//
// An interrupt (Ctrl-C) or SIGTERM ends it in good order, with status 130; a second one
// ends it at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/repo"
)

func main() {
	ctx, stop := cli.Context()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, out *os.File, errs io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(errs)
	dir := flags.String("dir", "", "work in this directory and keep it (default a temporary one)")
	keep := flags.Bool("keep", false, "keep the temporary directory")
	only := flags.String("package", "", "publish only this package and what it imports (default all, and install net/http)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		flags.Usage()
		fmt.Fprintf(errs, "quickstart: %q is no flag, and there are no other arguments\n", flags.Arg(0))
		return 2
	}
	screen := newScreen(out)
	err := tourIn(ctx, *dir, *keep, &tour{only: *only, out: screen, openers: repo.Local(nil)})
	screen.clear()
	return cli.End(ctx, errs, "quickstart", "", err)
}

// tourIn prepares the directory, takes the tour and cleans up.
func tourIn(ctx context.Context, dir string, keep bool, t *tour) (err error) {
	if dir != "" {
		keep = true
	} else {
		if dir, err = os.MkdirTemp("", "ips-quickstart-"); err != nil {
			return err
		}
		if !keep {
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		} else if err = os.Chmod(dir, 0o755); err != nil { // as repositories are for everybody to read
			return err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := claim(dir); err != nil {
		return err
	}
	t.dir, t.keep = dir, keep
	t.out.line("working in %s", dir)
	if err := t.take(ctx); errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("no space is left where %s is: name a directory on another file system with -dir", dir)
	} else if err != nil {
		return err
	}
	t.farewell()
	return nil
}

// marker is the file that says that what is in a directory is quickstart's own.
const marker = "quickstart"

// claim makes dir the place to work in: a new or empty directory, or that of an earlier
// run, which may have been interrupted anywhere.
func claim(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err == nil {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Readdirnames(1); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s holds something else: name an empty directory", dir)
	}
	return os.WriteFile(filepath.Join(dir, marker), nil, 0o644)
}
