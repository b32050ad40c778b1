package manifest

// A User is an account of the system. A number that is nil is left to the system.
type User struct {
	Name       string
	Group      string // name of the primary group
	UID        *int
	Password   string // encrypted; "" for *LK*, an account that is locked; "UP" for none yet
	Gecos      string
	HomeDir    string // "" for /
	LoginShell string // "" for the default
	GroupList  []string
	NoFTP      bool // must not log in with FTP

	// LastChange and the others are about the age of the password, in days.
	LastChange, Min, Max, Warn, Inactive, Expire, Flag *int

	Extra Attrs
}

// Action returns the action that u stands for.
func (u User) Action() Action { return encode(u) }
func (User) kind() Kind       { return KindUser }

func (u *User) bind(c *codec) {
	c.key("username", &u.Name)
	c.text("group", &u.Group)
	c.number("uid", &u.UID)
	c.password(&u.Password)
	c.text("gcos-field", &u.Gecos)
	c.text("home-dir", &u.HomeDir)
	c.text("login-shell", &u.LoginShell)
	c.list("group-list", &u.GroupList)
	c.flag("ftpuser", "false", &u.NoFTP)
	c.number("lastchg", &u.LastChange)
	c.number("min", &u.Min)
	c.number("max", &u.Max)
	c.number("warn", &u.Warn)
	c.number("inactive", &u.Inactive)
	c.number("expire", &u.Expire)
	c.number("flag", &u.Flag)
	c.extra(&u.Extra)
}

// password is a text for which an empty one has another spelling.
func (c *codec) password(field *string) {
	c.text("password", field)
	if v, ok := c.attrs.Get("password"); ok && !c.writing && v == "" && c.attrs.Count("password") == 1 {
		*field = "UP"
		c.take("password")
	}
}

// A Group is a group of users.
type Group struct {
	Name  string
	GID   *int // nil leaves it to the system
	Extra Attrs
}

// Action returns the action that g stands for.
func (g Group) Action() Action { return encode(g) }
func (Group) kind() Kind       { return KindGroup }

func (g *Group) bind(c *codec) {
	c.key("groupname", &g.Name)
	c.number("gid", &g.GID)
	c.extra(&g.Extra)
}

// A Driver is a device driver.
type Driver struct {
	Name       string
	Aliases    []string
	Classes    []string
	Policies   []string
	Privs      []string
	DevLinks   []string // with \t for a tab
	Perms      []string // minor mode owner group
	ClonePerms []string // minor mode owner group
	Extra      Attrs
}

// Action returns the action that d stands for.
func (d Driver) Action() Action { return encode(d) }
func (Driver) kind() Kind       { return KindDriver }

func (d *Driver) bind(c *codec) {
	c.key("name", &d.Name)
	c.list("alias", &d.Aliases)
	c.list("class", &d.Classes)
	c.list("policy", &d.Policies)
	c.list("privs", &d.Privs)
	c.list("devlink", &d.DevLinks)
	c.list("perms", &d.Perms)
	c.list("clone_perms", &d.ClonePerms)
	c.extra(&d.Extra)
}

// A Legacy makes a package known to the SVR4 package system. Its fields go to the
// file pkginfo; where they are empty, that has defaults.
type Legacy struct {
	Pkg          string // name of the SVR4 package, and of a directory
	Arch         string
	Category     string
	Desc         string
	Hotline      string
	Name         string
	Vendor       string
	Version      string
	BaseDir      string
	PkgInst      string
	PStamp       string
	SunwProdVers string
	Extra        Attrs
}

// Action returns the action that l stands for.
func (l Legacy) Action() Action { return encode(l) }
func (Legacy) kind() Kind       { return KindLegacy }

func (l *Legacy) bind(c *codec) {
	c.below("pkg", &l.Pkg)
	c.text("arch", &l.Arch)
	c.text("category", &l.Category)
	c.text("desc", &l.Desc)
	c.text("hotline", &l.Hotline)
	c.text("name", &l.Name)
	c.text("vendor", &l.Vendor)
	c.text("version", &l.Version)
	c.text("basedir", &l.BaseDir)
	c.text("pkginst", &l.PkgInst)
	c.text("pstamp", &l.PStamp)
	c.text("sunw_prodvers", &l.SunwProdVers)
	c.extra(&l.Extra)
}
