package uplink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
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

// office is a server with the real devices, over a real store, and an intake that keeps the seal's rules only. It can be stopped, started,
// and set back to a copy of itself.
type office struct {
	pb.UnimplementedDeviceServiceServer
	pb.UnimplementedRatingServiceServer
	t          *testing.T
	devices    *device.Devices
	connection *grpc.ClientConn

	manual *clock.Manual // of the server and, where a test says so, of the device
	live   bool          // time passes by itself
	folder string
	stop   func()

	mu       sync.Mutex
	listener *bufconn.Listener // nil while it is stopped
	tokens   int
	batches  [][]uint64
	stored   map[string][]byte // by rating id
	beats    []*pb.SendHeartbeatRequest
	refuse   int  // calls with a token to refuse as if it had ended
	lost     bool // the next answer to an enrolment is lost
	cloned   bool
	// after is asked after the nth item of a stream was stored and before it is answered.
	after      func(n int) error
	judged     int
	judge      func(*pb.Rating) *pb.ItemOutcome // instead of storing, where it answers something
	config     *pb.Configuration
	configured chan struct{} // closed when config changes
	photos     map[string][]byte
}

const messageLimit = 8 << 10

func newOffice(t *testing.T) *office {
	t.Helper()
	return officeWith(t, false)
}

// liveOffice is an office whose time passes.
func liveOffice(t *testing.T) *office {
	t.Helper()
	return officeWith(t, true)
}

func officeWith(t *testing.T, live bool) *office {
	t.Helper()
	o := &office{t: t, live: live, manual: clock.NewManual(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)), folder: t.TempDir(), stored: map[string][]byte{},
		configured: make(chan struct{}), photos: map[string][]byte{}}
	o.start()
	var err error
	if o.connection, err = grpc.NewClient("passthrough:///office", append(o.dial(), grpc.WithTransportCredentials(insecure.NewCredentials()))...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.connection.Close(); err != nil {
			t.Error(err)
		}
		o.stop()
	})
	return o
}

// dial leads to the office, whatever address is asked for.
func (o *office) dial() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		o.mu.Lock()
		listener := o.listener
		o.mu.Unlock()
		if listener == nil {
			return nil, errors.New("connection refused")
		}
		return listener.DialContext(ctx)
	})}
}

func (o *office) start() {
	o.t.Helper()
	engine, err := sqlite.Open(o.t.Context(), o.folder, sqlite.Options{Now: o.clock})
	if err != nil {
		o.t.Fatal(err)
	}
	keys, err := secret.Load(o.t.Context(), engine, secret.Source{Folder: o.folder})
	if err != nil {
		o.t.Fatal(err)
	}
	bus := local.New(local.Options{Now: o.clock})
	o.devices, err = device.Open(o.t.Context(), engine, device.Options{Keys: keys, Limits: bus, Nonces: bus, Feed: bus, Now: o.clock})
	if err != nil {
		o.t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageLimit))
	pb.RegisterDeviceServiceServer(server, o)
	pb.RegisterRatingServiceServer(server, o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // ends with Stop
	o.mu.Lock()
	o.listener = listener
	o.mu.Unlock()
	o.stop = sync.OnceFunc(func() {
		o.mu.Lock()
		o.listener = nil
		o.mu.Unlock()
		server.Stop()
		serving.Wait()
		o.devices.Close()
		if err := errors.Join(bus.Close(), engine.Close()); err != nil {
			o.t.Error(err)
		}
	})
}

// backup is a copy of everything the office has.
type backup struct {
	folder string
	stored map[string][]byte
}

// backup stops the office, copies it and starts it again.
func (o *office) backup() backup {
	o.t.Helper()
	b := backup{filepath.Join(o.t.TempDir(), "backup"), maps.Clone(o.ratings())}
	o.stop()
	if err := os.CopyFS(b.folder, os.DirFS(o.folder)); err != nil {
		o.t.Fatal(err)
	}
	o.start()
	return b
}

// restore makes the office what it was.
func (o *office) restore(b backup) {
	o.t.Helper()
	o.stop()
	o.mu.Lock()
	o.folder, o.stored = b.folder, b.stored
	o.mu.Unlock()
	o.start()
}

// ratings are those stored, by id.
func (o *office) ratings() map[string][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.stored)
}

func (o *office) clock() time.Time {
	if o.live {
		return time.Now()
	}
	return o.manual.Now()
}

func asStatus(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	s, err := status.New(map[fault.Code]codes.Code{fault.Invalid: codes.InvalidArgument, fault.Unauthenticated: codes.Unauthenticated,
		fault.Denied: codes.PermissionDenied}[f.Code], f.Reason).WithDetails(&errdetails.ErrorInfo{Reason: f.Reason, Domain: "hailong"})
	return errors.Join(err, s.Err())
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
	o.mu.Lock()
	o.beats = append(o.beats, r)
	answer := &pb.SendHeartbeatResponse{ServerTime: timestamppb.New(o.clock()), Cloned: o.cloned, ConfigurationVersion: o.config.GetVersion()}
	o.mu.Unlock()
	answer.StoredThrough, err = o.devices.StoredThrough(ctx, id)
	return answer, asStatus(err)
}

