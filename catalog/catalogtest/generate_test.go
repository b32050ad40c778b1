package catalogtest

import (
	"testing"
	"time"
)

func TestGenerateSize(t *testing.T) {
	start := time.Now()
	c, err := Generate(&Options{Versions: 50000})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(c.Len(), time.Since(start))
	s, err := c.Stats(5)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s)
}
