package main

import (
	"fmt"
	"os"
	"time"
)

// A screen shows what happens: lines, and on a terminal also how far a stage has come.
type screen struct {
	out      *os.File
	terminal bool
	shown    time.Time // when progress was last shown
	pending  bool      // the cursor stands behind progress
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	return &screen{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// line prints one line.
func (s *screen) line(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// progress shows that done of total steps are made, at most ten times a second.
func (s *screen) progress(what string, done, total int) {
	if !s.terminal || time.Since(s.shown) < 100*time.Millisecond {
		return
	}
	s.clear()
	fmt.Fprintf(s.out, "  %s %d/%d", what, done, total)
	s.shown, s.pending = time.Now(), true
}

// clear removes progress from the terminal.
func (s *screen) clear() {
	if s.pending {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.pending = false
	}
}
