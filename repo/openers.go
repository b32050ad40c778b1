package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Openers maps URI schemes, in lower case, to functions that open such a
// source; the caller chooses what is linked in. The scheme of a plain path is
// "file".
type Openers map[string]func(ctx context.Context, uri string) (Source, error)

// Open opens a URI by its scheme. An unknown scheme is an error matching
// errors.ErrUnsupported.
func (o Openers) Open(ctx context.Context, uri string) (Source, error) {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || strings.ContainsAny(scheme, "/.") || len(scheme) < 2 {
		scheme = "file"
	}
	open := o[strings.ToLower(scheme)]
	if open == nil {
		return nil, fmt.Errorf("open %s: scheme %q: %w", uri, scheme, errors.ErrUnsupported)
	}
	return open(ctx, uri)
}
