package search

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// findExact looks up one token, whose case matters: the list of tokens is sorted.
func (f *finder) findExact(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	want := []byte(f.token.plain)
	f.reader = bufio.NewReaderSize(nil, 1<<12)
	off, err := f.seekToken(want)
	if err != nil {
		return err
	}
	var buf []byte
	r := bufio.NewReaderSize(f.tokens.from(off), 1<<12)
	for {
		line, err := readLine(r, &buf)
		if err == io.EOF {
			return nil
		}
		token, digits, ok := cutToken(line)
		if err == nil && !ok {
			err = errTokens
		}
		if err != nil {
			return &FormatError{File: tokensName, Err: err}
		}
		switch bytes.Compare(token, want) {
		case 0:
			return f.lineAt(token, digits)
		case 1:
			return nil
		}
	}
}

// nearEnough is how far from a token seekToken may stop, in bytes.
const nearEnough = 1 << 12

// seekToken returns the beginning of a line in the list of tokens shortly before that of
// a token, if it has that.
func (f *finder) seekToken(want []byte) (int64, error) {
	lo, hi := f.tokens.start, f.tokens.size // lo begins a line that is not behind the token's
	for hi-lo > nearEnough {
		mid := lo + (hi-lo)/2
		line, start, err := f.lineBehind(mid)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, &FormatError{File: tokensName, Err: err}
		}
		token, _, ok := cutToken(line)
		switch {
		case err != nil || start >= hi:
			hi = mid
		case !ok:
			return 0, &FormatError{File: tokensName, Err: errTokens}
		case bytes.Compare(token, want) <= 0:
			lo = start
		default:
			hi = mid
		}
	}
	return lo, nil
}

// lineBehind returns the first line of the list of tokens that begins at or behind an
// offset, and where it begins.
func (f *finder) lineBehind(off int64) (line []byte, start int64, err error) {
	f.reader.Reset(f.tokens.from(off - 1))
	skipped, err := readLine(f.reader, &f.buf)
	if err != nil {
		return nil, 0, err
	}
	start = off + int64(len(skipped))
	line, err = readLine(f.reader, &f.buf)
	return line, start, err
}
