// Command pkgrepo manages package repositories on disk, as pkgrepo(1) does.
//
//	pkgrepo [-s LOCATION] SUBCOMMAND [OPTION...] [OPERAND...]
//
// A location is a directory, a file URI or, for the subcommands that only read, a p5p
// archive. The exit status is 0 if all went well, 1 for an error, 2 for wrong usage, 3 if
// only a part could be done, 10 if diff has found a difference, and 130 after an interrupt
// or SIGTERM, which end it in good order; the second one ends it at once.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/repo"
)

func main() {
	ctx, stop := cli.Context()
	defer stop()
	opts := &repo.Options{Waiting: cli.Waiting(os.Stderr, "pkgrepo")}
	os.Exit(run(ctx, repo.Local(opts), os.Args[1:], os.Stdout, os.Stderr))
}

// A verb is one subcommand: what stands behind its name, and what it does.
type verb struct {
	usage string
	run   func(*call, context.Context) error
}

// verbs are the subcommands.
func verbs() map[string]verb {
	return map[string]verb{
		"create":           {"[--version 3|4] [--exact] LOCATION", (*call).create},
		"add-publisher":    {"-s LOCATION PUBLISHER...", (*call).addPublisher},
		"remove-publisher": {"-s LOCATION [-n] [--synchronous] PUBLISHER...", (*call).removePublisher},
		"get":              {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H] [SECTION/PROPERTY...]", (*call).get},
		"set":              {"-s LOCATION [-p PUBLISHER] SECTION/PROPERTY=VALUE...", (*call).set},
		"info":             {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H]", (*call).info},
		"list":             {"-s LOCATION [-p PUBLISHER] [-F FORMAT] [-H] [PATTERN...]", (*call).list},
		"contents":         {"-s LOCATION [-m] [-t TYPE,...] [PATTERN...]", (*call).contents},
		"rebuild":          {"-s LOCATION [-p PUBLISHER] [--no-catalog] [--no-index]", (*call).rebuild},
		"refresh":          {"-s LOCATION [-p PUBLISHER] [--no-catalog] [--no-index]", (*call).refresh},
		"remove":           {"-s LOCATION [-p PUBLISHER] [-n] [-d YYYYMMDD] PATTERN...", (*call).remove},
		"verify":           {"-s LOCATION [-p PUBLISHER] [-d] [-i FILE]... [--disable dependency]", (*call).verify},
		"fix":              {"-s LOCATION [-p PUBLISHER] [-v]", (*call).fix},
		"diff":             {"[-v|-q] [--strict] [--parsable] [-p PUBLISHER] -s LOCATION -s LOCATION", (*call).diff},
		"version":          {"", (*call).version},
	}
}

// different is the exit status of diff when it has found a difference.
const different cli.Status = 10

// run is the program: it returns the exit status.
func run(ctx context.Context, openers repo.Openers, args []string, out, errs io.Writer) int {
	buffered := bufio.NewWriter(out)
	c := &call{openers: openers, out: buffered, errs: errs}
	err := dispatch(ctx, args, c)
	if errors.Is(err, pflag.ErrHelp) {
		_, err = io.WriteString(buffered, c.usage)
	}
	err = errors.Join(err, c.close(), buffered.Flush())
	return cli.End(ctx, errs, "pkgrepo", c.usage, err)
}

// dispatch reads what stands before the subcommand and carries that out.
func dispatch(ctx context.Context, args []string, c *call) error {
	c.usage = help()
	c.flags = cli.Flags("pkgrepo")
	c.flags.StringArrayVarP(&c.locations, "source", "s", nil, "location of the repository")
	if err := cli.Parse(c.flags, args); err != nil {
		return err
	}
	if _, err := cli.Debug(c.flags); err != nil {
		return err
	}
	if c.flags.NArg() == 0 {
		return cli.UsageError("no subcommand")
	}
	name := c.flags.Arg(0)
	if name == "help" {
		return pflag.ErrHelp
	}
	v, ok := verbs()[name]
	if !ok {
		return cli.Usagef("unknown subcommand %s", name)
	}
	c.usage = fmt.Sprintf("usage: pkgrepo %s\n", strings.TrimSpace(name+" "+v.usage))
	c.args = c.flags.Args()[1:]
	c.flags = cli.Flags("pkgrepo")
	c.flags.StringArrayVarP(&c.later, "source", "s", nil, "location of the repository")
	return v.run(c, ctx)
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
