package manifest

import (
	"io/fs"
	"strconv"
)

// badMode is what is wrong with modes that parseMode refuses.
const badMode = "not a mode of 3 or 4 octal digits"

// parseMode reads a mode as chmod(1) takes it: 3 or 4 octal digits, to which
// a leading zero may be added. The reference also lets through what its language takes
// for an octal number, such as -644, 0o64 or 6_4.
func parseMode(s string) (fs.FileMode, bool) {
	if len(s) < 3 || len(s) > 5 || len(s) == 5 && s[0] != '0' {
		return 0, false
	}
	var bits uint32
	for i := range len(s) {
		if s[i] < '0' || s[i] > '7' {
			return 0, false
		}
		bits = bits<<3 | uint32(s[i]-'0')
	}
	mode := fs.FileMode(bits & 0o777)
	for _, b := range modeBits {
		if bits&b.octal != 0 {
			mode |= b.mode
		}
	}
	return mode, true
}

// modeBits are the bits of a mode that have another place in an [fs.FileMode].
var modeBits = [...]struct {
	octal uint32
	mode  fs.FileMode
}{
	{0o4000, fs.ModeSetuid},
	{0o2000, fs.ModeSetgid},
	{0o1000, fs.ModeSticky},
}

// formatMode writes a mode with four digits. Bits that say what kind of file it is
// are left out.
func formatMode(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	for _, b := range modeBits {
		if mode&b.mode != 0 {
			bits |= b.octal
		}
	}
	return strconv.FormatUint(uint64(bits)|0o10000, 8)[1:]
}
