package store_test

import (
	"testing"

	"github.com/goips/ips/repo/store"
	"github.com/goips/ips/repo/store/storetest"
)

// tempDir returns a Dir in a new directory.
func tempDir(t testing.TB) store.Store {
	s, err := store.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestDir(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return tempDir(t) })
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return store.Memory() })
}

func TestSub(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return store.Sub(store.Memory(), "a/b") })
}

func TestSubOfDir(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return store.Sub(tempDir(t), "a/b") })
}

func TestDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.NewDisk().Store() })
}

// A plain store has the four methods and nothing else.
type plain struct{ store.Store }

func TestPlain(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return plain{store.Memory()} })
}
