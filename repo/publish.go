package repo

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

// PublishOptions adjust Publish. A nil *PublishOptions is the zero value.
type PublishOptions struct {
	// File is what errors call the source manifest, usually the name of its file.
	// Empty means that they give the line and column alone.
	File string

	// Content opens what an action names as its payload: the word behind the
	// kind or, if there is none, the path. Nil means that there are no
	// payloads. See Proto.
	Content func(name string) (fs.File, error)

	// Timestamps are patterns, as of path.Match, of the base names of files
	// that keep their time of modification.
	Timestamps []string

	// KeepTimestamp publishes the package with the timestamp that its name has
	// in the manifest. Otherwise it gets a new one.
	KeepTimestamp bool

	// Parallel is how many payloads are worked on at once. Zero means one per
	// CPU. A Tx that is no Placer gets one after the other.
	Parallel int

	// Progress is told of each payload. Nil means nobody is.
	Progress func(Event)
}

// An Event says how far an operation has come. Functions that take events are
// called by one goroutine at a time.
type Event struct {
	Op          string    // what is being done: "publish", "copy", "verify", ...
	FMRI        fmri.FMRI // the package concerned
	Name        string    // what is at hand where it is no package, such as a path
	Done, Total int       // of what the operation counts: payloads or packages
	Bytes       int64     // that went through so far; zero if they are not counted
}

// Proto returns a function for PublishOptions that looks for payloads in file
// systems, in this order. Only regular files are found.
func Proto(areas ...fs.FS) func(name string) (fs.File, error) {
	return func(name string) (fs.File, error) {
		clean := strings.TrimLeft(path.Clean("/"+name), "/")
		for _, area := range areas {
			f, err := openRegular(area, clean)
			if !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
		return nil, because(fs.ErrNotExist, "there is no file %s where payloads are looked for", name)
	}
}

// openRegular opens a file unless it is something else, which counts as nothing. It is asked
// what it is before it is opened: a pipe would wait for who writes to it.
func openRegular(fsys fs.FS, name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, syscall.ENOTDIR) || err == nil && !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	if _, ok := fileSize(f.Stat()); !ok {
		f.Close()
		return nil, fs.ErrNotExist
	}
	return f, nil
}

// A PublishResult says what Publish has done.
type PublishResult struct {
	FMRI     fmri.FMRI // the full name
	Payloads int       // of its actions
	Bytes    int64     // of their content
}

// Publish publishes a package as its source manifest describes it. What the
// manifest says about payloads, their hashes and sizes, is replaced by what is
// found; signatures, which would not fit any more, are left out. If anything fails,
// nothing is published.
//
// The result depends on nothing but the manifest, the payloads, the clock of the
// repository if there is no timestamp, and what the repository has stored
// already. Several goroutines may publish into one Batch.
func Publish(ctx context.Context, dst Sink, m *manifest.Manifest, opts *PublishOptions) (result PublishResult, err error) {
	if opts == nil {
		opts = &PublishOptions{}
	}
	f, ok := m.FMRI()
	defer Error{Op: "publish", FMRI: f}.explain(&err)
	defer func() { setFile(err, opts.File) }()
	if !ok || !f.Version().IsValid() {
		return result, unnamed(m)
	}
	if !opts.KeepTimestamp {
		v, err := withoutTime(f.Version())
		if err != nil {
			return result, err
		}
		f = f.WithVersion(v)
	}
	tx, err := dst.Begin(ctx, f)
	if err != nil {
		return result, err
	}
	p := publishing{opts: opts, tx: tx, fmri: f, total: m.Len()}
	if err := p.addAll(ctx, m); err != nil {
		return result, join(err, tx.Abort(context.WithoutCancel(ctx)))
	}
	if f, err = tx.Commit(ctx); err != nil {
		return result, err
	}
	return PublishResult{f, int(p.payloads.Load()), p.bytes.Load()}, nil
}

// unnamed says why a manifest does not tell which version of which package it is.
func unnamed(m *manifest.Manifest) error {
	var last *manifest.Error
	for a := range m.Kind(manifest.KindSet) {
		if key, _ := a.Key(); key == "pkg.fmri" || key == "fmri" {
			value, _ := a.Attrs.Get("value")
			_, err := fmri.Parse(value)
			if err == nil {
				err = because(fs.ErrInvalid, "%s has no version; write %s@VERSION", value, value)
			}
			last = &manifest.Error{Pos: a.Pos, Action: a.String(), Err: err}
		}
	}
	if last == nil {
		last = &manifest.Error{Err: because(fs.ErrInvalid,
			"nothing says which package it is; write: set name=pkg.fmri value=NAME@VERSION")}
	}
	return last
}

