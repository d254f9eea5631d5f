package mongodb_test

import (
	"context"
	"os"
	"slices"
	"sync"
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

// TestContract runs the suite with the account that a service has. Where a test declares a kind, an administrator sets it up first.
func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Reopenable {
		admin, database := testDatabase(t)
		p := &prepared{admin: admin, database: database, kinds: []store.Kind{{Name: "notes"}, {Name: "journal", AppendOnly: true}}}
		p.setup(t)
		p.engine = open(t, admin, database)
		t.Cleanup(func() { _ = p.engine.Close() })
		return storetest.Reopenable{Open: func(t *testing.T) store.Engine {
			return serviceEngine{open(t, serviceURI(t, admin, database), ""), p, t}
		}}
	})
}

// prepared is a database in the care of an administrator.
type prepared struct {
	admin, database string
	engine          *mongodb.Engine // the administrator's

	mu    sync.Mutex
	kinds []store.Kind
}

func (p *prepared) setup(t testing.TB) {
	if err := mongodb.Setup(context.Background(), p.admin, p.database, p.kinds, serviceName, servicePassword); err != nil {
		t.Errorf("set-up: %v", err)
	}
}

func (p *prepared) declare(ctx context.Context, t testing.TB, kind store.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(p.kinds, func(k store.Kind) bool { return k.Name == kind.Name && k.AppendOnly == kind.AppendOnly }) {
		p.kinds = append(p.kinds, kind)
		p.setup(t)
	}
	_, _ = p.engine.Documents(ctx, kind) // an error is for the service to find
}

type serviceEngine struct {
	*mongodb.Engine
	prepared *prepared
	t        *testing.T
}

func (e serviceEngine) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	if store.CheckKind(kind) == nil {
		e.prepared.declare(ctx, e.t, kind)
	}
	return e.Engine.Documents(ctx, kind)
}

// testDatabase is an empty database of the test's own.
func testDatabase(t testing.TB) (uri, database string) {
	t.Helper()
	uri, database = testengine.MongoDB(t)
	if os.Getenv("HAILONG_TEST_MONGODB_URI") == "" {
		return uri, database // the server goes as a whole
	}
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
