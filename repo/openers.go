package repo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goips/ips/archive"
)

// A SourceCloser is a Source that was opened. Close ends it; what was opened with
// it is closed.
type SourceCloser interface {
	Source
	io.Closer
}

// A SinkCloser is a Sink that was opened. Close ends it, after its transactions
// and batches.
type SinkCloser interface {
	Sink
	io.Closer
}

// An Opener opens the locations of one scheme. A function that is nil means that
// there is no such way.
type Opener struct {
	Source func(context.Context, Location) (SourceCloser, error)
	Sink   func(context.Context, Location) (SinkCloser, error)
}

// Openers says by which means the locations of each scheme, in lower case, are
// opened. The table belongs to the program, which begins with that of Local and
// adds what it links in. Nothing registers itself.
type Openers map[string]Opener

// Local returns the openers for what is on this machine, paths and file URIs: a
// directory is a repository, a file an archive. Options are those of repositories;
// nil means defaults.
func Local(opts *Options) Openers {
	l := local{opts}
	return Openers{fileScheme: {Source: l.source, Sink: l.sink}}
}

// Opened returns an opener that hands out a source which is open already, and which
// Close leaves open.
func Opened(s Source) Opener {
	return Opener{Source: func(context.Context, Location) (SourceCloser, error) { return opened{s}, nil }}
}

type opened struct{ Source }

func (opened) Close() error { return nil }

// OpenSource opens a location to read packages from. A text that is no location
// is a *LocationError; a scheme that the table lacks is an error matching
// errors.ErrUnsupported.
func (o Openers) OpenSource(ctx context.Context, location string) (SourceCloser, error) {
	l, err := ParseLocation(location)
	if err != nil {
		return nil, err
	}
	if open := o[l.scheme].Source; open != nil {
		return open(ctx, l)
	}
	return nil, o.unknown("read", l)
}

// OpenSink opens a location to publish to. Its errors are those of OpenSource.
func (o Openers) OpenSink(ctx context.Context, location string) (SinkCloser, error) {
	l, err := ParseLocation(location)
	if err != nil {
		return nil, err
	}
	if open := o[l.scheme].Sink; open != nil {
		return open(ctx, l)
	}
	return nil, o.unknown("publish to", l)
}

// unknown reports a scheme for which there is nothing in the table.
func (o Openers) unknown(verb string, l Location) error {
	known := "none"
	if len(o) > 0 {
		known = strings.Join(slices.Sorted(maps.Keys(o)), ", ")
	}
	err := because(errors.ErrUnsupported, "this program cannot %s locations of scheme %q; it knows: %s", verb, l.scheme, known)
	return &Error{Op: "open", Place: l.text, Err: err}
}

// A local opens what is on this machine.
type local struct{ opts *Options }

func (l local) source(ctx context.Context, at Location) (SourceCloser, error) {
	isDir, err := look(at.path)
	if err != nil {
		return nil, &Error{Op: "open", Place: at.text, Err: err}
	}
	if isDir {
		return closable[SourceCloser](OpenDir(ctx, at.path, l.opts))
	}
	return closable[SourceCloser](archive.Open(ctx, at.path))
}

func (l local) sink(ctx context.Context, at Location) (SinkCloser, error) {
	isDir, err := look(at.path)
	if err == nil && !isDir {
		err = because(errors.ErrUnsupported, "it is a file; packages are published to a repository, which is a directory")
	}
	if err != nil {
		return nil, &Error{Op: "open", Place: at.text, Err: err}
	}
	r, err := OpenDir(ctx, at.path, l.opts)
	if err != nil {
		return nil, err
	}
	if err := r.tidy(ctx); err != nil {
		return nil, join(err, r.Close())
	}
	return r, nil
}

// closable returns the result of an opener as an interface, which is nil beside an
// error.
func closable[I any, T any](v T, err error) (I, error) {
	if err != nil {
		var none I
		return none, err
	}
	return any(v).(I), nil
}

// look tells a directory from a file. What is neither is refused before anybody
// opens it: that might wait for ever.
func look(path string) (isDir bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, because(fs.ErrNotExist, "there is nothing of that name")
	case errors.Is(err, fs.ErrPermission):
		return false, because(fs.ErrPermission, "the permissions forbid it")
	case err != nil:
		return false, err
	case info.IsDir(), info.Mode().IsRegular():
		return info.IsDir(), nil
	}
	return false, because(fs.ErrInvalid, "it is %s, neither a repository nor an archive", kind(info.Mode()))
}

// kind names what is neither a directory nor a file.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no ordinary file"
}
