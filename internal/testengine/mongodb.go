package testengine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const envMongoDB = "HAILONG_TEST_MONGODB_URI"

// The account every set of ours has.
const adminName = "admin"

// ReplicaSet is a MongoDB replica set of a test's own, with authorization on.
type ReplicaSet struct {
	URI   string // of an account that may do everything
	Nodes []*Server
}

// MongoDB answers the URI of a replica set, of an account that may do everything, and the name of a database that nobody
// else uses. All tests of the process share one set of one node; where HAILONG_TEST_MONGODB_URI is set, it is that
// one, and its databases hailong_test_* are left to its owner.
func MongoDB(t testing.TB) (uri, database string) {
	t.Helper()
	database = "hailong_test_" + strings.ToLower(rand.Text()[:16])
	if uri := os.Getenv(envMongoDB); uri != "" {
		return uri, database
	}
	find(t, NameMongoDB, mongodPath)
	set, err := shared()
	if err != nil {
		unavailable(t, NameMongoDB, err.Error())
	}
	return set.URI, database
}

// StartMongoDB starts a set of its own with that many nodes, for tests that kill and restart them.
func StartMongoDB(t testing.TB, nodes int) *ReplicaSet {
	t.Helper()
	path := find(t, NameMongoDB, mongodPath)
	set, err := startSet(path, t.TempDir(), nodes, false)
	if set != nil {
		t.Cleanup(set.kill)
	}
	if err != nil {
		unavailable(t, NameMongoDB, err.Error())
	}
	return set
}

// Primary waits until a node is primary and answers it.
func (r *ReplicaSet) Primary(ctx context.Context) (*Server, error) {
	var primary *Server
	err := poll(ctx, func() (bool, error) {
		for _, node := range r.Nodes {
			answer, err := mongodbCommand(ctx, node.Addr, bson.D{{Key: "hello", Value: 1}})
			if err != nil {
				continue
			}
			if is, _ := answer.Lookup("isWritablePrimary").BooleanOK(); is {
				primary = node
				return true, nil
			}
		}
		return false, nil
	})
	return primary, err
}

func (r *ReplicaSet) kill() {
	for _, node := range r.Nodes {
		node.Kill()
	}
}

// shared is the process's one set, started once. Its keeper ends it and removes its files when the process is gone.
var shared = sync.OnceValues(func() (*ReplicaSet, error) {
	path, missing := mongodPath()
	if path == "" {
		return nil, errors.New(missing)
	}
	folder, err := os.MkdirTemp("", "hailong-mongod-")
	if err != nil {
		return nil, err
	}
	set, err := startSet(path, folder, 1, true)
	if err == nil {
		// On a machine that runs everything at once the one node may answer late; it does not go away.
		set.URI += "&serverSelectionTimeoutMS=60000"
	}
	return set, err
})

// startSet starts the nodes, joins them and makes the account. Where it fails the nodes started are in the answer.
func startSet(path, folder string, nodes int, sweep bool) (*ReplicaSet, error) {
	key, password := filepath.Join(folder, "key"), rand.Text()
	if err := os.WriteFile(key, []byte(rand.Text()+rand.Text()), 0o400); err != nil {
		return nil, err
	}
	set := &ReplicaSet{}
	var members bson.A
	var addrs []string
	for i := range nodes {
		node, err := startNode(path, folder, key, i, sweep)
		if err != nil {
			set.kill()
			return nil, err
		}
		set.Nodes = append(set.Nodes, node)
		members = append(members, bson.D{{Key: "_id", Value: i}, {Key: "host", Value: node.Addr}})
		addrs = append(addrs, node.Addr)
	}
	fail := func(err error) (*ReplicaSet, error) {
		set.kill()
		return nil, fmt.Errorf("the replica set does not come up: %w\n%s", err, set.Nodes[0].logEnd())
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	// Until the first account exists, mongod lets a caller on the same machine do these two things.
	if _, err := mongodbCommand(ctx, addrs[0], bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: "hailong"}, {Key: "members", Value: members},
		{Key: "settings", Value: bson.D{{Key: "electionTimeoutMillis", Value: 2000}}},
	}}}); err != nil {
		return fail(err)
	}
	primary, err := set.Primary(ctx)
	if err != nil {
		return fail(err)
	}
	if _, err := mongodbCommand(ctx, primary.Addr, bson.D{
		{Key: "createUser", Value: adminName}, {Key: "pwd", Value: password}, {Key: "roles", Value: bson.A{"root"}},
		{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}},
	}); err != nil {
		return fail(err)
	}
	set.URI = (&url.URL{
		Scheme: "mongodb", User: url.UserPassword(adminName, password), Host: strings.Join(addrs, ","), Path: "/",
		RawQuery: "replicaSet=hailong&authSource=admin",
	}).String()
	return set, nil
}

func startNode(path, folder, key string, i int, sweep bool) (*Server, error) {
	addr, port, err := freeAddr()
	if err != nil {
		return nil, err
	}
	own := filepath.Join(folder, fmt.Sprintf("node%d", i))
	if err := os.MkdirAll(filepath.Join(own, "db"), 0o700); err != nil {
		return nil, err
	}
	node := &Server{
		Addr: addr, folder: own, ready: mongodReady,
		command: []string{
			path, "--bind_ip", "127.0.0.1", "--port", port, "--nounixsocket", "--dbpath", filepath.Join(own, "db"),
			"--replSet", "hailong", "--keyFile", key, "--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256",
			"--setParameter", "diagnosticDataCollectionEnabled=false",
			"--setParameter", "ttlMonitorSleepSecs=1", // so that a test can see documents expire
		},
	}
	if sweep {
		node.sweep = folder
	}
	return node, node.Start()
}

func mongodReady(ctx context.Context, addr string) error {
	_, err := mongodbCommand(ctx, addr, bson.D{{Key: "hello", Value: 1}})
	return err
}

// mongodPath finds the mongod to start: on PATH, or where fetch.sh puts it.
func mongodPath() (string, string) {
	path, missing := onPath("mongod is neither on PATH nor in .cache/engines; run `make engines`", "mongod")
	if path != "" {
		return path, ""
	}
	dir, ok := root()
	if !ok {
		return "", missing
	}
	path = filepath.Join(dir, ".cache", "engines", "mongod")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", missing
	} else if err != nil {
		return "", err.Error()
	}
	return path, ""
}

// WithDatabase names a database in the URI, as programs are given it; who signs in is still known by admin.
func WithDatabase(uri, database string) string {
	parsed, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	parsed.Path = "/" + database
	if query := parsed.Query(); parsed.User != nil && query.Get("authSource") == "" {
		query.Set("authSource", "admin")
		parsed.RawQuery = query.Encode()
	}
	return parsed.String()
}
