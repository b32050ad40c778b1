package transform_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goips/ips/manifest/manifesttest"
	"github.com/goips/ips/manifest/transform"
)

// TestGolden runs the cases of testdata/run. The section args is a command line; output,
// printed and error are what it leads to, and all other sections are files.
func TestGolden(t *testing.T) {
	for _, c := range manifesttest.Cases(t, "testdata/run/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			v := commandLine(c)
			out, err := v.run(t)
			c.Want(t, "output", string(out.Text()))
			c.Want(t, "printed", lines(out.Printed))
			c.Want(t, "error", errorText(err))
		})
	}
}

// commandLine makes a vector of a case.
func commandLine(c *manifesttest.Case) *vector {
	v := &vector{ID: c.Name}
	v.In.Files = map[string]string{}
	for name, text := range c.Section {
		if !slices.Contains([]string{"args", "output", "printed", "error"}, name) {
			v.In.Files[name] = text
		}
	}
	args := strings.Fields(c.Section["args"])
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-D":
			i++
			v.In.Macros = append(v.In.Macros, args[i])
		case "-I":
			v.In.Options = append(v.In.Options, args[i], args[i+1])
			i++
		case "-i", "-v":
			v.In.Options = append(v.In.Options, args[i])
		default:
			v.In.Order = append(v.In.Order, args[i])
		}
	}
	return v
}

// errorText returns the text of an error, empty if there is none.
func errorText(err error) string {
	var exit *transform.ExitError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &exit):
		return fmt.Sprintf("exit %d: %v", exit.Code, exit)
	}
	return err.Error()
}
