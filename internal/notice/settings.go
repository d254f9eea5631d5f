package notice

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

// Settings are how an account wants to be told. Without any, only its pages tell it.
type Settings struct {
	Account  string
	Language language.Language // of e-mail
	Groups   []Group           // that are sent by e-mail too
	Digest   bool              // once a week
	Address  string            // e-mail, confirmed; "" = none
	Pending  string            // e-mail that waits for its code; "" = none
}

// Wants tells whether a topic is to be sent by e-mail too.
func (s Settings) Wants(topic string) bool {
	if s.Address == "" {
		return false
	}
	if topic == digestTopic {
		return s.Digest
	}
	return slices.Contains(s.Groups, GroupOf(topic))
}

// settingsDoc is how settings are kept: addresses sealed, and of a code only when it was made.
type settingsDoc struct {
	ID       string    `bson:"_id"` // account
	Language string    `bson:"language,omitempty"`
	Groups   []Group   `bson:"groups,omitempty"`
	Digest   bool      `bson:"digest"`
	Since    time.Time `bson:"digest_since,omitempty"` // no digest of a week that began before
	Address  []byte    `bson:"address,omitempty"`
	Pending  []byte    `bson:"pending,omitempty"`
	Made     time.Time `bson:"pending_made,omitempty"`
	Wrong    int       `bson:"pending_wrong,omitempty"` // codes that did not fit
}

const byDigest = "digest"

var settingsType = store.Define[settingsDoc]("notice_settings", store.Index{Name: byDigest, Fields: []string{"digest"}})

func addressSeal(account string) []byte { return []byte("notice-email/" + account) }

// Settings answers an account's settings; those of one that never chose are empty.
func (n *Notices) Settings(ctx context.Context, account string) (Settings, error) {
	doc, _, err := n.settings.Get(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return Settings{Account: account, Language: language.Vietnamese}, nil
	}
	if err != nil {
		return Settings{}, told(err)
	}
	return n.opened(doc)
}

func (n *Notices) opened(doc settingsDoc) (Settings, error) {
	s := Settings{Account: doc.ID, Language: language.Language(doc.Language), Groups: doc.Groups, Digest: doc.Digest}
	if !slices.Contains(language.All, s.Language) {
		s.Language = language.Vietnamese
	}
	for _, one := range []struct {
		sealed []byte
		to     *string
	}{{doc.Address, &s.Address}, {doc.Pending, &s.Pending}} {
		if len(one.sealed) == 0 {
			continue
		}
		plain, err := n.Keys.Open(one.sealed, addressSeal(doc.ID))
		if err != nil {
			return Settings{}, err
		}
		*one.to = string(plain)
	}
	return s, nil
}

// change writes settings, making them where there are none.
func (n *Notices) change(ctx context.Context, account string, change func(*settingsDoc) error) (Settings, error) {
	for {
		doc, err := n.settings.Update(ctx, account, func(doc *settingsDoc) (bool, error) { return true, change(doc) })
		if errors.Is(err, store.ErrNotFound) {
			doc = settingsDoc{ID: account}
			if err = change(&doc); err == nil {
				err = n.settings.Insert(ctx, doc)
			}
			if errors.Is(err, store.ErrExists) {
				continue
			}
		}
		if err != nil {
			return Settings{}, told(err)
		}
		return n.opened(doc)
	}
}

// Choose sets what an account wants. Invalid "notice_group", "notice_language".
func (n *Notices) Choose(ctx context.Context, account string, in language.Language, groups []Group, digest bool) (Settings, error) {
	if !slices.Contains(language.All, in) {
		return Settings{}, fault.New(fault.Invalid, "notice_language")
	}
	var kept []Group
	for _, group := range Groups() {
		if slices.Contains(groups, group) {
			kept = append(kept, group)
		}
	}
	for _, group := range groups {
		if !slices.Contains(kept, group) {
			return Settings{}, fault.New(fault.Invalid, "notice_group", "group", oneLine(string(group)))
		}
	}
	return n.change(ctx, account, func(doc *settingsDoc) error {
		if digest && !doc.Digest {
			doc.Since = store.Milliseconds(n.Now())
		}
		doc.Language, doc.Groups, doc.Digest = string(in), kept, digest
		return nil
	})
}

