package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goips/ips/examples/internal/cli"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// publish publishes one package.
func (c *call) publish(ctx context.Context) error {
	c.withPayloads()
	noCatalog := c.flags.Bool("no-catalog", false, "store the package without listing it")
	c.flags.Bool("fmri-in-manifest", false, "accepted: the name is always in the manifest")
	c.withNoIndex()
	if err := c.parse(0, -1); err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	m, err := c.manifest(ctx)
	if err != nil {
		return err
	}
	content, err := c.content()
	if err != nil {
		return err
	}
	var sink repo.Sink = r
	if *noCatalog {
		sink = repo.Unlisted(r)
	}
	done, err := repo.Publish(ctx, sink, m, &repo.PublishOptions{
		File: c.manifestName(), Content: content, Timestamps: c.timestamps, KeepTimestamp: c.keepTimestamp,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s\nPUBLISHED\n", done.FMRI)
	return err
}

// withNoIndex declares an option that makefiles give.
func (c *call) withNoIndex() {
	c.flags.Bool("no-index", false, "accepted: publishing leaves the search index alone")
}

// open starts a transaction and prints how the environment names it.
func (c *call) open(ctx context.Context) error { return c.start(ctx, (*repo.Repository).Begin) }

// append starts a transaction on a published package, to sign it.
func (c *call) append(ctx context.Context) error { return c.start(ctx, (*repo.Repository).Append) }

func (c *call) start(ctx context.Context, begin func(*repo.Repository, context.Context, fmri.FMRI) (repo.Tx, error)) error {
	export := c.flags.BoolP("export", "e", false, "print a line for the shell")
	plain := c.flags.BoolP("name", "n", false, "print just the name")
	if err := c.parse(1, 1); err != nil {
		return err
	}
	if *export && *plain {
		return cli.UsageError("-e and -n exclude each other")
	}
	f, err := fmri.Parse(c.args[0])
	if err != nil {
		return err
	}
	r, err := c.repository(ctx)
	if err != nil {
		return err
	}
	tx, err := begin(r, ctx, f)
	if err != nil {
		return err
	}
	t := tx.(*repo.Transaction) // as Repository says
	if err := t.Suspend(ctx); err != nil {
		return err
	}
	if *plain {
		_, err = fmt.Fprintln(c.out, t.ID())
	} else {
		_, err = fmt.Fprintf(c.out, "export PKG_TRANS_ID=%s\n", t.ID())
	}
	return err
}

// resume continues a transaction: without a name that of the environment.
func (c *call) resume(ctx context.Context, text string) (*repo.Transaction, error) {
	text = cmp.Or(text, os.Getenv("PKG_TRANS_ID"))
	if text == "" {
		return nil, cli.UsageError("PKG_TRANS_ID is not set; open says what it is to be")
	}
	r, err := c.repository(ctx)
	if err != nil {
		return nil, err
	}
	return r.Resume(ctx, text)
}

// add adds one action, which the operands spell, or the only operand is.
func (c *call) add(ctx context.Context) error {
	if err := c.parse(1, -1); err != nil {
		return err
	}
	words := c.args // a whole action, if it is one
	if len(words) > 1 {
		words = nil
		for _, w := range c.args {
			words = append(words, quote(w))
		}
	}
	a, err := manifest.ParseAction(strings.Join(words, " "))
	if err != nil {
		return err
	}
	return c.addActions(ctx, func(yield func(manifest.Action) bool) { yield(a) })
}

// quote writes an operand, which the shell has rid of its quotes, as an action has it.
func quote(word string) string {
	name, value, ok := strings.Cut(word, "=")
	if !ok || !strings.ContainsAny(value, " \t'\"") && value != "" {
		return word
	}
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// include adds the actions of manifests.
func (c *call) include(ctx context.Context) error {
	c.withPayloads()
	if err := c.parse(0, -1); err != nil {
		return err
	}
	m, err := c.manifest(ctx)
	if err != nil {
		return err
	}
	return c.addActions(ctx, m.All())
}

// addActions adds actions to the transaction of the environment.
func (c *call) addActions(ctx context.Context, actions func(yield func(manifest.Action) bool)) error {
	content, err := c.content()
	if err != nil {
		return err
	}
	t, err := c.resume(ctx, "")
	if err != nil {
		return err
	}
	for a := range actions {
		if err := addAction(ctx, t, a, content); err != nil {
			return errors.Join(err, t.Suspend(ctx))
		}
	}
	return t.Suspend(ctx)
}

func addAction(ctx context.Context, t *repo.Transaction, a manifest.Action, content func(string) (fs.File, error)) error {
	if a.Hash == "" || !a.Kind.HasPayload() {
		return t.Add(ctx, a, nil)
	}
	name := a.Hash
	if name == manifest.NoHash {
		name, _ = a.Attrs.Get("path")
	}
	f, err := content(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.Add(ctx, a, f)
}

// close publishes or, with -A, forgets the transaction of the environment.
func (c *call) close(ctx context.Context) error {
	abandon := c.flags.BoolP("abandon", "A", false, "forget the transaction")
	noCatalog := c.flags.Bool("no-catalog", false, "store the package without listing it")
	c.withNoIndex()
	id := c.flags.StringP("transaction", "t", "", "the transaction, if not that of the environment")
	if err := c.parse(0, 0); err != nil {
		return err
	}
	t, err := c.resume(ctx, *id)
	if err != nil {
		return err
	}
	if *abandon {
		if err := t.Abort(ctx); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, "ABANDONED")
		return err
	}
	if *noCatalog {
		if err := t.Unlist(); err != nil {
			return err
		}
	}
	f, err := t.Commit(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s\nPUBLISHED\n", f)
	return err
}
