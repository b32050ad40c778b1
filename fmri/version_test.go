package fmri_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/goips/ips/fmri"
)

var testTime = time.Date(2024, 7, 2, 18, 47, 44, 999, time.FixedZone("", 2*60*60))

func TestVersionTime(t *testing.T) {
	v := fmri.MustParseVersion("1-2:20200101T000000Z").WithTime(testTime)
	if got, want := v.String(), "1,5.11-2:20240702T164744Z"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	when, ok := v.Time()
	if !ok || !when.Equal(testTime.Truncate(time.Second)) || when.Location() != time.UTC {
		t.Errorf("%v, %t", when, ok)
	}
	for _, year := range []int{-1, 0, 10000} {
		if w := v.WithTime(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)); w.IsValid() {
			t.Errorf("year %d: %s", year, w)
		}
	}
}

// TestCalendar compares the timestamps that are accepted with package time.
func TestCalendar(t *testing.T) {
	for _, year := range []string{"0001", "1900", "2000", "2023", "2024", "9999"} {
		for monthDay := range 1400 {
			stamp := year + string([]byte{
				byte('0' + monthDay/1000), byte('0' + monthDay/100%10), byte('0' + monthDay/10%10), byte('0' + monthDay%10),
			}) + "T235959Z"
			_, err := fmri.ParseVersion("1:" + stamp)
			if want := slowTime(stamp); (err == nil) != want {
				t.Fatalf("%s: %v; want %t", stamp, err, want)
			}
		}
	}
	for clock := range 250000 {
		if clock%100 > 61 {
			continue
		}
		digits := []byte("000000")
		for i, n := len(digits)-1, clock; i >= 0; i, n = i-1, n/10 {
			digits[i] = byte('0' + n%10)
		}
		_, err := fmri.ParseVersion("1,5.11:20240702T" + string(digits) + "Z")
		if want := clock/10000 < 24 && clock/100%100 < 60 && clock%100 < 60; (err == nil) != want {
			t.Fatalf("%s: %v; want %t", digits, err, want)
		}
	}
}

func TestDots(t *testing.T) {
	for _, s := range []string{"0", "5.11", "1.0.10", "123456789012345678901234567890"} {
		d, err := fmri.ParseDots(s)
		if err != nil || string(d) != s {
			t.Errorf("ParseDots(%q) = %q, %v", s, d, err)
		}
	}
	for _, s := range []string{"", ".", "1.", ".1", "1..1", "01", "00", "+1", "-1", "1_0", "1 ", "1,2", "*", "１"} {
		if d, err := fmri.ParseDots(s); err == nil {
			t.Errorf("ParseDots(%q) = %q", s, d)
		}
	}
	if got := slices.Collect(fmri.Dots("5.11.0").All()); !slices.Equal(got, []string{"5", "11", "0"}) {
		t.Errorf("numbers: %q", got)
	}
	for range fmri.Dots("").All() {
		t.Error("absent dots have a number")
	}
	for number := range fmri.Dots("1.2").All() {
		if number != "1" {
			t.Errorf("loop goes on after break with %s", number)
		}
		break
	}
}

func TestDotsHasPrefix(t *testing.T) {
	for _, test := range []struct {
		d, p fmri.Dots
		want bool
	}{
		{"1.4.3", "1.4", true}, {"1.4.3", "1.4.3", true}, {"1.4.3", "", true}, {"", "", true},
		{"1.4.30", "1.4.3", false}, {"1.4", "1.4.3", false}, {"", "1", false}, {"11", "1", false},
	} {
		if got := test.d.HasPrefix(test.p); got != test.want {
			t.Errorf("%q has prefix %q: %t", test.d, test.p, got)
		}
	}
}

// TestDotsOrder pins the order by comparing each pair of a sorted list.
func TestDotsOrder(t *testing.T) {
	sorted := []fmri.Dots{"", "0", "0.0", "1", "1.0", "1.0.0", "1.0.1", "1.9", "1.10", "2", "9", "9.9", "10", "99", "100", "12345678901234567890123"}
	for i, d := range sorted {
		for j, e := range sorted {
			want := 0
			if i != j {
				want = (i - j) / max(i-j, j-i)
			}
			if got := d.Compare(e); got != want {
				t.Errorf("%q compares with %q as %d; want %d", d, e, got, want)
			}
		}
	}
}

// TestConstraints pins one case of each level where it differs from its neighbours.
func TestConstraints(t *testing.T) {
	for _, test := range []struct {
		v, w string
		c    fmri.Constraint
		want bool
	}{
		{"1.1", "1.0", fmri.None, true},
		{"1.0,5.12", "1.0,5.11", fmri.None, false},
		{"1.4.3.7-1.2", "1.4.3-1", fmri.Auto, true},
		{"1.4.30", "1.4.3", fmri.Auto, false},
		{"1", "1:20200101T000000Z", fmri.Auto, false},
		{"5.5.1-6", "5.5.1-10", fmri.Release, true},
		{"5.9", "5.6", fmri.ReleaseMajor, true},
		{"5", "5", fmri.ReleaseMinor, false},
		{"5.6.2", "5.6.1", fmri.ReleaseMinor, true},
		{"1-2.3", "9-2", fmri.Branch, true},
		{"1", "1", fmri.Branch, false},
		{"1-2.3", "9-2.4", fmri.BranchMajor, true},
		{"1-2.3", "1-2.3.4", fmri.BranchMinor, true},
		{"1-20.3", "1-2.3", fmri.BranchMajor, false},
		{"2", "1", fmri.BranchMinor + 1, false},
	} {
		if got := fmri.MustParseVersion(test.v).Succeeds(fmri.MustParseVersion(test.w), test.c); got != test.want {
			t.Errorf("%s succeeds %s at level %v: %t", test.v, test.w, test.c, got)
		}
	}
}

// TestStampOffset checks that a timestamp is refused at the byte that is wrong, each of
// them in turn, and where it ends too soon.
func TestStampOffset(t *testing.T) {
	const stamp = "20240702T164744Z"
	for i := range len(stamp) {
		for _, bad := range []string{stamp[:i], stamp[:i] + "/" + stamp[i+1:], stamp[:i] + ":" + stamp[i+1:], stamp[:i] + "\xb0" + stamp[i+1:], stamp[:i] + "é" + stamp[i+1:]} {
			_, err := fmri.ParseVersion("1:" + bad)
			var parse *fmri.ParseError
			if !errors.As(err, &parse) || parse.Offset != len("1:")+i {
				t.Errorf("%q: %v; want offset %d", bad, err, len("1:")+i)
			}
		}
	}
}
