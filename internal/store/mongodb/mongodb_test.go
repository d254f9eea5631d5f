package mongodb_test

import (
	"context"
	"testing"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/storetest"
	"github.com/hailong-vn/hailong/internal/testengine"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Reopenable {
		uri, database := testDatabase(t)
		return storetest.Reopenable{Open: func(t *testing.T) store.Engine { return open(t, uri, database) }}
	})
}

// testDatabase is an empty database of the test's own, gone when it ends.
func testDatabase(t testing.TB) (uri, database string) {
	t.Helper()
	uri, database = testengine.MongoDB(t)
	t.Cleanup(func() {
		client, err := mongo.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			t.Error(err)
			return
		}
		ctx := context.Background()
		if err := client.Database(database).Drop(ctx); err != nil {
			t.Error(err)
		}
		if err := client.Disconnect(ctx); err != nil {
			t.Error(err)
		}
	})
	return uri, database
}

func open(t testing.TB, uri, database string) *mongodb.Engine {
	t.Helper()
	engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}
