package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/goips/ips/repo"
)

// progress returns a function that shows on a terminal how far a copy has come, nil if
// out is no terminal.
func progress(out io.Writer) func(repo.Event) {
	f, ok := out.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var shown time.Time
	return func(e repo.Event) {
		end := e.Done == e.Total
		if !end && time.Since(shown) < 100*time.Millisecond {
			return
		}
		shown = time.Now()
		fmt.Fprintf(f, "\r\x1b[K%s %d/%d %.1f MB", e.Op, e.Done, e.Total, float64(e.Bytes)/1e6)
		if end {
			fmt.Fprintln(f)
		}
	}
}
