package repo_test

import (
	"context"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
	"github.com/goips/ips/repo"
	"github.com/goips/ips/repo/store"
)

// A package is published from its manifest and the files it delivers, and read
// back.
func Example() {
	ctx := context.Background()
	if err := publishGreeting(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pkg://example.org/greeting@1.0,5.11:20260102T030405Z
	// listed: pkg://example.org/greeting@1.0,5.11:20260102T030405Z
}

func publishGreeting(ctx context.Context) error {
	clock := &repo.Options{Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
	r, err := repo.Create(ctx, store.Memory(), repo.Config{DefaultPublisher: "example.org"}, clock)
	if err != nil {
		return err
	}
	m, err := manifest.Parse("greeting.p5m", []byte(`set name=pkg.fmri value=greeting@1.0
file path=usr/share/greeting owner=root group=bin mode=0444
`))
	if err != nil {
		return err
	}
	files := fstest.MapFS{"usr/share/greeting": {Data: []byte("hello, world\n")}}
	done, err := repo.Publish(ctx, r, m, &repo.PublishOptions{Content: repo.Proto(files)})
	if err != nil {
		return err
	}
	fmt.Println(done.FMRI)
	catalog, err := r.Catalog(ctx, "example.org")
	if err != nil {
		return err
	}
	for p := range catalog.All() {
		fmt.Println("listed:", p.FMRI())
	}
	return nil
}

// A copy of the newest versions with all that they depend on.
func ExampleSelection() {
	s := repo.Selection{
		Patterns:     []fmri.Pattern{fmri.MustParsePattern("web/*")},
		Versions:     repo.Latest,
		Dependencies: true,
	}
	src, err := repo.Create(context.Background(), store.Memory(), repo.Config{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Find(context.Background(), src)
	fmt.Println(err)
	// Output: no package matches web/*
}
