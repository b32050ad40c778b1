package reason_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/goips/ips/internal/reason"
	"github.com/stretchr/testify/require"
)

func TestReason(t *testing.T) {
	other := errors.New("disk on fire")
	tests := []struct {
		err  error
		is   error
		text string
	}{
		{reason.New(fs.ErrNotExist, "there is no such part"), fs.ErrNotExist, "there is no such part"},
		{reason.Errorf(fs.ErrExist, "%d are there", 2), fs.ErrExist, "2 are there"},
		{reason.Truncated("it ends within an index"), io.ErrUnexpectedEOF, "truncated: it ends within an index"},
		{reason.NoEOF(io.EOF, "no end"), io.ErrUnexpectedEOF, "truncated: no end"},
		{reason.NoEOF(fmt.Errorf("x: %w", io.ErrUnexpectedEOF), "no end"), io.ErrUnexpectedEOF, "truncated: no end"},
		{reason.NoEOF(reason.Truncated("first"), "second"), io.ErrUnexpectedEOF, "truncated: first"},
		{reason.NoEOF(other, "no end"), other, "disk on fire"},
	}
	for _, tt := range tests {
		require.EqualError(t, tt.err, tt.text)
		require.ErrorIs(t, tt.err, tt.is)
	}
	require.NoError(t, reason.NoEOF(nil, "no end"))
}
