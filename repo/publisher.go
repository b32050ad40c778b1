package repo

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/catalog"
	"github.com/goips/ips/repo/store"
)

// AddPublisher adds a publisher without packages. The first one becomes the
// default publisher. If it is there already, the error matches fs.ErrExist.
func (r *Repository) AddPublisher(ctx context.Context, name string) (err error) {
	defer Error{Op: "add publisher", Place: r.named, Publisher: name}.explain(&err)
	if err := checkName(name); err != nil {
		return err
	}
	if err := r.tidy(ctx); err != nil {
		return err
	}
	err = r.checkPublisher(ctx, name)
	if err == nil {
		return because(fs.ErrExist, "the repository has this publisher already")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.setInfo(ctx, archive.Publisher{Name: name})
}

// setInfo records what is known about a publisher, which is added if need be.
func (r *Repository) setInfo(ctx context.Context, p archive.Publisher) (err error) {
	if r.version < 4 {
		return errOneOnly
	}
	text, err := infoText(p)
	if err != nil {
		return err
	}
	others, err := r.Publishers(ctx)
	if err != nil {
		return err
	}
	w, err := r.write(ctx, p.Name, true)
	if err != nil {
		return err
	}
	defer func() { err = join(err, w.close()) }()
	if err := w.ensureCatalog(ctx); err != nil {
		return err
	}
	if err := w.repo.store.Put(ctx, w.home.info(), bytes.NewReader(text)); err != nil {
		return err
	}
	if len(others) > 0 {
		return nil
	}
	return r.changeConfig(ctx, func(c *configFile) error {
		if old, _ := c.Get("publisher", "prefix"); old == "" {
			c.Set("publisher", "prefix", p.Name)
		}
		return nil
	})
}

// infoText returns what is stored about a publisher: what ParseInfo makes of it,
// which refuses what nobody could read and gives locations their usual form.
func infoText(p archive.Publisher) ([]byte, error) {
	info := &archive.Info{Publishers: []archive.Publisher{p}}
	text, err := info.MarshalText()
	if err != nil {
		return nil, err
	}
	if info, err = archive.ParseInfo("pub.p5i", text); err != nil {
		return nil, err
	}
	return info.MarshalText()
}

// ensureCatalog makes an empty catalog if there is none.
func (w *writer) ensureCatalog(ctx context.Context) error {
	_, err := store.Stat(ctx, w.repo.store, w.home.attrs())
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c, err := (&catalog.Builder{Now: w.repo.now()}).Build()
	if err != nil {
		return err
	}
	return w.putCatalog(ctx, c)
}

// Info returns what the repository says about a publisher: its alias and where
// to find its packages.
func (r *Repository) Info(ctx context.Context, publisher string) (_ archive.Publisher, err error) {
	defer Error{Op: "read information about", Place: r.named, Publisher: publisher}.explain(&err)
	return r.publisherInfo(ctx, publisher)
}

func (r *Repository) publisherInfo(ctx context.Context, publisher string) (archive.Publisher, error) {
	p := archive.Publisher{Name: publisher}
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return p, err
	}
	name := r.home(publisher).info()
	text, err := readObject(ctx, r.store, name, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	info, err := archive.ParseInfo(name, text)
	if err != nil {
		return p, err
	}
	for _, found := range info.Publishers {
		if found.Name == publisher {
			return found, nil
		}
	}
	return p, nil
}

// RemovePublisher removes a publisher with all of its packages. If it was the
// default publisher, the only one that is left takes its place, if there is
// just one. If another process is writing, the error is a *BusyError.
func (r *Repository) RemovePublisher(ctx context.Context, name string) (err error) {
	defer Error{Op: "remove publisher", Place: r.named, Publisher: name}.explain(&err)
	if r.version < 4 {
		return errOneOnly
	}
	if err := r.checkPublisher(ctx, name); err != nil {
		return err
	}
	w, err := r.write(ctx, name, false)
	if err != nil {
		return err
	}
	if err := w.begin(ctx, journal{{op: opDrop}}); err != nil {
		return join(err, w.close())
	}
	if err := w.drop(ctx); err != nil {
		return join(err, w.close())
	}
	return w.close()
}

// drop removes all that belongs to a publisher: first the catalog, such that
// nobody finds packages that are half gone, and last the journal, and the lock.
func (w *writer) drop(ctx context.Context) error {
	if err := w.dropDefault(ctx); err != nil {
		return err
	}
	if err := removeObjects(ctx, w.repo.store, w.home.attrs()); err != nil {
		return err
	}
	names, err := namesBelow(ctx, w.repo.store, w.home.prefix)
	if err != nil {
		return err
	}
	last := []string{w.home.journal(), w.home.lock()}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(last, name) })
	if err := removeObjects(ctx, w.repo.store, names...); err != nil {
		return err
	}
	w.state.remember(nil, nil)
	return removeObjects(ctx, w.repo.store, last...)
}

// dropDefault finds another default publisher.
func (w *writer) dropDefault(ctx context.Context) error {
	names, err := w.repo.Publishers(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(names, func(name string) bool { return name == w.home.publisher })
	next := ""
	if len(others) == 1 {
		next = others[0]
	}
	return w.repo.changeConfig(ctx, func(c *configFile) error {
		if old, _ := c.Get("publisher", "prefix"); old == w.home.publisher {
			c.Set("publisher", "prefix", next)
		}
		return nil
	})
}

// Busy reports whether somebody is known to write for a publisher at this moment.
func (r *Repository) Busy(ctx context.Context, publisher string) (_ bool, err error) {
	defer Error{Op: "look at", Place: r.named, Publisher: publisher}.explain(&err)
	if err := r.checkPublisher(ctx, publisher); err != nil {
		return false, err
	}
	return r.isBusy(ctx, r.home(publisher)), ctx.Err()
}
