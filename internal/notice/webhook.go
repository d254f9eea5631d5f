package notice

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Webhook is an address of another program that hears what happens in a subtree of units.
type Webhook struct {
	ID           string      `bson:"_id"`
	Unit         string      `bson:"unit"` // top of the subtree; "" = everything
	Name         string      `bson:"name"` // what it is for, in the office's words
	Topics       []string    `bson:"topics"`
	URL          string      `bson:"url"`
	Secret       []byte      `bson:"secret"`                 // sealed
	Before       []byte      `bson:"before,omitempty"`       // the secret before, sealed
	BeforeUntil  time.Time   `bson:"before_until,omitempty"` // signs as well until then
	Paused       PauseReason `bson:"paused,omitempty"`       // "" = it hears
	PausedAt     time.Time   `bson:"paused_at,omitempty"`
	FailingSince time.Time   `bson:"failing_since,omitempty"` // zero = the last attempt came through
	CreatedBy    string      `bson:"created_by"`              // account
	CreatedAt    time.Time   `bson:"created_at"`
}

// PauseReason is why a webhook hears nothing. What would have been sent waits until it hears again, for at most 30 days.
type PauseReason string

// The reasons.
const (
	PausedByHand  PauseReason = "by_hand"
	PausedFailing PauseReason = "failing" // nothing came through for days
)

const byMade = "made"

var webhookType = store.Define[Webhook]("webhooks", store.Index{Name: byMade, Fields: []string{"created_at"}})

// Limits of webhooks.
const (
	MaxWebhooks = 200
	MaxTopics   = 50
	MaxName     = 200 // characters
	MaxURL      = 1000
	// Overlap is how long the secret before still signs.
	Overlap = 24 * time.Hour
	// Patience is how long nothing comes through until a webhook is paused.
	Patience = 3 * 24 * time.Hour
)

// NewWebhook describes one.
type NewWebhook struct {
	ID     string // UUID made by the caller: the same again makes nothing new; "" = made here
	Unit   string
	Name   string
	Topics []string // such as "case.accept", or "case.*" for all of cases
	URL    string
	By     string // account
}

// MakeWebhook makes a webhook and answers its secret, which is never told again: making the same once more answers "". Invalid "notice_webhook_name", "notice_webhook_topics",
// "notice_webhook_url", "notice_webhook_inside"; Exists "notice_webhook_id"; Exhausted "notice_webhooks_many".
func (n *Notices) MakeWebhook(ctx context.Context, wanted NewWebhook) (Webhook, string, error) {
	hook, err := n.checked(ctx, Webhook{Unit: wanted.Unit, Name: wanted.Name, Topics: wanted.Topics, URL: wanted.URL})
	if err != nil {
		return Webhook{}, "", err
	}
	all, err := n.read(ctx)
	if err != nil {
		return Webhook{}, "", err
	}
	if len(all) >= MaxWebhooks {
		return Webhook{}, "", fault.New(fault.Exhausted, "notice_webhooks_many", "limit", MaxWebhooks)
	}
	hook.ID = cmp.Or(wanted.ID, uuid.Must(uuid.NewV7()).String())
	if uuid.Validate(hook.ID) != nil {
		return Webhook{}, "", fault.New(fault.Invalid, "notice_webhook_id")
	}
	hook.CreatedBy, hook.CreatedAt = wanted.By, store.Milliseconds(n.Now())
	secret := newSecret()
	if hook.Secret, err = n.Keys.Seal([]byte(secret), hookSeal(hook.ID)); err != nil {
		return Webhook{}, "", err
	}
	err = n.hooks.Insert(ctx, hook)
	if errors.Is(err, store.ErrExists) {
		stands, err := n.Webhook(ctx, hook.ID)
		if err != nil || stands.CreatedBy != wanted.By || stands.URL != hook.URL || stands.Unit != hook.Unit {
			return Webhook{}, "", fault.New(fault.Exists, "notice_webhook_id")
		}
		return stands, "", nil
	}
	if err != nil {
		return Webhook{}, "", told(err)
	}
	n.known.ForgetAll()
	return hook, secret, nil
}

