package image

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
)

// Options are what the caller chooses about an image; nil means all defaults.
type Options struct {
	// Openers open the origins of publishers. An origin whose scheme has no
	// opener cannot be read.
	Openers repo.Openers

	// Host is what installing does to the machine beyond files. Nil refuses users,
	// groups and drivers, and leaves services alone.
	Host Host

	// Accept is asked for every license that must be accepted; nil accepts none.
	Accept func(pkg fmri.FMRI, license manifest.Action) bool

	// Client is the name that the history and the lock record; empty means "ips".
	Client string

	// ReadOnly leaves the disk as it is: what is refreshed is kept in memory, and what
	// would change the image is refused with an error matching [fs.ErrPermission]. It
	// takes neither the image's lock nor more rights than to read.
	ReadOnly bool

	// Parallel is how many payloads are fetched at once. Zero means one per CPU.
	Parallel int

	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Log receives what is worth knowing but no error; nil means silence.
	Log *slog.Logger

	// Progress is called as the work goes on, by one goroutine at a time within an
	// operation; nil means not at all. Op is what an operation is at: "refresh", "plan",
	// "fetch", "remove", "install", "update", "commit" or "verify". Name is the publisher
	// that is refreshed, or the path or name that a step of a plan is about.
	Progress func(repo.Event)
}

func (o *Options) defaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Client == "" {
		d.Client = "ips"
	}
	if d.Parallel <= 0 {
		d.Parallel = runtime.GOMAXPROCS(0)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Progress == nil {
		d.Progress = func(repo.Event) {}
	}
	return d
}

// hooks are what tests change about an image.
type hooks struct {
	before   func(op, name string) error // called with every change to the disk; may prevent it
	volatile bool                        // does not wait for the disk
}