// withoutTime returns a version without its timestamp.
func withoutTime(v fmri.Version) (fmri.Version, error) {
	text, _, _ := strings.Cut(v.String(), ":")
	return fmri.ParseVersion(text)
}

// A publishing adds actions to a transaction.
type publishing struct {
	opts  *PublishOptions
	tx    Tx
	fmri  fmri.FMRI
	total int
	done  counter

	payloads, bytes atomic.Int64
}

// addAll adds the actions of a source manifest, in order.
func (p *publishing) addAll(ctx context.Context, m *manifest.Manifest) error {
	crew := newCrew(ctx, workers(p.opts.Parallel))
	for a := range m.All() {
		if a.Kind == manifest.KindSignature {
			continue
		}
		if !p.start(crew, a) {
			break
		}
	}
	return crew.wait()
}

// start gives an action its place, and lets the crew do the rest.
func (p *publishing) start(crew *crew, a manifest.Action) bool {
	add, inTurn, err := Place(p.tx, a)
	if err == nil && !inTurn {
		return crew.run(func(ctx context.Context) error { return p.fault(a, p.add(ctx, a, add)) })
	}
	if err == nil {
		err = p.add(crew.ctx, a, add)
	}
	if err != nil {
		crew.fail(p.fault(a, err))
	}
	return err == nil
}

// fault says where the action is that an error is about.
func (p *publishing) fault(a manifest.Action, err error) error {
	if e, ok := err.(*Error); ok && e.Op == "add to" {
		err = e.Err // which package is said by Publish
	}
	switch err := err.(type) {
	case nil:
		return nil
	case manifest.ErrorList, *manifest.Error:
		return err // they say where themselves
	}
	return &manifest.Error{Pos: a.Pos, Action: a.String(), Err: err}
}

// setFile makes errors about a manifest name its file.
func setFile(err error, file string) {
	var list manifest.ErrorList
	var one *manifest.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = manifest.ErrorList{one}
	}
	for _, e := range list {
		if e.File == "" {
			e.File = file
		}
	}
}

// add opens the payload of an action, and hands both over.
func (p *publishing) add(ctx context.Context, a manifest.Action, add AddFunc) error {
	defer p.done.step(func(n int, _ int64) {
		p.report(Event{Op: "publish", FMRI: p.fmri, Done: n, Total: p.total})
	})
	if !a.Kind.HasPayload() {
		return add(ctx, a, nil)
	}
	content, err := p.open(a)
	if err != nil {
		return err
	}
	defer content.Close()
	if size, ok := fileSize(content.Stat()); ok {
		p.payloads.Add(1)
		p.bytes.Add(size)
	}
	if a.Attrs, err = p.withTimestamp(a.Attrs, content); err != nil {
		return err
	}
	return add(ctx, a, content)
}

// withTimestamp adds the time of a file that keeps it.
func (p *publishing) withTimestamp(attrs manifest.Attrs, content fs.File) (manifest.Attrs, error) {
	name, _ := attrs.Get("path")
	match, err := matchesAny(p.opts.Timestamps, path.Base(name))
	if err != nil || !match {
		return attrs, err
	}
	info, err := content.Stat()
	if err != nil {
		return nil, err
	}
	return attrs.With("timestamp", formatTime(info.ModTime())), nil
}

// formatTime writes a time as actions have it.
func formatTime(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// matchesAny reports whether a name matches one of the patterns.
func matchesAny(patterns []string, name string) (bool, error) {
	for _, pattern := range patterns {
		if match, err := path.Match(pattern, name); match || err != nil {
			return match, err
		}
	}
	return false, nil
}

func (p *publishing) report(e Event) {
	if p.opts.Progress != nil {
		p.opts.Progress(e)
	}
}

// open opens the payload of an action.
func (p *publishing) open(a manifest.Action) (fs.File, error) {
	name := a.Hash
	if name == "" || name == manifest.NoHash {
		name, _ = a.Attrs.Get("path")
	}
	if name == "" || p.opts.Content == nil {
		return nil, because(fs.ErrNotExist, "nothing says where the file of the payload is")
	}
	return p.opts.Content(name)
}
