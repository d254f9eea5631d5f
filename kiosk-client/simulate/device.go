package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// device is a virtual kiosk: a real journal and a real uplink, and people in place of the screen.
type device struct {
	options *Options
	run     string // names this run, in its tickets
	folder  string // "" = in memory
	machine string
	off     time.Duration // what its wall clock is wrong by
	line    line
	answers answers
	people  chan person

	mu      sync.Mutex // guards the three, which a restart replaces
	clock   clock.Clock
	journal *journal.Journal
	link    *uplink.Uplink

	halt   func()        // ends the uplink and waits for it
	form   form          // set before the first person
	before uint64        // sequences that had arrived before this run
	sealed atomic.Uint64 // by this run, and what waited from before
	again  int           // sendings again that wait for an empty queue
}

// wrong is a clock that shows another time than it is.
type wrong struct {
	clock.Clock
	off time.Duration
}

func (w wrong) Now() time.Time { return w.Clock.Now().Add(w.off) }

func newDevice(o *Options, run, folder string, off time.Duration) *device {
	return &device{options: o, run: run, folder: folder, off: off, people: make(chan person, 64), machine: "sim-" + rand.Text()}
}

// open opens the journal, as a start of the program does.
func (d *device) open(ctx context.Context) error {
	clocks := wrong{clock.System(), d.off}
	kept, err := journal.Open(ctx, d.folder, journal.Options{Clock: clocks, Volatile: true, Logger: d.options.Logger})
	if err != nil {
		return err
	}
	if who, enrolled := kept.Identity(); enrolled && who.MachineID != "" {
		d.machine = who.MachineID // a run before this one made it up
	}
	link, err := uplink.New(ctx, uplink.Options{
		Journal: kept, Server: d.options.Server, AllowPlain: d.options.AllowPlain, Roots: d.options.Roots, Version: d.options.Version,
		MachineID: d.machine, Clock: clocks, Logger: d.options.Logger, Random: d.options.Random, Dial: d.line.options(&d.answers),
	})
	if err != nil {
		return errors.Join(err, kept.Close())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock, d.journal, d.link, d.halt = clocks, kept, link, func() {}
	return nil
}

// start lets the uplink work until halt.
func (d *device) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	link := d.link
	running.Go(func() { _ = link.Run(ctx) }) // nil, always
	d.halt = func() {
		cancel()
		running.Wait()
	}
}

func (d *device) close() error {
	if d.journal == nil {
		return nil
	}
	d.halt()
	return d.journal.Close()
}

// now are the parts as they are.
func (d *device) now() (*journal.Journal, *uplink.Uplink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.journal, d.link
}

