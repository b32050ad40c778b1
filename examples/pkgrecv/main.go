// Command pkgrecv copies packages from one repository or archive to another, as
// pkgrecv(1) does.
//
//	pkgrecv -s SOURCE -d DESTINATION [-n] [-r] [-m MODE] [-p PUBLISHER]... [--mog-file FILE]... PATTERN...
//	pkgrecv -s SOURCE -d DESTINATION --clone [-p PUBLISHER]...
//	pkgrecv -s SOURCE -d FILE.p5p -a [-n] [-r] [-m MODE] [--mog-file FILE]... PATTERN...
//	pkgrecv -s SOURCE -d DIRECTORY --raw [-k] [-r] [-m MODE] [--mog-file FILE]... PATTERN...
//	pkgrecv -s SOURCE --newest
//
// Files of --mog-file hold rules of pkgmogrify(1) that change each manifest before it is
// written. Payloads of actions that are gone are not copied. A package that was
// changed loses its signatures.
//
// The exit status is 0 if all went well, 1 for an error, 2 for wrong usage, that of a rule
// which ends the program, and 130 after an interrupt or SIGTERM, which end it in good order;
// the second one ends it at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/manifest/transform"
	"github.com/goips/ips/repo"
)

func main() {
	ctx, stop := cli.Context()
	defer stop()
	opts := &repo.Options{Waiting: cli.Waiting(os.Stderr, "pkgrecv")}
	os.Exit(run(ctx, repo.Local(opts), os.Args[1:], os.Stdout, os.Stderr))
}

// An options holds what the command line says.
type options struct {
	source, dest string
	mode         string
	mog          []string
	publishers   []string
	newest       bool
	archive      bool
	clone        bool
	dryRun       bool
	raw          bool
	keep         bool
	verbose      bool
	recursive    bool
	patterns     []string
	openers      repo.Openers
}

// modes are the values of -m.
var modes = map[string]repo.Versions{
	"":               repo.AllTimestamps,
	"all-timestamps": repo.AllTimestamps,
	"all-versions":   repo.AllVersions,
	"latest":         repo.Latest,
}

const usage = `usage: pkgrecv -s SOURCE -d DESTINATION [-n] [-r] [-m MODE] [-p PUBLISHER]... [--mog-file FILE]... PATTERN...
  pkgrecv -s SOURCE -d DESTINATION --clone [-n] [-p PUBLISHER]...
  pkgrecv -s SOURCE -d FILE.p5p -a [-n] [-r] [-m MODE] [-p PUBLISHER]... [--mog-file FILE]... PATTERN...
  pkgrecv -s SOURCE -d DIRECTORY --raw [-k] [-n] [-r] [-m MODE] [-p PUBLISHER]... [--mog-file FILE]... PATTERN...
  pkgrecv -s SOURCE --newest [-p PUBLISHER]...
`

// run is the program: it returns the exit status.
func run(ctx context.Context, openers repo.Openers, args []string, out, errs io.Writer) int {
	o, flags, err := parse(args)
	if err == nil {
		o.openers = openers
		err = receive(ctx, o, out, errs)
	}
	if errors.Is(err, pflag.ErrHelp) {
		_, err = fmt.Fprintf(out, "%s%s", usage, flags.FlagUsages())
	}
	if exit := new(transform.ExitError); errors.As(err, &exit) {
		fmt.Fprintln(errs, "pkgrecv:", err)
		err = cli.Status(exit.Code)
	}
	return cli.End(ctx, errs, "pkgrecv", usage, err)
}

// parse reads the command line.
func parse(args []string) (*options, *pflag.FlagSet, error) {
	o := &options{source: os.Getenv("PKG_SRC"), dest: os.Getenv("PKG_DEST")}
	f := cli.Flags("pkgrecv")
	f.StringVarP(&o.source, "source", "s", o.source, "where packages come from")
	f.StringVarP(&o.dest, "destination", "d", o.dest, "where they go")
	f.StringVarP(&o.mode, "mode", "m", "", "latest, all-versions or all-timestamps")
	f.StringArrayVar(&o.mog, "mog-file", nil, "rules that change manifests, - for the standard input")
	f.StringArrayVarP(&o.publishers, "publisher", "p", nil, "only this publisher")
	f.BoolVar(&o.newest, "newest", false, "list the newest version of each package")
	f.BoolVarP(&o.archive, "archive", "a", false, "write a p5p archive")
	f.BoolVar(&o.clone, "clone", false, "make an exact copy")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "only say what would be done")
	f.BoolVar(&o.raw, "raw", false, "write manifests and payloads to directories")
	f.BoolVarP(&o.keep, "keep-compressed", "k", false, "with --raw: leave payloads as they are stored")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "name the packages")
	f.StringP("cache", "c", "", "accepted: nothing needs to be kept")
	f.BoolVarP(&o.recursive, "recursive", "r", false, "with dependencies")
	if err := cli.Parse(f, args); err != nil {
		return o, f, err
	}
	if _, err := cli.Debug(f); err != nil {
		return o, f, err
	}
	o.patterns = f.Args()
	return o, f, o.check()
}

// check refuses what does not go together.
func (o *options) check() error {
	_, known := modes[o.mode]
	switch {
	case o.source == "":
		return cli.UsageError("a source (-s) is required")
	case !known:
		return cli.Usagef("-m %s: there are latest, all-versions and all-timestamps", o.mode)
	case len(o.mog) > 0 && (o.clone || o.newest):
		return cli.UsageError("--mog-file changes packages that are received one by one")
	case o.newest && len(o.patterns) > 0:
		return cli.UsageError("--newest takes no patterns")
	case o.newest:
		return nil
	case o.dest == "":
		return cli.UsageError("a destination (-d) is required")
	case o.clone && (o.archive || o.raw || o.recursive || o.mode != "" || len(o.patterns) > 0):
		return cli.UsageError("--clone takes everything as it is")
	case o.archive && o.raw:
		return cli.UsageError("--raw and -a exclude each other")
	case !o.clone && len(o.patterns) == 0:
		return cli.UsageError("name the packages to receive")
	}
	return nil
}
