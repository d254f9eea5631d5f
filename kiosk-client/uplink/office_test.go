package uplink_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// office is a server with the real devices, over a real store, and an intake that keeps the seal's rules only.
type office struct {
	pb.UnimplementedDeviceServiceServer
	pb.UnimplementedRatingServiceServer
	t          *testing.T
	devices    *device.Devices
	connection *grpc.ClientConn

	manual *clock.Manual // of the server and, where a test says so, of the device

	mu      sync.Mutex
	tokens  int
	batches [][]uint64
	refuse  int  // calls with a token to refuse as if it had ended
	lost    bool // the next answer to an enrolment is lost
}

const messageLimit = 8 << 10

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, manual: clock.NewManual(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC))}
	folder := t.TempDir()
	engine, err := sqlite.Open(t.Context(), folder, sqlite.Options{Now: o.clock})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Load(t.Context(), engine, secret.Source{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	bus := local.New(local.Options{Now: o.clock})
	o.devices, err = device.Open(t.Context(), engine, device.Options{Keys: keys, Limits: bus, Nonces: bus, Feed: bus, Now: o.clock})
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageLimit))
	pb.RegisterDeviceServiceServer(server, o)
	pb.RegisterRatingServiceServer(server, o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends with Stop
	o.connection, err = grpc.NewClient("passthrough:///office", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := o.connection.Close()
		server.Stop()
		serving.Wait()
		o.devices.Close()
		if err := errors.Join(err, bus.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) clock() time.Time { return o.manual.Now() }

func asStatus(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	return status.Error(map[fault.Code]codes.Code{fault.Invalid: codes.InvalidArgument, fault.Unauthenticated: codes.Unauthenticated,
		fault.Denied: codes.PermissionDenied}[f.Code], f.Reason)
}

func (o *office) EnrollDevice(ctx context.Context, r *pb.EnrollDeviceRequest) (*pb.EnrollDeviceResponse, error) {
	d, err := o.devices.Enroll(ctx, r.GetCode(), r.GetPublicKey(), "10.0.0.1")
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost {
		o.lost = false
		return nil, status.Error(codes.Unavailable, "the line went dead")
	}
	return &pb.EnrollDeviceResponse{DeviceId: d.ID, Name: d.Name}, asStatus(err)
}

func (o *office) CreateDeviceNonce(_ context.Context, r *pb.CreateDeviceNonceRequest) (*pb.CreateDeviceNonceResponse, error) {
	return &pb.CreateDeviceNonceResponse{Nonce: o.devices.CreateNonce(r.GetDeviceId())}, nil
}

func (o *office) CreateDeviceToken(ctx context.Context, r *pb.CreateDeviceTokenRequest) (*pb.CreateDeviceTokenResponse, error) {
	o.mu.Lock()
	o.tokens++
	o.mu.Unlock()
	token, expires, err := o.devices.CreateToken(ctx, r.GetDeviceId(), r.GetNonce(), r.GetSignature())
	return &pb.CreateDeviceTokenResponse{Token: token, ExpiresAt: timestamppb.New(expires)}, asStatus(err)
}

func (o *office) caller(ctx context.Context) (string, error) {
	o.mu.Lock()
	refuse := o.refuse > 0
	if refuse {
		o.refuse--
	}
	o.mu.Unlock()
	if refuse {
		return "", status.Error(codes.Unauthenticated, "device_token_ended")
	}
	caller, err := o.devices.Authenticate(ctx, strings.TrimPrefix(metadata.ValueFromIncomingContext(ctx, "authorization")[0], "Bearer "))
	return caller.DeviceID, asStatus(err)
}

func (o *office) SendHeartbeat(ctx context.Context, r *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	id, err := o.caller(ctx)
	if err != nil || id != r.GetDeviceId() {
		return nil, errors.Join(err, status.Error(codes.PermissionDenied, "another device"))
	}
	through, err := o.devices.StoredThrough(ctx, id)
	return &pb.SendHeartbeatResponse{StoredThrough: through, ServerTime: timestamppb.New(o.clock())}, asStatus(err)
}

func (o *office) SubmitRatings(ctx context.Context, r *pb.SubmitRatingsRequest) (*pb.SubmitRatingsResponse, error) {
	id, err := o.caller(ctx)
	if err != nil {
		return nil, err
	}
	items := make([][]byte, len(r.GetItems()))
	for i, item := range r.GetItems() {
		items[i] = item.GetRating()
	}
	if err := o.devices.VerifySeal(ctx, id, r.GetSeal(), items); err != nil {
		return nil, asStatus(err)
	}
	answer := &pb.SubmitRatingsResponse{}
	var sequences []uint64
	for i, item := range r.GetItems() {
		got := &pb.Rating{}
		if err := proto.Unmarshal(item.GetRating(), got); err != nil {
			return nil, err
		}
		var commitment []byte
		if rating.HasPrivate(item.GetPrivate()) {
			var err error
			if commitment, err = rating.Commitment(item.GetPrivate()); err != nil {
				return nil, err
			}
		}
		if got.GetDeviceId() != id || got.GetDeviceSequence() != r.GetSeal().GetFirstSequence()+uint64(i) ||
			!bytes.Equal(got.GetPrivateCommitment(), commitment) {
			return nil, status.Error(codes.InvalidArgument, "not as it was sealed")
		}
		sequences = append(sequences, got.GetDeviceSequence())
		answer.Outcomes = append(answer.Outcomes, &pb.ItemOutcome{RatingId: got.GetId(), Outcome: pb.Outcome_OUTCOME_STORED})
	}
	o.mu.Lock()
	o.batches = append(o.batches, sequences)
	o.mu.Unlock()
	return answer, asStatus(o.devices.Received(ctx, id, sequences, r.GetSeal()))
}

// make makes a device at the office and answers its id and code.
func (o *office) make() (string, string) {
	o.t.Helper()
	d, code, err := o.devices.Create(o.t.Context(), "", "Kiosk 1", []device.Binding{{UnitID: "U"}})
	if err != nil {
		o.t.Fatal(err)
	}
	return d.ID, code.Text
}
