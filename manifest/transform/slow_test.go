package transform_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goips/ips/manifest"
	"github.com/goips/ips/manifest/transform"
)

// The slow pkgmogrify is a second one, written from the description of the language with
// maps, regular expressions and recursion, and without limits but for that. It knows
// no includes, no comments of -v and no special cases of Python's expressions.

// A slowAction is an action, or the package.
type slowAction struct {
	kind, hash string
	attrs      map[string][]string
	edited     map[string]bool // attributes
}

// A slowRule is a transform.
type slowRule struct {
	kinds    []string
	names    []string // of attributes, in order
	patterns []*regexp.Regexp
	op, args string
}

// A slowRun is a run.
type slowRun struct {
	rules   []slowRule
	out     []string
	printed []string
	emitted map[string]bool
	pkg     map[string][]string
	prefix  string
}

// A slowStop ends a run: an error if the code is negative.
type slowStop int

var slowRuleSyntax = regexp.MustCompile(`^<transform(.*?)->\s*(\S*)\s*(.*)>$`)

// slowMogrify returns what the run puts out and prints. It panics with a slowStop.
func slowMogrify(macros []transform.Macro, files ...string) (r *slowRun) {
	r = &slowRun{emitted: map[string]bool{}}
	var all [][]string
	for _, text := range files {
		var lines []string
		pending := ""
		for physical := range strings.Lines(text) {
			physical = strings.TrimSpace(physical)
			if strings.HasSuffix(physical, `\`) {
				pending += strings.TrimSuffix(physical, `\`)
				continue
			}
			line := strings.TrimSpace(slowMacros(macros, pending+physical))
			switch {
			case physical == "":
				lines = append(lines, "")
				continue
			case strings.HasPrefix(line, "<transform") && strings.HasSuffix(line, ">"):
				r.rules = append(r.rules, slowTransform(line))
			case line != "":
				lines = append(lines, line)
			}
			pending = ""
		}
		all = append(all, lines)
	}
	for _, lines := range all {
		r.file(lines)
	}
	return r
}

func slowMacros(macros []transform.Macro, line string) string {
	for again := true; again; {
		again = false
		for _, m := range macros {
			if strings.Contains(line, "$("+m.Name+")") {
				line = strings.ReplaceAll(line, "$("+m.Name+")", m.Value)
				again = true
				break
			}
		}
	}
	return line
}

func slowTransform(line string) (r slowRule) {
	m := slowRuleSyntax.FindStringSubmatch(line)
	if m == nil {
		panic(slowStop(-1))
	}
	for _, word := range strings.Fields(m[1]) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			r.kinds = append(r.kinds, word)
			continue
		}
		r.names = append(r.names, name)
		r.patterns = append(r.patterns, regexp.MustCompile("^(?:"+value+")"))
	}
	r.op, r.args = m[2], m[3]
	return r
}

// file goes through the lines of a file.
func (r *slowRun) file(lines []string) {
	r.pkg = map[string][]string{}
	for _, line := range lines {
		r.prefix = ""
		if line == "" || line[0] == '#' || line[0] == '<' {
			r.out = append(r.out, line)
			continue
		}
		if strings.HasPrefix(line, "$(") {
			end := strings.Index(line, ")") + 1
			r.prefix, line = line[:end], strings.TrimSpace(line[end:])
		}
		a := slowParse(line)
		if a.kind == "set" {
			name := a.attrs["name"][0]
			r.pkg[name] = append(r.pkg[name], a.attrs["value"]...)
		}
		r.put(r.transform(a, 0))
	}
	r.prefix = ""
	if r.pkg["pkg.fmri"] != nil {
		r.put(r.transform(&slowAction{kind: "pkg", attrs: r.pkg, edited: map[string]bool{}}, 0))
	}
}

func slowParse(line string) *slowAction {
	p, err := manifest.ParseAction(line)
	if err != nil {
		panic(slowStop(-1))
	}
	a := &slowAction{p.Kind.String(), p.Hash, map[string][]string{}, map[string]bool{}}
	for _, x := range p.Attrs {
		a.attrs[x.Name] = append(a.attrs[x.Name], x.Value)
	}
	return a
}

func (a *slowAction) String() string {
	kind, _ := manifest.ParseKind(a.kind)
	p := manifest.Action{Kind: kind, Hash: a.hash}
	for name, values := range a.attrs {
		for _, v := range values {
			p.Attrs = append(p.Attrs, manifest.Attr{Name: name, Value: v})
		}
	}
	text := p.String()
	for name, values := range a.attrs {
		if len(values) == 1 && a.edited[name] && !strings.Contains(values[0], " ") && values[0] != "" {
			text = strings.Replace(text, " "+name+`="`+values[0]+`"`, " "+name+"="+values[0], 1)
		}
	}
	return text
}

// put puts out a line, and those that were emitted for it. The first is the action's; it
// is "-" if it was dropped.
func (r *slowRun) put(lines []string) {
	for i, line := range lines {
		text := r.prefix + line
		if line != "-" && (i == 0 || !r.emitted[text]) {
			r.out = append(r.out, text)
			r.emitted[text] = r.emitted[text] || i > 0
		}
	}
}

// transform returns the lines that come of an action.
func (r *slowRun) transform(a *slowAction, depth int) []string {
	if depth > 100 {
		panic(slowStop(-1))
	}
	var emitted []string
	dropped := a.kind == "pkg"
	for _, rule := range r.rules {
		groups, ok := rule.matches(a)
		if !ok {
			continue
		}
		s := slowSubject{r, a, groups}
		args := rule.args
		switch rule.op {
		case "drop":
			dropped = true
		case "emit":
			emitted = append(emitted, s.expand(args, true))
		case "print":
			r.printed = append(r.printed, s.expand(args, true))
		case "exit":
			code, _ := strconv.Atoi(args)
			panic(slowStop(code))
		default:
			s.change(rule.op, strings.Fields(strings.NewReplacer("'", "", `\\`, `\`).Replace(args)))
		}
		if rule.op == "drop" {
			break
		}
	}
	lines := []string{"-"}
	if !dropped {
		lines[0] = a.String()
	}
	for _, text := range emitted {
		if text == "" || text[0] == '#' {
			lines = append(lines, text)
		} else {
			lines = append(lines, r.transform(slowParse(text), depth+1)...)
		}
	}
	return lines
}

func (rule *slowRule) matches(a *slowAction) (groups []*string, ok bool) {
	if rule.kinds != nil && !slices.Contains(rule.kinds, a.kind) {
		return nil, false
	}
	for i, name := range rule.names {
		if a.attrs[name] == nil {
			return nil, false
		}
		for _, value := range a.attrs[name] {
			m := rule.patterns[i].FindStringSubmatchIndex(value)
			if m == nil {
				return nil, false
			}
			for g := 2; g < len(m); g += 2 {
				var text *string
				if m[g] >= 0 {
					part := value[m[g]:m[g+1]]
					text = &part
				}
				groups = append(groups, text)
			}
		}
	}
	return groups, true
}

// A slowSubject is an action in the hands of a rule.
type slowSubject struct {
	run    *slowRun
	action *slowAction
	groups []*string
}

var (
	slowReference = regexp.MustCompile(`%\(([^;)]+)([^)]*)\)|%\{([^;}]+)([^}]*)\}`)
	slowGroup     = regexp.MustCompile(`%<(\d)>`)
	slowEscape    = regexp.MustCompile(`\\(\d)`)
)

// expand fills in references.
func (s slowSubject) expand(text string, quote bool) string {
	text = slowReference.ReplaceAllStringFunc(text, func(ref string) string {
		m := slowReference.FindStringSubmatch(ref)
		values, options := s.values(m[1]), m[2]
		if m[3] != "" {
			values, options = s.run.pkg[m[3]], m[4]
		}
		sep, prefix, suffix, quote := " ", "", "", quote
		for _, o := range strings.Split(options, ";") {
			name, value, _ := strings.Cut(o, "=")
			value = strings.Trim(value, `"'`)
			switch {
			case name == "notfound" && values == nil:
				values = []string{value}
			case name == "sep":
				sep = value
			case name == "prefix":
				prefix = value
			case name == "suffix":
				suffix = value
			case name == "quote", name == "noquote":
				quote = name == "quote"
			}
		}
		if values == nil {
			panic(slowStop(-1))
		}
		var parts []string
		for _, v := range values {
			if quote && (v == "" || strings.ContainsAny(v, " ")) {
				v = `"` + v + `"` // the cases have no quotes in values
			}
			parts = append(parts, prefix+v+suffix)
		}
		return strings.Join(parts, sep)
	})
	return slowGroup.ReplaceAllStringFunc(text, func(ref string) string {
		n := int(ref[2] - '0')
		if n == 0 || n > len(s.groups) || s.groups[n-1] == nil {
			panic(slowStop(-1))
		}
		return *s.groups[n-1]
	})
}