// configured waits until the device knows what to ask.
func (d *device) configured(ctx context.Context) error {
	for {
		changed := d.link.Changed()
		if c := d.link.Configuration(); c != nil {
			f, err := formOf(c, time.Now())
			d.form = f
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve lets people rate, one after the other, until there are no more.
func (d *device) serve(ctx context.Context) error {
	for p := range d.people {
		if err := d.take(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (d *device) take(ctx context.Context, p person) error {
	if p.again && p.copied && d.folder != "" {
		return d.restartFromCopy(ctx, p)
	}
	if err := d.rate(ctx, p); err != nil {
		return err
	}
	if p.again {
		d.again++
	}
	return d.sendAgain(ctx)
}

// rate is what a person does at the screen.
func (d *device) rate(ctx context.Context, p person) error {
	id, err := d.journal.Begin(ctx, d.form.start(p, d.run, time.Now()))
	if err != nil {
		return err
	}
	if p.first != 0 || len(p.reasons) > 0 {
		if err := d.journal.Change(ctx, id, d.form.answers(p.score, p.reasons)); err != nil {
			return err
		}
	}
	if p.comment != "" {
		if err := d.journal.Confirm(ctx, id, &pb.Private{Comment: p.comment}); err != nil {
			return err
		}
	}
	if err := d.journal.Seal(ctx, id); err != nil {
		return err
	}
	d.sealed.Add(1)
	d.link.Wake()
	return nil
}

// sentAgain is how many ratings are sent once more at a time.
const sentAgain = 50

// sendAgain sends what was acknowledged last once more, where somebody wanted that: as if the acknowledgement had not been kept. It waits for
// an empty queue, so that nothing is under way.
func (d *device) sendAgain(ctx context.Context) error {
	status, err := d.journal.Status(ctx)
	if err != nil || d.again == 0 || status.Queue > 0 || status.HighestSequence == 0 {
		return err
	}
	through := status.AcknowledgedThrough
	if _, err := d.journal.Rewind(ctx, through-min(through, sentAgain), through); err != nil {
		return err
	}
	d.again--
	d.link.Wake()
	return nil
}

// arriveTime is how long a restart from a copy waits for what it sends first.
const arriveTime = 20 * time.Second

// restartFromCopy is a device whose disk goes back by some minutes: its journal is copied with a rating that waits, the rating arrives, and
// the device starts again from the copy, which does not know that. A rating given in between would be lost as on a real device, so
// nobody rates until it is over.
func (d *device) restartFromCopy(ctx context.Context, p person) error {
	d.halt()
	d.halt = func() {}
	if err := d.rate(ctx, p); err != nil {
		return err
	}
	older := filepath.Clean(d.folder) + ".copy"
	if err := errors.Join(d.journal.Close(), os.RemoveAll(older)); err != nil {
		return err
	}
	if err := os.CopyFS(older, os.DirFS(d.folder)); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	d.start(ctx)
	if !d.arrived(ctx, time.After(arriveTime)) {
		return os.RemoveAll(older) // without its server for long: it goes on as it is
	}
	if err := errors.Join(d.close(), os.RemoveAll(d.folder), os.Rename(older, d.folder), d.open(ctx)); err != nil {
		return err
	}
	d.start(ctx)
	return nil
}

// arrived waits until the queue is empty; false where the limit came first.
func (d *device) arrived(ctx context.Context, limit <-chan time.Time) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if d.link.State().Queue == 0 {
			return true
		}
		select {
		case <-limit:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// settle sends what is still to be sent, and again what was to be sent again, until the queue is empty or ctx ends.
func (d *device) settle(ctx context.Context) error {
	for d.arrived(ctx, nil) && d.again > 0 {
		if err := d.sendAgain(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// queue puts n ratings into the journal while the server is away, spread as people come.
func (d *device) queue(ctx context.Context, c *crowd, n int) error {
	const atOnce = 1000
	// Of the day before; where somebody else made the device, it may not have been allowed to give any then.
	today, _ := localday.Of(time.Now())
	opening, hours := today.Add(-1).Start().Add(8*time.Hour), 8*time.Hour
	if len(d.options.Codes) > 0 {
		opening, hours = time.Now(), 0
	}
	for done := 0; done < n; {
		items := make([]journal.Item, min(atOnce, n-done))
		for i := range items {
			c.tickets++
			p := c.draw()
			start := d.form.start(p, d.run, time.Now())
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			since := time.Duration(c.arrivals.day.When(float64(done+i)/float64(n)) * float64(hours))
			answers := d.form.answers(p.score, p.reasons)
			items[i] = journal.Item{Rating: &pb.Rating{
				Id: id.String(), UnitId: start.UnitID, CounterId: start.CounterID, OfficialId: start.OfficialID, TicketCode: start.TicketCode,
				Channel: pb.Channel_CHANNEL_KIOSK, QuestionnaireId: start.QuestionnaireID, QuestionnaireVersion: start.QuestionnaireVersion,
				OverallScore: answers.OverallScore, Answers: answers.Answers, Language: start.Language,
				OccurredAt: timestamppb.New(opening.Add(since + d.off)), BootId: d.run, SinceBoot: durationpb.New(since),
			}}
			if p.comment != "" {
				items[i].Private = &pb.Private{Comment: p.comment}
			}
		}
		if _, err := d.journal.Append(ctx, items); err != nil {
			return err
		}
		d.sealed.Add(uint64(len(items)))
		done += len(items)
	}
	return nil
}

// oldest is since when the first of the queue waits; zero where nothing does.
func (d *device) oldest(ctx context.Context) (time.Time, error) {
	kept, _ := d.now()
	batch, err := kept.Pending(ctx, 0, 1, 0)
	if errors.Is(err, journal.ErrClosed) || err == nil && len(batch.Items) == 0 {
		return time.Time{}, nil // a restart is under way
	}
	if err != nil {
		return time.Time{}, err
	}
	var r pb.Rating
	if err := proto.Unmarshal(batch.Items[0].GetRating(), &r); err != nil {
		return time.Time{}, err
	}
	id, err := uuid.Parse(r.GetId())
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(id.Time().UnixTime()), nil // when it was made, by this machine's clock
}

func ticket(run string, n int) string { return fmt.Sprintf("MP-%s-%d", run, n) }

// enroll enrols the device by its real way.
func (d *device) enroll(ctx context.Context, code string) error {
	if err := d.link.Enroll(ctx, "", code); err != nil {
		return err
	}
	d.begin()
	return nil
}

// begin counts from here on. What an earlier run left waiting counts as sealed by this one.
func (d *device) begin() {
	status, _ := d.journal.Status(context.Background()) // from memory: never fails
	d.before = status.HighestSequence - status.Queue
	d.sealed.Store(status.Queue)
}
