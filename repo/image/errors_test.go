package image

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goips/ips/repo"
)

// TestFullDisk is told as what it is, and asks no other origin. What was fetched of the
// payload goes.
func TestFullDisk(t *testing.T) {
	s := newShelf()
	s.publish(t, "set name=pkg.fmri value=pkg://p/x@1-0\nfile f path=f mode=0644 owner=root group=sys\n", map[string]string{"f": "f\n"})
	opts := s.options()
	opts.Openers["second"] = repo.Opened(s)
	c := s.config()
	c.Publishers[0].Origins = append(c.Publishers[0].Origins, "second://x/")
	i, err := create(t.Context(), tempDir(t), c, opts, hooks{volatile: true})
	require.NoError(t, err)
	defer i.Close()
	require.NoError(t, i.Refresh(t.Context()))
	full := &fs.PathError{Op: "create", Path: "var/pkg/cache/tmp/x", Err: syscall.ENOSPC}
	for _, test := range []struct {
		op, name, want string
		served         int
	}{
		{"create", "ips-stage/", "payload of f: to keep what is fetched: no space left on device", 1},
		{"rename", "f", "install file f: no space left on device", 1},
	} {
		i.hooks.before = func(op, name string) error {
			if op == test.op && strings.Contains(name, test.name) && !strings.Contains(name, "journal") && !strings.Contains(name, "publisher") {
				return full
			}
			return nil
		}
		err := install(t, i, "x")
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorContains(t, err, "image "+i.Root()+": execute: "+test.want)
		require.NotContains(t, strings.Split(err.Error(), "\n")[0], "cache/tmp")
		require.Equal(t, test.served, s.served)
		s.served = 0
	}
	i.hooks.before = nil
	require.NoError(t, install(t, i, "x"))
	last := Record{}
	for r, err := range i.History() {
		require.NoError(t, err)
		if r.Outcome == "Failed" {
			last = r
		}
	}
	require.Equal(t, "Insufficient Disk Space", last.Reason)
}

// TestUnusableRoots says of each place why no image can be there.
func TestUnusableRoots(t *testing.T) {
	s := newShelf()
	dir := tempDir(t)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := Create(t.Context(), file, Config{}, s.options())
	require.EqualError(t, err, "image "+file+": create: the directory cannot be made: not a directory")
	_, err = Create(t.Context(), filepath.Join(file, "below"), Config{}, s.options())
	require.EqualError(t, err, "image "+file+"/below: create: the directory cannot be made: not a directory")
	_, err = Open(t.Context(), file, s.options())
	require.EqualError(t, err, "image "+file+": open: the directory cannot be opened: not a directory")
	_, err = Open(t.Context(), filepath.Join(dir, "missing"), s.options())
	require.EqualError(t, err, "image "+dir+"/missing: open: there is no image in this directory")
	require.ErrorIs(t, err, ErrNotImage)
	var image *Error
	require.ErrorAs(t, err, &image)
	require.Equal(t, "open", image.Op)
	_, err = Create(t.Context(), filepath.Join(dir, "new"), Config{Publishers: []Publisher{{Name: "no/name"}}}, s.options())
	require.EqualError(t, err, "image "+dir+`/new: create: "no/name": not the name of a publisher`)
}
