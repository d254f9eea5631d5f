package uplink

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// A token holds for an hour by the server's clock; another is fetched when it is this old by ours, which no setting alters.
	tokenAge = 50 * time.Minute
	// maxItems is what the contract allows a call.
	maxItems = 1000
	// callTime is how long one call may take.
	callTime = 30 * time.Second
)

// Calls are a device's calls to one server. Its methods may be called by many goroutines.
type Calls struct {
	journal *journal.Journal
	machine string
	devices pb.DeviceServiceClient
	ratings pb.RatingServiceClient
	clock   clock.Clock
	turn    chan struct{} // held by who reads or fetches the token
	token   string
	of      string // device the token is for
	fetched time.Duration
	bound   atomic.Bool // an enrolment by these calls has come about
}

// NewCalls makes a device's calls over a connection, which stays the caller's. c nil = clock.System().
func NewCalls(j *journal.Journal, connection grpc.ClientConnInterface, c clock.Clock) *Calls {
	if c == nil {
		c = clock.System()
	}
	return &Calls{journal: j, devices: pb.NewDeviceServiceClient(connection), ratings: pb.NewRatingServiceClient(connection),
		clock: c, turn: make(chan struct{}, 1)}
}

// Enroll binds a new key to the device whose one-time code this is. When the answer is lost, call it again with the same
// code. A device that enrols again keeps its chain and queue; one that lost its journal goes on after what the server holds;
// as another device, what is queued is sealed again.
func (c *Calls) Enroll(ctx context.Context, code string) error {
	_, err := c.enroll(ctx, "", code)
	return err
}

// enroll also tells whether the device is another one now.
func (c *Calls) enroll(ctx context.Context, server, code string) (other bool, err error) {
	public, err := c.journal.Enrolling(ctx, server)
	if err != nil {
		return false, err
	}
	answer, err := c.devices.EnrollDevice(ctx, &pb.EnrollDeviceRequest{Code: code, PublicKey: public})
	if err != nil {
		return false, fmt.Errorf("enrol: %w", err)
	}
	other, err = c.journal.Enrolled(ctx, journal.Identity{DeviceID: answer.GetDeviceId(), Name: answer.GetName(), MachineID: c.machine, Server: server}, public)
	if err != nil {
		return false, err
	}
	c.bound.Store(true)
	c.forget("")
	heartbeat, err := c.Heartbeat(ctx, nil)
	if err != nil {
		return other, fmt.Errorf("enrolled, and then: %w", err)
	}
	_, err = c.journal.Skip(ctx, heartbeat.GetStoredThrough())
	return other, err
}

// Token answers a bearer token that holds for some minutes at least, fetching one where needed.
func (c *Calls) Token(ctx context.Context) (string, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	who, ok := c.journal.Identity()
	if !ok {
		return "", journal.ErrNotEnrolled
	}
	if c.token != "" && c.of == who.DeviceID && c.clock.SinceStart()-c.fetched < tokenAge {
		return c.token, nil
	}
	nonce, err := c.devices.CreateDeviceNonce(ctx, &pb.CreateDeviceNonceRequest{DeviceId: who.DeviceID})
	if err != nil {
		return "", fmt.Errorf("fetch nonce: %w", err)
	}
	answer, err := c.devices.CreateDeviceToken(ctx, &pb.CreateDeviceTokenRequest{DeviceId: who.DeviceID, Nonce: nonce.GetNonce(),
		Signature: ed25519.Sign(who.Key, append([]byte("hailong.v1.DeviceToken\x00"), nonce.GetNonce()...))})
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	c.token, c.of, c.fetched = answer.GetToken(), who.DeviceID, c.clock.SinceStart()
	return c.token, nil
}

// forget drops a token that the server refused, or any ("").
func (c *Calls) forget(token string) {
	c.turn <- struct{}{}
	if token == "" || c.token == token {
		c.token = ""
	}
	<-c.turn
}

// call makes a call with the device's token, and once more with another where the server refused that one: the token may
// have ended, or the device may have enrolled again.
func (c *Calls) call(ctx context.Context, do func(context.Context) error) error {
	for again := false; ; again = true {
		token, err := c.Token(ctx)
		if err != nil {
			return err
		}
		err = do(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token))
		if status.Code(err) != codes.Unauthenticated || again {
			return err
		}
		c.forget(token)
	}
}

// Heartbeat tells how the device is and answers what of its ratings arrived. The device's id is filled in.
func (c *Calls) Heartbeat(ctx context.Context, how *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	if how == nil {
		how = &pb.SendHeartbeatRequest{}
	}
	how.DeviceId = c.journal.ID()
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var answer *pb.SendHeartbeatResponse
	err := c.call(ctx, func(ctx context.Context) (err error) {
		answer, err = c.devices.SendHeartbeat(ctx, how)
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
func (c *Calls) Submit(ctx context.Context, batch journal.Batch) ([]*pb.ItemOutcome, error) {
	if len(batch.Items) == 0 {
		return nil, nil
	}
	if len(batch.Items) > maxItems {
		return c.submitHalves(ctx, batch)
	}
	request, err := c.journal.Request(batch)
	if err != nil {
		return nil, err
	}
	var answer *pb.SubmitRatingsResponse
	err = c.call(ctx, func(ctx context.Context) (err error) {
		answer, err = c.ratings.SubmitRatings(ctx, request)
		return err
	})
	if tooLarge(err) && len(batch.Items) > 1 {
		return c.submitHalves(ctx, batch)
	}
	if err != nil {
		return nil, fmt.Errorf("submit %d ratings from sequence %d: %w", len(batch.Items), batch.First, err)
	}
	if len(answer.GetOutcomes()) != len(batch.Items) {
		return nil, fmt.Errorf("submit %d ratings: %d were answered", len(batch.Items), len(answer.GetOutcomes()))
	}
	return answer.GetOutcomes(), nil
}

func (c *Calls) submitHalves(ctx context.Context, batch journal.Batch) ([]*pb.ItemOutcome, error) {
	first, second := batch.Halves()
	outcomes, err := c.Submit(ctx, first)
	if err != nil {
		return outcomes, err
	}
	rest, err := c.Submit(ctx, second)
	return append(outcomes, rest...), err
}

// tooLarge tells a message over the limit from a caller over its limit: both are ResourceExhausted.
func tooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(status.Convert(err).Message(), "larger than max")
}
