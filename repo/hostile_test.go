package repo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// TestHostileSource copies and clones from repositories where somebody has changed
// something. Each time the error says what is wrong with which package, and the
// destination has nothing of it.
func TestHostileSource(t *testing.T) {
	const content = "what the manifest says"
	manifestName := "publisher/test.org/pkg/a/1%2C5.11%3A20260102T030405Z"
	bomb := bytes.NewBuffer(nil)
	z := gzip.NewWriter(bomb)
	if _, err := z.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		name   string
		change func(old string) string
		isErr  func(error) bool
	}{
		"another manifest": {manifestName, func(old string) string { return old + "set name=evil value=true\n" }, isInvalid},
		"a manifest of another package": {manifestName, func(old string) string {
			return strings.ReplaceAll(old, "pkg://test.org/a@", "pkg://test.org/b@")
		}, isInvalid},
		"no manifest":           {manifestName, func(string) string { return "<html>" }, is[*manifest.Error]},
		"a payload that is cut": {payloadName(content), func(old string) string { return old[:len(old)-9] }, is[*manifest.PayloadError]},
		"nothing of a payload":  {payloadName(content), func(string) string { return "" }, is[*manifest.PayloadError]},
		"another payload":       {payloadName(content), func(string) string { return string(zipped(t, "another one of the sam", 9)) }, is[*manifest.HashError]},
		"a bomb":                {payloadName(content), func(string) string { return bomb.String() }, is[*manifest.SizeError]},
		"bytes behind":          {payloadName(content), func(old string) string { return old + "x" }, is[*manifest.PayloadError]},
	} {
		s := store.Memory()
		src := create(t, s)
		a := publish(t, src, "a@1", content)
		if err := s.Put(t.Context(), c.name, strings.NewReader(c.change(read(t, s, c.name)))); err != nil {
			t.Fatal(err)
		}
		for how, do := range map[string]func(dst *repo.Repository) error{
			"copy": func(dst *repo.Repository) error {
				return errOf(repo.Copy(t.Context(), dst, src, slices.Values([]fmri.FMRI{a}), nil))
			},
			"clone": func(dst *repo.Repository) error { return errOf(repo.Clone(t.Context(), dst, src, "test.org", nil)) },
		} {
			dst := create(t, store.Memory())
			err := do(dst)
			var at *repo.Error
			if err == nil || !c.isErr(err) || !errors.As(err, &at) || !strings.Contains(err.Error(), a.String()) {
				t.Errorf("%s, %s: %v", how, what, err)
			}
			if got := listAll(t, dst); len(got) > 0 {
				t.Errorf("%s, %s: listed are %q", how, what, got)
			}
			if got := check(t, dst); len(got) > 0 {
				t.Errorf("%s, %s: found %+v", how, what, got)
			}
		}
	}
}

func isInvalid(err error) bool { return errors.Is(err, fs.ErrInvalid) }

func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// TestHostileTransactions resumes what nobody has suspended: the name leads nowhere.
func TestHostileTransactions(t *testing.T) {
	s := store.Memory()
	r := create(t, s)
	f := publish(t, r, "a@1", "content")
	for _, id := range []string{
		"", ".", "..", "../pkg/a", "1_..", "1_pkg:%2F%2Ftest.org%2Fa@1", "x_y", "1_" + fmri.Escape(f.String()) + "/../../pkg",
		"1767323045_" + fmri.Escape("pkg://../../a@1,5.11:20260102T030405Z"),
	} {
		if tx, err := r.Resume(t.Context(), id); err == nil {
			t.Errorf("%q is a transaction of %s", id, tx.FMRI())
		}
	}
	if err := s.Put(t.Context(), "publisher/test.org/trans/junk/manifest", strings.NewReader("junk")); err != nil {
		t.Fatal(err)
	}
	if got := listAll(t, r); !slices.Equal(got, []string{f.String()}) {
		t.Errorf("listed are %q", got)
	}
}

// TestEscapePublished publishes actions whose paths lead out of the image.
func TestEscapePublished(t *testing.T) {
	r := create(t, store.Memory())
	for _, text := range []string{
		"dir path=../etc mode=0755 owner=root group=sys",
		"dir path=a/../../etc mode=0755 owner=root group=sys",
		"link path=a/../../../b target=c",
		"hardlink path=a target=../../../etc/passwd",
		"file path=a/.. mode=0644 owner=root group=sys",
	} {
		tx, err := r.Begin(t.Context(), fmri.MustParse("a@1"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := manifest.ParseAction(text)
		if err == nil {
			err = tx.Add(t.Context(), a, strings.NewReader("content"))
		}
		if err == nil {
			t.Errorf("accepted: %s", text)
		}
		if err := tx.Abort(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	if got := listAll(t, r); len(got) > 0 {
		t.Errorf("listed are %q", got)
	}
}
