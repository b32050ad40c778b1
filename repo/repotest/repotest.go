// Package repotest proves that a repo.Source and a repo.Sink keep their
// promises.
//
// A source is checked by [TestSource], also outside of tests; a sink by
// [RunSink], which publishes into it and reads back from the source beside it.
// Failures name the rule that was broken. [Small] is a source to try things on.
package repotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/goips/ips/catalog"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestSource reads everything that a source has, and returns what is wrong: an
// error that joins all faults. The packages in want must be among what there is.
func TestSource(ctx context.Context, s repo.Source, want ...fmri.FMRI) error {
	c := sourceChecker{ctx: ctx, source: s}
	c.publishers()
	for _, f := range want {
		if !c.seen[f] {
			c.broken("every package of a source is in a catalog", "%s is not", f)
		}
	}
	c.missing()
	return errors.Join(c.faults...)
}

// A sourceChecker collects the faults of a source.
type sourceChecker struct {
	ctx    context.Context
	source repo.Source
	seen   map[fmri.FMRI]bool
	faults []error
}

func (c *sourceChecker) broken(rule, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s (rule: %s)", fmt.Sprintf(format, args...), rule))
}

func (c *sourceChecker) publishers() {
	c.seen = map[fmri.FMRI]bool{}
	names, err := c.source.Publishers(c.ctx)
	if err != nil {
		c.broken("Publishers works", "%v", err)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		c.broken("Publishers returns names sorted, each once", "got %q", names)
	}
	for _, name := range names {
		packages, err := c.source.Catalog(c.ctx, name)
		if err != nil {
			c.broken("every publisher has a catalog", "%s: %v", name, err)
			continue
		}
		for p := range packages.All() {
			c.entry(name, p)
		}
		c.searches(name)
	}
}

func (c *sourceChecker) entry(publisher string, p catalog.Package) {
	f := p.FMRI()
	c.seen[f] = true
	if f.Publisher() != publisher {
		c.broken("a catalog lists packages of its publisher", "that of %s has %s", publisher, f)
	}
	m, err := c.source.Manifest(c.ctx, f)
	if err != nil {
		c.broken("every package that is listed has a manifest", "%s: %v", f, err)
		return
	}
	if want, ok := p.ManifestDigest(); ok && manifest.SHA1.Sum(m.Text()) != want {
		c.broken("Text of a manifest is the published bytes, of which the catalog has the digest", "%s is not", f)
	}
	if named, ok := m.FMRI(); ok && named.WithPublisher(f.Publisher()) != f {
		c.broken("the manifest of a package has its name", "%s has %s", f, named)
	}
	for a := range m.All() {
		payloads, err := a.Payloads()
		if err != nil {
			c.broken("actions say what their payloads are", "%s: %v", f, err)
		}
		for _, p := range payloads {
			c.payload(f, p)
		}
	}
}

