package image

import (
	"cmp"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/internal/ini"
)

// Versions of the image format: written is the one that all implementations read.
const (
	writtenVersion = 4
	newestVersion  = 5
)

// A Type says where an image keeps its metadata.
type Type uint8

const (
	User Type = iota // below ".org.opensolaris,pkg"; names of owners are the host's
	Full             // below "var/pkg"; names of owners are looked up in the image, then on the host
)

// Metadata returns the metadata directory below the image root.
func (t Type) Metadata() string {
	if t == Full {
		return "var/pkg"
	}
	return ".org.opensolaris,pkg"
}

// A Config is what the file pkg5.image records; plain data. The zero Config is
// that of a user image without publishers.
type Config struct {
	// Type is chosen by Create, and cannot be changed later.
	Type Type

	// Publishers, the best ranked first.
	Publishers []Publisher

	// Varcets are the variants and facets. Create adds variant.arch, that of the
	// running machine, and variant.opensolaris.zone=global where they are missing.
	// Later they change only by a plan, see PlanVarcets.
	Varcets manifest.Varcets

	// Mediators are what the image has settled on for each mediator, sorted by name.
	// They, too, change only by a plan.
	Mediators []manifest.Choice

	// Properties of the image as they are written in the file: booleans are True or
	// False, lists look like ['a', 'b']. Those that are not here have their defaults.
	Properties map[string]string
}

// A Publisher is a name under which packages are published, and where they are.
type Publisher struct {
	Name             string
	Origins, Mirrors []string // locations, kept as URIs; mirrors hold payloads only
	NonSticky        bool     // packages of it may be updated from another publisher
	Disabled         bool     // neither listed nor installed from
}

// clone returns a copy that shares nothing with c.
func (c Config) clone() Config {
	c.Publishers = slices.Clone(c.Publishers)
	for i, p := range c.Publishers {
		c.Publishers[i].Origins = slices.Clone(p.Origins)
		c.Publishers[i].Mirrors = slices.Clone(p.Mirrors)
	}
	c.Varcets = cloneVarcets(c.Varcets)
	c.Mediators = slices.Clone(c.Mediators)
	c.Properties = maps.Clone(c.Properties)
	return c
}

func cloneVarcets(v manifest.Varcets) manifest.Varcets {
	v.Variants, v.Facets, v.Inherited = maps.Clone(v.Variants), maps.Clone(v.Facets), maps.Clone(v.Inherited)
	return v
}

// completed returns c with the variants that every image has.
func (c Config) completed() Config {
	c = c.clone()
	if c.Varcets.Variants == nil {
		c.Varcets.Variants = map[string]string{}
	}
	if c.Properties == nil {
		c.Properties = map[string]string{}
	}
	for name, value := range map[string]string{"variant.arch": arch(runtime.GOARCH), "variant.opensolaris.zone": "global"} {
		if _, ok := c.Varcets.Variants[name]; !ok {
			c.Varcets.Variants[name] = value
		}
	}
	return c
}

// arch returns the name that packages have for a processor.
func arch(goarch string) string {
	switch goarch {
	case "amd64", "386":
		return "i386"
	case "arm64":
		return "aarch64"
	case "sparc64":
		return "sparc"
	}
	return goarch
}

// located returns c with URIs in place of the locations of publishers.
func (c Config) located() (Config, error) {
	c = c.clone()
	for _, p := range c.Publishers {
		for _, list := range [][]string{p.Origins, p.Mirrors} {
			for i, text := range list {
				l, err := repo.ParseLocation(text)
				if err == nil {
					list[i], err = l.URI()
				}
				if err != nil {
					return c, &ConfigError{Name: p.Name, Msg: err.Error()}
				}
			}
		}
	}
	return c, nil
}

// check refuses publishers without a name, with an odd one, or named twice.
func (c Config) check() error {
	seen := map[string]bool{}
	for _, p := range c.Publishers {
		if f, err := fmri.Parse("pkg://" + p.Name + "/x"); err != nil || p.Name == "" || f.Publisher() != p.Name {
			return &ConfigError{Name: p.Name, Msg: "not the name of a publisher"}
		}
		if seen[p.Name] {
			return &ConfigError{Name: p.Name, Msg: "publisher is there twice"}
		}
		seen[p.Name] = true
	}
	for name, value := range c.Properties {
		if name == searchOrder || !isProperty(name) || strings.ContainsFunc(value, unicode.IsControl) {
			return &ConfigError{Name: name, Msg: "not a property to be set"}
		}
	}
	for name, value := range c.Varcets.Variants {
		if strings.ContainsFunc(value, unicode.IsControl) || strings.TrimSpace(value) != value {
			return &ConfigError{Name: name, Msg: "not a value of a variant"}
		}
	}
	return nil
}

