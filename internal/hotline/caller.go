package hotline

import (
	"context"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/telephone"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// The associated data of what is encrypted: what it is and whose, so that it cannot be moved to another document.
func callerOf(callID string) []byte { return []byte("call\x00" + callID) }

// indexOf is the keyed hash by which the same thing is found again: 128 bits of it.
func (h *Hotline) indexOf(what, value string) string {
	return base64.RawURLEncoding.EncodeToString(h.blind.Sum([]byte(what + "\x00" + value))[:16])
}

// know writes who called into a call. A number that is still being typed, or is none, is kept as it is written and found by nothing.
// Invalid "hotline_caller_long".
func (h *Hotline) know(c *Call, who Caller) error {
	who.Name, who.Phone = norm.NFC.String(strings.TrimSpace(who.Name)), strings.TrimSpace(who.Phone)
	if utf8.RuneCountInString(who.Name) > MaxName || len(who.Phone) > telephone.MaxText {
		return fault.New(fault.Invalid, "hotline_caller_long", "limit", MaxName)
	}
	number, err := telephone.Parse(who.Phone)
	if err == nil {
		who.Phone = number.Shown()
	}
	if c.Sealed != nil {
		if before, err := h.who(*c); err == nil && before == who {
			return nil // the same bytes stay, so that saving the same again changes nothing
		}
	}
	c.Sealed, c.NumberIndex, c.LastFourIndex = nil, "", ""
	if who == (Caller{}) {
		return nil
	}
	if err == nil {
		c.NumberIndex = h.indexOf("number", number.E164())
		c.LastFourIndex = h.indexOf("last-four", number.LastFour())
	}
	plain, err := proto.Marshal(&pb.Contact{Name: who.Name, Phone: who.Phone})
	if err != nil {
		return err
	}
	c.Sealed, err = h.options.Keys.Seal(plain, callerOf(c.ID))
	return err
}

// who reads who called.
func (h *Hotline) who(c Call) (Caller, error) {
	if c.Sealed == nil {
		return Caller{}, nil
	}
	plain, err := h.options.Keys.Open(c.Sealed, callerOf(c.ID))
	if err != nil {
		return Caller{}, err
	}
	var contact pb.Contact
	if err := proto.Unmarshal(plain, &contact); err != nil {
		return Caller{}, fault.New(fault.Internal, "internal").Because(err)
	}
	return Caller{Name: contact.GetName(), Phone: contact.GetPhone()}, nil
}

// Who answers who called; the zero Caller where nobody knows. It is personal: whoever asks is entitled to it, and the asking is audited.
func (h *Hotline) Who(c Call) (Caller, error) { return h.who(c) }

// LastFour answers the last four digits of the caller's number; "" where there is none, or it cannot be read.
func (h *Hotline) LastFour(c Call) string {
	who, err := h.who(c)
	if err != nil {
		return ""
	}
	number, err := telephone.Parse(who.Phone)
	if err != nil {
		return ""
	}
	return number.LastFour()
}

// numberOf is a number as it is known again, or as it is written where it cannot be read.
func numberOf(text string) string {
	if number, err := telephone.Parse(text); err == nil {
		return number.E164()
	}
	return strings.TrimSpace(text)
}

// FindCaller answers the latest calls of a number, or of all numbers that end in four digits, newest first. exact tells that it was a
// whole number. Invalid "hotline_number_short" where there are fewer than four digits; "telephone_invalid".
func (h *Hotline) FindCaller(ctx context.Context, text string, limit int) (calls []Call, exact bool, err error) {
	query := store.Query{Index: "last_four", Desc: true}
	digits := strings.TrimSpace(norm.NFKC.String(text))
	switch number, err := telephone.Parse(text); {
	case err == nil && number.Kind() != telephone.Short, err == nil && len(digits) != 4:
		query.Index, query.Equal, exact = "number", []any{h.indexOf("number", number.E164())}, true
	case len(digits) == 4 && strings.Trim(digits, "0123456789") == "":
		query.Equal = []any{h.indexOf("last-four", digits)}
	case len(digits) < 4:
		return nil, false, fault.New(fault.Invalid, "hotline_number_short")
	default:
		return nil, false, err
	}
	calls, _, err = h.page(ctx, query, limit, func(Call) bool { return true })
	return calls, exact, err
}
