package manifest

import "github.com/goips/ips/fmri"

// A Set is something that a package says about itself.
type Set struct {
	Name   string
	Values []string // without any, one that is empty is written
	Extra  Attrs
}

// Action returns the action that s stands for.
func (s Set) Action() Action { return encode(s) }
func (Set) kind() Kind       { return KindSet }

func (s *Set) bind(c *codec) {
	c.key("name", &s.Name)
	c.list("value", &s.Values)
	if c.writing && len(s.Values) == 0 {
		c.put("value", "") // "set name=a" would be short for "set name=name value=a"
	}
	c.extra(&s.Extra)
}

// A Depend says what a package needs of others.
type Depend struct {
	Type DependType

	// FMRIs has one element, or one and more for [DependRequireAny] and
	// [DependGroupAny]. The zero FMRI stands for a package that is not known yet,
	// written __TBD.
	FMRIs []fmri.FMRI

	Predicate   fmri.FMRI // of DependConditional, which needs it
	RootImage   bool      // of DependOrigin: look at the running system
	IgnoreCheck string    // if not empty, no reason to keep what is depended on in a repository
	Extra       Attrs
}

// Action returns the action that d stands for.
func (d Depend) Action() Action { return encode(d) }
func (Depend) kind() Kind       { return KindDepend }

func (d *Depend) bind(c *codec) {
	c.dependType(&d.Type)
	c.fmris("fmri", &d.FMRIs)
	if !c.writing && len(d.FMRIs) > 1 && !d.Type.takesList() {
		c.fail("fmri", "", "repeated", nil)
	}
	c.fmri("predicate", &d.Predicate)
	c.flag("root-image", "true", &d.RootImage)
	c.text("ignore-check", &d.IgnoreCheck)
	c.extra(&d.Extra)
}

// A License is a text that a package is subject to.
type License struct {
	Name        string // which may be any text
	MustAccept  bool
	MustDisplay bool

	Source  string  // before publication, the name of the file that holds the text
	Payload Payload // when published
	Extra   Attrs
}

// Action returns the action that l stands for.
func (l License) Action() Action { return encode(l) }
func (License) kind() Kind       { return KindLicense }

func (l *License) bind(c *codec) {
	c.key("license", &l.Name)
	c.flag("must-accept", "true", &l.MustAccept)
	c.flag("must-display", "true", &l.MustDisplay)
	c.payload(&l.Payload, &l.Source)
	c.extra(&l.Extra)
}

// A Signature covers the text that [Manifest.SigningText] returns.
type Signature struct {
	Algorithm string    // such as "sha256" or "rsa-sha256"
	Value     string    // in hex digits
	Version   string    // of the way to sign; "" for "0", the only one
	Payload   Payload   // the certificate of the signer, if there is one
	Source    string    // before publication, the name of the file that holds it
	Chain     []Payload // the certificates between that and a root
	Extra     Attrs
}

// Action returns the action that s stands for.
func (s Signature) Action() Action { return encode(s) }
func (Signature) kind() Kind       { return KindSignature }

func (s *Signature) bind(c *codec) {
	c.text("algorithm", &s.Algorithm)
	c.key("value", &s.Value)
	c.text("version", &s.Version)
	c.payload(&s.Payload, &s.Source)
	c.chain(&s.Chain)
	c.extra(&s.Extra)
}

// An Unknown is what a reader of other archives could not make into anything. It
// cannot be published.
type Unknown struct {
	Extra Attrs
}

// Action returns the action that u stands for.
func (u Unknown) Action() Action { return encode(u) }
func (Unknown) kind() Kind       { return KindUnknown }

func (u *Unknown) bind(c *codec) { c.extra(&u.Extra) }
