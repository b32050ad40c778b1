package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goips/ips/repo/store/internal/files"
)

// Files that have no name yet are at the top of the tree: for each writer a file
// tmpPrefix+id, locked by the writer, and its files tmpPrefix+id+"."+n. Whoever
// starts to write removes those whose id is not locked.
const tmpPrefix = ".tmp-"

// isTemporary reports whether a name at the top is one of these.
func isTemporary(name string) bool { return strings.HasPrefix(name, tmpPrefix) }

// staging hands out temporary files. Its session lasts from the first file to
// the last.
type staging struct {
	files files.FS

	mu    sync.Mutex
	lock  files.File // nil: no session
	name  string     // of lock
	users int
	next  int
}

// create makes a temporary file. It ends with discard, or, when it has been
// moved to its name, with release.
func (s *staging) create() (files.File, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(); err != nil {
		return nil, "", err
	}
	s.next++
	name := s.name + "." + strconv.Itoa(s.next)
	f, err := s.files.Create(name)
	if err != nil {
		s.end()
		return nil, "", err
	}
	return f, name, nil
}

// discard removes a temporary file.
func (s *staging) discard(name string) {
	s.files.Remove(name)
	s.release()
}

// release counts a temporary file less.
func (s *staging) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// begin counts a user, and for the first one starts a session.
func (s *staging) begin() error {
	if s.users == 0 {
		if err := s.start(); err != nil {
			return err
		}
		s.sweep()
	}
	s.users++
	return nil
}

// tidy removes what dead processes have left, for who may write nothing.
func (s *staging) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		s.sweep()
	}
}

// start begins a session under a name of its own.
func (s *staging) start() error {
	for {
		name := tmpPrefix + strings.ToLower(rand.Text()[:16])
		f, err := s.claim(name)
		if err == nil {
			s.lock, s.name = f, name
			return nil
		}
		if !errors.Is(err, files.ErrLocked) {
			return err
		}
	}
}

// claim makes and locks the file that stands for a session.
func (s *staging) claim(name string) (files.File, error) {
	f, err := s.files.Lock(name, true)
	if err != nil && f != nil {
		f.Close()
	}
	return f, readOnlyError(err)
}

// end counts a user less, and for the last one ends the session.
func (s *staging) end() {
	s.users--
	if s.users > 0 {
		return
	}
	s.files.Remove(s.name)
	s.lock.Close()
	s.lock = nil
}

// exclude waits until no other is in exclude, and returns how to leave.
func (s *staging) exclude(ctx context.Context) (leave func(), err error) {
	const name = tmpPrefix + "swap"
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		f, err := s.claim(name)
		if err == nil {
			return func() {
				s.files.Remove(name)
				f.Close()
			}, nil
		}
		if !errors.Is(err, files.ErrLocked) {
			return nil, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// sweep removes the files of sessions whose process is gone.
func (s *staging) sweep() {
	entries, err := s.files.ReadDir(".")
	if err != nil {
		return
	}
	dead := map[string]bool{s.name: false}
	for _, e := range entries {
		if !isTemporary(e.Name()) {
			continue
		}
		session, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".")
		session = "." + session
		if _, known := dead[session]; !known {
			f, err := s.files.Lock(session, false)
			if f != nil {
				defer f.Close()
			}
			dead[session] = err == nil || errors.Is(err, fs.ErrNotExist)
		}
		if dead[session] {
			s.files.Remove(e.Name())
		}
	}
}
