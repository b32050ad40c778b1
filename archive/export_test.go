package archive

import "testing"

// ReadMember returns the content of a member.
func (a *Reader) ReadMember(t testing.TB, name string) []byte {
	t.Helper()
	b, err := a.readFile(name, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// IndexText returns the text of the index.
func (a *Reader) IndexText(t testing.TB) string {
	t.Helper()
	m, _, err := a.header(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.indexText(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A Directory is where archives are created.
type Directory = directory

// A File is an archive while it is written.
type File = file

// CreateIn is Create in a directory.
func CreateIn(dir Directory, name string) (*WriteCloser, error) { return create(dir, name, nil) }
