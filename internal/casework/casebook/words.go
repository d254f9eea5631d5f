package casebook

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxIndexed is how many different words of a text can be searched for; maxWordBytes how long one may be.
const (
	maxIndexed   = 200
	maxWordBytes = 64
)

// WordsKind says when words were said.
type WordsKind string

// The kinds.
const (
	saidOpening WordsKind = "opening"
	saidEvent   WordsKind = "event" // with a reopening or a withdrawal; the entry of the history names them
	saidLater   WordsKind = "said"  // told to an operator at some other time
)

// Words are what a citizen said.
type Words struct {
	ID       string
	Kind     WordsKind
	At       time.Time
	Text     string    // "" where it was erased
	By       string    // account that wrote it down; "" = the citizen
	ErasedAt time.Time // zero = it stands
}

// wordsDoc is that as it is stored, with the words of the case's title, so that one search finds both.
type wordsDoc struct {
	ID       string    `bson:"_id"`
	Case     string    `bson:"case"`
	Unit     string    `bson:"unit"` // that received the case
	Kind     WordsKind `bson:"kind"`
	At       time.Time `bson:"at"`
	By       string    `bson:"by,omitempty"`
	Title    string    `bson:"title,omitempty"`
	Text     string    `bson:"text,omitempty"`
	Words    []string  `bson:"words,omitempty"` // folded, of both
	ErasedAt time.Time `bson:"erased_at,omitempty"`
}

func (w wordsDoc) said() Words {
	return Words{ID: w.ID, Kind: w.Kind, At: w.At, Text: w.Text, By: w.By, ErasedAt: w.ErasedAt}
}

func (w wordsDoc) titleWords() []string { return indexed(w.Title) }

// indexed folds the words of texts, each once.
func indexed(texts ...string) []string {
	var out []string
	for _, text := range texts {
		for _, word := range searchtext.Words(text) {
			if len(out) == maxIndexed {
				return out
			}
			if len(word) <= maxWordBytes && !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// say writes words; once for each id.
func (b *Book) say(ctx context.Context, w wordsDoc) error {
	w.At = store.Milliseconds(w.At)
	w.Words = indexed(w.Title, w.Text)
	if err := b.words.Insert(ctx, w); !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// Say adds what a citizen said at some other time, such as in a second call. account wrote it down; "" = the citizen itself. It
// changes nothing about the case. NotFound "casebook_unknown"; Invalid "casebook_words_empty" and those of texts.
func (b *Book) Say(ctx context.Context, id, words, account string) (Words, error) {
	words, err := tidy("words", words, MaxWords, true)
	if err != nil {
		return Words{}, err
	}
	if words == "" {
		return Words{}, fault.New(fault.Invalid, "casebook_words_empty")
	}
	d, _, err := b.get(ctx, id)
	if err != nil {
		return Words{}, err
	}
	if !d.More { // before the words, so that a search never takes those of the opening for all there are
		if _, err := b.cases.Update(ctx, id, func(d *document) (bool, error) { d.More = true; return true, nil }); err != nil {
			return Words{}, told("keep what a citizen said", err)
		}
	}
	w := wordsDoc{ID: uuid.Must(uuid.NewV7()).String(), Case: id, Unit: d.Receiving, Kind: saidLater, At: store.Milliseconds(b.now()), By: account, Text: words}
	if err := b.say(ctx, w); err != nil {
		return Words{}, told("keep what a citizen said", err)
	}
	return w.said(), nil
}

// Words are all that was said about a case, in the order it was said. Reading them is reading personal data: the caller has it
// written down why. NotFound "casebook_unknown".
func (b *Book) Words(ctx context.Context, id string) ([]Words, error) {
	d, _, err := b.get(ctx, id)
	if err != nil {
		return nil, err
	}
	docs, err := b.wordsOf(ctx, d)
	if err != nil {
		return nil, told("read what a citizen said", err)
	}
	var out []Words
	for _, w := range docs {
		if w.Text != "" || !w.ErasedAt.IsZero() {
			out = append(out, w.said())
		}
	}
	return out, nil
}

// wordsOf reads what a case names.
func (b *Book) wordsOf(ctx context.Context, d document) ([]wordsDoc, error) {
	var out []wordsDoc
	for doc, err := range b.words.Find(ctx, store.Query{Index: "case", Equal: []any{d.ID}, Limit: maxSaid}) {
		if err != nil {
			return nil, err
		}
		if d.names(doc.Value) {
			out = append(out, doc.Value)
		}
	}
	return out, nil
}

// maxSaid is how many texts of a case are read.
const maxSaid = 500

// names tells whether a case names words: a write that was interrupted, or refused, leaves some that none does.
func (d document) names(w wordsDoc) bool {
	switch w.Kind {
	case saidOpening:
		return d.Said == w.ID
	case saidEvent:
		for _, e := range d.History {
			if e.Event.Private == w.ID {
				return true
			}
		}
		return false
	case saidLater:
	}
	return true
}

// EraseWords removes for good what a citizen said, all of it or, where a words id is given, that one: at the person's wish (Law
// 91/2025/QH15 on personal data). The case stands. It answers how many texts there were. NotFound "casebook_unknown".
func (b *Book) EraseWords(ctx context.Context, id, wordsID string) (int, error) {
	d, _, err := b.get(ctx, id)
	if err != nil {
		return 0, err
	}
	docs, err := b.wordsOf(ctx, d)
	if err != nil {
		return 0, told("read what a citizen said", err)
	}
	erased := 0
	for _, w := range docs {
		if w.Text == "" || wordsID != "" && w.ID != wordsID {
			continue
		}
		_, err := b.words.Update(ctx, w.ID, func(w *wordsDoc) (bool, error) {
			if w.Text == "" {
				return false, nil
			}
			w.Text, w.Words, w.ErasedAt = "", w.titleWords(), store.Milliseconds(b.now())
			return true, nil
		})
		if err != nil {
			return erased, told("erase what a citizen said", err)
		}
		erased++
		if w.ID == d.Said {
			if _, err := b.cases.Update(ctx, id, func(d *document) (bool, error) { d.Marks = b.marks(w.titleWords()); return true, nil }); err != nil {
				return erased, told("erase what a citizen said", err)
			}
		}
	}
	return erased, nil
}
