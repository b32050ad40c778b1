package repo_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// listed makes a repository of packages without payloads: each line is a name, and what
// it depends on as TYPE=NAME.
func listed(t *testing.T, text string) *repo.Repository {
	t.Helper()
	r := create(t, store.Memory())
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		m := "set name=pkg.fmri value=" + words[0] + "\n"
		for _, d := range words[1:] {
			kind, names, _ := strings.Cut(d, "=")
			m += "depend type=" + kind
			for name := range strings.SplitSeq(names, ",") {
				m += " fmri=" + name
			}
			m += "\n"
		}
		_, err := repo.Publish(t.Context(), r, parse(t, m), &repo.PublishOptions{KeepTimestamp: true})
		require.NoError(t, err, line)
	}
	return r
}

// brief prints names without what all of them share.
func brief(pkgs []fmri.FMRI) string {
	var words []string
	for _, f := range pkgs {
		text := strings.TrimPrefix(f.String(), "pkg://test.org/")
		text = strings.ReplaceAll(text, ",5.11", "")
		text = strings.TrimSuffix(text, "T000000Z")
		words = append(words, strings.TrimPrefix(text, "pkg://"))
	}
	return strings.Join(words, " ")
}

const shop = `
	pkg://test.org/clock@1.0-1:20250101T000000Z require=spring@1
	pkg://test.org/clock@1.0-1:20250102T000000Z require=spring@1
	pkg://test.org/clock@1.0-2:20250101T000000Z require=spring@1
	pkg://test.org/clock@2.0-1:20250101T000000Z require=spring@2 exclude=bomb
	pkg://test.org/spring@1.0-1:20250101T000000Z require=steel
	pkg://test.org/spring@1.5-1:20250101T000000Z require=steel
	pkg://test.org/spring@2.0-1:20250101T000000Z require=steel require=clock
	pkg://test.org/steel@3-1:20250101T000000Z parent=world
	pkg://test.org/bomb@1-1:20250101T000000Z require-any=gone,steel require=nowhere
	pkg://else.org/steel@4-1:20250101T000000Z
	pkg://else.org/ruby@1-1:20250101T000000Z require=pkg://else.org/steel
	pkg://else.org/lent@1-1:20250101T000000Z require=spring
`

// TestSelectionFinds has one line for what is asked and one for what is found.
func TestSelectionFinds(t *testing.T) {
	r := listed(t, shop)
	patterns := func(texts ...string) (all []fmri.Pattern) {
		for _, text := range texts {
			all = append(all, fmri.MustParsePattern(text))
		}
		return all
	}
	for want, s := range map[string]repo.Selection{
		"clock@1.0-1:20250101 clock@1.0-1:20250102 clock@1.0-2:20250101 clock@2.0-1:20250101": {Patterns: patterns("clock")},
		"clock@1.0-1:20250102 clock@1.0-2:20250101 clock@2.0-1:20250101":                      {Patterns: patterns("clock"), Versions: repo.AllVersions},
		"clock@2.0-1:20250101":                                          {Patterns: patterns("clock"), Versions: repo.Latest},
		"clock@1.0-2:20250101":                                          {Patterns: patterns("clock@1.0"), Versions: repo.Latest},
		"clock@2.0-1:20250101 spring@2.0-1:20250101":                    {Patterns: patterns("clock@latest", "spring@2")},
		"else.org/steel@4-1:20250101 steel@3-1:20250101":                {Patterns: patterns("steel")},
		"steel@3-1:20250101":                                            {Patterns: patterns("steel"), Publishers: []string{"test.org"}},
		"else.org/steel@4-1:20250101":                                   {Patterns: patterns("pkg://else.org/steel")},
		"clock@2.0-1:20250101 spring@2.0-1:20250101 steel@3-1:20250101": {Patterns: patterns("clock"), Versions: repo.Latest, Dependencies: true},
		"clock@1.0-2:20250101 spring@1.5-1:20250101 steel@3-1:20250101": {Patterns: patterns("clock@1.0-2"), Dependencies: true},
		"bomb@1-1:20250101 steel@3-1:20250101":                          {Patterns: patterns("bomb"), Dependencies: true},
		"else.org/ruby@1-1:20250101 else.org/steel@4-1:20250101":        {Patterns: patterns("ruby"), Dependencies: true},
		"else.org/lent@1-1:20250101 clock@2.0-1:20250101 spring@2.0-1:20250101 steel@3-1:20250101": {
			Patterns: patterns("lent"), Dependencies: true, // of another publisher, and what that needs from its own
		},
		"else.org/lent@1-1:20250101 else.org/ruby@1-1:20250101 else.org/steel@4-1:20250101": {Publishers: []string{"else.org"}, Versions: repo.Latest},
	} {
		found, err := s.Find(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(strings.Fields(want), strings.Fields(brief(found)), sortedWords), "%v", s)
	}

	_, err := (&repo.Selection{Patterns: patterns("watch", "steel", "dial@2")}).Find(t.Context(), r)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "no package matches watch, dial@2")
	_, err = (&repo.Selection{Publishers: []string{"none.org"}}).Find(t.Context(), r)
	require.EqualError(t, err, "search none.org: the source has no such publisher")
}

