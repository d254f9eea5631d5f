package opener

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

type ruleOf func(*rating.Record) office.Ruled

// ruleThen is the rule that stood when the rating was received.
func (o *Opener) ruleThen(r *rating.Record) office.Ruled {
	return o.Rules.OpeningAt(r.Counted.Unit, r.ReceivedAt)
}

func (o *Opener) ruleNow(r *rating.Record) office.Ruled {
	return o.Rules.OpeningAt(r.Counted.Unit, time.Time{})
}

// one looks at one rating.
func (o *Opener) one(ctx context.Context, recordID string, rule ruleOf) (int, error) {
	record, err := o.Engine.Ratings().Get(ctx, recordID)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if holds := rule(&record); record.Source != "" || !holds.Opens(record.Score, record.Counted.Channel) {
		return 0, nil
	}
	return o.cell(ctx, record.Cell, func(r *rating.Record) bool { return r.ID == recordID }, rule)
}

// cell looks at those ratings of an hour cell that are asked for and that figures count, and answers how many are cases then.
func (o *Opener) cell(ctx context.Context, cell string, asked func(*rating.Record) bool, rule ruleOf) (int, error) {
	records, err := o.Engine.Ratings().Cell(ctx, cell)
	if err != nil {
		return 0, err
	}
	counting, err := tally.Counting(cell, records)
	if err != nil { // no figure counts what is damaged; reconcile tells it to those who can mend it
		o.Logger.ErrorContext(ctx, "ratings cannot be looked at for cases", "cell", cell, "error", err)
		return 0, nil
	}
	cases := 0
	var failed error
	for _, record := range counting {
		if !asked(record) {
			continue
		}
		holds := rule(record)
		if !holds.Opens(record.Score, record.Counted.Channel) {
			continue
		}
		opened, err := o.open(ctx, record, caseID(record, records), holds.Opening)
		if err != nil {
			failed = err
			continue
		}
		if opened {
			cases++
		}
	}
	return cases, failed
}

// open makes a case of a rating, if what it brings is enough.
func (o *Opener) open(ctx context.Context, record *rating.Record, id string, rule office.Opening) (bool, error) {
	if o.isDone(id) {
		return true, nil
	}
	private, _, err := o.Privates.Private(ctx, record.ID)
	if err != nil {
		return false, err
	}
	call, err := o.Privates.WantsCall(private)
	if err != nil { // its key is missing: what was said must not wait for that
		o.Logger.WarnContext(ctx, "a contact cannot be opened", "rating", record.ID, "error", err)
		call = false
	}
	comment := strings.TrimSpace(private.Comment)
	if !rule.Wants(comment != "", call) {
		return false, nil
	}
	wanted, err := o.wanted(ctx, record, id, private, call)
	if err != nil {
		return false, err
	}
	err = o.Cases.Open(ctx, wanted)
	switch {
	case err == nil || fault.Is(err, fault.Exists): // the latter where a correction came since
		o.setDone(id)
		return true, nil
	case fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Internal) || fault.Is(err, fault.Exhausted):
		return false, err
	}
	// It is in no case and so stands first on the leaders' page; to try for ever would keep all others waiting.
	o.Logger.ErrorContext(ctx, "a rating cannot be made a case", "rating", record.ID, "error", err)
	return false, nil
}

func (o *Opener) isDone(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done[id]
}

func (o *Opener) setDone(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.done) >= maxDone {
		clear(o.done)
	}
	o.done[id] = true
}

