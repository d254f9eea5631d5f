package webtest

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Password is every account's password.
const Password = "mật khẩu để thử"

// Who is an account of the province, by the name it signs in with.
type Who string

// Accounts of each role, by the units they see.
const (
	Administrator        Who = "admin"         // everything
	CommuneAdministrator Who = "quản trị xã"   // Commune and below
	Leader               Who = "lãnh đạo"      // Top and below
	CommuneLeader        Who = "chủ tịch xã"   // Commune and below
	Operator             Who = "tổng đài"      // Top and below
	CommuneOperator      Who = "nhập phiếu xã" // Commune and below
	Official             Who = "cán bộ"        // WardOffice
)

func (p *Province) people() map[Who]*pb.CreateAccountRequest {
	return map[Who]*pb.CreateAccountRequest{
		CommuneAdministrator: {Role: pb.Role_ROLE_ADMINISTRATOR, UnitId: p.Commune},
		Leader:               {Role: pb.Role_ROLE_LEADER, UnitId: p.Top},
		CommuneLeader:        {Role: pb.Role_ROLE_LEADER, UnitId: p.Commune},
		Operator:             {Role: pb.Role_ROLE_OPERATOR, UnitId: p.Top},
		CommuneOperator:      {Role: pb.Role_ROLE_OPERATOR, UnitId: p.Commune},
		Official:             {Role: pb.Role_ROLE_OFFICIAL, UnitId: p.WardOffice},
	}
}

// SignIn answers the token of a new session.
func (p *Program) SignIn(t testing.TB, who Who) string {
	t.Helper()
	token, err := p.signIn(t.Context(), who)
	if err != nil {
		t.Fatalf("sign in as %s: %v", who, err)
	}
	return token
}

func (p *Program) signIn(ctx context.Context, who Who) (string, error) {
	conn, err := p.dial("")
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	session, err := pb.NewIdentityServiceClient(conn).CreateSession(ctx, &pb.CreateSessionRequest{Name: string(who), Password: Password})
	return session.GetToken(), err
}

// Conn answers a connection to the contract that calls as who, in Vietnamese; "" = as nobody. It is shared by all who ask for it:
// nobody closes it or ends its session.
func (p *Program) Conn(t testing.TB, who Who) *grpc.ClientConn {
	t.Helper()
	conn, err := p.conn(context.Background(), who)
	if err != nil {
		t.Fatalf("a connection as %q: %v", who, err)
	}
	return conn
}

func (p *Program) conn(ctx context.Context, who Who) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conn := p.conns[who]; conn != nil {
		return conn, nil
	}
	token, ok := p.sessions[who]
	if !ok && who != "" {
		var err error
		if token, err = p.signIn(ctx, who); err != nil {
			return nil, err
		}
		p.sessions[who] = token
	}
	conn, err := p.dial(token)
	if err == nil {
		p.conns[who] = conn
	}
	return conn, err
}

// dial connects with a token, "" = without.
func (p *Program) dial(token string) (*grpc.ClientConn, error) {
	with := func(ctx context.Context) context.Context {
		ctx = metadata.AppendToOutgoingContext(ctx, "accept-language", "vi")
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return ctx
	}
	return grpc.NewClient(p.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			return invoke(with(ctx), method, request, reply, conn, options...)
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, stream *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
			return open(with(ctx), stream, conn, method, options...)
		}))
}

// cookie is the session's, over plain HTTP.
const cookie = "hailong_session"

// SignInPage signs a page in through the form, as people do. It ends on the page that people see first.
func (p *Program) SignInPage(t testing.TB, page *browser.Page, who Who) {
	t.Helper()
	page = page.In(t)
	page.Go(p.HTTP + "/sign-in")
	page.Fill(`[name="name"]`, string(who))
	page.Fill(`[name="password"]`, Password)
	status := page.Submit(`form:has([name="password"]) [type="submit"]`)
	for _, c := range page.Cookies() {
		if c.Name == cookie && c.Value != "" {
			return
		}
	}
	t.Fatalf("%s was not signed in: status %d at %s\n%s", who, status, page.URL(), page.Text("body"))
}

// GiveSession signs a page in without the form, with a session of its own: quicker, for tests of other pages.
func (p *Program) GiveSession(t testing.TB, page *browser.Page, who Who) {
	t.Helper()
	page.In(t).SetCookie(p.HTTP, cookie, p.SignIn(t, who))
}