// isProperty reports whether a name reads back as it is written.
func isProperty(name string) bool {
	return name != "" && strings.TrimSpace(name) == name && !strings.ContainsAny(name, "=:[#;") &&
		!strings.ContainsFunc(name, unicode.IsControl)
}

// A ConfigError says which name or value of a Config is wrong, and why.
type ConfigError struct{ Name, Msg string }

func (e *ConfigError) Error() string { return strconv.Quote(e.Name) + ": " + e.Msg }

const (
	searchOrder = "publisher-search-order"
	authority   = "authority_"
)

// readConfig takes the meaning out of a file.
func readConfig(c *ini.File) (Config, error) {
	version, err := strconv.Atoi(get(c, "image", "version"))
	if err != nil || version < writtenVersion || version > newestVersion {
		return Config{}, unsupportedVersion(get(c, "image", "version"))
	}
	var cfg Config
	cfg.Properties = map[string]string{}
	for name, value := range c.Section("property") {
		if name != searchOrder {
			cfg.Properties[name] = value
		}
	}
	if cfg.Varcets, err = readVarcets(c); err != nil {
		return Config{}, err
	}
	cfg.Mediators = readMediators(c)
	cfg.Publishers, err = readPublishers(c)
	return cfg, err
}

func unsupportedVersion(version string) error {
	return because(errors.ErrUnsupported, "the image is of format version %q; versions %d to %d are read", version, writtenVersion, newestVersion)
}

// get returns a property; "" for none, and for the literal None.
func get(c *ini.File, section, name string) string {
	value, _ := c.Get(section, name)
	if value == "None" {
		return ""
	}
	return value
}

// getList returns a property that is a list of strings.
func getList(c *ini.File, section, name string) ([]string, error) {
	text := get(c, section, name)
	if text == "" {
		return nil, nil
	}
	list, err := ini.ParseList(text)
	if err != nil {
		return nil, &FormatError{File: configFile, Msg: name + ": " + err.Error()}
	}
	return list, nil
}

func readVarcets(c *ini.File) (v manifest.Varcets, err error) {
	v.Variants = map[string]string{}
	for name, value := range c.Section("variant") {
		v.Variants[unquote(name)] = value
	}
	if v.Facets, err = readFacets(c, "facet"); err != nil {
		return v, err
	}
	v.Inherited, err = readFacets(c, "inherited_facet")
	return v, err
}

func readFacets(c *ini.File, section string) (facets map[string]bool, err error) {
	for name, text := range c.Section(section) {
		value, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, &FormatError{File: configFile, Msg: name + ": a facet is True or False"}
		}
		if facets == nil {
			facets = map[string]bool{}
		}
		facets[unquote(name)] = value
	}
	return facets, nil
}

// readPublishers returns the publishers in search order. Those that the order does not
// mention follow by name.
func readPublishers(c *ini.File) ([]Publisher, error) {
	order, err := getList(c, "property", searchOrder)
	if err != nil {
		return nil, err
	}
	configured := map[string]bool{}
	for section := range c.Sections() {
		if name, ok := strings.CutPrefix(section, authority); ok {
			configured[name] = true
		}
	}
	var pubs []Publisher
	for _, name := range append(order, slices.Sorted(maps.Keys(configured))...) {
		if !configured[name] {
			continue
		}
		delete(configured, name)
		p, err := readPublisher(c, name)
		if err != nil {
			return nil, err
		}
		pubs = append(pubs, p)
	}
	return pubs, nil
}

func readPublisher(c *ini.File, name string) (p Publisher, err error) {
	p.Name = name
	p.Disabled = strings.EqualFold(get(c, authority+name, "disabled"), "true")
	p.NonSticky = strings.EqualFold(get(c, authority+name, "sticky"), "false")
	if p.Origins, err = readURIs(c, authority+name, "origin"); err != nil {
		return p, err
	}
	p.Mirrors, err = readURIs(c, authority+name, "mirror")
	return p, err
}

// readURIs reads the list of a kind, without those that are disabled.
func readURIs(c *ini.File, section, kind string) ([]string, error) {
	uris, err := getList(c, section, kind+"s")
	if err != nil {
		return nil, err
	}
	var infos []map[string]string
	if text := get(c, section, kind+"_info"); text != "" {
		if infos, err = ini.ParseDicts(text); err != nil {
			return nil, &FormatError{File: configFile, Msg: kind + "_info: " + err.Error()}
		}
	}
	uris = slices.DeleteFunc(uris, func(uri string) bool {
		return slices.ContainsFunc(infos, func(i map[string]string) bool {
			return i["uri"] == uri && strings.EqualFold(i["disabled"], "true")
		})
	})
	if len(uris) == 0 {
		return nil, nil
	}
	return uris, nil
}

