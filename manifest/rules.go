package manifest

// An attrRule says what is demanded of the attributes of a kind. Every kind's
// facets and reboot-needed may occur once.
type attrRule struct {
	required []string // has a value that is not blank
	single   []string // occurs at most once
	numbers  []string // is one integer, if any
	check    func(*validator)
}

// attrRules is the table of what [Action.Validate] demands.
var attrRules = [...]attrRule{
	KindSet: {check: (*validator).set},
	KindDepend: {
		required: []string{"type", "fmri"},
		single:   []string{"type", "predicate"},
		check:    (*validator).depend,
	},
	KindGroup: {numbers: []string{"gid"}},
	KindUser: {
		required: []string{"group"},
		single:   []string{"password", "group", "gcos-field", "home-dir", "login-shell", "ftpuser"},
		numbers:  []string{"uid", "lastchg", "min", "max", "warn", "inactive", "expire", "flag"},
	},
	KindDir: {
		required: []string{"owner", "group"},
		single:   []string{"owner", "group", "mode"},
		check:    (*validator).dir,
	},
	KindFile: {
		required: []string{"owner", "group"},
		single: []string{"chash", "preserve", "overlay", "elfarch", "elfbits", "elfhash", "original_name",
			"preserve-version", "owner", "group", "mode"},
		numbers: []string{"pkg.csize", "pkg.size"},
		check:   (*validator).file,
	},
	KindHardlink: {
		required: []string{"target"},
		single:   linkSingle,
		check:    (*validator).hardlink,
	},
	KindLink: {
		required: []string{"target"},
		single:   linkSingle,
		check:    (*validator).link,
	},
	KindDriver:  {},
	KindUnknown: {},
	KindLicense: {
		single:  []string{"chash", "must-accept", "must-display"},
		numbers: []string{"pkg.csize", "pkg.size"},
	},
	KindLegacy: {
		single: []string{"category", "desc", "hotline", "name", "vendor", "version"},
		check:  (*validator).legacy,
	},
	KindSignature: {
		required: []string{"value"},
		single:   []string{"algorithm", "chash", "value"},
	},
}

var linkSingle = []string{"target", "mediator", "mediator-version", "mediator-implementation", "mediator-priority"}

// singleSets are the set actions with one value.
var singleSets = map[string]bool{
	"pkg.summary":                 true,
	"pkg.description":             true,
	"pkg.obsolete":                true,
	"pkg.renamed":                 true,
	"pkg.legacy":                  true,
	"pkg.depend.explicit-install": true,
}
