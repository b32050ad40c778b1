// Command pkgrepo manages package repositories on disk, as pkgrepo(1) does.
//
//	pkgrepo [-s LOCATION] SUBCOMMAND [OPTION...] [OPERAND...]
//
// A location is a directory, a file URI or, for the subcommands that only read, a p5p
// archive. The exit status is 0 if all went well, 1 for an error, 2 for wrong usage, 3 if
// only a part could be done, and 10 if diff has found a difference.
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
	os.Exit(run(ctx, repo.Local(nil), os.Args[1:], os.Stdout, os.Stderr))
}

// A verb is one subcommand: what stands behind its name, and what it does.
type verb struct {
	usage string
	run   func(*call, context.Context) error
}

// verbs are the subcommands.
func verbs() map[string]verb {
	return map[string]verb{
		"create":           {"[--version 3|4] PATH", (*call).create},
		"add-publisher":    {"-s LOCATION PUBLISHER...", (*call).addPublisher},
		"remove-publisher": {"-s LOCATION [-n] [--synchronous] PUBLISHER...", (*call).removePublisher},
		"get":              {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H] [SECTION/PROPERTY...]", (*call).get},
		"set":              {"-s LOCATION [-p PUBLISHER] SECTION/PROPERTY=VALUE...", (*call).set},
		"info":             {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H]", (*call).info},
		"list":             {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H] [PATTERN...]", (*call).list},
		"contents":         {"-s LOCATION [-m] [-t TYPE,...] [PATTERN...]", (*call).contents},
		"rebuild":          {"-s LOCATION [-p PUBLISHER] [--no-catalog] [--no-index]", (*call).rebuild},
		"refresh":          {"-s LOCATION [-p PUBLISHER] [--no-catalog] [--no-index]", (*call).refresh},
		"remove":           {"-s LOCATION [-p PUBLISHER] [-n] PATTERN...", (*call).remove},
		"verify":           {"-s LOCATION [-p PUBLISHER] [-d] [-i FILE] [--disable dependency]", (*call).verify},
		"fix":              {"-s LOCATION [-p PUBLISHER] [-v]", (*call).fix},
		"diff":             {"[-vq] [--strict] [--parsable] [-p PUBLISHER] -s LOCATION -s LOCATION", (*call).diff},
		"version":          {"", (*call).version},
	}
}

// A usageError is a command line that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }

// A status ends the program with an exit status after everything was said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// Exit statuses besides 0, 1 for an error and 2 for wrong usage.
const (
	failed    status = 1
	partial   status = 3
	different status = 10
)

// run is the program: it returns the exit status.
func run(ctx context.Context, openers repo.Openers, args []string, out, errs io.Writer) int {
	buffered := bufio.NewWriter(out)
	c := &call{openers: openers, out: buffered, errs: errs}
	err := dispatch(ctx, args, c)
	err = errors.Join(err, c.close(), buffered.Flush())
	var code status
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "pkgrepo: %s\n%s", usage, help())
		return 2
	}
	fmt.Fprintln(errs, "pkgrepo:", err)
	return int(failed)
}

// dispatch reads what stands before the subcommand and carries that out.
func dispatch(ctx context.Context, args []string, c *call) error {
	c.flags = newFlags()
	c.flags.StringArrayVarP(&c.locations, "source", "s", nil, "location of the repository")
	if err := c.flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
		_, err := io.WriteString(c.out, help())
		return err
	} else if err != nil {
		return usageError(err.Error())
	}
	if c.flags.NArg() == 0 {
		return usageError("no subcommand")
	}
	name := c.flags.Arg(0)
	if name == "help" {
		_, err := io.WriteString(c.out, help())
		return err
	}
	v, ok := verbs()[name]
	if !ok {
		return usageError("unknown subcommand " + name)
	}
	c.args = c.flags.Args()[1:]
	c.flags = newFlags()
	c.flags.StringArrayVarP(&c.later, "source", "s", nil, "location of the repository")
	err := v.run(c, ctx)
	if errors.Is(err, pflag.ErrHelp) {
		_, err = fmt.Fprintf(c.out, "usage: pkgrepo %s %s\n", name, v.usage)
	}
	return err
}

func newFlags() *pflag.FlagSet {
	f := pflag.NewFlagSet("pkgrepo", pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// help describes all subcommands.
func help() string {
	var b strings.Builder
	b.WriteString("usage: pkgrepo [-s LOCATION] SUBCOMMAND [OPTION...] [OPERAND...]\n")
	all := verbs()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "  pkgrepo %s\n", strings.TrimSpace(name+" "+all[name].usage))
	}
	return b.String()
}