func (s slowSubject) values(name string) []string {
	switch name {
	case "action.name":
		return []string{s.action.kind}
	case "action.hash":
		if s.action.hash == "" {
			return nil
		}
		return []string{s.action.hash}
	case "action.key":
		kind, _ := manifest.ParseKind(s.action.kind)
		return s.action.attrs[kind.KeyAttr()]
	}
	return s.action.attrs[name]
}

// change applies one of the operations that change attributes.
func (s slowSubject) change(op string, words []string) {
	attrs := s.action.attrs
	name := words[0]
	if op == "delete" {
		re := regexp.MustCompile(words[1])
		attrs[name] = slices.DeleteFunc(slices.Clone(attrs[name]), re.MatchString)
		if len(attrs[name]) == 0 {
			delete(attrs, name)
		}
		return
	}
	if op == "default" && attrs[name] != nil {
		return
	}
	value := s.expand(words[1], false)
	switch {
	case op == "set" && name == "action.hash":
		if kind, _ := manifest.ParseKind(s.action.kind); kind.HasPayload() {
			s.action.hash = value
		}
	case op == "set", op == "default":
		attrs[name] = []string{value}
		s.action.edited[name] = false
	case op == "add":
		attrs[name] = append(slices.Clone(attrs[name]), value)
	case op == "edit":
		by := ""
		if len(words) > 2 {
			by = s.expand(words[2], false)
		}
		s.action.edited[name] = attrs[name] != nil
		re := regexp.MustCompile(value)
		by = slowEscape.ReplaceAllString(strings.ReplaceAll(by, "$", "$$"), "$${$1}")
		for i, v := range attrs[name] {
			attrs[name] = slices.Clone(attrs[name])
			attrs[name][i] = re.ReplaceAllString(v, by)
		}
	}
}

