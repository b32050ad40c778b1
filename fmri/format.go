package fmri

import "strings"

// A Form is a set of parts to leave out of a printed FMRI.
type Form uint8

const (
	// OmitPublisher prints as if there were no publisher: pkg:/name@….
	OmitPublisher Form = 1 << iota
	// OmitScheme prints publisher/name@… or name@….
	OmitScheme
	// OmitBuild leaves out the build of the version.
	OmitBuild
	// OmitTime leaves out the timestamp of the version.
	OmitTime

	// Canonical is the form of String. It leaves nothing out.
	Canonical Form = 0
	// Short is the form for people: pkg://publisher/name@release-branch.
	Short = OmitBuild | OmitTime
)

// String returns the canonical text, pkg://publisher/name@version, pkg:/name@version
// without a publisher, and neither "@" nor version without a version. [Parse] reads
// it back. The canonical text of the zero FMRI is empty.
func (f FMRI) String() string { return f.Format(Canonical) }

// Format returns the text of f in the given form.
func (f FMRI) Format(form Form) string {
	var buffer [128]byte // on the stack; few are longer
	return string(f.AppendFormat(buffer[:0], form))
}

// AppendFormat appends the text of f in the given form to b.
func (f FMRI) AppendFormat(b []byte, form Form) []byte {
	if !f.IsValid() {
		return b
	}
	named := f.publisher != "" && form&OmitPublisher == 0 && !strings.HasPrefix(f.publisher, oldPrefix)
	switch {
	case form&OmitScheme != 0:
	case named:
		b = append(b, "pkg://"...)
	default:
		b = append(b, "pkg:/"...)
	}
	if named {
		b = append(b, f.publisher...)
		b = append(b, '/')
	}
	b = append(b, f.name...)
	if f.version.IsValid() {
		b = append(b, '@')
		b = f.version.appendFormat(b, form)
	}
	return b
}

// appendFormat appends the parts of v that form does not omit.
func (v Version) appendFormat(b []byte, form Form) []byte {
	if !v.IsValid() {
		return b
	}
	b = append(b, v.Release()...)
	if form&OmitBuild == 0 {
		b = append(b, ',')
		b = append(b, v.Build()...)
	}
	if v.branch != 0 {
		b = append(b, '-')
		b = append(b, v.Branch()...)
	}
	if v.stamp != 0 && form&OmitTime == 0 {
		b = append(b, ':')
		b = append(b, v.Timestamp()...)
	}
	return b
}
