// Command pkgsend publishes packages, as pkgsend(1) does.
//
//	pkgsend [-s REPOSITORY] [-D allow-timestamp] SUBCOMMAND [OPTION...] [OPERAND...]
//
// The subcommands are publish and generate; open, append, add, include (also called import)
// and close for publishing step by step; and create-repository and refresh-index.
// SOURCE_DATE_EPOCH, if set, is the time that packages are published at, so that two runs
// give the same bytes. A repository null: takes everything, and keeps nothing.
//
// The exit status is 0 if all went well, 1 for an error, 2 for wrong usage, and 130 after
// an interrupt or SIGTERM, which end it in good order; the second one ends it at once.
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
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// A verb is one subcommand: what stands behind its name, and what it does.
type verb struct {
	usage string
	run   func(*call, context.Context) error
}

// verbs are the subcommands.
func verbs() map[string]verb {
	include := verb{"-s REPOSITORY [-d DIR]... [-b TAR]... [-T GLOB]... [--strict] [MANIFEST...]", (*call).include}
	return map[string]verb{
		"publish":           {"-s REPOSITORY [-d DIR]... [-b TAR]... [-T GLOB]... [--no-catalog] [--strict] [MANIFEST...]", (*call).publish},
		"generate":          {"[-T GLOB]... [-u] [--target PATH]... SOURCE...", (*call).generate},
		"open":              {"-s REPOSITORY [-e|-n] FMRI", (*call).open},
		"append":            {"-s REPOSITORY [-e|-n] FMRI", (*call).append},
		"add":               {"-s REPOSITORY TYPE [FILE] NAME=VALUE...", (*call).add},
		"include":           include,
		"import":            include,
		"close":             {"-s REPOSITORY [-A] [--no-catalog] [-t TRANSACTION]", (*call).close},
		"create-repository": {"-s REPOSITORY [--set-property publisher.prefix=NAME]...", (*call).createRepository},
		"refresh-index":     {"-s REPOSITORY", (*call).refreshIndex},
	}
}

// help describes all subcommands.
func help() string {
	var b strings.Builder
	b.WriteString("usage: pkgsend [-s REPOSITORY] [-D allow-timestamp] SUBCOMMAND ...\n")
	all := verbs()
	for _, name := range []string{"publish", "generate", "open", "append", "add", "include", "import", "close", "create-repository", "refresh-index"} {
		fmt.Fprintf(&b, "  pkgsend %s %s\n", name, all[name].usage)
	}
	b.WriteString("The subcommands add, include, import and close find their transaction in PKG_TRANS_ID.\n")
	return b.String()
}

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	buffered := bufio.NewWriter(out)
	c := &call{in: in, out: buffered, errs: errs}
	now, err := clock(os.Getenv("SOURCE_DATE_EPOCH"))
	if err == nil {
		c.options = &repo.Options{Now: now, Waiting: cli.Waiting(errs, "pkgsend")}
		err = dispatch(ctx, args, c)
	}
	if errors.Is(err, pflag.ErrHelp) {
		_, err = io.WriteString(buffered, c.usage)
	}
	err = errors.Join(err, c.closeAll(), buffered.Flush())
	return cli.End(ctx, errs, "pkgsend", c.usage, err)
}

// dispatch reads what stands before the subcommand and carries that out.
func dispatch(ctx context.Context, args []string, c *call) error {
	c.usage = help()
	c.flags = cli.Flags("pkgsend")
	c.flags.StringVarP(&c.location, "source", "s", os.Getenv("PKG_REPO"), "repository")
	if err := cli.Parse(c.flags, args); err != nil {
		return err
	}
	if err := c.debug(); err != nil {
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
	c.usage = fmt.Sprintf("usage: pkgsend %s %s\n", name, v.usage)
	c.args = slices.Clone(c.flags.Args()[1:])
	c.flags = cli.Flags("pkgsend")
	c.flags.StringVarP(&c.location, "source", "s", c.location, "repository")
	return v.run(c, ctx)
}

// debug looks at the debugging options.
func (c *call) debug() error {
	names, err := cli.Debug(c.flags, "allow-timestamp")
	c.keepTimestamp = c.keepTimestamp || names["allow-timestamp"]
	return err
}
