// What the examples of README.md are run with: the test that makes functions of them
// writes their list, examples, into a second file.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// The names that the examples take for granted.
var (
	ctx   = context.Background()
	src   = []byte(ssh)
	text  = []byte("<transform file path=usr/bin/.* -> set mode 0555>\n")
	m     *manifest.Manifest
	known *catalog.Catalog
	r     *repo.Repository
)

const ssh = `set name=pkg.fmri value=pkg://example.org/network/ssh@9.8,5.11-2024.0.0.1
set name=pkg.summary value="secure shell"
dir path=usr owner=root group=bin mode=0755
dir path=usr/bin owner=root group=bin mode=0755
file usr/bin/ssh path=usr/bin/ssh owner=root group=bin mode=0755
license usr/bin/ssh license=free
`

func main() {
	err := prepare()
	for i, example := range examples {
		if err == nil {
			fmt.Printf("-- %d --\n", i+1)
			err = example()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// prepare makes the files that the examples read, in the working directory: a repository
// that has a second package since yesterday, and an archive of it.
func prepare() (err error) {
	if err = os.MkdirAll("proto/usr/bin", 0o755); err != nil {
		return err
	}
	if err = os.WriteFile("proto/usr/bin/ssh", []byte("#!/bin/sh\n"), 0o755); err != nil {
		return err
	}
	if r, err = repo.CreateDir(ctx, "repo", repo.Config{DefaultPublisher: "example.org"}, nil); err != nil {
		return err
	}
	for _, day := range []string{"yesterday", "today"} {
		if m, err = manifest.Parse("ssh.p5m", src); err != nil {
			return err
		}
		if _, err = repo.Publish(ctx, r, m, &repo.PublishOptions{Content: repo.Proto(os.DirFS("proto"))}); err != nil {
			return err
		}
		if err = os.CopyFS(day+"/catalog", os.DirFS("repo/publisher/example.org/catalog")); err != nil {
			return err
		}
		time.Sleep(time.Second) // so that the next one is newer
	}
	if known, err = r.Catalog(ctx, "example.org"); err != nil {
		return err
	}
	return writeArchive()
}

// writeArchive makes tools.p5p of what is known.
func writeArchive() error {
	f, err := os.Create("tools.p5p")
	if err != nil {
		return err
	}
	defer f.Close()
	w := archive.NewWriter(f, nil)
	for p := range known.All() {
		name := p.FMRI()
		m, err := r.Manifest(ctx, name)
		if err != nil {
			return err
		}
		open := func(p manifest.Payload) (io.ReadCloser, error) { return r.Payload(ctx, name.Publisher(), p.Name()) }
		if err := w.Add(name, m, open); err != nil {
			return err
		}
	}
	return w.Close()
}
