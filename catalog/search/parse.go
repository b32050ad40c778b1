package search

import "strings"

// The most that a query may have. The reference means to allow 100 pieces between
// spaces, and does not keep to it.
const (
	maxQuery = 64 << 10 // bytes
	maxTerms = 200      // terms, and words of phrases
)

// ParseQuery parses a query; see the package comment for the language. All errors
// are of type *[QueryError].
func ParseQuery(query string) (Query, error) {
	if len(query) > maxQuery {
		return nil, &QueryError{Fault: FaultTooLong, Query: query, Offset: maxQuery, Reason: "query is too long"}
	}
	list, err := lex(query)
	if err != nil {
		return nil, err
	}
	p := parser{query: query, rest: list}
	q := p.expression()
	if p.err == nil && p.kind() != lexEnd {
		p.fail(FaultParse, "this does not fit here")
	}
	if p.err != nil {
		return nil, p.err
	}
	return q, nil
}

// A parser reads the pieces of a query by the grammar
//
//	expression = terms [ ( "AND" | "OR" ) expression ]
//	terms      = base [ terms ]
//	base       = word | field | phrase | "(" expression ")" | "p<" expression ">"
//	field      = FIELD [ word | phrase | field ]
//	phrase     = quote word { word } quote
type parser struct {
	query string
	rest  []lexeme
	terms int
	err   error
}

func (p *parser) kind() lexKind { return p.rest[0].kind }

// take returns the piece at hand and goes on. The end stays at hand.
func (p *parser) take() lexeme {
	l := p.rest[0]
	if l.kind != lexEnd {
		p.rest = p.rest[1:]
	}
	return l
}

// fail records a fault at the piece at hand.
func (p *parser) fail(f QueryFault, reason string) Query {
	if p.err == nil {
		l := p.rest[0]
		p.err = &QueryError{Fault: f, Query: p.query, Offset: l.start, Token: l.text, Reason: reason}
	}
	return Term{}
}

// expect takes a piece of a kind.
func (p *parser) expect(k lexKind, reason string) {
	if p.kind() != k {
		p.fail(FaultParse, reason)
		return
	}
	p.take()
}

// expression reads operands to the end of AND and OR, which have the same
// precedence and bind to the right.
func (p *parser) expression() Query {
	operands := []Query{p.list()}
	var operators []lexeme
	for p.err == nil && (p.kind() == lexAnd || p.kind() == lexOr) {
		operators = append(operators, p.take())
		operands = append(operands, p.list())
	}
	q := operands[len(operands)-1]
	for i := len(operators) - 1; i >= 0; i-- {
		q = p.join(operators[i], operands[i], q)
	}
	return q
}

// list reads operands that follow each other, which is AND and binds to the right.
func (p *parser) list() Query {
	operands := []Query{p.base()}
	for p.err == nil && p.begins() {
		operands = append(operands, p.base())
	}
	q := operands[len(operands)-1]
	for i := len(operands) - 2; i >= 0; i-- {
		q = p.join(lexeme{kind: lexAnd, start: p.rest[0].start}, operands[i], q)
	}
	return q
}

// begins reports whether an operand follows.
func (p *parser) begins() bool {
	switch p.kind() {
	case lexWord, lexField, lexQuote, lexLparen, lexOpen:
		return true
	}
	return false
}

// join makes one query of two.
func (p *parser) join(op lexeme, left, right Query) Query {
	if p.err == nil && left.Returns() != right.Returns() {
		p.err = &QueryError{
			Fault: FaultMixed, Query: p.query, Offset: op.start, Token: op.text,
			Reason: "one side finds " + left.Returns().String() + ", the other " + right.Returns().String(),
		}
	}
	if op.kind == lexOr {
		return Or{left, right}
	}
	return And{left, right}
}

func (p *parser) base() Query {
	switch p.kind() {
	case lexWord:
		return p.term(Scope{}, p.take().text)
	case lexField:
		return p.field()
	case lexQuote:
		return p.phrase(Scope{})
	case lexLparen:
		p.take()
		q := p.expression()
		p.expect(lexRparen, "there is no ) before this")
		return q
	case lexOpen:
		p.take()
		q := p.expression()
		p.expect(lexClose, "there is no > before this")
		return Packages{q}
	}
	return p.fail(FaultParse, "a word is missing")
}

// count counts a term.
func (p *parser) count() {
	if p.terms++; p.terms > maxTerms {
		p.fail(FaultTooLong, "query has too many words")
	}
}

func (p *parser) term(s Scope, token string) Query {
	p.count()
	return Term{s, token}
}

// field reads a restriction with what it restricts.
func (p *parser) field() Query {
	scope, token := fields(p.take().text)
	if token != "" {
		q := p.term(scope, token)
		switch p.kind() {
		case lexWord, lexField, lexQuote:
			return p.join(lexeme{kind: lexAnd, start: p.rest[0].start}, q, p.base())
		}
		return q
	}
	switch p.kind() {
	case lexWord:
		return p.term(scope, p.take().text)
	case lexQuote:
		return p.phrase(scope)
	case lexField: // the reference fails, with an internal error
		return p.fail(FaultParse, "a restriction does not restrict another")
	}
	return p.term(scope, "*")
}

// phrase reads words in quotes.
func (p *parser) phrase(s Scope) Query {
	quote := p.take()
	var words []string
	for p.kind() == lexWord {
		words = append(words, p.take().text)
		p.count()
	}
	if len(words) == 0 {
		return p.fail(FaultParse, "a phrase has words only, and at least one")
	}
	if p.err == nil && (p.kind() != lexQuote || p.rest[0].text != quote.text) {
		return p.fail(FaultParse, "the phrase does not end before this")
	}
	p.take()
	return Phrase{s, strings.Join(words, " ")}
}
