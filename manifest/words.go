package manifest

import "math/bits"

// The functions here look at eight bytes at a time. For a byte c below 0x80 and
// a limit n up to 0x80, (c - n) &^ c has its high bit set if c < n. In a word of eight
// bytes that holds for the lowest such byte; those above it may be
// misjudged for the borrow.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// load returns the first eight bytes of s.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isPlain reports whether s consists of printable ASCII characters alone.
func isPlain(s string) bool {
	for len(s) >= 32 {
		if special(load(s))|special(load(s[8:]))|special(load(s[16:]))|special(load(s[24:])) != 0 {
			return false
		}
		s = s[32:]
	}
	for len(s) >= 8 {
		if special(load(s)) != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if s[i]-0x20 >= 0x5f {
			return false
		}
	}
	return true
}

// special is not zero if one of eight bytes is no printable ASCII character.
// One below 0x20 borrows, 0x7f carries, the others have the high bit already.
func special(x uint64) uint64 {
	return (x | (x - 0x20*ones) | (x + ones)) & highs
}

// wordEnd returns the offset of the first "=" or character up to the apostrophe,
// the length of s if there is none. Blanks and quotes are among those.
func wordEnd(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := load(s[i:])
		equal := x ^ '='*ones
		found := ((equal-ones)&^equal | (x-('\''+1)*ones)&^x) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] > '\'' && s[i] != '=' {
		i++
	}
	return i
}
