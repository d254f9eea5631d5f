// Package simulate drives many virtual kiosks against a server: each is a real journal and a real uplink with a connection of its own, and
// only the screen is played. People come as they come to a real office; servers go away, acknowledgements get lost, clocks are
// wrong. In the end what each journal gave a number to must be what the server holds.
//
// Ratings are dated with the time they are sent at: only the coming of people is stretched to the length of a day asked for. A device
// that is asked for more than one rating in a few seconds is flagged by the server, as one in an office would be.
package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Summary is what came of a simulation.
type Summary struct {
	Devices      int
	Sealed       uint64            // as the simulation counted
	Acknowledged uint64            // as the journals say
	Queued       uint64            // as the journals say
	Duplicates   uint64            // answers to what was sent again
	Refused      uint64            // answers of CONFLICT or REJECTED
	Reasons      map[string]uint64 // of Refused, by the server's code
	Compared     int               // devices whose queue was empty, so that the server could be asked what it holds
	Lost         uint64            // sealed and not held by the server
	Doubled      uint64            // stored twice, or held by the server and never given
}

// Sound tells whether nothing is lost and nothing doubled, as far as it could be compared.
func (s Summary) Sound() bool {
	return s.Lost == 0 && s.Doubled == 0 && s.Refused == 0 && s.Sealed == s.Acknowledged+s.Queued
}

// simulation is one run.
type simulation struct {
	options *Options
	name    string // of the run, in tickets
	conn    *grpc.ClientConn
	office  *office // nil where codes were given
	crowd   *crowd
	devices []*device
	mu      sync.Mutex
	made    []string // ids of devices to be revoked
}

const (
	atOnce        = 8 // devices that are made or asked at once
	configureTime = time.Minute
	cleanTime     = time.Minute
)

// Run plays until ctx ends or the time is up, waits until the queues are empty, compares, and leaves nothing behind. An error says that it could not be
// played; what was found is in the summary.
func Run(ctx context.Context, options Options) (summary Summary, err error) {
	if err := options.Check(); err != nil {
		return Summary{}, err
	}
	s := &simulation{options: &options, name: strings.ToLower(rand.Text()[:6])}
	if s.crowd, err = newCrowd(&options, options.Seed); err != nil {
		return Summary{}, err
	}
	if s.conn, err = dial(&options); err != nil {
		return Summary{}, err
	}
	defer func() { _ = s.conn.Close() }()
	// The devices live on when the play is ended, until their queues are empty.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer func() { err = errors.Join(err, s.clean(life)) }()
	if err := s.enrol(ctx); err != nil {
		return Summary{}, err
	}
	if err := s.prepare(ctx, life); err != nil {
		return Summary{}, err
	}
	shown, stop := context.WithCancel(life)
	var showing sync.WaitGroup
	showing.Go(func() { s.show(shown) })
	err = s.play(ctx, life)
	if err == nil {
		err = s.settle(life)
	}
	stop()
	showing.Wait()
	if err != nil {
		return Summary{}, err
	}
	return s.compare(life)
}

func (s *simulation) say(key string, args ...any) {
	_, _ = fmt.Fprintln(s.options.Words, s.options.Language.Text(key, args...))
}

// enrol makes the devices, or takes the codes.
func (s *simulation) enrol(ctx context.Context) error {
	random := mathrand.New(mathrand.NewPCG(s.options.Seed, 3)) //nolint:gosec // clocks of a play
	for i := range s.options.Devices {
		folder := ""
		if s.options.State != "" {
			folder = filepath.Join(s.options.State, fmt.Sprintf("device-%04d", i+1))
		}
		var off time.Duration
		if random.Float64() < s.options.WrongClocks { // by 3 to 9 minutes either way: told, and not so much that the server disbelieves it
			off = time.Duration((3 + 6*random.Float64()) * float64(time.Minute))
			if random.IntN(2) == 0 {
				off = -off
			}
			if len(s.options.Codes) > 0 {
				off = off.Abs() // who made the device said from when on it may give ratings, and that may be now
			}
		}
		s.devices = append(s.devices, newDevice(s.options, s.name, folder, off))
	}
	if len(s.options.Codes) > 0 {
		return s.each(ctx, atOnce, func(ctx context.Context, i int, d *device) error {
			if err := d.open(ctx); err != nil {
				return err
			}
			return d.enroll(ctx, s.options.Codes[i])
		})
	}
	s.office = newOffice(s.options, s.conn)
	return s.office.within(ctx, func(session context.Context) error {
		places, err := s.office.places(session)
		if err != nil {
			return err
		}
		s.say("kiosksim.enrolling", "devices", len(s.devices), "server", s.options.Server)
		return s.each(session, atOnce, func(session context.Context, i int, d *device) error {
			// The devices' own calls carry no account.
			if err := d.open(ctx); err != nil {
				return err
			}
			return s.enrolOne(ctx, session, d, i, places[i%len(places)])
		})
	})
}

// enrolOne makes one device, unless its folder holds one that an earlier run kept.
func (s *simulation) enrolOne(ctx, session context.Context, d *device, i int, place *pb.DeviceBinding) error {
	if id := d.journal.ID(); id != "" {
		known, err := s.office.knows(session, id)
		if err != nil {
			return err
		}
		if known {
			s.revokeLater(id)
			d.begin()
			return nil
		}
	}
	id, code, err := s.office.make(session, s.options.Language.Text("kiosksim.device_name", "run", s.name, "number", i+1), place)
	if err != nil {
		return err
	}
	s.revokeLater(id)
	return d.enroll(ctx, code)
}