// mailAddress is an address as offices have it: nothing quoted, no letters beyond ASCII, which many servers refuse.
var mailAddress = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$`)

func cleanAddress(address string) (string, error) {
	address = strings.TrimSpace(address)
	local, _, _ := strings.Cut(address, "@")
	if len(address) > 254 || len(local) > 64 || !mailAddress.MatchString(address) {
		return "", fault.New(fault.Invalid, "notice_address")
	}
	return address, nil
}

// How often codes are sent and tried.
const (
	codeLives = time.Hour
	maxWrong  = 5 // codes that do not fit, until a new one must be asked for
)

func codesOfAccount() bus.Limit { return bus.Limit{Rate: 6, Per: time.Hour, Burst: 3} }
func codesToAddress() bus.Limit { return bus.Limit{Rate: 6, Per: 24 * time.Hour, Burst: 3} }

// SetAddress notes an address and sends it a code; the one confirmed before stays until then. Unavailable "notice_mail_off", Invalid "notice_address", Exhausted
// "notice_codes_many".
func (n *Notices) SetAddress(ctx context.Context, account, address string) (Settings, error) {
	if n.Mailer == nil {
		return Settings{}, fault.New(fault.Unavailable, "notice_mail_off")
	}
	address, err := cleanAddress(address)
	if err != nil {
		return Settings{}, err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(address)))
	if !n.Limits.Allow(ctx, "notice-code/"+account, codesOfAccount(), 1).Allowed ||
		!n.Limits.Allow(ctx, "notice-code-to/"+hex.EncodeToString(sum[:]), codesToAddress(), 1).Allowed {
		return Settings{}, fault.New(fault.Exhausted, "notice_codes_many")
	}
	sealed, err := n.Keys.Seal([]byte(address), addressSeal(account))
	if err != nil {
		return Settings{}, err
	}
	now := store.Milliseconds(n.Now())
	settings, err := n.change(ctx, account, func(doc *settingsDoc) error {
		doc.Pending, doc.Made, doc.Wrong = sealed, now, 0
		return nil
	})
	if err != nil {
		return Settings{}, err
	}
	message := Message{ID: "code/" + now.Format("20060102T150405.000"), Account: account, Topic: codeTopic, At: now}
	if err := insertAll(ctx, n.deliveries, []Delivery{message.delivery(laneEmail, account, now)}); err != nil {
		return Settings{}, told(err)
	}
	n.hurry()
	return settings, nil
}

const codeTopic = "email.code"

// code is the code of an address that waits. It is made again from when it was asked for: no code is kept anywhere.
func (n *Notices) code(account, address string, made time.Time) string {
	sum := n.codes.Sum([]byte(account + "\x00" + address + "\x00" + made.UTC().Format(time.RFC3339Nano)))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum)%1_000_000)
}

// Confirm takes the code that was sent to an address. Invalid "notice_code_wrong", "notice_code_over".
func (n *Notices) Confirm(ctx context.Context, account, code string) (Settings, error) {
	code = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)
	fits := false
	settings, err := n.change(ctx, account, func(doc *settingsDoc) error {
		waiting, err := n.opened(*doc)
		if err != nil {
			return err
		}
		if waiting.Pending == "" || doc.Wrong >= maxWrong || n.Now().Sub(doc.Made) > codeLives {
			return fault.New(fault.Invalid, "notice_code_over")
		}
		// A wrong code is counted by the same write that would confirm: of many tried at once each costs one.
		if fits = hmac.Equal([]byte(code), []byte(n.code(account, waiting.Pending, doc.Made))); fits {
			doc.Address, doc.Pending, doc.Made, doc.Wrong = doc.Pending, nil, time.Time{}, 0
		} else {
			doc.Wrong++
		}
		return nil
	})
	if err == nil && !fits {
		return Settings{}, fault.New(fault.Invalid, "notice_code_wrong")
	}
	return settings, err
}

// RemoveAddress forgets an account's addresses; nothing is sent to them any more.
func (n *Notices) RemoveAddress(ctx context.Context, account string) (Settings, error) {
	return n.change(ctx, account, func(doc *settingsDoc) error {
		doc.Address, doc.Pending, doc.Made, doc.Wrong = nil, nil, time.Time{}, 0
		return nil
	})
}
