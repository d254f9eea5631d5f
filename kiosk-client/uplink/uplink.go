package uplink

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// refreshBefore is how long before a token's end another is fetched.
const refreshBefore = 5 * time.Minute

// maxItems is what the contract allows a call.
const maxItems = 1000

// Uplink is a device's way to one server. Its methods may be called by many goroutines.
type Uplink struct {
	device  *Device
	devices pb.DeviceServiceClient
	ratings pb.RatingServiceClient
	now     func() time.Time
	turn    chan struct{} // held by who reads or fetches the token
	token   string
	renewAt time.Time
}

// New makes a device's uplink over a connection, which stays the caller's. now is the clock; nil = time.Now.
func New(device *Device, connection grpc.ClientConnInterface, now func() time.Time) *Uplink {
	if now == nil {
		now = time.Now
	}
	return &Uplink{device: device, devices: pb.NewDeviceServiceClient(connection), ratings: pb.NewRatingServiceClient(connection),
		now: now, turn: make(chan struct{}, 1)}
}

// Enroll binds a new key to the device whose one-time code this is. When the answer is lost, call it again with the same
// code. A device that enrols again keeps its chain; one that lost its file goes on after what the server holds.
func (u *Uplink) Enroll(ctx context.Context, code string) error {
	public, err := u.device.enrolling()
	if err != nil {
		return err
	}
	answer, err := u.devices.EnrollDevice(ctx, &pb.EnrollDeviceRequest{Code: code, PublicKey: public})
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if err := u.device.enrolled(answer.GetDeviceId(), answer.GetName(), public); err != nil {
		return err
	}
	u.forget("")
	heartbeat, err := u.Heartbeat(ctx, nil)
	if err != nil {
		return err
	}
	return u.device.skip(heartbeat.GetStoredThrough())
}

// Token answers a bearer token that holds for some minutes at least, fetching one where needed.
func (u *Uplink) Token(ctx context.Context) (string, error) {
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if u.token != "" && u.now().Before(u.renewAt) {
		return u.token, nil
	}
	id, key, err := u.device.signing()
	if err != nil {
		return "", err
	}
	nonce, err := u.devices.CreateDeviceNonce(ctx, &pb.CreateDeviceNonceRequest{DeviceId: id})
	if err != nil {
		return "", fmt.Errorf("fetch nonce: %w", err)
	}
	answer, err := u.devices.CreateDeviceToken(ctx, &pb.CreateDeviceTokenRequest{DeviceId: id, Nonce: nonce.GetNonce(),
		Signature: ed25519.Sign(key, append([]byte("hailong.v1.DeviceToken\x00"), nonce.GetNonce()...))})
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	u.token, u.renewAt = answer.GetToken(), answer.GetExpiresAt().AsTime().Add(-refreshBefore)
	return u.token, nil
}

// forget drops a token that the server refused, or any ("").
func (u *Uplink) forget(token string) {
	u.turn <- struct{}{}
	if token == "" || u.token == token {
		u.token = ""
	}
	<-u.turn
}

// Authorize puts the device's token on a call to be made with the answer.
func (u *Uplink) Authorize(ctx context.Context) (context.Context, error) {
	token, err := u.Token(ctx)
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// call makes a call with the device's token, and once more with another where the server refused that one: the token may
// have ended, or the server's clock may be another.
func (u *Uplink) call(ctx context.Context, do func(context.Context) error) error {
	for again := false; ; again = true {
		token, err := u.Token(ctx)
		if err != nil {
			return err
		}
		err = do(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token))
		if status.Code(err) != codes.Unauthenticated || again {
			return err
		}
		u.forget(token)
	}
}

// Heartbeat tells how the device is and answers what of its ratings arrived. The device's id is filled in.
func (u *Uplink) Heartbeat(ctx context.Context, how *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	if how == nil {
		how = &pb.SendHeartbeatRequest{}
	}
	how.DeviceId = u.device.ID()
	var answer *pb.SendHeartbeatResponse
	err := u.call(ctx, func(ctx context.Context) (err error) {
		answer, err = u.devices.SendHeartbeat(ctx, how)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("send heartbeat: %w", err)
	}
	return answer, nil
}

// Submit sends a batch and answers one outcome an item, in order. A batch the server finds too large is sent in
// halves; an item that is too large even alone is answered by an error, with the outcomes of all before it, so
// that len(outcomes) is how many items were judged. On any error, the rest may be sent again.
func (u *Uplink) Submit(ctx context.Context, batch Batch) ([]*pb.ItemOutcome, error) {
	if len(batch.Items) == 0 {
		return nil, nil
	}
	if len(batch.Items) > maxItems {
		return u.submitHalves(ctx, batch)
	}
	request, err := u.device.Request(batch)
	if err != nil {
		return nil, err
	}
	var answer *pb.SubmitRatingsResponse
	err = u.call(ctx, func(ctx context.Context) (err error) {
		answer, err = u.ratings.SubmitRatings(ctx, request)
		return err
	})
	if tooLarge(err) && len(batch.Items) > 1 {
		return u.submitHalves(ctx, batch)
	}
	if err != nil {
		return nil, fmt.Errorf("submit %d ratings from sequence %d: %w", len(batch.Items), batch.First, err)
	}
	if len(answer.GetOutcomes()) != len(batch.Items) {
		return nil, fmt.Errorf("submit %d ratings: %d were answered", len(batch.Items), len(answer.GetOutcomes()))
	}
	return answer.GetOutcomes(), nil
}

func (u *Uplink) submitHalves(ctx context.Context, batch Batch) ([]*pb.ItemOutcome, error) {
	first, second := batch.Halves()
	outcomes, err := u.Submit(ctx, first)
	if err != nil {
		return outcomes, err
	}
	rest, err := u.Submit(ctx, second)
	return append(outcomes, rest...), err
}

// tooLarge tells a message over the limit from a caller over its limit: both are ResourceExhausted.
func tooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(status.Convert(err).Message(), "larger than max")
}
