package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// DigestContent is what a week was like for somebody.
type DigestContent struct {
	Link  string // path of the page that shows it all
	Unit  string
	Args  map[string]string
	Lines []Line
}

// digestDoc is the digest of an account and a week: what was answered first is what is told, however often the program ends meanwhile.
type digestDoc struct {
	ID        string            `bson:"_id"` // 2026-W48/account
	None      bool              `bson:"none"`
	Told      bool              `bson:"told"`
	Link      string            `bson:"link,omitempty"`
	Unit      string            `bson:"unit,omitempty"`
	Args      map[string]string `bson:"args,omitempty"`
	Lines     []Line            `bson:"lines,omitempty"`
	At        time.Time         `bson:"at"`
	ExpiresAt time.Time         `bson:"expires_at"`
}

var digestType = store.Define[digestDoc]("digests", store.Index{Name: expires, Fields: []string{"expires_at"}, Expire: true})

// digestHour is when on a Monday digests are made, in local time.
const digestHour = 7

// weekOf is the ISO week whose digests are due, and since when. On a Monday before the hour it is the week before.
func weekOf(now time.Time) (week string, since time.Time) {
	local := now.In(localday.Zone).Add(-digestHour * time.Hour)
	year, number := local.ISOWeek()
	monday := local.AddDate(0, 0, -(int(local.Weekday())+6)%7)
	since = time.Date(monday.Year(), monday.Month(), monday.Day(), digestHour, 0, 0, 0, localday.Zone)
	return fmt.Sprintf("%04d-W%02d", year, number), since
}

// digestLooks is how often it is looked for digests that are due.
const digestLooks = time.Minute

func (n *Notices) runDigests(ctx context.Context) {
	ticker := time.NewTicker(digestLooks)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := n.Digests(ctx); err != nil && ctx.Err() == nil {
			n.Logger.WarnContext(ctx, "some digests cannot be made; they are tried again", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// Digests makes the digests of this week that nobody has yet, from Monday 07:00 on: one an account and week, whoever makes them, and however often.
func (n *Notices) Digests(ctx context.Context) error {
	if n.Digest == nil {
		return nil
	}
	week, since := weekOf(n.Now())
	n.mu.Lock()
	done := n.weeks[week]
	n.mu.Unlock()
	if done {
		return nil
	}
	var accounts []string
	for doc, err := range n.settings.Find(ctx, store.Query{Index: byDigest, Equal: []any{true}}) {
		if err != nil {
			return told(err)
		}
		if !doc.Value.Since.After(since) { // one that was asked for later begins with the next week
			accounts = append(accounts, doc.Value.ID)
		}
	}
	var wrong []error
	for _, account := range accounts {
		if err := n.digest(ctx, week, account); err != nil {
			wrong = append(wrong, fmt.Errorf("account %s: %w", account, err))
		}
		if ctx.Err() != nil || len(wrong) > 20 {
			break
		}
	}
	if len(wrong) == 0 && ctx.Err() == nil {
		n.mu.Lock()
		n.weeks[week] = true
		n.mu.Unlock()
	}
	return errors.Join(wrong...)
}

// digest makes and tells the digest of one account.
func (n *Notices) digest(ctx context.Context, week, account string) error {
	id := idOf(week, account)
	doc, _, err := n.digests.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		doc, err = n.compose(ctx, id, account)
	}
	if err != nil || doc.Told || doc.None {
		return err
	}
	if err := n.Tell(ctx, []Message{{
		ID: "digest/" + week, Account: account, Topic: digestTopic, Unit: doc.Unit, Link: doc.Link, Args: doc.Args, Lines: doc.Lines, At: doc.At,
	}}); err != nil {
		return err
	}
	_, err = n.digests.Update(ctx, id, func(doc *digestDoc) (bool, error) {
		was := doc.Told
		doc.Told = true
		return !was, nil
	})
	return err
}

// compose asks what the week was like and keeps the answer, or finds the one that another worker kept.
func (n *Notices) compose(ctx context.Context, id, account string) (digestDoc, error) {
	now := store.Milliseconds(n.Now())
	doc := digestDoc{ID: id, At: now, ExpiresAt: now.Add(60 * 24 * time.Hour)}
	_, works, err := n.Recipient(ctx, account)
	if err != nil {
		return doc, err
	}
	content, there := DigestContent{}, false
	if works {
		if content, there, err = n.Digest(ctx, account); err != nil {
			return doc, err
		}
	}
	doc.None, doc.Link, doc.Unit, doc.Args, doc.Lines = !there, content.Link, content.Unit, content.Args, content.Lines
	err = n.digests.Insert(ctx, doc)
	if errors.Is(err, store.ErrExists) {
		doc, _, err = n.digests.Get(ctx, id)
	}
	return doc, err
}
