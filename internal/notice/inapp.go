package notice

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Notice is a message as an account finds it on its pages.
type Notice struct {
	ID        string            `bson:"_id"` // happening/account
	Account   string            `bson:"account"`
	Topic     string            `bson:"topic"`
	Unit      string            `bson:"unit,omitempty"`
	Link      string            `bson:"link,omitempty"`
	Args      map[string]string `bson:"args,omitempty"`
	Lines     []Line            `bson:"lines,omitempty"`
	At        time.Time         `bson:"at"`
	Unread    bool              `bson:"unread"`
	ReadAt    time.Time         `bson:"read_at,omitempty"`
	ExpiresAt time.Time         `bson:"expires_at"`
}

const (
	byAccount = "account"
	byUnread  = "unread"
	expires   = "expires"
)

var noticeType = store.Define[Notice]("notices",
	store.Index{Name: byAccount, Fields: []string{"account", "at"}},
	store.Index{Name: byUnread, Fields: []string{"account", "unread", "at"}},
	store.Index{Name: expires, Fields: []string{"expires_at"}, Expire: true},
)

func (m Message) notice() Notice {
	return Notice{
		ID: idOf(m.ID, m.Account), Account: m.Account, Topic: m.Topic, Unit: m.Unit, Link: m.Link, Args: m.Args, Lines: m.Lines,
		At: m.At, Unread: true, ExpiresAt: m.At.Add(Lifetime),
	}
}

// List lists the notices of an account, newest first; the cursor is that of the next page, "" at the end. Invalid "notice_page_token".
func (n *Notices) List(ctx context.Context, account string, unread bool, after store.Cursor, limit int) ([]Notice, store.Cursor, error) {
	query := store.Query{Index: byAccount, Equal: []any{account}, After: after, Desc: true}
	if unread {
		query.Index, query.Equal = byUnread, []any{account, true}
	}
	list, next, err := n.notices.Page(ctx, query, limit)
	return list, next, told(err)
}

// MaxCounted is how far unread notices are counted.
const MaxCounted = 99

// Unread counts an account's unread notices up to MaxCounted; more tells that there are more than that.
func (n *Notices) Unread(ctx context.Context, account string) (count int, more bool, err error) {
	query := store.Query{Index: byUnread, Equal: []any{account, true}, Limit: MaxCounted + 1}
	for _, err := range n.notices.Find(ctx, query) {
		if err != nil {
			return 0, false, told(err)
		}
		count++
	}
	return min(count, MaxCounted), count > MaxCounted, nil
}

// Read marks one notice as read; one that is stays as it is. NotFound "notice_unknown", also for a notice of somebody else.
func (n *Notices) Read(ctx context.Context, account, id string) (Notice, error) {
	notice, err := n.notices.Update(ctx, id, func(kept *Notice) (bool, error) {
		if kept.Account != account {
			return false, store.ErrNotFound
		}
		was := kept.Unread
		kept.Unread = false
		if was {
			kept.ReadAt = store.Milliseconds(n.Now())
		}
		return was, nil
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return Notice{}, fault.New(fault.NotFound, "notice_unknown")
	}
	return notice, told(err)
}

// maxAtOnce bounds what one call marks.
const maxAtOnce = 1000

// ReadAll marks an account's notices as read, those that happened by a time: what came after the list was shown stays unread. It answers how many it marked,
// 1,000 at most.
func (n *Notices) ReadAll(ctx context.Context, account string, until time.Time) (int, error) {
	query := store.Query{Index: byUnread, Equal: []any{account, true}, To: store.Milliseconds(until).Add(time.Millisecond), Limit: maxAtOnce}
	var ids []string
	for doc, err := range n.notices.Find(ctx, query) {
		if err != nil {
			return 0, told(err)
		}
		ids = append(ids, doc.Value.ID)
	}
	for i, id := range ids {
		if _, err := n.Read(ctx, account, id); err != nil && !fault.Is(err, fault.NotFound) {
			return i, err
		}
	}
	return len(ids), nil
}
