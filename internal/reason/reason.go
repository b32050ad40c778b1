// Package reason makes errors whose text is for people and whose sentinel is for programs.
//
// fs.ErrNotExist says "file does not exist" of what is no file, and fs.ErrInvalid says
// nothing at all. Whoever reads an error wants to know what is wrong and what to try;
// whoever handles it asks errors.Is.
package reason

import (
	"errors"
	"fmt"
	"io"
)

// New returns an error with a text that matches a sentinel.
func New(is error, text string) error { return &because{text, is} }

// Errorf is New with a text of fmt.
func Errorf(is error, format string, args ...any) error {
	return &because{fmt.Sprintf(format, args...), is}
}

// Truncated says where something ends too early, which the sentinel io.ErrUnexpectedEOF
// calls unexpected.
func Truncated(what string) error { return &because{"truncated: " + what, io.ErrUnexpectedEOF} }

// NoEOF turns an end of input in the middle of something into a truncation of it.
func NoEOF(err error, what string) error {
	if because := new(because); errors.As(err, &because) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Truncated(what)
	}
	return err
}

type because struct {
	text string
	is   error
}

func (b *because) Error() string { return b.text }
func (b *because) Unwrap() error { return b.is }
