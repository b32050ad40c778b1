package search

import "strings"

// A Query says what is sought. It is one of [Term], [Phrase], [And], [Or] and
// [Packages], which can be put together by hand, too. Queries compare with ==.
type Query interface {
	// String returns the query with all restrictions written out, as clients
	// send it to a depot: "pkg:action:key:token", "(A AND B)", "p<A>".
	// ParseQuery reads that back as the same query, if it came from there.
	String() string

	// Returns says what the query finds.
	Returns() Result

	isQuery()
}

// A Result is what a query finds.
type Result uint8

const (
	Mixed         Result = iota // both, which is an error
	ActionResults               // actions
	PackageResults
)

// String returns "actions", "packages" or "mixed".
func (r Result) String() string {
	switch r {
	case ActionResults:
		return "actions"
	case PackageResults:
		return "packages"
	}
	return "mixed"
}

// A Scope restricts where something is sought. An empty field is no restriction.
type Scope struct {
	Package string // a pattern for name@version, without publisher, whatever the case
	Action  string // kind of the action: "file"
	Key     string // what the token is: "basename"
}

// A Term finds actions that have a token.
type Term struct {
	Scope
	Token string // a pattern, for all of a token
}

// A Phrase finds actions whose line has a text in it.
type Phrase struct {
	Scope
	Text string
}

// An And finds what both of two queries find: those actions of Left that have a
// token that Right finds, or the packages of both.
type And struct{ Left, Right Query }

// An Or finds what one of two queries finds: first the actions of Left, then those
// of Right; or the packages of either.
type Or struct{ Left, Right Query }

// Packages finds the packages that have the actions that a query finds.
type Packages struct{ Query Query }

func (Term) isQuery()     {}
func (Phrase) isQuery()   {}
func (And) isQuery()      {}
func (Or) isQuery()       {}
func (Packages) isQuery() {}

// Returns returns ActionResults.
func (Term) Returns() Result { return ActionResults }

// Returns returns ActionResults.
func (Phrase) Returns() Result { return ActionResults }

// Returns returns what both sides find.
func (q And) Returns() Result { return both(q.Left, q.Right) }

// Returns returns what both sides find.
func (q Or) Returns() Result { return both(q.Left, q.Right) }

// Returns returns PackageResults, unless the query inside is wrong.
func (q Packages) Returns() Result {
	if q.Query == nil || q.Query.Returns() == Mixed {
		return Mixed
	}
	return PackageResults
}

func both(left, right Query) Result {
	if left == nil || right == nil || left.Returns() != right.Returns() {
		return Mixed
	}
	return left.Returns()
}

// String returns pkg:action:key:token.
func (q Term) String() string { return q.Scope.String() + escapeColons(q.Token) }

// String returns pkg:action:key:'text'.
func (q Phrase) String() string { return q.Scope.String() + "'" + q.Text + "'" }

// String returns (left AND right).
func (q And) String() string { return "(" + q.Left.String() + " AND " + q.Right.String() + ")" }

// String returns (left OR right).
func (q Or) String() string { return "(" + q.Left.String() + " OR " + q.Right.String() + ")" }

// String returns p<query>.
func (q Packages) String() string { return "p<" + q.Query.String() + ">" }

// String returns pkg:action:key: with colons escaped. There is another colon in front
// if the package would be taken for something else.
func (s Scope) String() string {
	front := ""
	if s.Package != "" && (strings.IndexByte(`'"(>`, s.Package[0]) >= 0 || openRule.MatchString(s.Package)) {
		front = ":"
	}
	return front + escapeColons(s.Package) + ":" + escapeColons(s.Action) + ":" + escapeColons(s.Key) + ":"
}

func escapeColons(s string) string { return strings.ReplaceAll(s, ":", `\:`) }

// ByPackage returns the query that finds packages where q finds actions: both sides
// of AND and OR are sought by themselves.
func ByPackage(q Query) Query {
	switch q := q.(type) {
	case And:
		return And{ByPackage(q.Left), ByPackage(q.Right)}
	case Or:
		return Or{ByPackage(q.Left), ByPackage(q.Right)}
	case Term, Phrase:
		return Packages{q}
	}
	return q
}
