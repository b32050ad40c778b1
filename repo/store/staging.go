package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goips/ips/repo/store/internal/files"
)

// tmpDir is where files are that have no name yet. It exists only while there
// are some: for each writer a file <id>, locked by the writer, and its files
// <id>.<n>. Whoever starts to write removes those whose <id> is not locked.
const tmpDir = ".tmp"

// staging hands out temporary files. Its session lasts from the first file to
// the last.
type staging struct {
	files files.FS

	mu    sync.Mutex
	lock  files.File // nil: no session
	id    string
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
	name := path.Join(tmpDir, s.id+"."+strconv.Itoa(s.next))
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

// begin counts a user, and for the first one starts the session.
func (s *staging) begin() error {
	if s.users > 0 {
		s.users++
		return nil
	}
	if err := s.start(); err != nil {
		return err
	}
	s.users = 1
	s.sweep()
	return nil
}

// start begins a session under a name of its own.
func (s *staging) start() error {
	for range attempts {
		id := strings.ToLower(rand.Text()[:16])
		f, err := s.claim(id)
		if err == nil {
			s.lock, s.id = f, id
			return nil
		}
		if !errors.Is(err, files.ErrLocked) {
			return err
		}
	}
	return &fs.PathError{Op: "create", Path: tmpDir, Err: errors.New("all names are taken")}
}

// claim makes and locks the file that stands for a session.
func (s *staging) claim(id string) (files.File, error) {
	name := path.Join(tmpDir, id)
	for range attempts {
		if err := s.files.Mkdir(tmpDir); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		f, err := s.files.Lock(name, true)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another writer was the last to leave, and removed tmpDir
		}
		if err != nil {
			if f != nil {
				f.Close()
			}
			return nil, err
		}
		// Between the making and the locking a sweeper may have removed it.
		if _, err := s.files.Stat(name); err == nil {
			return f, nil
		}
		f.Close()
	}
	return nil, &fs.PathError{Op: "create", Path: tmpDir, Err: errors.New("directory vanishes again and again")}
}

// exclude waits until no other is in exclude, and returns how to leave.
func (s *staging) exclude(ctx context.Context) (leave func(), err error) {
	const id = "swap"
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		f, err := s.claim(id)
		if err == nil {
			return func() { s.leave(f, id) }, nil
		}
		if !errors.Is(err, files.ErrLocked) {
			return nil, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// leave removes the file of a session, and tmpDir unless others are in there.
func (s *staging) leave(f files.File, id string) {
	s.files.Remove(path.Join(tmpDir, id))
	f.Close()
	s.files.Remove(tmpDir)
}

// end counts a user less, and for the last one ends the session.
func (s *staging) end() {
	s.users--
	if s.users > 0 {
		return
	}
	s.leave(s.lock, s.id)
	s.lock = nil
}

// sweep removes the files of sessions whose process is gone.
func (s *staging) sweep() {
	entries, err := s.files.ReadDir(tmpDir)
	if err != nil {
		return
	}
	dead := map[string]bool{s.id: false}
	var locks []files.File
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		gone, known := dead[id]
		if !known {
			f, err := s.files.Lock(path.Join(tmpDir, id), false)
			if f != nil {
				locks = append(locks, f)
			}
			gone = err == nil || errors.Is(err, fs.ErrNotExist)
			dead[id] = gone
		}
		if gone {
			s.files.Remove(path.Join(tmpDir, e.Name()))
		}
	}
	for _, f := range locks {
		f.Close()
	}
}
