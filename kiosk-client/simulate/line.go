package simulate

import (
	"context"
	"net"
	"sync"
	"syscall"

	"google.golang.org/grpc"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// line is a device's way to the network, which can be cut: what is open is closed at once, and nothing new is answered.
type line struct {
	mu   sync.Mutex
	cut  bool
	open map[net.Conn]struct{}
}

func (l *line) dial(ctx context.Context, address string) (net.Conn, error) {
	l.mu.Lock()
	cut := l.cut
	l.mu.Unlock()
	if cut {
		return nil, syscall.ENETUNREACH
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut { // meanwhile
		_ = conn.Close()
		return nil, syscall.ENETUNREACH
	}
	if l.open == nil {
		l.open = map[net.Conn]struct{}{}
	}
	l.open[conn] = struct{}{}
	return &lineConn{conn, l}, nil
}

// set cuts the line, or mends it.
func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for conn := range l.open {
			_ = conn.Close()
		}
		clear(l.open)
	}
}

type lineConn struct {
	net.Conn
	line *line
}

func (c *lineConn) Close() error {
	c.line.mu.Lock()
	delete(c.line.open, c.Conn)
	c.line.mu.Unlock()
	return c.Conn.Close()
}

// answers counts what a server answered to a device's ratings.
type answers struct {
	mu         sync.Mutex
	stored     map[string]struct{} // ids
	duplicates uint64
	refused    map[string]uint64 // by reason
	doubled    uint64            // stored though stored before
}

func (a *answers) add(o *pb.ItemOutcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o.GetOutcome() {
	case pb.Outcome_OUTCOME_STORED:
		if _, before := a.stored[o.GetRatingId()]; before {
			a.doubled++
		}
		if a.stored == nil {
			a.stored = map[string]struct{}{}
		}
		a.stored[o.GetRatingId()] = struct{}{}
	case pb.Outcome_OUTCOME_DUPLICATE:
		a.duplicates++
	default:
		if a.refused == nil {
			a.refused = map[string]uint64{}
		}
		a.refused[o.GetReasonCode()]++
	}
}

// addTo adds what was counted to a summary.
func (a *answers) addTo(s *Summary) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Duplicates += a.duplicates
	s.Doubled += a.doubled
	for reason, n := range a.refused {
		s.Refused += n
		if s.Reasons == nil {
			s.Reasons = map[string]uint64{}
		}
		s.Reasons[reason] += n
	}
}

// options put the line and the counting under an uplink's calls, which stay as they are.
func (l *line) options(a *answers) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithContextDialer(l.dial),
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			err := invoke(ctx, method, request, reply, conn, options...)
			if response, ok := reply.(*pb.SubmitRatingsResponse); ok && err == nil {
				for _, o := range response.GetOutcomes() {
					a.add(o)
				}
			}
			return err
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, stream *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
			opened, err := open(ctx, stream, conn, method, options...)
			if err != nil {
				return nil, err
			}
			return counted{opened, a}, nil
		}),
	}
}

type counted struct {
	grpc.ClientStream
	answers *answers
}

func (c counted) RecvMsg(message any) error {
	err := c.ClientStream.RecvMsg(message)
	if response, ok := message.(*pb.StreamRatingsResponse); ok && err == nil {
		c.answers.add(response.GetOutcome())
	}
	return err
}
