package pictures_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	kiosk "github.com/hailong-vn/hailong/kiosk-client"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// startKiosk runs a touchscreen at two counters of the demonstration's busiest ward, and answers where its screen is.
func startKiosk(t *testing.T, program *webtest.Program) string {
	t.Helper()
	client, err := grpc.NewClient("passthrough:///"+program.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	signedIn, err := pb.NewIdentityServiceClient(client).CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "quantri", Password: "quantri-demo"})
	if err != nil {
		t.Fatal(err)
	}
	as := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+signedIn.GetToken())
	made, err := pb.NewDirectoryServiceClient(client).CreateDevice(as, &pb.CreateDeviceRequest{Name: "Kiosk 1, sảnh chính", Bindings: []*pb.DeviceBinding{
		{UnitId: "minhhoa-benkhoai", CounterId: "minhhoa-benkhoai-q1"}, {UnitId: "minhhoa-benkhoai", CounterId: "minhhoa-benkhoai-q2"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- kiosk.Run(ctx, kiosk.Config{
			State: t.TempDir(), Screen: "127.0.0.1:0", Server: "http://" + program.GRPC, Code: made.GetEnrollmentCode(),
			Stdout: writer, Stderr: io.Discard, Logger: slog.New(slog.DiscardHandler),
		})
		_ = writer.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	var ready struct{ Screen string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("the kiosk does not start: %q %v", line, err)
	}
	return ready.Screen
}

// kioskPictures are the screen as people find it, and what the first touch shows.
func kioskPictures(t *testing.T, program *webtest.Program) {
	screen := startKiosk(t, program)
	page := browser.Open(t).Page(t, browser.Options{Width: 720, Height: 1080})
	page.Go(screen)
	page.WaitFor(`[data-state="ready"], [data-state="idle"]`)
	if page.Exists(`[data-state="ready"]`) {
		page.Click("main button.main, .hands button.main")
	}
	page.WaitFor(`[data-state="idle"] .mended`)
	page.ScreenshotTop("kiosk-idle")
	page.Click("button.everywhere")
	page.WaitFor(`[data-state="place"]`)
	page.Click("main button.choice")
	page.WaitFor(`[data-state="ask"]`)
	page.ScreenshotTop("kiosk")
}
