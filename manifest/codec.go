package manifest

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goips/ips/fmri"
)

// A codec moves attributes into fields or, where it is writing, fields into
// attributes. Each method names an attribute and its field; a decoded
// value lists them once, in bind, for both directions.
type codec struct {
	action  Action   // reading: the action; writing: its payload
	attrs   Attrs    // reading: what has no field yet; writing: the result
	lists   []string // writing: the names that may have more values in Extra
	writing bool
	err     error // the first
}

// fail keeps the first error.
func (c *codec) fail(name, value, reason string, err error) {
	if c.err == nil {
		c.err = &AttrError{Name: name, Value: value, Reason: reason, Err: err}
	}
}

// put writes an attribute.
func (c *codec) put(name, value string) { c.attrs = append(c.attrs, Attr{name, value}) }

// value returns the only value of a name.
func (c *codec) value(name string) (value string, ok bool) {
	if c.attrs.Count(name) > 1 {
		c.fail(name, "", "repeated", nil)
		return "", false
	}
	return c.attrs.Get(name)
}

// take removes all values of a name, which a field has.
func (c *codec) take(name string) {
	c.attrs = slices.DeleteFunc(c.attrs, func(x Attr) bool { return x.Name == name })
}

// key is a text that is there even if it is empty.
func (c *codec) key(name string, field *string) {
	if c.writing {
		c.put(name, *field)
		return
	}
	if v, ok := c.value(name); ok {
		*field = v
		c.take(name)
	}
}

// text is any text. An empty value is not the same as none and stays behind.
func (c *codec) text(name string, field *string) {
	if c.writing {
		if *field != "" {
			c.put(name, *field)
		}
		return
	}
	if v, ok := c.value(name); ok && v != "" {
		*field = v
		c.take(name)
	}
}

// list is all values of a name.
func (c *codec) list(name string, field *[]string) {
	if c.writing {
		c.lists = append(c.lists, name)
		for _, v := range *field {
			c.put(name, v)
		}
		return
	}
	*field = slices.Collect(c.attrs.Values(name))
	c.take(name)
}

// path is the path of an action, in one spelling.
func (c *codec) path(name string, field *string) {
	if c.writing {
		c.put(name, *field)
		return
	}
	v, ok := c.value(name)
	if !ok {
		return
	}
	clean, err := localPath(v)
	if err != nil {
		c.fail(name, v, notLocal, err)
	}
	*field = clean
	c.take(name)
}

// mode is the permissions of a file or directory. Those of nobody stay behind, as
// zero stands for none.
func (c *codec) mode(field *fs.FileMode) {
	if c.writing {
		if *field != 0 {
			c.put("mode", formatMode(*field))
		}
		return
	}
	v, ok := c.value("mode")
	if !ok {
		return
	}
	if *field, ok = parseMode(v); !ok {
		c.fail("mode", v, badMode, nil)
	}
	if *field != 0 {
		c.take("mode")
	}
}

// number is an integer that may be absent.
func (c *codec) number(name string, field **int) {
	if c.writing {
		if *field != nil {
			c.put(name, strconv.Itoa(**field))
		}
		return
	}
	v, ok := c.value(name)
	if !ok {
		return
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		c.fail(name, v, "not a number", nil)
		return
	}
	*field = &n
	c.take(name)
}

// flag is whether an attribute has the given value; other values stay behind.
func (c *codec) flag(name, value string, field *bool) {
	if c.writing {
		if *field {
			c.put(name, value)
		}
		return
	}
	if v, ok := c.value(name); ok && strings.EqualFold(v, value) {
		*field = true
		c.take(name)
	}
}

// timeLayout is how attributes write a time, in UTC.
const timeLayout = "20060102T150405Z"

// time is a point in time; other values, which mean nothing, stay behind.
func (c *codec) time(name string, field *time.Time) {
	if c.writing {
		if !field.IsZero() {
			c.put(name, field.UTC().Format(timeLayout))
		}
		return
	}
	v, ok := c.value(name)
	if !ok {
		return
	}
	if t, err := time.Parse(timeLayout, v); err == nil && t.Format(timeLayout) == v && !t.IsZero() {
		*field = t
		c.take(name)
	}
}

