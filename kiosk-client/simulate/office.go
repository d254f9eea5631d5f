package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Loopback tells whether a server is on this very machine. A name that only resolves to it is not taken for it.
func Loopback(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// dial connects to the server, for the calls that are no device's.
func dial(o *Options) (*grpc.ClientConn, error) {
	wrong := fault.New(fault.Invalid, "kioskuplink_server_wrong", "server", o.Server)
	u, err := url.Parse(o.Server)
	if err != nil || u.Hostname() == "" {
		return nil, wrong.Because(err)
	}
	port, transport := "443", credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots})
	switch {
	case u.Scheme == "http" && !Loopback(o.Server) && !o.AllowPlain:
		return nil, fault.New(fault.Invalid, "kioskuplink_server_plain", "server", o.Server)
	case u.Scheme == "http":
		port, transport = "80", insecure.NewCredentials()
	case u.Scheme != "https":
		return nil, wrong
	}
	if u.Port() != "" {
		port = u.Port()
	}
	conn, err := grpc.NewClient("dns:///"+net.JoinHostPort(u.Hostname(), port), grpc.WithTransportCredentials(transport))
	if err != nil {
		return nil, wrong.Because(err)
	}
	return conn, nil
}

// office is the server's side of things, by an account that may manage devices.
type office struct {
	options   *Options
	identity  pb.IdentityServiceClient
	directory pb.DirectoryServiceClient
}

func newOffice(o *Options, conn *grpc.ClientConn) *office {
	return &office{options: o, identity: pb.NewIdentityServiceClient(conn), directory: pb.NewDirectoryServiceClient(conn)}
}

// within does something in a session of its own, so that a run may be longer than a session.
func (o *office) within(ctx context.Context, do func(context.Context) error) (err error) {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	signedIn, err := o.identity.CreateSession(limited, &pb.CreateSessionRequest{Name: o.options.Account, Password: o.options.Password})
	if status.Code(err) == codes.Unavailable {
		return fault.New(fault.Unavailable, "kioskuplink_server_unreachable").Because(err)
	}
	if err != nil {
		return err
	}
	session := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+signedIn.GetToken(), "accept-language", string(o.options.Language))
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(session), 5*time.Second)
		defer cancel()
		_, failed := o.identity.DeleteSession(leaving, &pb.DeleteSessionRequest{})
		err = errors.Join(err, failed)
	}()
	return do(session)
}

// places are the open counters of the unit and those below it.
func (o *office) places(ctx context.Context) (places []*pb.DeviceBinding, err error) {
	for page := ""; ; {
		list, err := o.directory.ListCounters(ctx, &pb.ListCountersRequest{UnitId: o.options.Unit, PageSize: 1000, PageToken: page})
		if err != nil {
			return nil, err
		}
		for _, counter := range list.GetCounters() {
			if counter.GetClosedAt() == nil {
				places = append(places, &pb.DeviceBinding{UnitId: counter.GetUnitId(), CounterId: counter.GetId()})
			}
		}
		if page = list.GetNextPageToken(); page == "" {
			break
		}
	}
	if len(places) == 0 {
		return nil, fault.New(fault.NotFound, "kiosksim_no_counter")
	}
	return places, nil
}

// knows tells whether a device of an earlier run may still send.
func (o *office) knows(ctx context.Context, deviceID string) (bool, error) {
	known, err := o.directory.GetDevice(ctx, &pb.GetDeviceRequest{DeviceId: deviceID})
	if status.Code(err) == codes.NotFound {
		return false, nil
	}
	return err == nil && known.GetRevokedAt() == nil, err
}

// backdated is how long before its making a device may have given ratings: the queue of the day before, and clocks that are slow.
const backdated = 3 * 24 * time.Hour

// make makes a device and answers its code.
func (o *office) make(ctx context.Context, name string, place *pb.DeviceBinding) (deviceID, code string, err error) {
	made, err := o.directory.CreateDevice(ctx, &pb.CreateDeviceRequest{Name: name, Bindings: []*pb.DeviceBinding{
		{UnitId: place.GetUnitId(), CounterId: place.GetCounterId(), ValidFrom: timestamppb.New(time.Now().Add(-backdated))},
	}})
	return made.GetDevice().GetId(), made.GetEnrollmentCode(), err
}

func (o *office) revoke(ctx context.Context, deviceID string) error {
	_, err := o.directory.RevokeDevice(ctx, &pb.RevokeDeviceRequest{DeviceId: deviceID})
	return err
}