// slowText returns how a slow run ends.
func slowText(macros []transform.Macro, files ...string) (text string) {
	defer func() {
		if stop, ok := recover().(slowStop); ok {
			text = fmt.Sprintf("stopped: %d\n", max(stop, -1))
		}
	}()
	r := slowMogrify(macros, files...)
	return lines(r.printed) + lines(r.out)
}

// fastText returns how a run of the package ends, in the same form.
func fastText(macros []transform.Macro, texts ...string) string {
	var files []transform.File
	for i, text := range texts {
		files = append(files, transform.File{Name: fmt.Sprint(i), Text: []byte(text)})
	}
	rules, err := transform.Parse(files, &transform.Options{Macros: macros})
	var out *transform.Output
	if err == nil {
		out, err = rules.Run()
	}
	var exit *transform.ExitError
	if errors.As(err, &exit) {
		return fmt.Sprintf("stopped: %d\n", exit.Code)
	}
	if err != nil {
		return "stopped: -1\n"
	}
	return lines(out.Printed) + string(out.Text())
}

// The parts that random runs are made of.
var (
	someKinds   = []string{"", "", "file", "dir", "file dir", "link", "set", "depend", "pkg", "license", "driver user"}
	someMatches = []string{"", "", "", "path=.", "path=usr/.*", "path=(.*)", "path=usr/(.+)/(.+)", "mode=0(.)..", "path=(opt)?(.*)", "x=[ab]", "x=(a)|(.)", "name=(pkg|com)\\..*", "name=pkg.fmri", "value=(.*)", "path=.*[a-z]$ owner=root", "alias=pci.", "fmri=(pkg:/)?(.*)", "pkg.fmri=.*", "seen=1"}
	someValues  = []string{"x", "a", "0755", "%(path;notfound=np)", "%(mode;notfound=0)-%(owner;notfound=o)", "%{pkg.fmri;notfound=none}", "%{com.x;sep=,;notfound=none}", "%<1>", "%<2>%<1>", "%(action.name)", "%(x;notfound=no;prefix=<;suffix=>)", "%(action.key;notfound=k)", "%(value;sep=+;notfound=v)", "%(no)"}
	someAttrs   = []string{"path", "mode", "x", "x", "value", "seen", "action.hash", "alias", "facet.doc", "target"}
	someLines   = []string{
		"", "# comment", "# a \\\ncomment", "<not a directive",
		"set name=pkg.fmri value=pkg:/test/a@1.0", "set name=com.x value=a value=b value=\"c d\"", "set name=pkg.summary value=\"A summary\"",
		"file path=usr/bin/ls mode=0555 owner=root x=a x=b", "file abc path=usr/lib/libx.so.1 mode=0555 \\\n  owner=root", "$(P)file path=q/$(A) owner=$(O) mode=0444",
		"dir path=usr mode=0755 owner=root", "dir path=opt/a mode=0755 owner=root x=\"b c\"", "dir path=usr/share/doc/a",
		"link path=usr/bin/l target=../x", "depend type=require fmri=pkg:/b@1.0", "depend type=require-any fmri=a fmri=b",
		"license $(LIC) license=X", "driver name=d alias=pci1 alias=pci2", "user username=u group=g", "dir path=opt/a mode=0755 owner=root x=\"b c\"",
	}
)

