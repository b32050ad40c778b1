package upkeep_test

import (
	"fmt"

	"github.com/goips/ips/catalog/catalogtest"
	"github.com/goips/ips/catalog/upkeep"
)

func ExampleThin() {
	c := catalogtest.MustParse("web@1\nweb@2\nweb@3\nlib@1\nlib@2\n")
	thin, err := upkeep.Thin(c, &upkeep.Retention{Newest: 1})
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range thin.Removed {
		fmt.Println(p)
	}
	// Output:
	// pkg://test/lib@1,5.11
	// pkg://test/web@1,5.11
	// pkg://test/web@2,5.11
}
