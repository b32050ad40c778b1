package examples_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmpcols FILE WANT: the same lines, where runs of blanks count as one.
func cmpcols(ts *testscript.TestScript, neg bool, args []string) {
	compareLines(ts, neg, args, func([]string) {})
}

// cmpset FILE WANT: like cmpcols, with lines in any order.
func cmpset(ts *testscript.TestScript, neg bool, args []string) {
	compareLines(ts, neg, args, slices.Sort[[]string])
}

func compareLines(ts *testscript.TestScript, neg bool, args []string, order func([]string)) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpcols|cmpset FILE WANT")
	}
	got, want := lines(output(ts, args[0])), lines(ts.ReadFile(args[1]))
	order(got)
	order(want)
	if !slices.EqualFunc(got, want, fits) {
		ts.Fatalf("%s is\n%s\nand not\n%s", args[0], strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// output reads what was printed, with the scenario's directory by its name.
func output(ts *testscript.TestScript, name string) string {
	return strings.ReplaceAll(ts.ReadFile(name), ts.Getenv("WORK"), "$WORK")
}

// lines returns the lines that are not empty, without superfluous blanks.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			all = append(all, strings.Join(words, " "))
		}
	}
	return all
}

var hole = regexp.MustCompile(`\{\{(.*?)\}\}`)

// fits reports whether got is want, in which {{RE}} stands for what matches RE.
func fits(got, want string) bool {
	var re strings.Builder
	end := 0
	for _, at := range hole.FindAllStringSubmatchIndex(want, -1) {
		re.WriteString(regexp.QuoteMeta(want[end:at[0]]) + "(?:" + want[at[2]:at[3]] + ")")
		end = at[1]
	}
	re.WriteString(regexp.QuoteMeta(want[end:]))
	return regexp.MustCompile("^(?:" + re.String() + ")$").MatchString(got)
}

// jsoncmp FILE WANT [KEY...]: equal values, leaving members named KEY out.
func jsoncmp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsoncmp FILE WANT [KEY...]")
	}
	var got, want any
	ts.Check(json.Unmarshal([]byte(output(ts, args[0])), &got))
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &want))
	got, want = without(got, args[2:]), without(want, args[2:])
	if !sameJSON(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		ts.Fatalf("%s is\n%s\nand not\n%s", args[0], g, w)
	}
}

// without removes members from all objects within v.
func without(v any, names []string) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for name := range v {
			v[name] = without(v[name], names)
		}
	case []any:
		for i := range v {
			v[i] = without(v[i], names)
		}
	}
	return v
}

func sameJSON(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok || len(object) != len(want) {
			return false
		}
		for name := range want {
			if member, ok := object[name]; !ok || !sameJSON(member, want[name]) {
				return false
			}
		}
		return true
	case []any:
		list, ok := got.([]any)
		return ok && slices.EqualFunc(list, want, sameJSON)
	case string:
		text, ok := got.(string)
		return ok && fits(text, want)
	}
	return got == want
}
