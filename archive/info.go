package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/goips/ips/fmri"
)

// InfoType is the media type of p5i files.
const InfoType = "application/vnd.pkg5.info"

// Info is the content of a p5i file: publishers, where to find them, and packages to
// be had from them. It is a JSON object, of which this is an example with
// everything in it:
//
//	{
//	  "packages": [],
//	  "publishers": [
//	    {
//	      "alias": "ex",
//	      "name": "example.org",
//	      "packages": [
//	        "web/server"
//	      ],
//	      "repositories": [
//	        {
//	          "collection_type": "core",
//	          "description": null,
//	          "legal_uris": [],
//	          "mirrors": [],
//	          "name": "Example",
//	          "origins": [
//	            "http://pkg.example.org/"
//	          ],
//	          "refresh_seconds": 14400,
//	          "registration_uri": "",
//	          "related_uris": []
//	        }
//	      ]
//	    }
//	  ],
//	  "version": 1
//	}
//
// It is written with an indentation of two blanks, sorted names, characters outside
// ASCII as they are, and a final newline. When it is read the version must be there and
// at most 1, members that are not known are ignored, as are null, the text "None" and
// lists that are no lists; origins and mirrors get a final slash, a publisher
// without a name is called Unknown, and of several repositories the last one counts.
type Info struct {
	Publishers []Publisher
	Packages   []string // names or FMRIs of packages of no particular publisher
}

// A Publisher is what a p5i file says of a publisher.
type Publisher struct {
	Name       string      // the prefix, such as example.org
	Alias      string      // "" if there is none
	Packages   []string    // names, or FMRIs without a publisher
	Repository *Repository // nil if nothing is known
}

// A Repository says where the packages of a publisher are. URIs are absolute.
type Repository struct {
	Name            string
	Description     string
	CollectionType  string   // "core" or "supplemental", "" means core
	Origins         []string // URIs of repositories with everything
	Mirrors         []string // URIs of repositories with payloads
	LegalURIs       []string
	RelatedURIs     []string
	RegistrationURI string
	RefreshSeconds  int // 0 if it is not known
}

// An InfoError says why a file is no p5i file.
type InfoError struct {
	File string
	Err  error
}

// Error names the file and the reason.
func (e *InfoError) Error() string { return e.File + ": publisher information: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *InfoError) Unwrap() error { return e.Err }

const infoVersion = 1

// ParseInfo parses a p5i file. The name stands in errors, which are of type
// *[InfoError] and match [errors.ErrUnsupported] for a later version of the format.
func ParseInfo(name string, src []byte) (*Info, error) {
	var file jsonInfo
	err := json.Unmarshal(src, &file)
	if err == nil {
		err = checkInfoVersion(file.Version)
	}
	if err != nil {
		return nil, &InfoError{name, err}
	}
	info := &Info{Packages: file.Packages}
	for i := range file.Publishers {
		p, err := file.Publishers[i].publisher()
		if err != nil {
			return nil, &InfoError{name, err}
		}
		info.Publishers = append(info.Publishers, p)
	}
	return info, nil
}

func checkInfoVersion(version *int) error {
	switch {
	case version == nil:
		return errors.New("no version")
	case *version > infoVersion:
		return fmt.Errorf("version %d: %w", *version, errors.ErrUnsupported)
	case *version < 0:
		return fmt.Errorf("version %d", *version)
	}
	return nil
}

// AppendText appends the text of the file to b. It refuses what [ParseInfo] does.
func (i *Info) AppendText(b []byte) ([]byte, error) {
	version := infoVersion
	file := jsonInfo{Packages: orEmpty(i.Packages), Publishers: []jsonPublisher{}, Version: &version}
	for _, p := range i.Publishers {
		if err := p.check(); err != nil {
			return b, err
		}
		file.Publishers = append(file.Publishers, newJSONPublisher(p))
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(file); err != nil {
		return b, err
	}
	return append(b, unescapeSeparators(buf.Bytes())...), nil
}

// MarshalText returns the text of the file.
func (i *Info) MarshalText() ([]byte, error) { return i.AppendText(nil) }

// WriteTo writes the text of the file to w.
func (i *Info) WriteTo(w io.Writer) (int64, error) {
	text, err := i.AppendText(nil)
	if err != nil {
		return 0, err
	}
	n, err := w.Write(text)
	return int64(n), err
}

// unescapeSeparators replaces the escapes of U+2028 and U+2029, which package json
// writes and the reference does not.
func unescapeSeparators(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u202`)) {
		return b
	}
	var out []byte
	for len(b) > 0 {
		n := 1
		if b[0] == '\\' {
			n = 2 // an escape, which may be that of a backslash
		}
		switch {
		case bytes.HasPrefix(b, []byte(`\u2028`)):
			out, n = append(out, "\u2028"...), 6
		case bytes.HasPrefix(b, []byte(`\u2029`)):
			out, n = append(out, "\u2029"...), 6
		default:
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// check reports what is wrong with a publisher.
func (p Publisher) check() error {
	if err := fmri.CheckPublisher(p.Name); err != nil {
		return err
	}
	if p.Repository == nil {
		return nil
	}
	for _, list := range [][]string{p.Repository.Origins, p.Repository.Mirrors, p.Repository.LegalURIs, p.Repository.RelatedURIs} {
		for _, uri := range list {
			if err := checkURI(uri); err != nil {
				return err
			}
		}
	}
	switch p.Repository.CollectionType {
	case "", "core", "supplemental":
		return nil
	}
	return fmt.Errorf("collection type %q", p.Repository.CollectionType)
}

// checkURI accepts absolute URIs.
func checkURI(uri string) error {
	u, err := url.Parse(uri)
	if err == nil && (!u.IsAbs() || u.Opaque != "") {
		err = fmt.Errorf("URI %q is not absolute", uri)
	}
	return err
}