func hookSeal(id string) []byte { return []byte("webhook/" + id) }

// secretPrefix marks a secret as one of Standard Webhooks.
const secretPrefix = "whsec_"

func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(random[:])
}

var chosenShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$`)

// checked answers a webhook as it is kept.
func (n *Notices) checked(ctx context.Context, hook Webhook) (Webhook, error) {
	hook.Name = oneLine(hook.Name)
	if hook.Name == "" || len([]rune(hook.Name)) > MaxName {
		return hook, fault.New(fault.Invalid, "notice_webhook_name", "limit", MaxName)
	}
	topics := slices.Clone(hook.Topics)
	slices.Sort(topics)
	hook.Topics = slices.Compact(topics)
	wrong := func(topic string) bool { return len(topic) > 80 || !chosenShape.MatchString(topic) }
	if len(hook.Topics) == 0 || len(hook.Topics) > MaxTopics || slices.ContainsFunc(hook.Topics, wrong) {
		return hook, fault.New(fault.Invalid, "notice_webhook_topics", "limit", MaxTopics)
	}
	var err error
	hook.URL, err = n.poster.checkURL(ctx, hook.URL)
	return hook, err
}

// Webhook answers one. NotFound "notice_webhook_unknown".
func (n *Notices) Webhook(ctx context.Context, id string) (Webhook, error) {
	hook, _, err := n.hooks.Get(ctx, id)
	return hook, hookError(err)
}

func hookError(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return fault.New(fault.NotFound, "notice_webhook_unknown")
	}
	return told(err)
}

// Webhooks lists all of them, the newest first.
func (n *Notices) Webhooks(ctx context.Context) ([]Webhook, error) {
	all, err := n.read(ctx)
	slices.Reverse(all)
	return all, err
}

func (n *Notices) read(ctx context.Context) ([]Webhook, error) {
	var all []Webhook
	for doc, err := range n.hooks.Find(ctx, store.Query{Index: byMade}) {
		if err != nil {
			return nil, told(err)
		}
		all = append(all, doc.Value)
	}
	return all, nil
}

// all are the webhooks as they were a moment ago.
func (n *Notices) all(ctx context.Context) ([]Webhook, error) { return n.known.Get(ctx, "", n.read) }

// hearing are the webhooks that hear of a message.
func (n *Notices) hearing(ctx context.Context, m Message) ([]Webhook, error) {
	all, err := n.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []Webhook
	for _, hook := range all {
		if hears(hook.Topics, m.Topic) && (hook.Unit == "" || m.Unit != "" && n.Within(m.Unit, hook.Unit)) {
			out = append(out, hook)
		}
	}
	return out, nil
}

func (n *Notices) changeHook(ctx context.Context, id string, change func(*Webhook) error) (Webhook, error) {
	hook, err := n.hooks.Update(ctx, id, func(hook *Webhook) (bool, error) { return true, change(hook) })
	n.known.ForgetAll()
	return hook, hookError(err)
}

// ChangeWebhook changes what a webhook hears and where. Errors as those of MakeWebhook; NotFound "notice_webhook_unknown".
func (n *Notices) ChangeWebhook(ctx context.Context, id, name, url string, topics []string) (Webhook, error) {
	wanted, err := n.checked(ctx, Webhook{Name: name, URL: url, Topics: topics})
	if err != nil {
		return Webhook{}, err
	}
	hook, err := n.changeHook(ctx, id, func(hook *Webhook) error {
		hook.Name, hook.URL, hook.Topics = wanted.Name, wanted.URL, wanted.Topics
		return nil
	})
	n.resume(id)
	return hook, err
}

// RotateSecret gives a webhook a new secret, which is answered once. The one before signs as well for a day, so that the receiver can change over in peace; one that
// was before that does not any more.
func (n *Notices) RotateSecret(ctx context.Context, id string) (Webhook, string, error) {
	secret := newSecret()
	sealed, err := n.Keys.Seal([]byte(secret), hookSeal(id))
	if err != nil {
		return Webhook{}, "", err
	}
	hook, err := n.changeHook(ctx, id, func(hook *Webhook) error {
		hook.Before, hook.BeforeUntil = hook.Secret, store.Milliseconds(n.Now().Add(Overlap))
		hook.Secret = sealed
		return nil
	})
	if err != nil {
		return Webhook{}, "", err
	}
	return hook, secret, nil
}

// PauseWebhook lets a webhook hear nothing for now.
func (n *Notices) PauseWebhook(ctx context.Context, id string) (Webhook, error) {
	return n.changeHook(ctx, id, func(hook *Webhook) error {
		if hook.Paused == "" {
			hook.Paused, hook.PausedAt = PausedByHand, store.Milliseconds(n.Now())
		}
		return nil
	})
}

// ResumeWebhook lets it hear again; what waited is sent.
func (n *Notices) ResumeWebhook(ctx context.Context, id string) (Webhook, error) {
	hook, err := n.changeHook(ctx, id, func(hook *Webhook) error {
		hook.Paused, hook.PausedAt, hook.FailingSince = "", time.Time{}, time.Time{}
		return nil
	})
	n.resume(id)
	n.hurry()
	return hook, err
}

// RemoveWebhook takes a webhook away; what waited for it is dropped. One that is gone is no error.
func (n *Notices) RemoveWebhook(ctx context.Context, id string) error {
	for {
		_, version, err := n.hooks.Get(ctx, id)
		if err == nil {
			err = n.hooks.Delete(ctx, id, version)
		}
		n.known.ForgetAll()
		switch {
		case errors.Is(err, store.ErrStale):
			continue
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrInvalid):
			return nil
		}
		return told(err)
	}
}

// judge notes on a webhook whether its last attempt came through, and pauses one that fails for days; whoever keeps it is told.
func (n *Notices) judge(ctx context.Context, id string, why *failure) error {
	now := store.Milliseconds(n.Now())
	hook, _, err := n.hooks.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	failing := !hook.FailingSince.IsZero()
	switch {
	case why == nil && !failing, why != nil && why.outcome == OutcomeOurs:
		return nil
	case why != nil && failing && now.Sub(hook.FailingSince) < Patience:
		return nil
	case why != nil && failing:
		// Told first: where the program ends here, it is told and paused at the next attempt, and told once all the same.
		if err := n.tellPaused(ctx, hook, now); err != nil {
			return err
		}
	}
	_, err = n.changeHook(ctx, id, func(hook *Webhook) error {
		switch {
		case why == nil:
			hook.FailingSince = time.Time{}
		case hook.FailingSince.IsZero():
			hook.FailingSince = now
		case now.Sub(hook.FailingSince) >= Patience && hook.Paused == "":
			hook.Paused, hook.PausedAt = PausedFailing, now
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (n *Notices) tellPaused(ctx context.Context, hook Webhook, now time.Time) error {
	keepers, err := n.Keepers(ctx, hook.Unit)
	if err != nil {
		return err
	}
	keepers = append([]string{hook.CreatedBy}, keepers...)
	slices.Sort(keepers)
	var messages []Message
	for _, account := range slices.Compact(keepers) {
		if account == "" {
			continue
		}
		messages = append(messages, Message{
			ID: "webhook.paused/" + hook.ID + "/" + strconv.FormatInt(hook.FailingSince.Unix(), 10), Account: account, Topic: "webhook.paused", Unit: hook.Unit,
			Link: "/admin/webhooks/" + hook.ID, Args: map[string]string{"title": hook.Name, "days": strconv.Itoa(int(Patience.Hours() / 24))}, At: now,
		})
	}
	return n.Tell(ctx, messages)
}
