package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/remedy"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// demoProgress remembers up to when the demonstration's history is in, so that a later start adds only the days since.
type demoProgress struct {
	ID      string    `bson:"_id"`
	Through time.Time `bson:"through"`
}

var demoKind = store.Define[demoProgress]("demo_progress")

const demoID = "history"

// fillDemo fills an empty store with the fictional province; a store that holds anything else is refused.
func (a *application) fillDemo(ctx context.Context) error {
	progress, err := demoKind.Open(ctx, a.engine)
	if err != nil {
		return err
	}
	tree := a.directory.Tree()
	if _, there := tree.Get(demo.ProvinceID); !there && tree.Len() > 0 {
		return fault.New(fault.Invalid, "demo_not_empty")
	}
	if err := a.fillDemoDirectory(ctx); err != nil {
		return err
	}
	if err := a.fillDemoAccounts(ctx); err != nil {
		return err
	}
	if err := a.fillDemoRemedies(ctx); err != nil {
		return err
	}
	if err := a.fillDemoDuties(ctx); err != nil {
		return err
	}
	if err := a.fillDemoCases(ctx); err != nil {
		return err
	}
	if err := a.fillDemoActions(ctx); err != nil {
		return err
	}
	before, version, err := progress.Get(ctx, demoID)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	now := a.Clock()
	if fresh {
		_, _ = fmt.Fprintln(a.Stderr, language.OfTerminal().Text("serve.demo_filling"))
	}
	count, err := a.fillDemoRatings(ctx, before.Through, now)
	if err != nil {
		return err
	}
	if err := a.fillDemoContest(ctx); err != nil {
		return err
	}
	after := demoProgress{ID: demoID, Through: store.Milliseconds(now)}
	if fresh {
		err = progress.Insert(ctx, after)
	} else {
		_, err = progress.Replace(ctx, demoID, after, version)
	}
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale) {
		err = nil // another process fills the same store
	}
	_, _ = fmt.Fprintln(a.Stderr, language.OfTerminal().Text("serve.demo_filled", "count", language.OfTerminal().Number(float64(count), 0),
		"seconds", language.OfTerminal().Number(a.Clock().Sub(now).Seconds(), 1)))
	return err
}

func (a *application) fillDemoDirectory(ctx context.Context) error {
	var rows []directory.UnitRow
	for _, u := range demo.Units() {
		rows = append(rows, directory.UnitRow{ID: u.ID, From: u.ValidFrom, Words: unit.Words{Code: u.Code, Name: u.Name, Level: u.Level, ParentID: u.ParentID}})
	}
	results, err := a.directory.ImportUnits(ctx, rows, nil)
	if err != nil {
		return err
	}
	for _, result := range results {
		if result.Err != nil {
			return result.Err
		}
	}
	var counters []directory.Counter
	for _, c := range demo.Counters() {
		counters = append(counters, directory.Counter{ID: c.ID, UnitID: c.UnitID, Code: c.Code, Name: c.Name})
	}
	if _, err := a.directory.CreateCounters(ctx, counters); err != nil {
		return err
	}
	var officials []directory.Official
	for _, o := range demo.Officials() {
		officials = append(officials, directory.Official{ID: o.ID, UnitID: o.UnitID, Name: o.Name, Position: o.Position})
	}
	if _, err := a.directory.CreateOfficials(ctx, officials); err != nil {
		return err
	}
	var procedures []directory.Procedure
	for _, p := range demo.Procedures() {
		procedures = append(procedures, directory.Procedure{Code: p.Code, Name: p.Name, Field: p.Field})
	}
	_, err = a.directory.CreateProcedures(ctx, procedures)
	return err
}

