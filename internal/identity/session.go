package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// TokenPrefix begins every session token, so that an entrance knows whom to ask.
const TokenPrefix = "hls_"

const tokenBytes = 32

var tokenLength = len(TokenPrefix) + base64.RawURLEncoding.EncodedLen(tokenBytes)

// liveSession is a session with its account, as read a moment ago.
type liveSession struct {
	doc     sessionDoc
	account Account
}

// Session tells whose session it is and when it ends if nobody uses it.
type Session struct {
	Account   Account
	ExpiresAt time.Time
}

func newToken() string {
	var random [tokenBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	return TokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// sessionID is all the store knows of a token. The token has 256 random bits, so a plain hash of it cannot be undone.
func sessionID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func sessionEnded() error { return fault.New(fault.Unauthenticated, "session_ended") }

// Authenticate answers who holds a token. Unauthenticated "session_ended" for a token that is wrong, whose session
// ended, or whose account was disabled, at once in this process and in others as soon as the bus told them, five
// seconds at most. The caller's address is not known here.
func (a *Accounts) Authenticate(ctx context.Context, token string) (Caller, error) {
	if len(token) != tokenLength || !strings.HasPrefix(token, TokenPrefix) {
		return Caller{}, sessionEnded()
	}
	id := sessionID(token)
	session, err := a.session(ctx, id)
	if err != nil {
		return Caller{}, err
	}
	account := session.account
	return Caller{Kind: CallerAccount, AccountID: account.ID, Name: account.Name, Role: account.Role, UnitID: account.UnitID,
		SessionID: id, MustChange: account.MustChange, Display: account.Called(), OfficialID: account.OfficialID, Heads: account.HeadsUnits()}, nil
}

func (a *Accounts) session(ctx context.Context, id string) (liveSession, error) {
	session, err := a.live.Get(ctx, id, func(ctx context.Context) (liveSession, error) { return a.loadSession(ctx, id) })
	if err == nil && !a.now().Before(session.doc.ExpiresAt) {
		return liveSession{}, sessionEnded()
	}
	return session, typed("read session", err)
}

// loadSession reads a session and its account, and notes now and then that it is used.
func (a *Accounts) loadSession(ctx context.Context, id string) (liveSession, error) {
	doc, version, err := a.sessions.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return liveSession{}, sessionEnded()
	}
	if err != nil {
		return liveSession{}, err
	}
	account, _, err := a.accounts.Get(ctx, doc.Account)
	if errors.Is(err, store.ErrNotFound) {
		return liveSession{}, sessionEnded()
	}
	if err != nil {
		return liveSession{}, err
	}
	now := a.now()
	if account.DisabledAt != nil || account.Generation != doc.Generation || !now.Before(doc.ExpiresAt) {
		return liveSession{}, sessionEnded()
	}
	if now.Sub(doc.UsedAt) >= min(a.options.Idle/10, 5*time.Minute) {
		used := doc
		used.UsedAt = store.Milliseconds(now)
		used.ExpiresAt = a.expiry(doc.CreatedAt, now)
		_, err := a.sessions.Replace(ctx, id, used, version)
		switch {
		case err == nil:
			doc = used
		case errors.Is(err, store.ErrNotFound):
			return liveSession{}, sessionEnded()
		case !errors.Is(err, store.ErrStale): // another process noted it
			a.log.WarnContext(ctx, "a session's use was not noted", "error", err)
		}
	}
	return liveSession{doc: doc, account: account.account()}, nil
}

func (a *Accounts) expiry(created, used time.Time) time.Time {
	idle, absolute := used.Add(a.options.Idle), created.Add(a.options.Absolute)
	if idle.Before(absolute) {
		return store.Milliseconds(idle)
	}
	return store.Milliseconds(absolute)
}

// startSession makes a session and answers its token.
func (a *Accounts) startSession(ctx context.Context, account accountDoc, address string) (string, Session, error) {
	token, now := newToken(), store.Milliseconds(a.now())
	doc := sessionDoc{ID: sessionID(token), Account: account.ID, Generation: account.Generation, Address: address,
		CreatedAt: now, UsedAt: now, ExpiresAt: a.expiry(now, now)}
	if err := a.sessions.Insert(ctx, doc); err != nil {
		return "", Session{}, typed("keep session", err)
	}
	return token, Session{Account: account.account(), ExpiresAt: doc.ExpiresAt}, nil
}

// Session tells whose session the caller's is. Caller: any account.
func (a *Accounts) Session(ctx context.Context, caller Caller) (Session, error) {
	if caller.Kind != CallerAccount {
		return Session{}, fault.New(fault.Unauthenticated, "sign_in_needed")
	}
	session, err := a.session(ctx, caller.SessionID)
	if err != nil {
		return Session{}, err
	}
	return Session{Account: session.account, ExpiresAt: session.doc.ExpiresAt}, nil
}

// EndSession ends the caller's session, or all sessions of the caller's account. Ending one that ended is no error.
// Caller: any account.
func (a *Accounts) EndSession(ctx context.Context, caller Caller, everywhere bool) error {
	if caller.Kind != CallerAccount {
		return fault.New(fault.Unauthenticated, "sign_in_needed")
	}
	if everywhere {
		_, err := a.accounts.Update(ctx, caller.AccountID, func(doc *accountDoc) (bool, error) {
			doc.Generation++
			return true, nil
		})
		if err != nil {
			return typed("end sessions", err)
		}
		a.tell(ctx, "account", caller.AccountID)
	}
	if err := a.deleteSession(ctx, caller.SessionID); err != nil {
		return typed("end session", err)
	}
	a.tell(ctx, "session", caller.SessionID)
	return nil
}

func (a *Accounts) deleteSession(ctx context.Context, id string) error {
	for {
		_, version, err := a.sessions.Get(ctx, id)
		if err == nil {
			err = a.sessions.Delete(ctx, id, version)
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case !errors.Is(err, store.ErrStale):
			return err
		}
	}
}

// roleName is the role as it is kept; empty for one that no account may have.
func roleName(role pb.Role) string {
	if _, ok := roleActions[role]; !ok {
		return ""
	}
	return role.String()
}
