package server

import (
	"context"
	"net"
	"net/http"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/actions"
	"github.com/hailong-vn/hailong/server/web/admin"
	"github.com/hailong-vn/hailong/server/web/caserules"
	"github.com/hailong-vn/hailong/server/web/cases"
	"github.com/hailong-vn/hailong/server/web/citizen"
	"github.com/hailong-vn/hailong/server/web/coverage"
	"github.com/hailong-vn/hailong/server/web/desk"
	"github.com/hailong-vn/hailong/server/web/documents"
	"github.com/hailong-vn/hailong/server/web/hotline"
	"github.com/hailong-vn/hailong/server/web/kiosks"
	"github.com/hailong-vn/hailong/server/web/notices"
	"github.com/hailong-vn/hailong/server/web/operations"
	"github.com/hailong-vn/hailong/server/web/overview"
	"github.com/hailong-vn/hailong/server/web/ratings"
	"github.com/hailong-vn/hailong/server/web/register"
	"github.com/hailong-vn/hailong/server/web/signin"
)

// deviceServer is where devices reach this server by a host's name: the port of gRPC, which is known once it listens.
func (a *application) deviceServer(host string) string {
	scheme, port := "http", "9090"
	if a.TLSCert != "" {
		scheme = "https"
	}
	if listens, ok := a.grpcAddress.Load().(string); ok {
		if _, found, err := net.SplitHostPort(listens); err == nil {
			port = found
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// pages makes the web pages. They call the services over conn, with the visitor's own session.
func (a *application) pages(ctx context.Context, conn *grpc.ClientConn, trusted proxies) (http.Handler, error) {
	embed, err := origins("-embed-origins", a.EmbedOrigins)
	if err != nil {
		return nil, err
	}
	site, err := web.New(web.Config{
		PublicURL: a.PublicURL, EmbedOrigins: embed, DeviceServer: a.deviceServer,
		Conn: conn, Address: trusted.address, Secure: func(r *http.Request) bool { return r.TLS != nil || trusted.secure(r) },
		Accounts: func() []web.DemoAccount {
			var shown []web.DemoAccount
			for _, known := range a.shownAccounts() {
				shown = append(shown, web.DemoAccount(known))
			}
			return shown
		},
		Filling:           func() bool { return a.Demo && !a.filled.Load() },
		AdministratorName: identity.AdministratorName, FirstRun: func() bool { return a.accounts.AwaitsFirstPassword(ctx) },
		Clock: a.Clock, Logger: a.Logger,
	})
	if err != nil {
		return nil, err
	}
	for _, mount := range []func(*web.Site) error{
		signin.Mount, citizen.Mount, overview.Mount, coverage.Mount, desk.Mount, hotline.Mount, ratings.Mount, operations.Mount, admin.Mount, kiosks.Mount, notices.Mount, caserules.Mount, cases.Mount, actions.Mount, documents.Mount, register.Mount,
	} {
		if err := mount(site); err != nil {
			return nil, err
		}
	}
	return site.Handler(), nil
}
