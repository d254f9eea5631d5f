package casebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Contact is how to reach the person a case came from. It is kept encrypted.
type Contact struct {
	Name     string `json:"name,omitempty"`
	Phone    string `json:"phone,omitempty"` // as it was written; one or a few
	Email    string `json:"email,omitempty"`
	Address  string `json:"address,omitempty"`
	CallBack bool   `json:"call_back,omitempty"` // the person asked for it
}

// check answers a contact as it is kept. Invalid "casebook_phone", "casebook_email", and those of texts.
func (c Contact) check() (Contact, error) {
	for _, field := range []struct {
		name  string
		text  *string
		limit int
	}{{"name", &c.Name, 200}, {"phone", &c.Phone, 100}, {"email", &c.Email, 254}, {"address", &c.Address, 500}} {
		var err error
		if *field.text, err = tidy(field.name, *field.text, field.limit, false); err != nil {
			return c, err
		}
	}
	if c.Phone != "" && len(phonesOf(c.Phone)) == 0 {
		return c, fault.New(fault.Invalid, "casebook_phone")
	}
	if before, after, at := strings.Cut(c.Email, "@"); c.Email != "" && (!at || before == "" || !strings.Contains(after, ".") || strings.ContainsAny(c.Email, " <>,;\"")) {
		return c, fault.New(fault.Invalid, "casebook_email")
	}
	return c, nil
}

// contactDoc is a contact as it is stored. A number is found by what a key makes of it, whole or by its last four digits.
type contactDoc struct {
	ID       string       `bson:"_id"`
	Case     string       `bson:"case"`
	At       time.Time    `bson:"at"`
	Sealed   []byte       `bson:"sealed,omitempty"`
	Phones   []string     `bson:"phones,omitempty"`
	LastFour []string     `bson:"last_four,omitempty"`
	EraseOn  localday.Day `bson:"erase_on,omitempty"` // when to look whether it may go; "" = it went
	ErasedAt time.Time    `bson:"erased_at,omitempty"`
}

func contactAAD(id string) []byte { return []byte("case-contact/" + id) }

// blind is what a number, or its last digits, is found by.
func (b *Book) blind(what, digits string) string {
	return fmt.Sprintf("%x", b.phones.Sum([]byte(what + "/" + digits))[:16])
}

func (b *Book) sealContact(id, caseID string, c Contact, at time.Time) (contactDoc, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return contactDoc{}, fmt.Errorf("encode a contact: %w", err)
	}
	doc := contactDoc{ID: id, Case: caseID, At: store.Milliseconds(at)}
	if doc.Sealed, err = b.options.Keys.Seal(plain, contactAAD(id)); err != nil {
		return doc, fmt.Errorf("seal a contact: %w", err)
	}
	for _, phone := range phonesOf(c.Phone) {
		doc.Phones = append(doc.Phones, b.blind("number", phone))
		doc.LastFour = append(doc.LastFour, b.blind("last", phone[len(phone)-4:]))
	}
	day, _ := localday.Of(at)
	doc.EraseOn = day.Add(askAgain) // asked then, for the case may go on for long
	return doc, nil
}

func (b *Book) keepContact(ctx context.Context, id, caseID string, c Contact, at time.Time) error {
	doc, err := b.sealContact(id, caseID, c, at)
	if err != nil {
		return err
	}
	if err = b.contacts.Insert(ctx, doc); errors.Is(err, store.ErrExists) {
		return nil // an earlier try of the same
	}
	return err
}

// Contact reads how to reach the person a case came from; false where nothing was left, or it was erased. Reading it is reading
// personal data: the caller has it written down why. NotFound "casebook_unknown".
func (b *Book) Contact(ctx context.Context, id string) (Contact, bool, error) {
	d, _, err := b.get(ctx, id)
	if err != nil || d.Reach == "" {
		return Contact{}, false, err
	}
	doc, _, err := b.contacts.Get(ctx, d.Reach)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(doc.Sealed) == 0 {
		return Contact{}, false, nil
	}
	if err != nil {
		return Contact{}, false, told("read a contact", err)
	}
	var c Contact
	plain, err := b.options.Keys.Open(doc.Sealed, contactAAD(doc.ID))
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	return c, err == nil, told("open a contact", err)
}

// EraseContact removes for good how to reach the person a case came from. It answers whether there was something to erase.
// NotFound "casebook_unknown".
func (b *Book) EraseContact(ctx context.Context, id string) (bool, error) {
	d, _, err := b.get(ctx, id)
	if err != nil || d.Reach == "" {
		return false, err
	}
	erased, err := b.eraseContact(ctx, d.Reach)
	return erased, told("erase a contact", err)
}

func (b *Book) eraseContact(ctx context.Context, id string) (erased bool, err error) {
	_, err = b.contacts.Update(ctx, id, func(c *contactDoc) (bool, error) {
		if erased = len(c.Sealed) > 0 || c.EraseOn != ""; erased {
			*c = contactDoc{ID: c.ID, Case: c.Case, At: c.At, ErasedAt: store.Milliseconds(b.now())}
		}
		return erased, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return erased, err
}
