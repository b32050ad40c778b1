package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goips/ips/repo/store"
)

// A BusyError reports that another process is changing the repository.
type BusyError struct {
	Publisher string
	Process   string // number of the process, "" if not known
	Host      string
	Err       error
}

func (e *BusyError) Error() string {
	if e.Process == "" {
		return "the repository is in use by another process"
	}
	return fmt.Sprintf("the repository is in use by another process: pid %s on %s", e.Process, e.Host)
}

// Unwrap returns the error of the store.
func (e *BusyError) Unwrap() error { return e.Err }

// A writer is the right to change what belongs to a publisher. It is exclusive:
// among goroutines by a gate, among processes by a lock that the programs of the
// reference respect, too.
type writer struct {
	repo  *Repository
	home  home
	state *publisherState
	lock  *store.Lock
}

// write returns the right to change what belongs to a publisher, after having
// brought in order what a dead process left there. If wait is false and another
// has the right, it returns a *BusyError.
func (r *Repository) write(ctx context.Context, publisher string, wait bool) (*writer, error) {
	return r.writeAfter(ctx, publisher, wait, (*writer).recover)
}

// writeAnew is write for those who can begin anew from the manifests: nothing that is
// unreadable keeps them from it. It does not wait.
func (r *Repository) writeAnew(ctx context.Context, publisher string) (*writer, error) {
	return r.writeAfter(ctx, publisher, false, (*writer).recoverAnew)
}

func (r *Repository) writeAfter(ctx context.Context, publisher string, wait bool, recover func(*writer, context.Context) error) (*writer, error) {
	state := r.state(publisher)
	if err := state.enter(ctx, wait); err != nil {
		return nil, err
	}
	h := r.home(publisher)
	lock, err := r.acquire(ctx, h, wait)
	if err != nil {
		state.leave()
		return nil, err
	}
	w := &writer{repo: r, home: h, state: state, lock: lock}
	if r.version < 4 {
		err = w.prepareOld(ctx)
	}
	if err == nil {
		err = recover(w, ctx)
	}
	if err != nil {
		return nil, join(err, w.close())
	}
	return w, nil
}

// acquire takes the lock of a publisher. Before it waits, it says for whom.
func (r *Repository) acquire(ctx context.Context, h home, wait bool) (*store.Lock, error) {
	opts := &store.LockOptions{Note: r.note()}
	lock, err := store.Acquire(ctx, r.store, h.lock(), opts)
	err = busy(h.publisher, err)
	var held *BusyError
	if !wait || !errors.As(err, &held) {
		return lock, err
	}
	if r.waiting != nil {
		r.waiting(held)
	}
	opts.Wait = true
	lock, err = store.Acquire(ctx, r.store, h.lock(), opts)
	return lock, busy(h.publisher, err)
}

// close gives the right back.
func (w *writer) close() error {
	err := w.lock.Release()
	w.state.leave()
	return err
}

// note tells others who holds a lock, in the words of the reference.
func (r *Repository) note() []byte {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Appendf(nil, "%d\n%s\n%s\n\n", os.Getpid(), host, r.now().UTC().Format("20060102T150405Z"))
}

// busy makes the error of a store that of a repository.
func busy(publisher string, err error) error {
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		return err
	}
	lines := append(strings.Split(string(locked.Note), "\n"), "", "")
	return &BusyError{Publisher: publisher, Process: lines[0], Host: lines[1], Err: err}
}
