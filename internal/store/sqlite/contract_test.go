package sqlite_test

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Reopenable {
		folder := t.TempDir()
		return storetest.Reopenable{Open: func(t *testing.T) store.Engine {
			engine, err := sqlite.Open(t.Context(), folder, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return engine
		}}
	})
}
