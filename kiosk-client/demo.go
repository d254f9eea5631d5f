package kiosk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/release"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// demonstration is a server of demonstration data, and its administrator.
type demonstration struct {
	address        string // of gRPC
	name, password string
	stop           func() // ends what was started here
}

// demo runs a device beside the demonstration, enrolled by itself: with the one that runs already, or one of its own.
func demo(ctx context.Context, t *terminal, args []string) error {
	config := Config{Stdout: t.stdout, Stderr: t.stderr}
	found := demonstration{address: "127.0.0.1:9090", name: "quantri", password: "quantri-demo", stop: func() {}}
	var program, data string
	if _, err := t.parse("demo", args, 0, func(flags *flag.FlagSet) {
		config.registerState(flags, t.Language)
		textFlag(flags, t.Language)(&config.Screen, "screen", "HAILONG_KIOSK_SCREEN_ADDR", "127.0.0.1:8070")
		flags.StringVar(&found.address, "grpc", found.address, t.Text("kioskcommand.flag.grpc"))
		flags.StringVar(&program, "server-program", "", t.Text("kioskcommand.flag.server-program"))
		flags.StringVar(&data, "data", "", t.Text("kioskcommand.flag.data"))
	}); err != nil {
		return err
	}
	session, client, err := found.enter(ctx)
	if status.Code(err) == codes.Unavailable && program != "" {
		t.say("kioskcommand.starting")
		if err = found.start(ctx, program, data); err == nil {
			session, client, err = found.enter(ctx)
		}
	}
	defer func() { found.stop() }()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	config.Server = "http://" + found.address
	if err := enrolForDemo(session, t, config, pb.NewDirectoryServiceClient(client)); err != nil {
		return err
	}
	return Run(ctx, config)
}

// enter signs in as the demonstration's administrator.
func (d *demonstration) enter(ctx context.Context) (context.Context, *grpc.ClientConn, error) {
	client, err := grpc.NewClient("passthrough:///"+d.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	within, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	signedIn, err := pb.NewIdentityServiceClient(client).CreateSession(within, &pb.CreateSessionRequest{Name: d.name, Password: d.password})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+signedIn.GetToken()), client, nil
}

// start starts a demonstration of its own, which ends with stop.
func (d *demonstration) start(ctx context.Context, program, data string) error {
	ctx, cancel := context.WithCancel(ctx)
	server := exec.CommandContext(ctx, program, "-demo", "-demo-live", "-data", data) //nolint:gosec // whoever starts the command names it
	server.Stderr = os.Stderr
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 30 * time.Second
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		cancel()
		return err
	}
	d.stop = func() { cancel(); _ = server.Wait() }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s ended before it was ready: %w", program, err)
	}
	var ready struct {
		GRPC     string
		Accounts []struct{ Name, Password, Role string }
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	d.address = ready.GRPC
	for _, account := range ready.Accounts {
		if account.Role == "administrator" {
			d.name, d.password = account.Name, account.Password
		}
	}
	return nil
}

// demoUnit is the ward of the README's tour.
const demoUnit = "minhhoa-benkhoai"

// demoCounters is how many counters the demonstration's device serves.
const demoCounters = 3

// enrolForDemo makes a device at the counters of an office, unless the folder holds one that this demonstration knows.
func enrolForDemo(ctx context.Context, t *terminal, config Config, directory pb.DirectoryServiceClient) error {
	config = config.complete()
	kept, err := journal.Open(ctx, config.State, journal.Options{Logger: config.Logger})
	if err != nil {
		return err
	}
	defer func() { _ = kept.Close() }()
	if who, enrolled := kept.Identity(); enrolled {
		known, err := directory.GetDevice(ctx, &pb.GetDeviceRequest{DeviceId: who.DeviceID})
		if err == nil && known.GetRevokedAt() == nil && who.Server == config.Server {
			return nil
		}
		if err != nil && status.Code(err) != codes.NotFound {
			return err
		}
	}
	counters, err := directory.ListCounters(ctx, &pb.ListCountersRequest{UnitId: demoUnit})
	if status.Code(err) == codes.NotFound { // another demonstration
		counters, err = directory.ListCounters(ctx, &pb.ListCountersRequest{})
	}
	if err != nil {
		return err
	}
	request := &pb.CreateDeviceRequest{Name: t.Text("kioskcommand.demo_device")}
	for _, counter := range counters.GetCounters() {
		first := len(request.GetBindings()) == 0
		if len(request.GetBindings()) < demoCounters && (first || counter.GetUnitId() == request.GetBindings()[0].GetUnitId()) && counter.GetClosedAt() == nil {
			request.Bindings = append(request.Bindings, &pb.DeviceBinding{UnitId: counter.GetUnitId(), CounterId: counter.GetId()})
		}
	}
	if len(request.GetBindings()) == 0 {
		return fault.New(fault.NotFound, "kioskcommand_no_counter")
	}
	made, err := directory.CreateDevice(ctx, request)
	if err != nil {
		return err
	}
	link, err := uplink.New(ctx, uplink.Options{Journal: kept, Server: config.Server, Version: release.Version(), MachineID: uplink.MachineID(), Logger: config.Logger})
	if err != nil {
		return err
	}
	if err := link.Enroll(ctx, "", made.GetEnrollmentCode()); err != nil {
		return err
	}
	t.say("kioskcommand.enrolled", "name", kept.Name(), "id", kept.ID())
	return nil
}
