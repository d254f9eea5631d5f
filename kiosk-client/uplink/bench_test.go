package uplink_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// willing is a server that takes everything at once and keeps nothing: what is measured is the device's side.
type willing struct {
	pb.UnimplementedDeviceServiceServer
	pb.UnimplementedRatingServiceServer
}

func (willing) EnrollDevice(context.Context, *pb.EnrollDeviceRequest) (*pb.EnrollDeviceResponse, error) {
	return &pb.EnrollDeviceResponse{DeviceId: "k1", Name: "Kiosk 1"}, nil
}

func (willing) CreateDeviceNonce(context.Context, *pb.CreateDeviceNonceRequest) (*pb.CreateDeviceNonceResponse, error) {
	return &pb.CreateDeviceNonceResponse{Nonce: []byte("nonce")}, nil
}

func (willing) CreateDeviceToken(context.Context, *pb.CreateDeviceTokenRequest) (*pb.CreateDeviceTokenResponse, error) {
	return &pb.CreateDeviceTokenResponse{Token: "token"}, nil
}

func (willing) SendHeartbeat(context.Context, *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	return &pb.SendHeartbeatResponse{ServerTime: timestamppb.Now()}, nil
}

func (willing) StreamRatings(stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse]) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, item := range request.GetItems() {
			r := &pb.Rating{}
			if err := proto.Unmarshal(item.GetRating(), r); err != nil {
				return err
			}
			if err := stream.Send(&pb.StreamRatingsResponse{Outcome: &pb.ItemOutcome{RatingId: r.GetId(), Outcome: pb.Outcome_OUTCOME_STORED}}); err != nil {
				return err
			}
		}
	}
}

// BenchmarkDrain sends a queue of 100,000 from a durable journal to a server that only answers. Run it with -benchtime=1x.
func BenchmarkDrain(b *testing.B) {
	const queued = 100_000
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterDeviceServiceServer(server, willing{})
	pb.RegisterRatingServiceServer(server, willing{})
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	defer func() { server.Stop(); running.Wait() }()
	address := "http://" + listener.Addr().String()
	for b.Loop() {
		b.StopTimer()
		j, err := journal.Open(b.Context(), b.TempDir(), journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		up, err := uplink.New(b.Context(), uplink.Options{Journal: j, Server: address})
		if err != nil {
			b.Fatal(err)
		}
		if err := up.Enroll(b.Context(), "", "7F3K-9QWD-XM2P"); err != nil {
			b.Fatal(err)
		}
		for range queued / 1000 {
			items := make([]journal.Item, 1000)
			for i := range items {
				items[i].Rating = &pb.Rating{Id: uuid.Must(uuid.NewV7()).String(), UnitId: "unit", CounterId: "counter", QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: 4}
			}
			if _, err := j.Append(b.Context(), items); err != nil {
				b.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(b.Context())
		b.StartTimer()
		var draining sync.WaitGroup
		draining.Go(func() { _ = up.Run(ctx) })
		for up.State().Queue > 0 {
			time.Sleep(time.Millisecond)
		}
		b.StopTimer()
		cancel()
		draining.Wait()
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*queued/b.Elapsed().Seconds(), "ratings/s")
}
