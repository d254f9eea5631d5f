package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/release"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/screen"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
)

// Run starts the whole device and serves until ctx ends. It returns nil after an orderly stop.
func Run(ctx context.Context, config Config) (err error) {
	config = config.complete()
	clocks := clock.System()
	kept, err := journal.Open(ctx, config.State, journal.Options{Clock: clocks, Logger: config.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	roots, err := config.roots()
	if err != nil {
		return err
	}
	link, err := uplink.New(ctx, uplink.Options{
		Journal: kept, Server: config.Server, AllowPlain: config.AllowPlain, Roots: roots, Version: release.Version(), MachineID: uplink.MachineID(),
		Clock: clocks, Logger: config.Logger,
	})
	if err != nil {
		return err
	}
	token, err := hookToken(config.State)
	if err != nil {
		return err
	}
	shown, err := screen.New(screen.Options{
		Journal: kept, Uplink: link, Clock: clocks, Logger: config.Logger, Listen: config.Screen, Folder: config.State,
		Server: config.Server, Version: release.Version(), HookToken: token, HookListen: config.Hook,
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return shown.Serve(ctx) })
	group.Go(func() error { return link.Run(ctx) })
	group.Go(func() error { return report(ctx, shown, link) })
	group.Go(func() error { return config.announce(shown) })
	if config.Code != "" && !link.State().Enrolled {
		group.Go(func() error {
			if err := link.Enroll(ctx, "", config.Code); err != nil && ctx.Err() == nil {
				// The set-up screen stands, and says what to do.
				config.Logger.ErrorContext(ctx, "the device could not be enrolled with the code it was given", "error", err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// report tells the uplink what the screen shows, for its heartbeats.
func report(ctx context.Context, shown *screen.Screen, link *uplink.Uplink) error {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		link.SetScreen(shown.State())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// announce writes the one line for programs, and words for people.
func (c Config) announce(shown *screen.Screen) error {
	line, err := json.Marshal(struct {
		Screen string `json:"screen"`
		Hook   string `json:"hook,omitempty"`
	}{shown.URL(), shown.HookAddr()})
	if err != nil {
		return err
	}
	if _, err := c.Stdout.Write(append(line, '\n')); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(c.Stderr, language.OfTerminal().Text("kioskcommand.ready", "screen", shown.URL()))
	return nil
}
