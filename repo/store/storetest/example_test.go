package storetest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/goips/ips/repo/store/storetest"
)

// An object is there after the power failed, for Put had returned.
func ExampleDisk() {
	ctx := context.Background()
	disk := storetest.NewDisk()
	if err := disk.Store().Put(ctx, "a/b", strings.NewReader("text")); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(disk.Cut(storetest.LoseAll, 0).Files())
	// Output: [a/b]
}
