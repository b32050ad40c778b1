package store_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/goips/ips/repo/store"
)

func Example() {
	ctx := context.Background()
	s := store.Memory()
	for _, name := range []string{"notes/today", "notes/old/monday", "readme"} {
		if err := s.Put(ctx, name, strings.NewReader("text of "+name)); err != nil {
			fmt.Println(err)
			return
		}
	}
	for info, err := range store.ListDir(ctx, s, "notes") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(info.Name, info.Size)
	}
	// Output:
	// notes/old/ 0
	// notes/today 19
}