func (o *office) SubmitRatings(ctx context.Context, r *pb.SubmitRatingsRequest) (*pb.SubmitRatingsResponse, error) {
	outcomes, err := o.submit(ctx, r.GetItems(), r.GetSeal())
	return &pb.SubmitRatingsResponse{Outcomes: outcomes}, err
}

func (o *office) StreamRatings(stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse]) error {
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		outcomes, err := o.submit(stream.Context(), r.GetItems(), r.GetSeal())
		if err != nil {
			return err
		}
		for _, outcome := range outcomes {
			o.mu.Lock()
			o.judged++
			n, after := o.judged, o.after
			o.mu.Unlock()
			if after != nil {
				if err := after(n); err != nil {
					return err
				}
			}
			if err := stream.Send(&pb.StreamRatingsResponse{Outcome: outcome}); err != nil {
				return err
			}
		}
	}
}

func (o *office) submit(ctx context.Context, sealed []*pb.SealedRating, s *pb.BatchSeal) ([]*pb.ItemOutcome, error) {
	id, err := o.caller(ctx)
	if err != nil {
		return nil, err
	}
	items := make([][]byte, len(sealed))
	for i, item := range sealed {
		items[i] = item.GetRating()
	}
	if err := o.devices.VerifySeal(ctx, id, s, items); err != nil {
		return nil, asStatus(err)
	}
	var outcomes []*pb.ItemOutcome
	var sequences []uint64
	for i, item := range sealed {
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
		if got.GetDeviceId() != id || got.GetDeviceSequence() != s.GetFirstSequence()+uint64(i) ||
			!bytes.Equal(got.GetPrivateCommitment(), commitment) {
			return nil, status.Error(codes.InvalidArgument, "not as it was sealed")
		}
		outcome := o.keep(got, item.GetRating())
		if outcome.GetOutcome() == pb.Outcome_OUTCOME_STORED || outcome.GetOutcome() == pb.Outcome_OUTCOME_DUPLICATE || outcome.GetQuarantineId() != "" {
			sequences = append(sequences, got.GetDeviceSequence())
		}
		outcomes = append(outcomes, outcome)
	}
	o.mu.Lock()
	o.batches = append(o.batches, sequences)
	o.mu.Unlock()
	return outcomes, asStatus(o.devices.Received(ctx, id, sequences, s))
}

func (o *office) keep(got *pb.Rating, encoded []byte) *pb.ItemOutcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.judge != nil {
		if outcome := o.judge(got); outcome != nil {
			return outcome
		}
	}
	before, known := o.stored[got.GetId()]
	switch {
	case !known:
		o.stored[got.GetId()] = encoded
		return &pb.ItemOutcome{RatingId: got.GetId(), Outcome: pb.Outcome_OUTCOME_STORED}
	case bytes.Equal(before, encoded):
		return &pb.ItemOutcome{RatingId: got.GetId(), Outcome: pb.Outcome_OUTCOME_DUPLICATE}
	}
	return &pb.ItemOutcome{RatingId: got.GetId(), Outcome: pb.Outcome_OUTCOME_CONFLICT, QuarantineId: "q", ReasonCode: "rating_conflict"}
}

// configure pushes a configuration to the device it names.
func (o *office) configure(c *pb.Configuration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.config = c
	close(o.configured)
	o.configured = make(chan struct{})
}

func (o *office) GetConfiguration(ctx context.Context, _ *pb.GetConfigurationRequest) (*pb.Configuration, error) {
	if _, err := o.caller(ctx); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.config, nil
}

func (o *office) WatchConfiguration(r *pb.WatchConfigurationRequest, stream grpc.ServerStreamingServer[pb.Configuration]) error {
	if _, err := o.caller(stream.Context()); err != nil {
		return err
	}
	for known := r.GetKnownVersion(); ; {
		o.mu.Lock()
		config, next := o.config, o.configured
		o.mu.Unlock()
		if config != nil && config.GetVersion() != known {
			if err := stream.Send(config); err != nil {
				return err
			}
			known = config.GetVersion()
		}
		select {
		case <-next:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func (o *office) GetOfficialPhoto(ctx context.Context, r *pb.GetOfficialPhotoRequest) (*pb.OfficialPhoto, error) {
	if _, err := o.caller(ctx); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, official := range o.config.GetOfficials() {
		if official.GetId() == r.GetOfficialId() {
			return &pb.OfficialPhoto{Jpeg: o.photos[r.GetOfficialId()], PhotoVersion: official.GetPhotoVersion()}, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no photo")
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
