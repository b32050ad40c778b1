package catalog

import (
	"fmt"
	"time"
)

const (
	secondLayout = "20060102T150405"
	hourLayout   = "20060102T15Z"
)

// appendTime appends a time as catalogs write it, YYYYMMDDTHHMMSS[.ffffff]Z: six
// digits of fraction, or none at all if it is zero.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	dst = t.AppendFormat(dst, secondLayout)
	if us := t.Nanosecond() / 1000; us != 0 {
		dst = fmt.Appendf(dst, ".%06d", us)
	}
	return append(dst, 'Z')
}

// parseTime parses a time. As the reference does, it goes by position and takes
// a fraction that is not six digits for zero.
func parseTime(s string) (time.Time, error) {
	n := min(len(s), len(secondLayout))
	t, err := time.Parse(secondLayout, s[:n])
	if err != nil {
		return time.Time{}, fmt.Errorf("invalid time %.100q", s)
	}
	const begin, end = len(secondLayout) + 1, len(secondLayout) + 7
	us := 0
	for i := begin; i < end; i++ {
		if i >= len(s) || s[i] < '0' || s[i] > '9' {
			us = 0
			break
		}
		us = us*10 + int(s[i]-'0')
	}
	return t.Add(time.Duration(us) * time.Microsecond), nil
}