// unresolved stands for a package that is not yet known, between two steps of publishing.
const unresolved = "__TBD"

// fmri is a single FMRI that may be absent.
func (c *codec) fmri(name string, field *fmri.FMRI) {
	if c.writing {
		if field.IsValid() {
			c.put(name, formatFMRI(*field))
		}
		return
	}
	if v, ok := c.value(name); ok {
		*field = c.parseFMRI(name, v)
		c.take(name)
	}
}

// fmris is a list of FMRIs.
func (c *codec) fmris(name string, field *[]fmri.FMRI) {
	if c.writing {
		c.lists = append(c.lists, name)
		for _, f := range *field {
			c.put(name, formatFMRI(f))
		}
		return
	}
	for v := range c.attrs.Values(name) {
		*field = append(*field, c.parseFMRI(name, v))
	}
	c.take(name)
}

func (c *codec) parseFMRI(name, v string) fmri.FMRI {
	if v == unresolved {
		return fmri.FMRI{}
	}
	f, err := fmri.Parse(v)
	if err != nil {
		c.fail(name, v, badFMRI, err)
	}
	if strings.HasPrefix(f.Publisher(), "_PRE_") {
		return f.WithPublisher("") // one of an old image is not written
	}
	return f
}

// formatFMRI returns f as dependencies write it: without the build that is implied.
func formatFMRI(f fmri.FMRI) string {
	switch {
	case !f.IsValid():
		return unresolved
	case f.Version().Build() == impliedBuild:
		return f.Format(fmri.OmitBuild)
	}
	return f.String()
}

// impliedBuild is the build of a version that has none.
const impliedBuild = "5.11"

// mediation is the four attributes of a mediated link.
func (c *codec) mediation(m *Mediation) {
	c.text("mediator", &m.Mediator)
	c.text("mediator-version", &m.Version)
	c.text("mediator-implementation", &m.Implementation)
	c.text("mediator-priority", &m.Priority)
}

// payload is the payload of an action and what its attributes say about it. Before
// publication that is the name of a source.
func (c *codec) payload(field *Payload, source *string) {
	if c.writing {
		c.action.Hash = field.hash(*source)
		c.attrs = field.appendAttrs(c.attrs)
		c.lists = append(c.lists, "pkg.content-hash")
		return
	}
	p, err := c.action.Payload()
	if err != nil && c.err == nil {
		c.err = err.(*Error).Err
	}
	*field = p
	if h := c.action.Hash; h != NoHash && h != p.Content.Of(SHA1).Hex() {
		*source = h
	}
	if p != (Payload{}) {
		c.attrs = slices.DeleteFunc(c.attrs, isPayloadAttr)
	}
}

// extra is all other attributes. It comes last.
func (c *codec) extra(field *Attrs) {
	if !c.writing {
		if len(c.attrs) > 0 {
			*field = c.attrs
		}
		return
	}
	fields := c.attrs
	for _, x := range *field {
		if !fields.Has(x.Name) || slices.Contains(c.lists, x.Name) {
			c.attrs = append(c.attrs, x)
		}
	}
}

// target is the target of a hard link.
func (c *codec) target(path string, field *string) {
	c.text("target", field)
	if _, err := linkTarget(path, *field); err != nil && !c.writing {
		c.fail("target", *field, notLocal, err)
	}
}

// dependType is the type of a dependency.
func (c *codec) dependType(field *DependType) {
	if c.writing {
		c.put("type", field.String())
		return
	}
	v, _ := c.value("type")
	t, ok := ParseDependType(v)
	if !ok {
		c.fail("type", v, badDependType, nil)
	}
	*field = t
	c.take("type")
}

// below is a name that becomes a path below a directory.
func (c *codec) below(name string, field *string) {
	c.key(name, field)
	if c.writing {
		return
	}
	if _, err := localPath(*field); err != nil {
		c.fail(name, *field, notBelow, err)
	}
}

// badFMRI is what is wrong with the name of a package that cannot be read.
const badFMRI = "not an FMRI"