// fillDemoRemedies publishes what was done, where it was not published yet.
func (a *application) fillDemoRemedies(ctx context.Context) error {
	today, _ := localday.Of(a.Clock())
	for _, done := range demo.Remedies() {
		there, err := a.remedies.Latest(ctx, done.UnitID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(there, func(one remedy.Remedy) bool { return one.Text == done.Text }) {
			continue
		}
		var above []string
		for _, ancestor := range a.directory.Tree().Ancestors(done.UnitID) {
			above = append(above, ancestor.ID)
		}
		_, err = a.remedies.Publish(ctx, remedy.Draft{
			Unit: done.UnitID, Ancestors: above, Text: done.Text, DoneOn: string(today.Add(-done.DaysAgo)), By: demo.Source,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillDemoDuties says who serves where, in units where nobody has said so yet.
func (a *application) fillDemoDuties(ctx context.Context) error {
	said := map[string]bool{}
	for _, serves := range demo.Duties() {
		if _, known := said[serves.UnitID]; !known {
			stands, err := a.roster.Of(ctx, serves.UnitID)
			if err != nil {
				return err
			}
			said[serves.UnitID] = len(stands) > 0
		}
		if said[serves.UnitID] {
			continue
		}
		if _, err := a.roster.Set(ctx, &pb.Duty{UnitId: serves.UnitID, CounterId: serves.CounterID, OfficialId: serves.OfficialID}); err != nil {
			return err
		}
	}
	return nil
}

// shownAccounts are the demonstration's, for whoever may be shown them; none where there is no demonstration.
func (a *application) shownAccounts() []account {
	if made := a.demoAccounts.Load(); made != nil {
		return *made
	}
	return nil
}

var roleWords = map[pb.Role]string{
	pb.Role_ROLE_ADMINISTRATOR: "administrator", pb.Role_ROLE_LEADER: "leader",
	pb.Role_ROLE_OPERATOR: "operator", pb.Role_ROLE_OFFICIAL: "official",
	pb.Role_ROLE_HEAD: "head", pb.Role_ROLE_INSPECTOR: "inspector",
}

func (a *application) fillDemoAccounts(ctx context.Context) error {
	var made []account
	for _, wanted := range demo.Accounts() {
		_, err := a.accounts.Create(ctx, identity.System(), a.within, identity.NewAccount{
			Name: wanted.Name, Password: wanted.Password, Role: wanted.Role, UnitID: wanted.UnitID,
			Person: identity.Person{Display: wanted.Display, OfficialID: wanted.Official},
		})
		if err != nil && !fault.Is(err, fault.Exists) {
			return err
		}
		made = append(made, account{wanted.Name, wanted.Password, roleWords[wanted.Role]})
	}
	a.demoAccounts.Store(&made) // pages show them while the rest is made
	return nil
}

// fillDemoRatings submits the history after a time, a few batches at once. Ids are the same at every start, so what was
// stored before an interruption is found to be there.
func (a *application) fillDemoRatings(ctx context.Context, after, now time.Time) (int, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // much garbage for a few seconds, and a newcomer waiting
	group, filling := errgroup.WithContext(ctx)
	group.SetLimit(3)
	count := 0
	var batch []*pb.SealedRating
	flush := func() {
		items := batch
		batch = nil
		count += len(items)
		group.Go(func() error { return a.submitDemo(filling, items) })
	}
	for sealed := range demo.Ratings(now) {
		if filling.Err() != nil {
			break
		}
		if !after.IsZero() {
			var r pb.Rating
			if err := proto.Unmarshal(sealed.GetRating(), &r); err != nil {
				return 0, err
			}
			if r.GetOccurredAt().AsTime().Before(after.Add(-time.Hour)) {
				continue
			}
		}
		if batch = append(batch, sealed); len(batch) == intake.MaxItems {
			flush()
		}
	}
	if len(batch) > 0 {
		flush()
	}
	return count, group.Wait()
}

func (a *application) submitDemo(ctx context.Context, items []*pb.SealedRating) error {
	outcomes, err := a.intake.Submit(ctx, identity.System(), intake.Batch{Items: items, Source: demo.Source})
	if err != nil {
		return err
	}
	for _, outcome := range outcomes {
		if outcome.GetOutcome() == pb.Outcome_OUTCOME_REJECTED {
			return fmt.Errorf("demonstration rating %s: %s", outcome.GetRatingId(), outcome.GetReasonCode())
		}
	}
	return nil
}

// liveDemo keeps a rating coming every second or so.
func (a *application) liveDemo(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(uint64(a.Clock().UnixNano()), 1)) //nolint:gosec // a demonstration, not a secret
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(200+rng.IntN(1600)) * time.Millisecond):
		}
		if err := a.submitDemo(ctx, []*pb.SealedRating{demo.Live(a.Clock(), rng)}); err != nil && ctx.Err() == nil {
			a.Logger.WarnContext(ctx, "demonstration rating not stored", "error", err)
		}
	}
}