// randomRule returns a transform.
func randomRule(rnd *rand.Rand) string {
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	word := func(s string) string { return "'" + s + "'" }
	var op string
	switch rnd.IntN(12) {
	case 0, 1:
		op = "set " + pick(someAttrs) + " " + word(pick(someValues))
	case 2, 3:
		op = "add " + pick(someAttrs[1:]) + " " + word(pick(someValues))
	case 4:
		op = "default " + pick(someAttrs) + " " + word(pick(someValues))
	case 5:
		op = "delete " + pick(someAttrs) + " " + pick([]string{".", "a", "[ab]$", "0", "^x"})
	case 6, 7:
		op = "edit " + pick(someAttrs) + " " + pick([]string{"usr opt", "^(.) '\\1\\1'", "(.)$ %(action.name)", "[aeiou]", "a %<1>", "(usr|opt)/ '<\\1>'", "^ / "})
	case 8:
		op = "drop"
	case 9:
		op = "emit " + pick([]string{"", "# was %(path;notfound=no)", "dir path=new", "dir path=%(path;notfound=x)/d", "link path=l-%(action.name) target=%{pkg.fmri;notfound=t}", "depend type=require fmri=%<1>", "set name=com.y value=%(value;notfound=v;sep=+)", "bogus a=b"})
	case 10:
		op = "print " + pick(someValues) + " " + pick(someValues)
	default:
		op = pick([]string{"print", "print x", "exit 3", "set seen 1", "add seen 2"})
	}
	return fmt.Sprintf("<transform %s %s -> %s>\n", pick(someKinds), pick(someMatches), op)
}

// TestSlow compares thousands of random runs with those of the slow pkgmogrify.
func TestSlow(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(5000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var files [3]strings.Builder
		for range 1 + rnd.IntN(5) {
			files[rnd.IntN(2)].WriteString(randomRule(rnd))
		}
		for i := range files[1:] {
			for range rnd.IntN(8) {
				files[i+1].WriteString(someLines[rnd.IntN(len(someLines))] + "\n")
			}
		}
		var macros []transform.Macro
		for _, m := range []transform.Macro{{"P", ""}, {"A", "arch"}, {"O", "$(A)"}, {"LIC", "lic.txt"}} {
			if rnd.IntN(2) == 0 {
				macros = append(macros, m)
			}
		}
		texts := []string{files[0].String(), files[1].String(), files[2].String()}
		want := slowText(macros, texts...)
		if diff := cmp.Diff(want, fastText(macros, texts...)); diff != "" {
			t.Fatalf("seed %d: %q, %v (-slow +fast)\n%s", seed, texts, macros, diff)
		}
		if !strings.HasPrefix(want, "stopped") {
			want = "output"
		}
		ends[want]++
	}
	t.Logf("runs by their end: %v", ends)
	if ends["output"] < 2000 {
		t.Error("most runs end too early to tell much")
	}
}
