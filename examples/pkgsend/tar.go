package main

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"os"

	"github.com/goips/ips/examples/internal/cli"
)

// openTar opens a tar archive, which may be compressed with gzip or bzip2.
func openTar(name string) (*os.File, error) {
	f, err := cli.Open(name)
	if err != nil {
		return nil, err
	}
	plain, err := expanded(f)
	if plain != f {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, err
	}
	return plain, nil
}

// expanded returns f or, if that is compressed, a file without a name that has its content.
func expanded(f *os.File) (*os.File, error) {
	var head [3]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	in := bufio.NewReaderSize(f, 1<<16)
	switch {
	case bytes.HasPrefix(head[:n], []byte("\x1f\x8b")):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		return unnamed(z)
	case bytes.HasPrefix(head[:n], []byte("BZh")):
		return unnamed(bzip2.NewReader(in))
	}
	return f, nil
}

// unnamed writes what can be read to a temporary file.
func unnamed(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "pkgsend-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name()) // where an open file cannot be removed, it stays
	if errors.Is(err, os.ErrPermission) {
		err = nil
	}
	if err == nil {
		_, err = io.Copy(f, r)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
