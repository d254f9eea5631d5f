package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/test/bufconn"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Run starts the whole program and serves until ctx ends, then lets calls under way finish. It returns nil after an
// orderly stop.
func Run(ctx context.Context, config Config) (err error) {
	config, err = config.complete()
	if err != nil {
		return err
	}
	a, err := open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()

	var transport []grpc.ServerOption
	var certificates *certificate
	if config.TLSCert != "" {
		if certificates, err = loadCertificate(config.TLSCert, config.TLSKey, config.Clock, config.Logger); err != nil {
			return err
		}
		transport = append(transport, grpc.Creds(credentials.NewTLS(certificates.config())))
	}
	outside := a.grpcServer(transport...)
	inside := a.grpcServer()
	memory := bufconn.Listen(1 << 20)
	handler, conn, err := a.httpHandler(ctx, memory)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()

	var listen net.ListenConfig
	grpcListener, err := listen.Listen(ctx, "tcp", config.GRPC)
	if err != nil {
		return fmt.Errorf("listen for gRPC: %w", err)
	}
	a.grpcAddress.Store(grpcListener.Addr().String())
	httpListener, err := listen.Listen(ctx, "tcp", config.HTTP)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for HTTP: %w", err), grpcListener.Close())
	}
	web := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	scheme := "http"
	if certificates != nil {
		scheme, web.TLSConfig = "https", certificates.config()
	}

	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return outside.Serve(grpcListener) })
	group.Go(func() error { return inside.Serve(memory) })
	group.Go(func() error {
		serve := func() error { return web.Serve(httpListener) }
		if certificates != nil {
			serve = func() error { return web.ServeTLS(httpListener, "", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-running.Done()
		a.stopping()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		_ = web.Shutdown(stop)
		stopGracefully(stop, outside)
		stopGracefully(stop, inside)
		return nil
	})
	a.start(running, group)
	group.Go(func() error {
		return a.begin(running, group, grpcListener.Addr().String(), scheme+"://"+httpListener.Addr().String())
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// begin makes what a first start needs, tells that the program is ready, and keeps the demonstration going.
func (a *application) begin(ctx context.Context, group *errgroup.Group, grpcAddress, httpAddress string) error {
	if a.Demo {
		if err := a.fillDemo(ctx); err != nil {
			return err
		}
	}
	if err := a.ensureAdministrator(ctx); err != nil {
		return err
	}
	if err := a.startWorker(ctx, group); err != nil {
		return err
	}
	group.Go(func() error { a.opener.Run(ctx); return nil })
	a.filled.Store(true)
	if err := a.announce(grpcAddress, httpAddress); err != nil {
		return err
	}
	if a.DemoLive {
		return a.liveDemo(ctx)
	}
	return nil
}

// ensureAdministrator makes the first account; its one-time password is shown once, to whoever reads the terminal.
func (a *application) ensureAdministrator(ctx context.Context) error {
	oneTime, made, err := a.accounts.EnsureAdministrator(ctx, a.AdminPassword)
	if err != nil {
		return err
	}
	if made && oneTime != "" {
		_, _ = fmt.Fprintln(a.Stderr, language.OfTerminal().Text("serve.first_administrator", "name", identity.AdministratorName, "password", oneTime))
	}
	return nil
}

// stopWithin is how long calls under way may take to finish when the program is stopped.
const stopWithin = 10 * time.Second

func stopGracefully(ctx context.Context, server *grpc.Server) {
	done := make(chan struct{})
	go func() {
		server.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		server.Stop()
		<-done
	}
}

// announce writes the one line for programs: where to connect, and the demonstration's accounts.
func (a *application) announce(grpcAddress, httpAddress string) error {
	line := struct {
		GRPC     string    `json:"grpc"`
		HTTP     string    `json:"http"`
		Accounts []account `json:"accounts,omitempty"`
	}{grpcAddress, httpAddress, a.shownAccounts()}
	encoded, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err = a.Stdout.Write(append(encoded, '\n')); err != nil {
		return err
	}
	in := language.OfTerminal()
	_, _ = fmt.Fprintln(a.Stderr, in.Text("serve.ready", "http", httpAddress, "grpc", grpcAddress))
	if accounts := a.shownAccounts(); len(accounts) > 0 {
		_, _ = fmt.Fprintln(a.Stderr, in.Text("serve.demo_accounts"))
		for _, known := range accounts {
			_, _ = fmt.Fprintf(a.Stderr, "  %-10s %-16s %s\n", known.Name, known.Password, known.Role)
		}
	}
	return nil
}

type account struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// grpcServer makes a server with every service. The same services answer outside, over TCP, and inside, to the gateway.
func (a *application) grpcServer(options ...grpc.ServerOption) *grpc.Server {
	options = append(options,
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessageBytes),
		grpc.MaxConcurrentStreams(1000),
		grpc.UnaryInterceptor(a.unary),
		grpc.StreamInterceptor(a.stream),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 20 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	)
	server := grpc.NewServer(options...)
	for _, one := range a.services() {
		server.RegisterService(one.desc, one.handler)
	}
	a.health = append(a.health, health.NewServer())
	healthpb.RegisterHealthServer(server, a.health[len(a.health)-1])
	reflection.Register(server)
	return server
}

// services are all services of the contract.
func (a *application) services() []service {
	return []service{
		{&pb.RatingService_ServiceDesc, ratingService{application: a}, pb.RegisterRatingServiceHandler},
		{&pb.DeviceService_ServiceDesc, deviceService{application: a}, pb.RegisterDeviceServiceHandler},
		{&pb.AnalyticsService_ServiceDesc, analyticsService{application: a}, pb.RegisterAnalyticsServiceHandler},
		{&pb.DirectoryService_ServiceDesc, directoryService{application: a}, pb.RegisterDirectoryServiceHandler},
		{&pb.IdentityService_ServiceDesc, identityService{application: a}, pb.RegisterIdentityServiceHandler},
		{&pb.OperationsService_ServiceDesc, operationsService{application: a}, pb.RegisterOperationsServiceHandler},
		{&pb.CitizenService_ServiceDesc, citizenService{application: a}, pb.RegisterCitizenServiceHandler},
		{&pb.RemedyService_ServiceDesc, remedyService{application: a}, pb.RegisterRemedyServiceHandler},
		{&pb.DeskService_ServiceDesc, deskService{application: a}, pb.RegisterDeskServiceHandler},
		{&pb.CoverageService_ServiceDesc, coverageService{application: a}, pb.RegisterCoverageServiceHandler},
		{&pb.CallService_ServiceDesc, callService{application: a}, pb.RegisterCallServiceHandler},
		{&pb.CaseRulesService_ServiceDesc, caseRulesService{application: a}, pb.RegisterCaseRulesServiceHandler},
		{&pb.ActionService_ServiceDesc, actionService{application: a}, pb.RegisterActionServiceHandler},
		{&pb.CaseService_ServiceDesc, caseService{application: a}, pb.RegisterCaseServiceHandler},
		{&pb.DocumentService_ServiceDesc, documentService{application: a}, pb.RegisterDocumentServiceHandler},
		{&pb.NoticeService_ServiceDesc, noticeService{application: a}, pb.RegisterNoticeServiceHandler},
		{&pb.RegisterService_ServiceDesc, registerService{application: a}, pb.RegisterRegisterServiceHandler},
	}
}