func (o *Opener) wanted(ctx context.Context, record *rating.Record, id string, private intake.Private, call bool) (Wanted, error) {
	_, unitID, ratingID := rating.SplitRecordID(record.ID)
	var given pb.Rating
	if err := proto.Unmarshal(record.Bytes, &given); err != nil {
		o.Logger.WarnContext(ctx, "a rating cannot be read; its case lacks the dossier", "rating", record.ID, "error", err)
	}
	w := Wanted{
		ID: id, Source: sourceOf(record.Counted.Channel), Receiving: o.Rules.Receiving(unitID), About: unitID, Official: record.Official,
		Rating: record.ID, Title: o.title(record), Words: private.Comment, Procedure: record.Procedure, Dossier: given.GetDossierCode(),
	}
	if call {
		all, _, err := o.Privates.Given(ctx, unitID, ratingID)
		if err != nil {
			return w, err
		}
		w.Contact = all.GetContact() // nil where it was erased a moment ago
		w.WithCode = w.Contact != nil
	}
	return w, nil
}

func sourceOf(channel pb.Channel) casework.Source {
	switch channel {
	case pb.Channel_CHANNEL_WEB:
		return casework.FromWeb
	case pb.Channel_CHANNEL_PAPER:
		return casework.FromSlip
	case pb.Channel_CHANNEL_HOTLINE:
		return casework.FromCall
	case pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_UNSPECIFIED:
	}
	return casework.FromRating
}

// caseID is a UUIDv7 that follows from the rating with which a chain of corrections began: one opinion is one case, however often it was
// corrected. Its time is the beginning of the local day of the rating's own id: whoever may see the case must not learn from its address
// when to the minute the rating was given.
func caseID(record *rating.Record, records []rating.Record) string {
	revises := map[string]string{}
	for i := range records {
		if _, _, id := rating.SplitRecordID(records[i].ID); records[i].Kind == rating.KindRating && records[i].Revises != "" {
			revises[id] = records[i].Revises
		}
	}
	home, unitID, first := rating.SplitRecordID(record.ID)
	walked := map[string]bool{}
	for revises[first] != "" && !walked[first] {
		walked[first] = true
		first = revises[first]
	}
	for id := range walked { // a ring, which only a forger makes, begins with its least id
		if walked[first] {
			first = min(first, id)
		}
	}
	sum := sha256.Sum256([]byte(rating.RecordID(home, unitID, first)))
	var id uuid.UUID
	copy(id[:], sum[:])
	if own, err := uuid.Parse(first); err == nil {
		day, _ := localday.Of(time.Unix(own.Time().UnixTime()))
		for i, millis := 0, day.Start().UnixMilli(); i < 6; i++ {
			id[i] = byte(millis >> (8 * (5 - i))) //nolint:gosec // one byte at a time
		}
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id.String()
}

// maxTitle is how many characters a title has at most.
const maxTitle = 200

// title says what a case is about in words of the office: the score, the reasons that were tapped, the procedure or counter. What the citizen
// wrote is never in it.
func (o *Opener) title(record *rating.Record) string {
	in := language.Vietnamese
	title := in.Text("opener.title", "score", in.Text("opener.score."+string('0'+record.Score)))
	if reasons := o.reasons(record, in); reasons != "" {
		title = in.Text("opener.title_reasons", "title", title, "reasons", reasons)
	}
	place := ""
	if procedure, ok := o.Directory.Procedure(record.Procedure); ok {
		place = procedure.Name
	} else if counter, ok := o.Directory.Counter(record.Counter); ok {
		place = counter.Name
	}
	if place != "" {
		title = in.Text("opener.title_at", "title", title, "place", place)
	}
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle-1]) + "…"
	}
	return title
}

func (o *Opener) reasons(record *rating.Record, in language.Language) string {
	form, ok := o.Directory.Questionnaire(record.Counted.Questionnaire, record.Counted.Version)
	if !ok {
		return ""
	}
	var words []string
	for _, answer := range record.Answers {
		question, ok := form.Question(answer.Question)
		if overall, has := form.Overall(); !ok || has && overall.ID == question.ID {
			continue
		}
		for _, choice := range question.Choices {
			for _, tapped := range answer.Choices {
				if tapped == choice.ID && choice.Score == 0 {
					words = append(words, questionnaire.Says(choice.Texts, string(in)))
				}
			}
		}
	}
	return strings.Join(words, "; ")
}
