package image

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo/internal/ini"
)

// The properties of an image that change what is done here.
const (
	excludePatterns = "exclude-patterns"
	excludePolicy   = "exclude-policy"
	keyFiles        = "key-files"
)

// A support says which values of a property are honoured.
type support func(value string) bool

func anyValue(string) bool { return true }

// oneOf admits some values, in any case.
func oneOf(values ...string) support {
	return func(value string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, value) })
	}
}

// properties are those that the reference has. Where every value will do, the property is
// about something that is not done here for any value: caches of payloads, certificates of
// signatures, children of an image.
func properties() map[string]support {
	return map[string]support{
		"auto-be-name":                   anyValue,
		"be-policy":                      anyValue, // but see bootPolicies
		"be-use-suggested-name":          anyValue,
		"ca-path":                        anyValue,
		"check-certificate-revocation":   oneOf("False"),
		"content-update-policy":          oneOf("default", "always"),
		"default-recurse":                anyValue,
		"dehydrated":                     oneOf("[]"),
		excludePatterns:                  isPatternList,
		excludePolicy:                    oneOf("ignore", "warn"),
		"flush-content-cache-on-success": anyValue,
		keyFiles:                         isList,
		"mirror-discovery":               oneOf("False"),
		"preferred-authority":            anyValue,
		"recursion-concurrency":          anyValue,
		"send-uuid":                      anyValue,
		"signature-policy":               oneOf("ignore", "verify"),
		"signature-required-names":       oneOf("[]"),
		"temp-be-activation":             anyValue,
		"trust-anchor-directory":         anyValue,
		"use-system-repo":                oneOf("False"),
	}
}

// bootPolicies are those of the property be-policy that ask for no new boot environment. For
// an image that is not the running system, none is made whatever the property says.
var bootPolicies = oneOf("default", "create-backup")

func isList(value string) bool {
	_, err := ini.ParseList(value)
	return err == nil
}

func isPatternList(value string) bool {
	_, err := parsePatterns(value)
	return err == nil
}

// parsePatterns reads a list of regular expressions, which match from the beginning of a
// path on, as those of the reference do.
func parsePatterns(value string) ([]*regexp.Regexp, error) {
	if value == "" {
		return nil, nil
	}
	texts, err := ini.ParseList(value)
	if err != nil {
		return nil, err
	}
	var list []*regexp.Regexp
	for _, text := range texts {
		re, err := regexp.Compile("^(?:" + text + ")")
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		list = append(list, re)
	}
	return list, nil
}

// checkNewProperties refuses properties that are set to what is not honoured; those that
// were so before stay.
func checkNewProperties(before, after map[string]string) error {
	known := properties()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		value := after[name]
		if was, ok := before[name]; ok && was == value {
			continue
		}
		supports, ok := known[name]
		switch {
		case !ok:
			return &ConfigError{Name: name, Msg: "there is no such property of an image"}
		case value != "" && !supports(value):
			return &ConfigError{Name: name, Msg: fmt.Sprintf("the value %s is not supported", value)}
		}
	}
	return nil
}

// checkProperties refuses to work on an image with properties that ask for what is not
// done here.
func (i *Image) checkProperties(c Config) error {
	known := properties()
	if filepath.Clean(i.path) == "/" {
		known["be-policy"] = bootPolicies
	}
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		if supports, ok := known[name]; ok && c.Properties[name] != "" && !supports(c.Properties[name]) {
			return because(errors.ErrUnsupported, "the property %s of the image is %s, which is not supported", name, c.Properties[name])
		}
	}
	if c.Properties[keyFiles] == "" {
		return nil
	}
	files, err := ini.ParseList(c.Properties[keyFiles])
	if err != nil {
		return err
	}
	for _, name := range files {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		if _, err := i.root.Stat(name); err != nil {
			return because(fs.ErrNotExist, "%s is missing, which the property %s of the image asks for; perhaps a file system is not mounted", name, keyFiles)
		}
	}
	return nil
}

// An excluder knows which paths are left out of an image.
type excluder []*regexp.Regexp

func (c Config) excluder() (excluder, error) {
	list, err := parsePatterns(c.Properties[excludePatterns])
	if err != nil {
		return nil, &FormatError{File: configFile, Msg: excludePatterns + ": " + err.Error()}
	}
	return list, nil
}

// excludes returns what tells a plan which actions are left out. The property
// exclude-policy says whether that is passed over or noted.
func (i *Image) excludes(c Config) (func(manifest.Action) bool, error) {
	x, err := c.excluder()
	if err != nil || len(x) == 0 {
		return nil, err
	}
	quiet := strings.EqualFold(c.Properties[excludePolicy], "ignore")
	return func(a manifest.Action) bool {
		if !x.excludes(a) {
			return false
		}
		if name, _ := a.Path(); !quiet {
			i.opts.Log.Warn("left out of the image, as the property "+excludePatterns+" says", "path", name)
		}
		return true
	}, nil
}

// excludes reports whether an action is left out, by its path, or by the file that it is
// another name of.
func (x excluder) excludes(a manifest.Action) bool {
	if len(x) == 0 {
		return false
	}
	switch a.Kind {
	case manifest.KindHardlink:
		if target, err := a.Target(); err == nil && x.match(target) {
			return true
		}
	case manifest.KindFile, manifest.KindLink:
	default:
		return false
	}
	name, err := a.Path()
	return err == nil && x.match(name)
}

func (x excluder) match(name string) bool {
	return slices.ContainsFunc(x, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}
