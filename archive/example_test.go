package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/goips/ips/archive"
	"github.com/goips/ips/fmri"
	"github.com/goips/ips/manifest"
)

func Example() {
	// Content becomes a payload when it is packed. Programs keep what comes out in a
	// file or a repository.
	var stored bytes.Buffer
	content := []byte("hello, world\n")
	payload, err := manifest.NewPacker(nil).Pack(&stored, bytes.NewReader(content), int64(len(content)))
	if err != nil {
		fmt.Println(err)
		return
	}

	// A manifest names the payload.
	f := fmri.MustParse("pkg://example.org/greeting@1.0-1:20240702T164744Z")
	var m manifest.Manifest
	if err := m.Add(
		manifest.MustParseAction("set name=pkg.fmri value="+f.String()),
		manifest.MustParseAction("file NOHASH path=etc/greeting owner=root group=sys mode=0644").WithPayload(payload),
	); err != nil {
		fmt.Println(err)
		return
	}

	// The archive is written by Close.
	var file bytes.Buffer
	w := archive.NewWriter(&file, nil)
	open := func(manifest.Payload) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(stored.Bytes())), nil
	}
	if err := w.Add(f, &m, open); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	// It reads back: members, packages, and payloads, which are verified.
	r, err := archive.NewReader(context.Background(), bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for member := range r.Members() {
		fmt.Println(member.Name)
	}
	for f, err := range r.Packages("example.org") {
		fmt.Println(f, err)
	}
	packed, err := r.Payload(context.Background(), "example.org", payload.Name())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer packed.Close()
	unpacked, err := io.ReadAll(payload.Verify(packed))
	fmt.Printf("%s%v\n", unpacked, err)
	// Output:
	// publisher
	// publisher/example.org
	// publisher/example.org/pkg
	// publisher/example.org/pkg/greeting
	// publisher/example.org/pkg/greeting/1.0%2C5.11-1%3A20240702T164744Z
	// publisher/example.org/file
	// publisher/example.org/file/cd
	// publisher/example.org/file/cd/cd50d19784897085a8d0e3e413f8612b097c03f1
	// pkg5.repository
	// pkg://example.org/greeting@1.0,5.11-1:20240702T164744Z <nil>
	// hello, world
	// <nil>
}

func ExampleParseInfo() {
	info, err := archive.ParseInfo("example.p5i", []byte(`{
	  "packages": [],
	  "publishers": [{"alias": null, "name": "example.org", "packages": ["web/server"],
	    "repositories": [{"origins": ["http://pkg.example.org"]}]}],
	  "version": 1
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range info.Publishers {
		fmt.Println(p.Name, p.Packages, p.Repository.Origins)
	}
	// Output:
	// example.org [web/server] [http://pkg.example.org/]
}
