package archive

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The JSON forms of a p5i file, with members in the order in which they are written.
type (
	jsonInfo struct {
		Packages   []string        `json:"packages"`
		Publishers []jsonPublisher `json:"publishers"`
		Version    *int            `json:"version"`
	}
	jsonPublisher struct {
		Alias        jsonText         `json:"alias"`
		Name         jsonText         `json:"name"`
		Packages     []string         `json:"packages"`
		Repositories []jsonRepository `json:"repositories"`
	}
	jsonRepository struct {
		CollectionType  jsonText `json:"collection_type"`
		Description     jsonText `json:"description"`
		LegalURIs       jsonList `json:"legal_uris"`
		Mirrors         jsonList `json:"mirrors"`
		Name            jsonText `json:"name"`
		Origins         jsonList `json:"origins"`
		RefreshSeconds  jsonInt  `json:"refresh_seconds"`
		RegistrationURI jsonURI  `json:"registration_uri"`
		RelatedURIs     jsonList `json:"related_uris"`
	}
)

// unnamed is the name of a publisher whose file does not say.
const unnamed = "Unknown"

// publisher returns p as a value, which is checked.
func (p jsonPublisher) publisher() (Publisher, error) {
	v := Publisher{Name: string(p.Name), Alias: string(p.Alias), Packages: p.Packages}
	if v.Name == "" {
		v.Name = unnamed
	}
	if n := len(p.Repositories); n > 0 {
		v.Repository = p.Repositories[n-1].repository()
	}
	return v, v.check()
}

func (r jsonRepository) repository() *Repository {
	return &Repository{
		Name:            string(r.Name),
		Description:     string(r.Description),
		CollectionType:  string(r.CollectionType),
		Origins:         withSlash(r.Origins),
		Mirrors:         withSlash(r.Mirrors),
		LegalURIs:       r.LegalURIs,
		RelatedURIs:     r.RelatedURIs,
		RegistrationURI: string(r.RegistrationURI),
		RefreshSeconds:  int(r.RefreshSeconds),
	}
}

// withSlash returns URIs with a final slash each.
func withSlash(uris []string) []string {
	for i, uri := range uris {
		uris[i] = strings.TrimSuffix(uri, "/") + "/"
	}
	return uris
}

func newJSONPublisher(p Publisher) jsonPublisher {
	v := jsonPublisher{
		Alias:        jsonText(p.Alias),
		Name:         jsonText(p.Name),
		Packages:     orEmpty(p.Packages),
		Repositories: []jsonRepository{},
	}
	if p.Repository != nil {
		v.Repositories = append(v.Repositories, newJSONRepository(*p.Repository))
	}
	return v
}

func newJSONRepository(r Repository) jsonRepository {
	if r.CollectionType == "" {
		r.CollectionType = "core"
	}
	return jsonRepository{
		CollectionType:  jsonText(r.CollectionType),
		Description:     jsonText(r.Description),
		LegalURIs:       orEmpty(r.LegalURIs),
		Mirrors:         orEmpty(r.Mirrors),
		Name:            jsonText(r.Name),
		Origins:         orEmpty(r.Origins),
		RefreshSeconds:  jsonInt(r.RefreshSeconds),
		RegistrationURI: jsonURI(r.RegistrationURI),
		RelatedURIs:     orEmpty(r.RelatedURIs),
	}
}

// orEmpty returns list, or an empty one instead of nil, which is null in JSON.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// A jsonText is text that is null if it is empty. The text "None" is read as empty.
type jsonText string

func (t jsonText) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return marshalText(string(t))
}

func (t *jsonText) UnmarshalJSON(src []byte) error {
	var s *string
	if err := json.Unmarshal(src, &s); err != nil {
		return err
	}
	if *t = ""; s != nil && *s != "None" {
		*t = jsonText(*s)
	}
	return nil
}

// A jsonURI is a jsonText that is written as the empty text if it is empty.
type jsonURI string

func (u *jsonURI) UnmarshalJSON(src []byte) error { return (*jsonText)(u).UnmarshalJSON(src) }

// A jsonList is a list of texts. What is no list is read as empty.
type jsonList []string

func (l *jsonList) UnmarshalJSON(src []byte) error {
	*l = nil
	if len(src) == 0 || src[0] != '[' {
		return nil
	}
	return json.Unmarshal(src, (*[]string)(l))
}

// A jsonInt is a number that is null if it is 0. It may be read from text.
type jsonInt int

func (n jsonInt) MarshalJSON() ([]byte, error) {
	if n == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(n), 10), nil
}

func (n *jsonInt) UnmarshalJSON(src []byte) error {
	text := strings.Trim(string(src), `"`)
	if *n = 0; text == "null" || text == "None" || text == "" {
		return nil
	}
	v, err := strconv.Atoi(text)
	*n = jsonInt(v)
	return err
}

// marshalText returns s in JSON without the escapes that are for HTML.
func marshalText(s string) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}
