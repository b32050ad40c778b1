package catalog

// Canonical returns what the attributes are written as, without a signature.
func (a *Attrs) Canonical() string { return string(a.appendText(nil, "")) }

// PlanRefresh is the table of decisions by which Refresh works.
var PlanRefresh = planRefresh

// ErrObsoleteCatalog is the reason to read everything if a part went back.
var ErrObsoleteCatalog = errObsolete

// At returns the version with an id, which is its place in the order of All.
func (c *Catalog) At(id int) Package { return c.at(id) }

// ID returns the id.
func (p Package) ID() int { return p.row() }

// Table returns the actions of a part.
func (c *Catalog) Table(part Part) (*table, error) { return c.table(part) }

// Range returns the versions of a package as ids lo <= id < hi.
func (c *Catalog) Range(publisher, name string) (lo, hi int) { return c.span(publisher, name) }
