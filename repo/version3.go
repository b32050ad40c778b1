package repo

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goips/ips/repo/store"
)

// oldConfig is the configuration of a new repository of version 3.
const oldConfig = `[publisher]
alias = 
prefix = 

[repository]
collection_type = core
description = 
detailed_url = 
legal_uris = 
maintainer = 
maintainer_url = 
mirrors = 
name = package repository
origins = 
refresh_seconds = 14400
registration_uri = 
related_uris = 
version = 3

[feed]
id = 
name = package repository feed
description = 
icon = web/_themes/pkg-block-icon.png
logo = web/_themes/pkg-block-logo.png
window = 24

[CONFIGURATION]
version = 3

`

// oldLists are the properties of version 3 that are lists. They are written without
// brackets, with commas; the reference refuses a repository where they are not.
var oldLists = []string{"legal_uris", "mirrors", "origins", "related_uris"}

func isOldList(p Property) bool {
	return p.Section == "repository" && slices.Contains(oldLists, p.Name)
}

// oldText returns how version 3 writes a value.
func oldText(p Property) string {
	items, isList := p.Value.Items()
	if !isList || !isOldList(p) {
		return p.Value.config()
	}
	return strings.Join(items, ",")
}

// oldValue reads a value of version 3.
func oldValue(p Property) Value {
	text := p.Value.String()
	if _, isList := p.Value.Items(); isList || !isOldList(p) {
		return p.Value
	}
	if text == "" {
		return List()
	}
	return List(strings.Split(text, ",")...)
}

// errOneOnly is what cannot be done in a repository of version 3.
var errOneOnly = because(errors.ErrUnsupported, "repository of version 3 has one publisher, and nothing to say about it")

// createOld makes the store a repository of version 3.
func (r *Repository) createOld(ctx context.Context, c Config) error {
	r.version = 3
	if err := r.store.Put(ctx, oldConfigName, strings.NewReader(oldConfig)); err != nil {
		return err
	}
	if c.DefaultPublisher == "" {
		return nil
	}
	return r.setOnly(ctx, c.DefaultPublisher)
}

// setOnly says whose the repository is.
func (r *Repository) setOnly(ctx context.Context, publisher string) error {
	if err := checkName(publisher); err != nil {
		return err
	}
	return r.changeConfig(ctx, func(c *configFile) error {
		c.Set("publisher", "prefix", publisher)
		return nil
	})
}

// prepareOld makes a repository of version 3 ready to be written: it belongs to the
// publisher, and payloads have the names that they have today.
func (w *writer) prepareOld(ctx context.Context) error {
	if err := w.repo.accepts(ctx, w.home.publisher); err != nil {
		return err
	}
	names, err := w.repo.onlyPublisher(ctx)
	if err == nil && len(names) == 0 {
		err = w.repo.setOnly(ctx, w.home.publisher)
	}
	if err != nil {
		return err
	}
	return w.moveOldPayloads(ctx)
}

// accepts reports whether packages of a publisher can be in the repository.
func (r *Repository) accepts(ctx context.Context, publisher string) error {
	if err := checkName(publisher); err != nil || r.version >= 4 {
		return err
	}
	names, err := r.onlyPublisher(ctx)
	if err == nil && len(names) > 0 && names[0] != publisher {
		err = fmt.Errorf("the publisher is %s: %w", names[0], errOneOnly)
	}
	return err
}

// moveOldPayloads renames payloads whose names have three elements, which old
// programs gave them.
func (w *writer) moveOldPayloads(ctx context.Context) error {
	var moved []string
	for dir, err := range store.ListDir(ctx, w.repo.store, strings.TrimSuffix(w.home.payloads(), "/")) {
		if err != nil {
			return err
		}
		if !dir.IsDir() {
			continue
		}
		old, err := w.moveOldIn(ctx, strings.TrimSuffix(dir.Name, "/"))
		if err != nil {
			return err
		}
		moved = append(moved, old...)
	}
	return removeObjects(ctx, w.repo.store, moved...)
}

// moveOldIn copies the payloads below one directory to where they belong, and
// returns their old names.
func (w *writer) moveOldIn(ctx context.Context, dir string) (old []string, err error) {
	for sub, err := range store.ListDir(ctx, w.repo.store, dir) {
		if err != nil {
			return nil, err
		}
		if !sub.IsDir() {
			continue
		}
		names, err := namesBelow(ctx, w.repo.store, sub.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			base := path.Base(name)
			if len(base) < 8 || path.Join(dir, base[2:8], base) != name {
				continue // no payload
			}
			if err := w.copyObject(ctx, name, path.Join(dir, base)); err != nil {
				return nil, err
			}
			old = append(old, name)
		}
	}
	return old, nil
}

// copyObject stores what an object has under another name as well.
func (w *writer) copyObject(ctx context.Context, from, to string) error {
	r, _, err := w.repo.store.Open(ctx, from)
	if err != nil {
		return err
	}
	return join(w.repo.store.Put(ctx, to, r), r.Close())
}