// writeConfig puts the meaning of cfg into c and leaves the rest of c as it is.
func writeConfig(c *ini.File, cfg Config) {
	if get(c, "image", "version") == "" {
		c.Set("image", "version", strconv.Itoa(writtenVersion))
	}
	props := map[string]string{searchOrder: ""}
	maps.Copy(props, cfg.Properties)
	c.Replace("property", props)
	writePublishers(c, cfg.Publishers)
	writeVarcets(c, cfg.Varcets)
	writeMediators(c, cfg.Mediators)
	c.Set("CONFIGURATION", "version", "3")
}

func writePublishers(c *ini.File, pubs []Publisher) {
	var order []string
	for _, p := range pubs {
		order = append(order, p.Name)
		writePublisher(c, p)
	}
	for _, section := range slices.Collect(c.Sections()) {
		if name, ok := strings.CutPrefix(section, authority); ok && !slices.Contains(order, name) {
			c.Remove(section)
		}
	}
	c.Set("property", searchOrder, ini.FormatList(order))
}

// writePublisher writes what a Publisher knows. The lists with details of each URI,
// such as its proxy, are kept while the URIs stay the same.
func writePublisher(c *ini.File, p Publisher) {
	section := authority + p.Name
	c.Set(section, "prefix", p.Name)
	c.Set(section, "disabled", pyBool(p.Disabled))
	c.Set(section, "sticky", pyBool(!p.NonSticky))
	for _, l := range []struct {
		kind string
		uris []string
	}{{"origin", p.Origins}, {"mirror", p.Mirrors}} {
		old, err := readURIs(c, section, l.kind)
		if err == nil && slices.Equal(old, l.uris) && get(c, section, l.kind+"s") != "" {
			continue
		}
		c.Set(section, l.kind+"s", ini.FormatList(l.uris))
		c.Set(section, l.kind+"_info", formatInfos(l.uris))
	}
}

func formatInfos(uris []string) string {
	infos := make([][]string, len(uris))
	for i, uri := range uris {
		infos[i] = []string{"uri", uri, "proxy", "", "disabled", "false"}
	}
	return ini.FormatDicts(infos)
}

func writeVarcets(c *ini.File, v manifest.Varcets) {
	variants := map[string]string{}
	for name, value := range v.Variants {
		variants[quote(name)] = value
	}
	c.Replace("variant", variants)
	writeFacets(c, "facet", v.Facets)
	writeFacets(c, "inherited_facet", v.Inherited)
}

func writeFacets(c *ini.File, section string, facets map[string]bool) {
	if len(facets) == 0 {
		c.Remove(section)
		return
	}
	values := map[string]string{}
	for name, value := range facets {
		values[quote(name)] = pyBool(value)
	}
	c.Replace(section, values)
}

// mediatorFields are the properties of a choice; "NAME." goes before each of them.
func mediatorFields(c *manifest.Choice) map[string]*string {
	return map[string]*string{
		"version": &c.Version, "version-source": &c.VersionSource,
		"implementation": &c.Implementation, "implementation-source": &c.ImplementationSource,
		"implementation-version": &c.ImplementationVersion,
	}
}

func readMediators(f *ini.File) []manifest.Choice {
	byName := map[string]*manifest.Choice{}
	for key, value := range f.Section("mediators") {
		name, field, _ := strings.Cut(unquote(key), ".")
		c := byName[name]
		if c == nil {
			c = &manifest.Choice{Mediator: name}
			byName[name] = c
		}
		if to := mediatorFields(c)[field]; to != nil && value != "None" {
			*to = value
		}
	}
	var list []manifest.Choice
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		c := byName[name]
		unsaid(c.Version, &c.VersionSource)
		unsaid(c.Implementation, &c.ImplementationSource)
		list = append(list, *c)
	}
	return list
}

// unsaid forgets who has settled on nothing: the reference writes that the system has.
func unsaid(value string, source *string) {
	if value == "" && *source == manifest.SourceSystem {
		*source = ""
	}
}

// writeMediators writes both sources of each mediator, also where there is no value: the
// reference does not read an image where one is missing.
func writeMediators(c *ini.File, list []manifest.Choice) {
	if len(list) == 0 {
		c.Remove("mediators")
		return
	}
	values := map[string]string{}
	for _, choice := range list {
		choice.VersionSource = cmp.Or(choice.VersionSource, manifest.SourceSystem)
		choice.ImplementationSource = cmp.Or(choice.ImplementationSource, manifest.SourceSystem)
		for field, value := range mediatorFields(&choice) {
			if *value != "" {
				values[choice.Mediator+"."+field] = *value
			}
		}
	}
	c.Replace("mediators", values)
}

func pyBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// quote and unquote write names of variants and facets, which may hold * and ?.
func quote(name string) string { return fmri.Escape(name) }

func unquote(name string) string {
	if plain, err := fmri.Unescape(name); err == nil {
		return plain
	}
	return name
}