// sortedWords compares lists of words in whatever order.
var sortedWords = cmp.Transformer("sorted", func(words []string) map[string]int {
	n := map[string]int{}
	for _, w := range words {
		n[w]++
	}
	return n
})

// TestDependencyFindings has a table of dependencies: which of them Verify reports.
func TestDependencyFindings(t *testing.T) {
	const usual, strict = repo.UsualDependencies, repo.AllDependencies
	for _, test := range []struct {
		depend string
		check  repo.DependencyCheck
		want   string
	}{
		{"require=clock", strict, ""},
		{"require=clock@1.0", strict, ""},
		{"require=clock@2.0-1", strict, ""},
		{"require=clock@2.0-2", usual, "require dependency on pkg:/clock@2.0,5.11-2"},
		{"require=clock@3", usual, "require dependency on pkg:/clock@3,5.11"},
		{"require=gone", usual, "require dependency on pkg:/gone"},
		{"require=pkg://else.org/clock", usual, "require dependency on pkg://else.org/clock"},
		{"require=pkg://else.org/steel@4", strict, ""},
		{"incorporate=clock@1.0", strict, ""},
		{"incorporate=clock@1", strict, ""},
		{"incorporate=clock@1.5", usual, "incorporate dependency on pkg:/clock@1.5,5.11"},
		{"optional=clock@9", usual, "optional dependency on pkg:/clock@9,5.11"},
		{"optional=gone@1", usual, ""},
		{"optional=gone@1", strict, "optional dependency on pkg:/gone@1,5.11"},
		{"exclude=gone", strict, ""},
		{"exclude=clock", strict, ""},
		{"parent=gone", strict, ""},
		{"require=feature/package/dependency/self", strict, ""},
		{"require-any=clock,gone", usual, "require-any dependency on pkg:/gone"},
		{"require-any=clock,steel", strict, ""},
		{"group=gone", usual, "group dependency on pkg:/gone"},
		{"require=gone", repo.NoDependencies, ""},
	} {
		t.Run(fmt.Sprint(test.depend, " ", test.check), func(t *testing.T) {
			r := listed(t, shop+"pkg://test.org/mine@1:20250101T000000Z "+test.depend+"\n")
			mine := fmri.MustParse("pkg://test.org/mine@1,5.11:20250101T000000Z")
			var got []string
			opts := &repo.VerifyOptions{Dependencies: test.check}
			for f, err := range repo.Verify(t.Context(), r, func(yield func(fmri.FMRI) bool) { yield(mine) }, opts) {
				require.NoError(t, err)
				require.Equal(t, repo.BadDependency, f.Fault)
				require.Equal(t, mine, f.FMRI)
				require.Len(t, f.Dependency.FMRIs, 1)
				require.ErrorIs(t, f.Err, fs.ErrNotExist)
				got = append(got, f.Err.Error())
			}
			require.Equal(t, test.want, strings.Join(got, "; "))
		})
	}
}

// TestDependencyIgnored asks which dependencies need not be satisfied.
func TestDependencyIgnored(t *testing.T) {
	r := listed(t, "pkg://test.org/a@1:20250101T000000Z require=gone require=lost\n")
	var asked []string
	opts := &repo.VerifyOptions{Dependencies: repo.AllDependencies, Ignore: func(pkg, dependency fmri.FMRI) bool {
		asked = append(asked, brief([]fmri.FMRI{pkg})+" "+dependency.Name())
		return dependency.Name() == "gone"
	}}
	var got []string
	for f, err := range r.Check(t.Context(), opts) {
		require.NoError(t, err)
		got = append(got, f.Err.Error())
	}
	require.Equal(t, []string{"require dependency on pkg:/lost"}, got)
	require.Equal(t, []string{"a@1:20250101 gone", "a@1:20250101 lost"}, asked)
}
