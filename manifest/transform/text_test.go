package transform

import (
	"errors"
	"strings"
	"testing"

	"github.com/goips/ips/manifest"
)

// show returns the parts of a text, references as they are understood.
func (t *text) show() string {
	if t.parts == nil {
		return t.whole
	}
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.before)
		if r := p.ref; r != nil {
			b.WriteString("[" + strings.Join([]string{r.written, r.name, r.prefix, r.suffix, r.sep, r.otherwise}, "|"))
			if r.pkg {
				b.WriteString(" pkg")
			}
			if r.quote {
				b.WriteString(" quote")
			}
			if r.hasDefault {
				b.WriteString(" default")
			}
			b.WriteString("]")
		}
	}
	return b.String()
}

// TestNewText has texts and how they are understood.
func TestNewText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"plain 100%":                      "plain 100%",
		"%":                               "%",
		"%(":                              "%(",
		"%()":                             "%()",
		"%(;sep=x)":                       "%(;sep=x)",
		"%(a":                             "%(a",
		"%(a;":                            "%(a;",
		"%(a;sep=":                        "%(a;sep=",
		"%(a;sep='":                       "%(a;sep='",
		"%(a}":                            "%(a}",
		"%{a)":                            "%{a)",
		"%<1>":                            "%<1>",
		"x%(a)y":                          "x[%(a)|a||| |]y",
		"%(a)%{b}":                        "[%(a)|a||| |][%{b}|b||| | pkg]",
		"%{a)}":                           "[%{a)}|a)||| | pkg]",
		"%(a b)":                          "[%(a b)|a b||| |]",
		"%%(a)":                           "%[%(a)|a||| |]",
		"%(%(a)":                          "[%(%(a)|%(a||| |]",
		"%{%(a)":                          "%{[%(a)|a||| |]",
		"%(a;quote)":                      "[%(a)|a||| | quote]",
		"%(a;quote;noquote)":              "[%(a)|a||| |]",
		"%(a;notfound=)":                  "[%(a)|a||| | default]",
		"%(a;notfound)":                   "[%(a)|a||| | default]",
		"%(a;notfound=x y)":               "[%(a)|a||| |x y default]",
		"%(a;notfound=\"x;)y\")":          "[%(a)|a||| |x;)y default]",
		"%(a;notfound='\"')":              "[%(a)|a||| |\" default]",
		"%(a;notfound='x)":                "[%(a)|a||| |'x default]",
		"%(a;notfound='x'y)":              "[%(a)|a||| |'x'y default]",
		"%(a;notfound='';sep='')":         "[%(a)|a|||| default]",
		"%(a;prefix=<;suffix=>;sep=,)":    "[%(a)|a|<|>|,|]",
		"%{a;prefix=(;suffix=);sep==}":    "[%{a}|a|(|)|=| pkg]",
		"%(a;sep=;sep=+)":                 "[%(a)|a|||+|]",
		"%(a;prefix=%(b;suffix=)":         "[%(a)|a|%(b|| |]",
		"%(a;sep=\\n)":                    "[%(a)|a|||\\n|]",
		"%(pkg.fmri)-%(pkg.fmri;sep= - )": "[%(pkg.fmri)|pkg.fmri||| |]-[%(pkg.fmri)|pkg.fmri||| - |]",
	} {
		got, err := newText(text, false)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got.show() != want {
			t.Errorf("%q: %q, want %q", text, got.show(), want)
		}
		if got.whole != text {
			t.Errorf("%q: whole is %q", text, got.whole)
		}
	}
	for _, text := range []string{"%(a;b)", "%(a;)", "%(a;Sep=x)", "%(a;sep =x)", "%{a;=}", "%(a;quote;x)", "%(b)%(a;;quote)"} {
		var syn *SyntaxError
		if got, err := newText(text, true); !errors.As(err, &syn) {
			t.Errorf("%q: %q, error %v", text, got.show(), err)
		}
	}
}

// atWork returns a work in which a rule is applied to an action.
func atWork(t *testing.T, action, clauses string) *work {
	t.Helper()
	r, err := newRule(" "+clauses+" -> drop", maxTime)
	if err != nil {
		t.Fatal(err)
	}
	w := newWork(&Rules{})
	w.rule = r
	w.subject = &subject{action: manifest.MustParseAction(action)}
	w.place = Place{"m.p5m", 7}
	w.pkg = manifest.Attrs{{Name: "com.x", Value: "1"}, {Name: "com.x", Value: "a b"}}
	return w
}

// TestExpand fills in references.
func TestExpand(t *testing.T) {
	const action = `file hash path=usr/bin/ls mode=0555 x=a x="b c" x="" q="it's" d='say "x"' r=%<1> m="$(A)"`
	const clauses = "path=(usr)/(no)?(.*)/ x=(.)?"
	for text, want := range map[string]string{
		"%(path)":                             "usr/bin/ls",
		"%(x)":                                `a "b c" ""`,
		"%(x;noquote)":                        "a b c ",
		"%(x;noquote;prefix=<;suffix=>;sep=)": "<a><b c><>",
		"%(q) %(d) %(m)":                      `"it's" 'say "x"' $(A)`,
		"%(action.name) %(action.hash) %(action.key)":                "file hash usr/bin/ls",
		"%(pkg.manifest.filename):%(pkg.manifest.lineno)":            "m.p5m:7",
		"%{com.x} %{com.x;sep=,;noquote}":                            `1 "a b" 1,a b`,
		"%{path;notfound=x} %(com.x;notfound='y z')":                 `x "y z"`,
		"%<1>%<3>%<4>%<5>":                                           "usrbinab",
		"%(r) %(none;notfound=%<3>)":                                 "usr bin",
		"%<> %<x> %<1 %<":                                            "%<> %<x> %<1 %<",
		"%{action.name;notfound=-}%{pkg.manifest.lineno;notfound=-}": "--",
	} {
		w := atWork(t, action, clauses)
		parsed, err := newText(text, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.expand(&parsed); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, ref := range map[string]string{
		"%(no)": "%(no)", "%{path;sep=x}": "%{path}", "%<2>": "%<2>", "%<6>": "%<6>", "%<7>": "%<7>", "%<0>": "%<0>",
		"%<10>": "%<10>", "%<99999999999999999999>": "%<99999999999999999999>", "%(no;notfound=%<2>)": "%<2>",
	} {
		w := atWork(t, action, clauses)
		parsed, err := newText(text, true)
		if err != nil {
			t.Fatal(err)
		}
		var bad *ReferenceError
		if got, err := w.expand(&parsed); !errors.As(err, &bad) || bad.Ref != ref {
			t.Errorf("%q: %q, error %v", text, got, err)
		}
	}
}

// TestQuote quotes values: what an action has as a value in quotes reads back.
func TestQuote(t *testing.T) {
	for _, value := range []string{"", "a", "a b", "it's", `say "x"`, `it's "x"`, `a\`, `a b\`, `\"' `, "a\tb", "$(A)", "$(A) b", "é à", "=", "#"} {
		got := quote(value)
		a, err := manifest.ParseAction("unknown a=" + got + " b=c")
		if err != nil {
			t.Errorf("%q: %q: %v", value, got, err)
			continue
		}
		if back, _ := a.Attrs.Get("a"); back != value || a.Attrs.Count("b") != 1 {
			t.Errorf("%q: %q reads back as %q", value, got, back)
		}
		if strings.ContainsAny(value, " \t\"'") != (got != value) && value != "" {
			t.Errorf("%q: %q", value, got)
		}
	}
}