func (s *simulation) revokeLater(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, id)
}

// each does something for every device, so many at once; the first error ends it.
func (s *simulation) each(ctx context.Context, limit int, do func(ctx context.Context, i int, d *device) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(limit)
	for i, d := range s.devices {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, i, d)
		})
	}
	return group.Wait()
}

// prepare gets every device its form, and fills the queues that are there from the start.
func (s *simulation) prepare(ctx, life context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, configureTime)
	defer cancel()
	err := s.each(waiting, -1, func(waiting context.Context, _ int, d *device) error {
		d.start(life)
		return d.configured(waiting)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "kiosksim_no_configuration")
	}
	if err != nil || s.options.Backlog == 0 {
		return err
	}
	s.say("kiosksim.queueing", "ratings", s.options.Language.Number(float64(s.options.Backlog), 0))
	for i, d := range s.devices {
		d.halt()
		n := s.options.Backlog / len(s.devices)
		if i < s.options.Backlog%len(s.devices) {
			n++
		}
		if err := d.queue(ctx, s.crowd, n); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	for _, d := range s.devices {
		d.start(life)
	}
	return nil
}

// play lets people come until ctx ends or the time is up, and cuts lines.
func (s *simulation) play(ctx, life context.Context) error {
	if s.options.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.For)
		defer cancel()
	}
	s.say("kiosksim.playing")
	ctx, end := context.WithCancel(ctx)
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	for _, d := range s.devices {
		group.Go(func() error { return d.serve(life) })
	}
	if s.options.Outage > 0 {
		for i, d := range s.devices {
			random := mathrand.New(mathrand.NewPCG(s.options.Seed, 1000+uint64(i))) //nolint:gosec // outages of a play
			group.Go(func() error { s.cut(ctx, d, random); return nil })
		}
	}
	group.Go(func() error {
		defer end()
		s.letCome(ctx)
		return nil
	})
	return group.Wait()
}

// letCome sends people to their devices when their time has come.
func (s *simulation) letCome(ctx context.Context) {
	defer func() {
		for _, d := range s.devices {
			close(d.people)
		}
	}()
	if s.options.Rate == 0 {
		<-ctx.Done()
		return
	}
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; s.options.After == 0 || n < s.options.After; n++ {
		p := s.crowd.next()
		timer.Reset(time.Until(start.Add(p.at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		select {
		case s.devices[p.device].people <- p:
		case <-ctx.Done():
			return
		}
	}
}

// cut takes a device's line away now and then.
func (s *simulation) cut(ctx context.Context, d *device, random *mathrand.Rand) {
	defer d.line.set(false)
	down := float64(s.options.OutageLength)
	up := down * (1 - s.options.Outage) / s.options.Outage
	for cut := false; ; cut = !cut {
		d.line.set(cut)
		mean := up
		if cut {
			mean = down
		}
		timer := time.NewTimer(time.Duration(random.ExpFloat64() * mean))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// settle waits until everything has arrived, as long as is wanted.
func (s *simulation) settle(life context.Context) error {
	s.say("kiosksim.settling")
	ctx, cancel := context.WithTimeout(life, s.options.Wait)
	defer cancel()
	go func() {
		select {
		case <-s.options.Abort:
			cancel()
		case <-ctx.Done():
		}
	}()
	return s.each(life, -1, func(_ context.Context, _ int, d *device) error { return d.settle(ctx) })
}

// compare asks the server what it holds of each device whose queue is empty.
func (s *simulation) compare(life context.Context) (Summary, error) {
	out := Summary{Devices: len(s.devices)}
	err := s.each(life, atOnce, func(ctx context.Context, _ int, d *device) error {
		status, err := d.journal.Status(ctx)
		if err != nil {
			return err
		}
		sealed := d.sealed.Load()
		var through uint64
		if status.Queue == 0 {
			answer, err := uplink.NewCalls(d.journal, s.conn, d.clock).Heartbeat(ctx, nil)
			if err != nil {
				return err
			}
			through = answer.GetStoredThrough()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		out.Sealed += sealed
		out.Queued += status.Queue
		out.Acknowledged += status.HighestSequence - d.before - status.Queue
		d.answers.addTo(&out)
		given := status.HighestSequence - d.before
		out.Lost, out.Doubled = out.Lost+sealed-min(sealed, given), out.Doubled+given-min(sealed, given)
		if status.Queue == 0 {
			out.Compared++
			out.Lost += status.HighestSequence - min(status.HighestSequence, through)
			out.Doubled += through - min(status.HighestSequence, through)
		}
		return nil
	})
	return out, err
}

// clean ends the devices and takes back their right to send.
func (s *simulation) clean(life context.Context) error {
	var errs []error
	for _, d := range s.devices {
		errs = append(errs, d.close())
	}
	if s.options.Keep || len(s.made) == 0 {
		return errors.Join(errs...)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(life), cleanTime)
	defer cancel()
	err := s.office.within(ctx, func(session context.Context) error {
		group, session := errgroup.WithContext(session)
		group.SetLimit(atOnce)
		for _, id := range s.made {
			group.Go(func() error { return s.office.revoke(session, id) })
		}
		return group.Wait()
	})
	if err != nil {
		s.say("kiosksim.not_revoked", "devices", len(s.made))
	}
	return errors.Join(append(errs, err)...)
}
