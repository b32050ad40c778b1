//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// depotUser is who serves repositories.
const depotUser = "pkg5srv"

// unreadable returns the first path that leads to a repository or lies in it and that
// neither everybody nor the depot's user or group can read, "" if there is none.
func unreadable(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	r := newReadable()
	var above []string
	for p := filepath.Dir(path); ; p = filepath.Dir(p) {
		above = append(above, p)
		if p == filepath.Dir(p) {
			break
		}
	}
	for i := len(above) - 1; i >= 0; i-- {
		info, err := os.Stat(above[i])
		if err != nil {
			return "", err
		}
		if !r.ok(info) {
			return above[i], nil
		}
	}
	return r.below(path)
}

// A readable knows who the depot's user and group are; 0 stands for nobody.
type readable struct{ uid, gid uint32 }

func newReadable() (r readable) {
	if u, err := user.Lookup(depotUser); err == nil {
		r.uid = id(u.Uid)
	}
	if g, err := user.LookupGroup(depotUser); err == nil {
		r.gid = id(g.Gid)
	}
	return r
}

func id(text string) uint32 {
	n, _ := strconv.ParseUint(text, 10, 32)
	return uint32(n)
}

// ok reports whether the depot can read a file, or enter a directory.
func (r readable) ok(info fs.FileInfo) bool {
	need := fs.FileMode(0o4)
	if info.IsDir() {
		need = 0o5
	}
	mode := info.Mode().Perm()
	stat, ok := info.Sys().(*syscall.Stat_t)
	return mode&need == need ||
		ok && r.uid != 0 && stat.Uid == r.uid && mode>>6&need == need ||
		ok && r.gid != 0 && stat.Gid == r.gid && mode>>3&need == need
}

// below looks at a directory and all in it but what is in quarantine.
func (r readable) below(dir string) (found string, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "pkg5-quarantine" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil || r.ok(info) || info.Mode()&fs.ModeSymlink != 0 {
			return nil
		}
		found = name
		return fs.SkipAll
	})
	return found, err
}
