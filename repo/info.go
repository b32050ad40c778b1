package repo

import (
	"context"
	"io/fs"
	"strconv"
	"strings"

	"github.com/goips/ips/archive"
)

// PublisherProperties returns what the repository says about a publisher, as
// properties of the sections publisher and repository, sorted.
func (r *Repository) PublisherProperties(ctx context.Context, publisher string) ([]Property, error) {
	p, err := r.Info(ctx, publisher)
	if err != nil {
		return nil, err
	}
	var props []Property
	for _, f := range infoFields(&p, repositoryOf(p)) {
		props = append(props, Property{f.section, f.name, f.value()})
	}
	return props, nil
}

// SetPublisherProperties changes what the repository says about a publisher,
// which is added if it is not there. Names may be written with dashes or
// underscores; publisher/prefix cannot be changed. An unknown name is an error
// that matches fs.ErrNotExist.
func (r *Repository) SetPublisherProperties(ctx context.Context, publisher string, props ...Property) (err error) {
	defer Error{Op: "write information about", Place: r.named, Publisher: publisher}.explain(&err)
	p, err := r.publisherInfo(ctx, publisher)
	if err := ignore(err, fs.ErrNotExist); err != nil {
		return err
	}
	for _, prop := range props {
		if err := setInfoField(&p, prop); err != nil {
			return err
		}
	}
	return r.setInfo(ctx, p)
}

// repositoryOf returns a copy of what is known about where a publisher's
// packages are.
func repositoryOf(p archive.Publisher) *archive.Repository {
	if p.Repository == nil {
		return &archive.Repository{CollectionType: "core"}
	}
	copied := *p.Repository
	return &copied
}

// setInfoField changes one thing that is known about a publisher.
func setInfoField(p *archive.Publisher, prop Property) error {
	name := strings.ReplaceAll(prop.Name, "_", "-")
	repository := repositoryOf(*p)
	for _, f := range infoFields(p, repository) {
		if f.section != prop.Section || f.name != name || f.name == "prefix" {
			continue
		}
		if f.section == "repository" {
			p.Repository = repository
		}
		return f.set(prop.Value)
	}
	return because(fs.ErrNotExist, "unknown property %s/%s", prop.Section, prop.Name)
}

// An infoField is one thing that is known about a publisher: a text, a list or a
// number.
type infoField struct {
	section, name string
	text          *string
	list          *[]string
	number        *int
}

func infoFields(p *archive.Publisher, r *archive.Repository) []infoField {
	return []infoField{
		{section: "publisher", name: "alias", text: &p.Alias},
		{section: "publisher", name: "prefix", text: &p.Name},
		{section: "repository", name: "collection-type", text: &r.CollectionType},
		{section: "repository", name: "description", text: &r.Description},
		{section: "repository", name: "legal-uris", list: &r.LegalURIs},
		{section: "repository", name: "mirrors", list: &r.Mirrors},
		{section: "repository", name: "name", text: &r.Name},
		{section: "repository", name: "origins", list: &r.Origins},
		{section: "repository", name: "refresh-seconds", number: &r.RefreshSeconds},
		{section: "repository", name: "registration-uri", text: &r.RegistrationURI},
		{section: "repository", name: "related-uris", list: &r.RelatedURIs},
	}
}

func (f infoField) value() Value {
	switch {
	case f.text != nil:
		return Text(*f.text)
	case f.list != nil:
		return List(*f.list...)
	case *f.number != 0:
		return Text(strconv.Itoa(*f.number))
	}
	return Text("")
}

func (f infoField) set(v Value) (err error) {
	items, isList := v.Items()
	switch {
	case f.list != nil && !isList && v.text != "":
		*f.list = []string{v.text}
	case f.list != nil:
		*f.list = items
	case isList:
		return because(fs.ErrInvalid, "%s/%s is not a list", f.section, f.name)
	case f.text != nil:
		*f.text = v.text
	case v.text == "":
		*f.number = 0
	default:
		if *f.number, err = strconv.Atoi(v.text); err != nil || *f.number < 0 {
			return because(fs.ErrInvalid, "%s/%s is not %q seconds", f.section, f.name, v.text)
		}
	}
	return nil
}
