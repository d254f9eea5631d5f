package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// New is a paper to be issued.
type New struct {
	ID       string // UUID: the same id again is the same paper
	Unit     string // that issues it
	Kind     document.Kind
	Case     string // one of Case and Action is given
	Action   string
	Values   map[string]string
	Signer   document.Signer
	Template Version // that holds for the unit
	Replaces string  // a paper that was cancelled; "" = none
	By       Person
}

// Issue gives a paper the next number of its unit, year and series, and keeps it for ever. A number is given by an insert that
// only one can make, so there are no gaps and no two of a kind, however many issue at once. What was asked for under the same id
// before is answered again.
//
// Its files are written after the number is taken; where that is interrupted, whoever opens them writes them: they follow from
// what is kept. Invalid as those of document.Template.Fill, "document_id", "document_subject"; Exists "document_id_taken"; NotFound
// "document_unknown" and Invalid "document_replaces_standing" of what it replaces.
func (a *Archive) Issue(ctx context.Context, wanted New) (Document, error) {
	if uuid.Validate(wanted.ID) != nil {
		return Document{}, fault.New(fault.Invalid, "document_id")
	}
	if (wanted.Case == "") == (wanted.Action == "") {
		return Document{}, fault.New(fault.Invalid, "document_subject")
	}
	proof, err := a.proof(wanted)
	if err != nil {
		return Document{}, err
	}
	if known, err := a.again(ctx, wanted.ID, proof); err == nil || !fault.Is(err, fault.NotFound) {
		return known, err
	}
	if err := a.checkReplaced(ctx, wanted); err != nil {
		return Document{}, err
	}
	template, err := document.ReadTemplate([]byte(wanted.Template.Source))
	if err != nil {
		return Document{}, err
	}
	d, err := a.compose(template, wanted)
	if err != nil {
		return Document{}, err
	}
	d.Proof = proof
	if err := a.sources.Insert(ctx, source{d.Template.SHA256, wanted.Template.Source}); err != nil && !errors.Is(err, store.ErrExists) {
		return Document{}, told(err)
	}
	return a.number(ctx, template, d, wanted.Values)
}

// number takes the next number. What cannot be drawn is refused before.
func (a *Archive) number(ctx context.Context, template *document.Template, d Document, values map[string]string) (Document, error) {
	var drawn map[document.Format][]byte
	for attempt := 0; ; attempt++ {
		last, err := a.documents.First(ctx, store.Query{Index: byNumber, Equal: []any{d.Unit, d.Year, d.Series}, Desc: true})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Document{}, told(err)
		}
		d.N = last.Value.N + 1
		paper, err := template.Fill(values, d.Signer, document.Number{N: d.N, Day: d.Day})
		if err != nil {
			return Document{}, err
		}
		d.Number = paper.Number
		if attempt == 0 {
			if drawn, err = draw(ctx, paper, d.IssuedAt); err != nil {
				return Document{}, err
			}
		}
		err = a.documents.Insert(ctx, d)
		switch {
		case errors.Is(err, store.ErrTaken): // another paper has the number
			drawn = nil
			continue
		case errors.Is(err, store.ErrExists): // the same call, twice at once
			return a.again(ctx, d.ID, d.Proof)
		case err != nil:
			return Document{}, told(err)
		}
		break
	}
	// The paper is issued. Files that cannot be written now are written when they are asked for.
	for _, format := range document.Formats() {
		if _, err := a.ensure(ctx, d, format, drawn[format]); err != nil {
			a.Logger.WarnContext(ctx, "a document's file is not written yet", "document", d.ID, "format", string(format), "error", err)
		}
	}
	return d, nil
}

func draw(ctx context.Context, paper document.Paper, at time.Time) (map[document.Format][]byte, error) {
	drawn := map[document.Format][]byte{}
	for _, format := range document.Formats() {
		data, err := paper.Draw(ctx, format, at)
		if err != nil {
			return nil, err
		}
		drawn[format] = data
	}
	return drawn, nil
}

