//go:build !unix

package main

// unreadable finds nothing: on this system permissions are not to be read from modes.
func unreadable(string) (string, error) { return "", nil }
