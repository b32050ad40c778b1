package fmri_test

import (
	"errors"
	"fmt"

	"github.com/goips/ips/fmri"
)

func Example() {
	f, err := fmri.Parse("pkg://openindiana.org/network/ssh@9.8-2024.0.0.1:20240702T164744Z")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Publisher())
	fmt.Println(f.Name())
	fmt.Println(f.Version())
	fmt.Println(f.Format(fmri.Short))

	newer := fmri.MustParseVersion("9.10-2024.0.0.0")
	fmt.Println(f.Version().Compare(newer))

	installed := fmri.MustParsePattern("ssh@9.*")
	fmt.Println(installed.Matches(f))
	// Output:
	// openindiana.org
	// network/ssh
	// 9.8,5.11-2024.0.0.1:20240702T164744Z
	// pkg://openindiana.org/network/ssh@9.8-2024.0.0.1
	// -1
	// true
}

func ExampleParseError_Caret() {
	_, err := fmri.Parse("pkg:/web/server@2.04")
	var parse *fmri.ParseError
	if errors.As(err, &parse) {
		fmt.Println(parse.Caret())
	}
	// Output:
	// pkg:/web/server@2.04
	//                   ^ leading zero
}

func ExampleVersion_Succeeds() {
	v := fmri.MustParseVersion("1.4.3.7-2024.1")
	for _, text := range []string{"1.4.3", "1.4.3-2024", "1.4"} {
		w := fmri.MustParseVersion(text)
		fmt.Println(text, v.Succeeds(w, fmri.Auto), v.Succeeds(w, fmri.None))
	}
	// Output:
	// 1.4.3 true true
	// 1.4.3-2024 true true
	// 1.4 true true
}

func ExampleFMRI_DirPath() {
	f := fmri.MustParse("pkg://example.org/web/server@2.4-1")
	path, err := f.DirPath()
	fmt.Println(path, err)
	// Output:
	// web%2Fserver/2.4%2C5.11-1 <nil>
}

func ExamplePattern_Select() {
	known := []fmri.FMRI{
		fmri.MustParse("pkg://example.org/editor/vim@8.2"),
		fmri.MustParse("pkg://example.org/editor/vim@9.1"),
		fmri.MustParse("pkg://example.org/editor/gvim@9.0"),
	}
	for _, text := range []string{"vim", "*vim@latest", "/vim"} {
		fmt.Println(text, fmri.MustParsePattern(text).Select(known))
	}
	// Output:
	// vim [pkg://example.org/editor/vim@8.2,5.11 pkg://example.org/editor/vim@9.1,5.11]
	// *vim@latest [pkg://example.org/editor/vim@9.1,5.11 pkg://example.org/editor/gvim@9.0,5.11]
	// /vim []
}