// compose makes the record, but for its number.
func (a *Archive) compose(template *document.Template, wanted New) (Document, error) {
	now := store.Milliseconds(a.Now())
	today, _ := localday.Of(now)
	year, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return Document{}, fault.New(fault.Internal, "internal").Because(err)
	}
	d := Document{
		ID: wanted.ID, Unit: wanted.Unit, Year: year.Year(), Series: template.Series, Kind: wanted.Kind, Case: wanted.Case, Action: wanted.Action, Day: today,
		Signer: wanted.Signer, Values: map[string]string{}, Template: wanted.Template.Reference(), Replaces: wanted.Replaces, IssuedAt: now, IssuedBy: wanted.By,
	}
	personal := map[string]string{}
	for _, f := range template.Used {
		value := document.Clean(wanted.Values[f.Name], false)
		switch {
		case value == "" || f.Given:
		case f.Personal:
			personal[f.Name] = value
		default:
			d.Values[f.Name] = value
		}
	}
	// What stands in lists is told without the citizen's name, even where the template puts it into the title.
	public, err := template.Fill(d.Values, d.Signer, document.Number{})
	if err != nil {
		return Document{}, err
	}
	d.Title, d.Signer = public.Title, public.Signer
	if len(personal) > 0 {
		encoded, err := json.Marshal(personal)
		if err != nil {
			return Document{}, fault.New(fault.Internal, "internal").Because(err)
		}
		if d.Sealed, err = a.Keys.Seal(encoded, valuesOf(d.ID)); err != nil {
			return Document{}, err
		}
	}
	return d, nil
}

func valuesOf(id string) []byte { return []byte("document-values/" + id) }

// Citizen answers the personal values of a paper. Whoever asks must have been allowed to, with a reason that is audited.
func (a *Archive) Citizen(d Document) (map[string]string, error) {
	values := map[string]string{}
	if !d.Personal() {
		return values, nil
	}
	encoded, err := a.Keys.Open(d.Sealed, valuesOf(d.ID))
	if err == nil {
		err = json.Unmarshal(encoded, &values)
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return values, nil
}

// proof is a MAC over what was asked for; without the key nobody finds a name by trying.
func (a *Archive) proof(wanted New) ([]byte, error) {
	values := map[string]string{}
	for name, value := range wanted.Values {
		if value = document.Clean(value, false); value != "" {
			values[name] = value
		}
	}
	wanted.Values, wanted.Template = values, Version{}
	encoded, err := json.Marshal(wanted)
	if err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return a.proofs.Sum(encoded), nil
}

// again answers what was issued under an id before. NotFound "document_unknown"; Exists "document_id_taken" where it was something
// else.
func (a *Archive) again(ctx context.Context, id string, proof []byte) (Document, error) {
	known, err := a.Get(ctx, id)
	if err == nil && !bytes.Equal(known.Proof, proof) {
		return Document{}, fault.New(fault.Exists, "document_id_taken", "number", known.Number)
	}
	return known, err
}

func (a *Archive) checkReplaced(ctx context.Context, wanted New) error {
	if wanted.Replaces == "" {
		return nil
	}
	replaced, err := a.Get(ctx, wanted.Replaces)
	if err != nil {
		return err
	}
	if replaced.Case != wanted.Case || replaced.Action != wanted.Action || replaced.Unit != wanted.Unit {
		return unknown()
	}
	if replaced.Cancelled == nil {
		return fault.New(fault.Invalid, "document_replaces_standing", "number", replaced.Number)
	}
	return nil
}

const maxReason = 500 // characters of the reason of a cancellation

// Cancel says that a paper is void. Of two people at once one wins; the same reason by the same account again changes nothing.
// NotFound "document_unknown"; Invalid "document_reason_missing", "document_reason_long"; Stale "document_cancelled".
func (a *Archive) Cancel(ctx context.Context, id, reason string, by Person) (Document, error) {
	reason = document.Clean(reason, false)
	switch n := utf8.RuneCountInString(reason); {
	case n == 0:
		return Document{}, fault.New(fault.Invalid, "document_reason_missing")
	case n > maxReason:
		return Document{}, fault.New(fault.Invalid, "document_reason_long", "limit", maxReason)
	}
	d, err := a.Get(ctx, id)
	if err != nil {
		return Document{}, err
	}
	if d.Cancelled == nil {
		c := Cancellation{Document: id, Unit: d.Unit, Year: d.Year, Case: d.Case, Reason: reason, By: by, At: store.Milliseconds(a.Now())}
		err := a.cancellations.Insert(ctx, c)
		if err == nil {
			d.Cancelled = &c
			return d, nil
		}
		if !errors.Is(err, store.ErrExists) {
			return Document{}, told(err)
		}
		if d, err = a.Get(ctx, id); err != nil {
			return Document{}, err
		}
	}
	if d.Cancelled.Reason != reason || d.Cancelled.By.Account != by.Account {
		return Document{}, fault.New(fault.Stale, "document_cancelled", "name", d.Cancelled.By.Name)
	}
	return d, nil
}
