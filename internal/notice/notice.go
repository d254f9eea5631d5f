// Package notice tells people and machines what happened: on the pages exactly once; by e-mail and to webhooks at least once,
// under an id that stays the same, so that whoever hears it twice can know.
//
// Whoever tells something tells it again until Tell answered without an error, as after a power cut: the id of what happened makes sure
// that nobody finds it twice. What leaves the house waits as a document, which any number of workers claim by compare-and-swap; one that was
// claimed by a worker that died is due again after its lease. A notice holds no personal data of citizens.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
)

// Message is something that happened, for one account.
type Message struct {
	ID      string            // of what happened; the same whenever and to whomever it is told
	Account string            // who is told; "" = only webhooks
	Topic   string            // such as "case.accept"; see Words
	Unit    string            // where it happened; webhooks hear of a subtree
	Link    string            // path of a page, such as "/cases/…"; "" = none
	Args    map[string]string // for the words; no personal data. "due" is a day yyyy-mm-dd
	Lines   []Line            // of a digest
	At      time.Time         // when it happened; zero = now
}

// Line is one line of a digest: a key of the catalogues and what belongs into its words.
type Line struct {
	Key  string            `bson:"key"`
	Args map[string]string `bson:"args,omitempty"`
	Link string            `bson:"link,omitempty"`
}

// Limits of a message. What is longer is cut, because a cut notice is better than none.
const (
	maxID    = 200 // bytes
	maxArgs  = 20
	maxArg   = 600 // bytes
	maxLines = 40
	maxLink  = 500 // bytes
)

// Lifetime is how long a notice can be read; what happened longer ago is not told any more.
const Lifetime = 365 * 24 * time.Hour

// Options are what notices are opened with. Keys and Limits are required.
type Options struct {
	Keys   secret.Keys // seals addresses and secrets, signs codes
	Limits bus.Limits
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now

	// Mailer sends e-mail; nil = there is none, and what waits goes on waiting.
	Mailer Mailer
	// PublicURL is how people reach the pages, for links in what leaves the house; "" = links are left out.
	PublicURL string
	// Networks that webhooks may lead to though they are inside: of the province's own portal, or for a trial 127.0.0.0/8, to
	// which plain HTTP may lead too.
	Networks []netip.Prefix

	// Recipient tells what an account is called, and false where it cannot sign in any more; nil = everybody can.
	Recipient func(ctx context.Context, account string) (name string, works bool, err error)
	// UnitName is what a unit is called today; nil = its id.
	UnitName func(unit string) string
	// Within tells whether a unit is the root or below it; nil = only itself, "" holds everything.
	Within func(unit, root string) bool
	// Keepers are the accounts that keep the webhooks of a unit besides whoever made one; nil = none.
	Keepers func(ctx context.Context, unit string) ([]string, error)
	// Digest answers what the week was like for an account; nil = there are no digests.
	Digest func(ctx context.Context, account string) (DigestContent, bool, error)
	// Observe counts attempts by channel ("email", "webhook") and outcome; nil = nobody does.
	Observe func(channel, outcome string)
	// Every is how often a worker looks for what is due; 0 = 5 seconds.
	Every time.Duration
}

// Notices tells. Its methods may be called by many goroutines; who may do what is for the caller to check.
type Notices struct {
	Options
	codes      secret.Signer
	notices    store.Docs[Notice]
	settings   store.Docs[settingsDoc]
	deliveries store.Docs[Delivery]
	hooks      store.Docs[Webhook]
	digests    store.Docs[digestDoc]
	known      *recent.Values[string, []Webhook] // all webhooks, under ""
	poster     poster
	wake       chan struct{}

	mu    sync.Mutex
	lanes map[string]*lane
	weeks map[string]bool // whose digests are all out
}

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind {
	return []store.Kind{noticeType.Kind, settingsType.Kind, deliveryType.Kind, webhookType.Kind, digestType.Kind}
}

// remembered is for how long another process's change of a webhook may go unseen.
const remembered = 5 * time.Second

