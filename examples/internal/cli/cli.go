// Package cli is what the programs do alike: how they read a command line, and how they
// end.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/goips/ips/repo"
)

// A Status ends a program with an exit status after everything was said. It is an error.
type Status int

func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// The exit statuses that all programs have.
const (
	Failed      Status = 1
	Misused     Status = 2   // a command line that makes no sense
	Partial     Status = 3   // only a part could be done
	Interrupted Status = 130 // as shells have it after a signal
)

// A UsageError is a command line that makes no sense.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error { return UsageError(fmt.Sprintf(format, args...)) }

// Context returns a context that an interrupt (Ctrl-C) or SIGTERM ends, so that the
// program cleans up. The next signal does what it does by default: it ends the program at
// once.
func Context() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// End says on errs how a run of a program ended, and returns the exit status. Wrong usage
// is said below the usage of what was asked for, whole lines, so that the last line is
// what is wrong.
func End(ctx context.Context, errs io.Writer, program, usage string, err error) int {
	var status Status
	var wrong UsageError
	var nowhere *repo.LocationError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintf(errs, "%s: interrupted\n", program)
		return int(Interrupted)
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &wrong), errors.As(err, &nowhere):
		fmt.Fprintf(errs, "%s%s: %v\n", usage, program, err)
		return int(Misused)
	}
	fmt.Fprintf(errs, "%s: %v\n", program, err)
	return int(Failed)
}

// Flags returns a set of options that has what every program takes: -? for help and -D
// for debugging.
func Flags(program string) *pflag.FlagSet {
	f := pflag.NewFlagSet(program, pflag.ContinueOnError)
	f.SetInterspersed(false)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.BoolP("help", "?", false, "explain the options")
	f.StringArrayP("debug", "D", nil, "debugging option, NAME=VALUE; those that are not known do nothing")
	return f
}

// Parse reads options. A fault is a UsageError, and the wish for help pflag.ErrHelp.
func Parse(f *pflag.FlagSet, args []string) error {
	err := f.Parse(args)
	if help, _ := f.GetBool("help"); help || errors.Is(err, pflag.ErrHelp) {
		return pflag.ErrHelp
	}
	if err != nil {
		return UsageError(err.Error())
	}
	return nil
}

// Debug returns the names of the debugging options that were given. Those in plain need
// no value.
func Debug(f *pflag.FlagSet, plain ...string) (map[string]bool, error) {
	given, err := f.GetStringArray("debug")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, option := range given {
		name, _, hasValue := strings.Cut(option, "=")
		names[name] = true
		for _, p := range plain {
			hasValue = hasValue || p == name
		}
		if name == "" || !hasValue {
			return nil, Usagef("-D %s: debugging options are written NAME=VALUE", option)
		}
	}
	return names, nil
}

// Waiting returns what repo.Options.Waiting calls: it says on errs for whom the program
// waits.
func Waiting(errs io.Writer, program string) func(*repo.BusyError) {
	return func(e *repo.BusyError) {
		fmt.Fprintf(errs, "%s: publisher %s: %v; waiting until it is done\n", program, e.Publisher, e)
	}
}
