package ini_test

import (
	"fmt"

	"github.com/goips/ips/repo/internal/ini"
)

func Example() {
	f, err := ini.Parse("example", []byte("[paths]\nroots = ['/a', '/b']\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := f.Get("paths", "roots")
	fmt.Println(ini.ParseList(text))
	// Output: [/a /b] <nil>
}