// Open opens the notices of a store. Nothing leaves the house until Run or Deliver is called.
func Open(ctx context.Context, engine store.Engine, options Options) (*Notices, error) {
	if options.Limits == nil {
		return nil, errors.New("notice: limits are needed")
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Recipient == nil {
		options.Recipient = func(context.Context, string) (string, bool, error) { return "", true, nil }
	}
	if options.UnitName == nil {
		options.UnitName = func(unit string) string { return unit }
	}
	if options.Within == nil {
		options.Within = func(unit, root string) bool { return root == "" || unit == root }
	}
	if options.Keepers == nil {
		options.Keepers = func(context.Context, string) ([]string, error) { return nil, nil }
	}
	if options.Observe == nil {
		options.Observe = func(string, string) {}
	}
	if options.Every <= 0 {
		options.Every = 5 * time.Second
	}
	n := &Notices{
		Options: options, wake: make(chan struct{}, 1), lanes: map[string]*lane{}, weeks: map[string]bool{},
		known: recent.New[string, []Webhook](remembered, 1, options.Now), poster: newPoster(options.Networks),
	}
	var err error
	if n.codes, err = options.Keys.Signer("notice-email-code"); err != nil {
		return nil, err
	}
	if n.notices, err = noticeType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if n.settings, err = settingsType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if n.deliveries, err = deliveryType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if n.hooks, err = webhookType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if n.digests, err = digestType.Open(ctx, engine); err != nil {
		return nil, err
	}
	return n, nil
}

// Tell keeps messages for whoever they are for, and what is to leave the house because of them. It may be told the same any number of times; after an
// error, or where the program ended meanwhile, it must be told again. Of a message whose Account is "" only webhooks hear.
// Invalid "notice_message" where a message cannot be: a fault of the caller's code.
func (n *Notices) Tell(ctx context.Context, messages []Message) error {
	now := store.Milliseconds(n.Now())
	var kept []Notice
	var leaving []Delivery
	settings := map[string]Settings{}
	heard := map[string]bool{} // happenings whose webhooks were found
	for _, message := range messages {
		message, err := message.clean(now)
		if err != nil {
			return err
		}
		if message.At.Before(now.Add(-Lifetime)) {
			continue
		}
		if message.Account != "" {
			kept = append(kept, message.notice())
			chosen, ok := settings[message.Account]
			if !ok {
				if chosen, err = n.Settings(ctx, message.Account); err != nil {
					return err
				}
				settings[message.Account] = chosen
			}
			if chosen.Wants(message.Topic) {
				leaving = append(leaving, message.delivery(laneEmail, message.Account, now))
			}
		}
		if !heard[message.ID] {
			heard[message.ID] = true
			hooks, err := n.hearing(ctx, message)
			if err != nil {
				return err
			}
			for _, hook := range hooks {
				leaving = append(leaving, message.delivery(hook.ID, "", now))
			}
		}
	}
	if err := insertAll(ctx, n.notices, kept); err != nil {
		return told(err)
	}
	if err := insertAll(ctx, n.deliveries, leaving); err != nil {
		return told(err)
	}
	if len(leaving) > 0 {
		n.hurry()
	}
	return nil
}

// insertAll adds documents; those that are there already are left as they are.
func insertAll[T any](ctx context.Context, docs store.Docs[T], values []T) error {
	errs, err := docs.InsertAll(ctx, values)
	if err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return nil
}

func (n *Notices) hurry() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

var (
	topicShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	argShape   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)
)

// clean answers a message as it is kept.
func (m Message) clean(now time.Time) (Message, error) {
	wrong := func(field string) error { return fault.New(fault.Invalid, "notice_message", "field", field) }
	switch {
	case store.CheckID(m.ID) != nil || len(m.ID) > maxID:
		return m, wrong("id")
	case len(m.Account) > maxID || m.Account != "" && store.CheckID(m.Account) != nil:
		return m, wrong("account")
	case len(m.Topic) > 80 || !topicShape.MatchString(m.Topic):
		return m, wrong("topic")
	case !isPath(m.Link):
		return m, wrong("link")
	case len(m.Args) > maxArgs:
		return m, wrong("args")
	}
	if m.At.IsZero() {
		m.At = now
	}
	m.At = store.Milliseconds(m.At)
	var err error
	if m.Args, err = cleanArgs(m.Args); err != nil {
		return m, err
	}
	m.Unit = oneLine(m.Unit)
	if len(m.Lines) > maxLines {
		m.Lines = m.Lines[:maxLines]
	}
	lines := make([]Line, 0, len(m.Lines))
	for _, line := range m.Lines {
		if line.Args, err = cleanArgs(line.Args); err != nil || !isPath(line.Link) || len(line.Key) > 100 {
			return m, wrong("lines")
		}
		lines = append(lines, line)
	}
	m.Lines = lines
	return m, nil
}

func cleanArgs(args map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(args))
	for name, value := range args {
		if !argShape.MatchString(name) {
			return nil, fault.New(fault.Invalid, "notice_message", "field", "args")
		}
		out[name] = oneLine(value)
	}
	return out, nil
}

// oneLine is a value that fits into a sentence: no ends of lines, nothing that turns text around, not endless.
func oneLine(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, ""))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, text)
	return store.Clip(strings.TrimSpace(text), maxArg)
}

// isPath tells whether a link leads to a page of ours, or nowhere.
func isPath(link string) bool {
	if link == "" {
		return true
	}
	odd := strings.ContainsFunc(link, func(r rune) bool {
		return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
	})
	return !odd && len(link) <= maxLink && strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//")
}

// within one id: two long ids that begin alike stay apart.
func idOf(parts ...string) string {
	id := strings.Join(parts, "/")
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// told makes a store's error one for people.
func told(err error) error {
	if errors.Is(err, store.ErrInvalid) {
		return fault.New(fault.Invalid, "notice_page_token").Because(err)
	}
	return store.Told(err, "notice_unavailable")
}
