package repo

import (
	"io/fs"

	"github.com/goips/ips/manifest"
)

// checkManifest refuses what cannot be published: what manifest.Validate
// refuses, and a renamed package that does not say what its name is now.
func checkManifest(m *manifest.Manifest) error {
	if err := m.Validate().Err(); err != nil {
		return err
	}
	renamed, _ := m.Attribute("pkg.renamed")
	if value, _ := renamed.Attrs.Get("value"); value != "true" {
		return nil
	}
	for a := range m.Kind(manifest.KindDepend) {
		if kind, _ := a.Attrs.Get("type"); kind == "require" {
			return nil
		}
	}
	return because(fs.ErrInvalid, "a renamed package must require its successor, by an action depend type=require")
}
