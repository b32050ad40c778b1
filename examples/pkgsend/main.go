// Command pkgsend publishes packages, as pkgsend(1) does.
//
//	pkgsend [-s REPOSITORY] [-D allow-timestamp] SUBCOMMAND [OPTION...] [OPERAND...]
//
// The subcommands are publish and generate, and open, add, include, close for publishing
// step by step. SOURCE_DATE_EPOCH, if set, is the time that packages are published
// at, so that two runs give the same bytes. The exit status is 0 if all went well, 1 for an
// error and 2 for wrong usage.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/goips/ips/repo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const usage = `usage: pkgsend [-s REPOSITORY] [-D allow-timestamp] SUBCOMMAND ...
  pkgsend publish -s REPOSITORY [-d DIR]... [-b TAR]... [-T GLOB]... [--no-catalog] [MANIFEST...]
  pkgsend generate [-T GLOB]... [-u] [--target PATH]... SOURCE...
  pkgsend open -s REPOSITORY [-en] FMRI
  pkgsend append -s REPOSITORY [-en] FMRI
  pkgsend add -s REPOSITORY ACTION
  pkgsend include -s REPOSITORY [-d DIR]... [-T GLOB]... [MANIFEST...]
  pkgsend close -s REPOSITORY [-A] [--no-catalog] [-t TRANSACTION]
The subcommands add, include and close find their transaction in PKG_TRANS_ID.
`

// verbs are the subcommands.
func verbs() map[string]func(*call, context.Context) error {
	return map[string]func(*call, context.Context) error{
		"publish":  (*call).publish,
		"generate": (*call).generate,
		"open":     (*call).open,
		"append":   (*call).append,
		"add":      (*call).add,
		"include":  (*call).include,
		"close":    (*call).close,
	}
}

// A usageError is a command line that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	buffered := bufio.NewWriter(out)
	c := &call{in: in, out: buffered}
	openers, err := places()
	if err == nil {
		c.openers = openers
		err = dispatch(ctx, args, c)
	}
	err = errors.Join(err, c.closeAll(), buffered.Flush())
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, pflag.ErrHelp):
		io.WriteString(out, usage)
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(errs, "pkgsend: %s\n%s", wrong, usage)
		return 2
	}
	fmt.Fprintln(errs, "pkgsend:", err)
	return 1
}

// places says how locations are opened.
func places() (repo.Openers, error) {
	now, err := clock()
	return repo.Local(&repo.Options{Now: now}), err
}

// dispatch reads what stands before the subcommand and carries that out.
func dispatch(ctx context.Context, args []string, c *call) error {
	c.flags = newFlags()
	c.flags.StringVarP(&c.location, "source", "s", os.Getenv("PKG_REPO"), "repository")
	debug := c.flags.StringArrayP("debug", "D", nil, "debugging option")
	if err := parse(c.flags, args); err != nil {
		return err
	}
	for _, option := range *debug {
		name, _, hasValue := strings.Cut(option, "=")
		switch {
		case name == "allow-timestamp":
			c.keepTimestamp = true
		case !hasValue:
			return usageError("debugging options are written NAME=VALUE: " + option)
		}
	}
	if c.flags.NArg() == 0 {
		return usageError("no subcommand")
	}
	if c.flags.Arg(0) == "help" {
		return pflag.ErrHelp
	}
	do, ok := verbs()[c.flags.Arg(0)]
	if !ok {
		return usageError("unknown subcommand " + c.flags.Arg(0))
	}
	c.args = slices.Clone(c.flags.Args()[1:])
	c.flags = newFlags()
	c.flags.StringVarP(&c.location, "source", "s", c.location, "repository")
	return do(c, ctx)
}

func newFlags() *pflag.FlagSet {
	f := pflag.NewFlagSet("pkgsend", pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// parse parses options; a fault is wrong usage.
func parse(f *pflag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return usageError(err.Error())
}
