package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/goips/ips/solver/plan"
)

// The journal is a plan that is being carried out. While it is there, the disk may be
// anywhere between the state that the image notes and the one that the plan leads to.
// All that the plan needs is staged before the journal is written, and every step does
// nothing where it was done before; so carrying out the plan once more from the
// beginning leads to its end, with one exception: after something was installed at a
// path, a removal at that path must not happen again. The end of the removals is
// therefore noted in a file of its own.
const (
	journalFile = tmpDir + "/ips-journal.json"
	removedFlag = tmpDir + "/ips-removed"
	maxJournal  = 1 << 30
)

// stampLayout is that of the times in names of salvaged things.
const stampLayout = "20060102T150405Z"

type journal struct {
	Version int        `json:"version"`
	Stamp   string     `json:"stamp"`
	Plan    *plan.Plan `json:"plan"`
}

// begin writes the journal down, and makes it and all that is staged durable. From then
// on the plan will be finished.
func (i *Image) begin(e *execution) error {
	text, err := json.Marshal(journal{Version: 1, Stamp: e.stamp, Plan: e.plan})
	if err != nil {
		return err
	}
	tmp := i.meta(journalFile) + ".new"
	for _, name := range []string{tmp, i.meta(removedFlag)} {
		if err := i.tree.remove(name); err != nil {
			return err
		}
	}
	if err := i.writeNew(tmp, text, time.Time{}); err != nil {
		return err
	}
	if err := i.tree.sync(); err != nil {
		return err
	}
	if err := i.tree.rename(tmp, i.meta(journalFile)); err != nil {
		return err
	}
	return i.tree.syncDir(i.meta(tmpDir))
}

// forgetJournal ends a plan: nothing of it is to be finished any more. The stage goes
// first: by now every step finds that it was done.
func (i *Image) forgetJournal() error {
	if err := i.tree.removeAll(i.meta(stageDir)); err != nil {
		return err
	}
	if err := i.tree.remove(i.meta(journalFile)); err != nil {
		return err
	}
	if err := i.tree.syncDir(i.meta(tmpDir)); err != nil {
		return err
	}
	return i.tree.remove(i.meta(removedFlag))
}

// recover finishes the plan that an earlier operation could not.
func (i *Image) recover(ctx context.Context) error {
	src, err := i.tree.readFile(i.meta(journalFile), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return i.tree.remove(i.meta(removedFlag))
	}
	if err != nil {
		return err
	}
	j := journal{Plan: new(plan.Plan)}
	if err := json.Unmarshal(src, &j); err != nil || j.Version != 1 {
		return &FormatError{File: journalFile, Msg: fmt.Sprintf("version %d: %v", j.Version, err)}
	}
	if _, err := time.Parse(stampLayout, j.Stamp); err != nil {
		return &FormatError{File: journalFile, Msg: "stamp is no time"}
	}
	i.opts.Log.Info("finishing an interrupted plan", "image", i.path)
	e := i.newExecution(j.Plan, j.Stamp)
	if err := i.finish(ctx, e); err != nil {
		return fmt.Errorf("finish interrupted plan: %w", err)
	}
	return nil
}

// removalsDone notes, durably, that all removals have happened.
func (e *execution) removalsDone() error {
	if err := e.tree.sync(); err != nil {
		return err
	}
	return e.tree.writeFile(e.image.meta(removedFlag), nil, 0o600)
}

// removalsAreDone reports whether they had happened before.
func (e *execution) removalsAreDone() bool { return e.exists(e.image.meta(removedFlag)) }