func (c *sourceChecker) payload(f fmri.FMRI, p manifest.Payload) {
	const rule = "Payload returns the stored form of each payload that a manifest names"
	r, err := c.source.Payload(c.ctx, f.Publisher(), p.Name())
	if err != nil {
		c.broken(rule, "%s: %v", f, err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, p.ContentOnly().Verify(r)); err != nil {
		c.broken(rule, "%s: %v", f, err)
	}
}

// missing asks for what cannot be there.
func (c *sourceChecker) missing() {
	const rule = "what is not there is reported by an error matching fs.ErrNotExist"
	if _, err := c.source.Catalog(c.ctx, "no.such.publisher"); !errors.Is(err, fs.ErrNotExist) {
		c.broken(rule, "Catalog of a publisher that is not there: %v", err)
	}
	f := fmri.MustParse("pkg://no.such.publisher/no/such/package@0,5.11:20000101T000000Z")
	if _, err := c.source.Manifest(c.ctx, f); !errors.Is(err, fs.ErrNotExist) {
		c.broken(rule, "Manifest of a package that is not there: %v", err)
	}
	d := manifest.SHA1.Sum([]byte("no such payload"))
	for _, publisher := range append([]string{"no.such.publisher"}, c.known()...) {
		r, err := c.source.Payload(c.ctx, publisher, d)
		if err == nil {
			r.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			c.broken(rule, "Payload that is not there: %v", err)
		}
	}
}

// known returns a publisher that the source has.
func (c *sourceChecker) known() []string {
	for f := range c.seen {
		return []string{f.Publisher()}
	}
	return nil
}

// RunSink publishes into a sink in each way there is, and reads back from the
// source, which shows what is in the sink. All of that is done three times: with the
// sink, wrapped so that it keeps its optional methods, and without these. Empty
// returns a new pair without packages at each call.
func RunSink(t *testing.T, empty func(t *testing.T) (repo.Sink, repo.Source)) {
	runSink(t, empty)
	t.Run("Wrap", func(t *testing.T) {
		runSink(t, func(t *testing.T) (repo.Sink, repo.Source) {
			sink, source := empty(t)
			return Wrap(sink, nil), source
		})
	})
	t.Run("Bare", func(t *testing.T) {
		runSink(t, func(t *testing.T) (repo.Sink, repo.Source) {
			sink, source := empty(t)
			return Bare(sink), source
		})
	})
}

func runSink(t *testing.T, empty func(t *testing.T) (repo.Sink, repo.Source)) {
	for _, c := range sinkCases {
		t.Run(c.name, func(t *testing.T) {
			sink, source := empty(t)
			k := &sinkChecker{TB: t, ctx: t.Context(), rule: c.rule, sink: sink, source: source}
			c.run(k)
			if err := TestSource(t.Context(), source); err != nil {
				k.broken("afterwards: %v", err)
			}
		})
	}
}

type sinkCase struct {
	name, rule string
	run        func(k *sinkChecker)
}

// A sinkChecker is a sink under test.
type sinkChecker struct {
	testing.TB
	ctx    context.Context
	rule   string
	sink   repo.Sink
	source repo.Source
}

func (k *sinkChecker) broken(format string, args ...any) {
	k.Helper()
	k.Errorf("%s\nRule: %s", fmt.Sprintf(format, args...), k.rule)
}

var sinkCases = []sinkCase{
	{"Publish", "what was committed is listed, with its actions in order and its payloads", func(k *sinkChecker) {
		f := k.publish(k.sink, tool, "first", "second", "")
		m := k.manifest(f)
		want := []string{"opt/first", "opt/second", "opt/"}
		var got []string
		for a := range m.Kind(manifest.KindFile) {
			path, _ := a.Attrs.Get("path")
			got = append(got, path)
		}
		if want[2] = "opt/empty"; !slices.Equal(got, want) {
			k.broken("files are %q, want %q", got, want)
		}
	}},
	{"Hidden", "nobody sees a package before Commit", func(k *sinkChecker) {
		tx := k.begin(k.sink, tool)
		k.add(tx, "first")
		k.lists()
		if _, err := tx.Commit(k.ctx); err != nil {
			k.broken("Commit: %v", err)
		}
		k.lists(tool)
	}},
	{"Abort", "an aborted package leaves nothing, and can be published again; Abort after Commit does nothing", func(k *sinkChecker) {
		tx := k.begin(k.sink, tool)
		k.add(tx, "first")
		if err := tx.Abort(k.ctx); err != nil {
			k.broken("Abort: %v", err)
		}
		k.lists()
		tx = k.begin(k.sink, tool)
		if _, err := tx.Commit(k.ctx); err != nil {
			k.broken("Commit: %v", err)
		}
		if err := tx.Abort(k.ctx); err != nil {
			k.broken("Abort after Commit: %v", err)
		}
		k.lists(tool)
	}},
	{"Twice", "a version is published once; the second attempt is an error matching fs.ErrExist", func(k *sinkChecker) {
		k.publish(k.sink, tool, "first")
		tx, err := k.sink.Begin(k.ctx, fmri.MustParse(tool))
		if err == nil {
			_, err = tx.Commit(k.ctx)
		}
		if !errors.Is(err, fs.ErrExist) {
			k.broken("the second attempt: %v", err)
		}
		k.lists(tool)
	}},
	{"Timestamp", "a name without timestamp gets one", func(k *sinkChecker) {
		f := k.publish(k.sink, "pkg://small.example/tool@1.0", "first")
		if _, ok := f.Version().Time(); !ok {
			k.broken("published as %s", f)
		}
		k.lists(f.String())
	}},
	{"Mirror", "Store and SetManifest publish a package byte for byte", func(k *sinkChecker) {
		src := Small(k.TB)
		want := all(k.TB, src)
		if _, err := repo.Copy(k.ctx, k.sink, src, slices.Values(want), nil); err != nil {
			k.broken("Copy: %v", err)
		}
		for _, f := range want {
			if m, err := src.Manifest(k.ctx, f); err != nil || string(m.Text()) != string(k.manifest(f).Text()) {
				k.broken("the manifest of %s is another one (%v)", f, err)
			}
		}
	}},
	{"Source", "Publish keeps the order of actions, whichever payload arrives first", func(k *sinkChecker) {
		m, want := sourceManifest(k.TB)
		done, err := repo.Publish(k.ctx, k.sink, m, &repo.PublishOptions{Content: slowFirst, Parallel: 4, KeepTimestamp: true})
		if err != nil {
			k.Fatalf("Publish: %v", err)
		}
		var got []string
		for a := range k.manifest(done.FMRI).Kind(manifest.KindFile) {
			path, _ := a.Attrs.Get("path")
			got = append(got, path)
		}
		if !slices.Equal(got, want) {
			k.broken("files are %q, want %q", got, want)
		}
	}},
	{"BadStore", "Store refuses bytes that do not have the digest", func(k *sinkChecker) {
		tx := k.begin(k.sink, tool)
		defer tx.Abort(k.ctx)
		var packed strings.Builder
		if _, err := manifest.NewPacker(nil).PackStream(&packed, strings.NewReader("content")); err != nil {
			k.Fatal(err)
		}
		if err := tx.Store(k.ctx, manifest.SHA1.Sum([]byte("other")), strings.NewReader(packed.String())); err == nil {
			k.broken("Store took another payload")
		}
		if err := tx.Store(k.ctx, manifest.SHA1.Sum([]byte("x")), strings.NewReader("no gzip file")); err == nil {
			k.broken("Store took what is no payload")
		}
	}},
	{"ReadFails", "if a payload cannot be read, Add returns that error, and nothing is published", func(k *sinkChecker) {
		bad := errors.New("bad disk")
		tx := k.begin(k.sink, tool)
		err := tx.Add(k.ctx, fileAction("first"), io.MultiReader(strings.NewReader("fi"), iotest.ErrReader(bad)))
		if !errors.Is(err, bad) {
			k.broken("Add: %v", err)
		}
		if err := tx.Abort(k.ctx); err != nil {
			k.broken("Abort: %v", err)
		}
		k.lists()
	}},
	{"Batch", "the packages of a batch appear with its Commit, all of them", func(k *sinkChecker) {
		batch, err := repo.NewBatch(k.ctx, k.sink)
		if err != nil {
			k.Fatal(err)
		}
		sink := k.sink
		if w, ok := sink.(wrapped); ok {
			sink = w.sink
		}
		if _, ok := sink.(repo.Batcher); !ok {
			k.Skip("no repo.Batcher")
		}
		k.publish(batch, tool, "first")
		k.publish(batch, "pkg://small.example/other@2.0,5.11:20260101T000000Z", "first", "second")
		k.lists()
		if err := batch.Commit(k.ctx); err != nil {
			k.broken("Commit: %v", err)
		}
		k.lists("pkg://small.example/other@2.0,5.11:20260101T000000Z", tool)
	}},
}

const tool = "pkg://small.example/tool@1.0,5.11:20260101T000000Z"

// sourceManifest returns a manifest of many files, and their paths in its order.
func sourceManifest(t testing.TB) (*manifest.Manifest, []string) {
	text := "set name=pkg.fmri value=" + tool + "\n"
	var paths []string
	for i := range 40 {
		path := fmt.Sprintf("opt/%02d", 39-i)
		text += "file path=" + path + " mode=0444 owner=root group=bin\n"
		paths = append(paths, path)
	}
	m, err := manifest.Parse("source", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m, paths
}

// slowFirst opens files of which the first are the largest.
func slowFirst(name string) (fs.File, error) {
	size := 1
	if strings.HasPrefix(name, "opt/3") {
		size = 1 << 16
	}
	return fstest.MapFS{name: {Data: []byte(strings.Repeat(name, size)), Mode: 0o444}}.Open(name)
}

// fileAction returns the action for a file with some content.
func fileAction(content string) manifest.Action {
	name := content
	if name == "" {
		name = "empty"
	}
	return manifest.MustParseAction("file path=opt/" + name + " mode=0444 owner=root group=bin")
}

func (k *sinkChecker) begin(sink repo.Sink, name string) repo.Tx {
	k.Helper()
	tx, err := sink.Begin(k.ctx, fmri.MustParse(name))
	if err != nil {
		k.Fatalf("Begin: %v\nRule: %s", err, k.rule)
	}
	return tx
}

func (k *sinkChecker) add(tx repo.Tx, contents ...string) {
	k.Helper()
	for _, c := range contents {
		if err := tx.Add(k.ctx, fileAction(c), strings.NewReader(c)); err != nil {
			k.broken("Add: %v", err)
		}
	}
}

func (k *sinkChecker) publish(sink repo.Sink, name string, contents ...string) fmri.FMRI {
	k.Helper()
	tx := k.begin(sink, name)
	k.add(tx, contents...)
	f, err := tx.Commit(k.ctx)
	if err != nil {
		k.Fatalf("Commit: %v\nRule: %s", err, k.rule)
	}
	return f
}

func (k *sinkChecker) manifest(f fmri.FMRI) *manifest.Manifest {
	k.Helper()
	m, err := k.source.Manifest(k.ctx, f)
	if err != nil {
		k.Fatalf("Manifest: %v\nRule: %s", err, k.rule)
	}
	return m
}

// lists checks which packages the source has.
func (k *sinkChecker) lists(want ...string) {
	k.Helper()
	var got []string
	for _, f := range all(k.TB, k.source) {
		got = append(got, f.String())
	}
	if !slices.Equal(got, want) {
		k.broken("the source lists %q, want %q", got, want)
	}
}

// all returns all packages of a source.
func all(t testing.TB, s repo.Source) []fmri.FMRI {
	t.Helper()
	list, err := new(repo.Selection).Find(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Small returns a source with a few packages of the publisher small.example that
// depend on each other: two versions of lib, and tool and doc, which need it.
func Small(t testing.TB) repo.Source {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	r, err := repo.Create(t.Context(), store.Memory(), repo.Config{DefaultPublisher: "small.example"}, &repo.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range smallPackages {
		m, err := manifest.Parse("small", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		opts := &repo.PublishOptions{Content: repo.Proto(store.FS(t.Context(), smallFiles(t))), KeepTimestamp: true}
		if _, err := repo.Publish(t.Context(), r, m, opts); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

var smallPackages = []string{
	`set name=pkg.fmri value=pkg://small.example/lib@1.0,5.11-1:20260101T000000Z
set name=pkg.summary value="A library"
dir path=usr/lib mode=0755 owner=root group=sys
file path=usr/lib/lib.so mode=0555 owner=root group=bin
`, `set name=pkg.fmri value=pkg://small.example/lib@1.1,5.11-1:20260102T000000Z
set name=pkg.summary value="A library, mended"
dir path=usr/lib mode=0755 owner=root group=sys
file lib.new path=usr/lib/lib.so mode=0555 owner=root group=bin
`, `set name=pkg.fmri value=pkg://small.example/tool@1.0,5.11-1:20260101T000000Z
set name=pkg.summary value="A tool"
depend fmri=lib@1.0 type=require
file path=usr/bin/tool mode=0555 owner=root group=bin
link path=usr/bin/t target=tool
license license.txt license=free
`, `set name=pkg.fmri value=pkg://small.example/doc@1.0,5.11-1:20260101T000000Z
set name=pkg.summary value="How to use the tool"
depend fmri=tool type=optional
file license.txt path=usr/share/doc/tool mode=0444 owner=root group=bin
`,
}

// smallFiles are the payloads of the small source.
func smallFiles(t testing.TB) store.Store {
	s := store.Memory()
	for name, text := range map[string]string{
		"usr/lib/lib.so": "library 1.0", "lib.new": "library 1.1",
		"usr/bin/tool": "#!/bin/sh\n", "license.txt": "Do what you want.\n",
	} {
		if err := s.Put(t.Context(), name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
