package casebook

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/store"
)

// comparedWith is how many earlier explanations of a unit, and of an author, a text is compared with.
const comparedWith = 200

// shinglesDoc stands for an explanation that was handed in.
type shinglesDoc struct {
	ID     string    `bson:"_id"` // case/entry
	Unit   string    `bson:"unit"`
	Author string    `bson:"author"` // account
	At     time.Time `bson:"at"`
	Runs   []byte    `bson:"runs"` // eight bytes each
}

// Copied is an earlier explanation that a text is like.
type Copied struct {
	Case  string
	Entry int     // of its history
	Share float64 // 0 to 1; from casework.LikeEnough on it should be shown beside
}

// rememberExplanation keeps what an explanation is compared by; once.
func (b *Book) rememberExplanation(ctx context.Context, d document, n int) error {
	entry := d.History[n]
	if entry.Event.Explanation == nil {
		return nil
	}
	doc := shinglesDoc{ID: d.ID + "/" + strconv.Itoa(n), Unit: entry.Unit, Author: entry.By.Account, At: entry.At}
	for _, run := range casework.ShinglesOf(entry.Event.Explanation.Text()) {
		doc.Runs = binary.LittleEndian.AppendUint64(doc.Runs, run)
	}
	if err := b.shingles.Insert(ctx, doc); !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// Alike finds, of the latest explanations of a unit and of an author in other cases, the one a text (Explanation.Text) is most
// like; false where there is none. It blocks nothing: it is shown to whoever judges.
func (b *Book) Alike(ctx context.Context, id, unitID, author, text string) (Copied, bool, error) {
	var failed error
	earlier := func(yield func(string, casework.Shingles) bool) {
		seen := map[string]bool{}
		for _, by := range [][2]string{{"unit", unitID}, {"author", author}} {
			if by[1] == "" {
				continue
			}
			for doc, err := range b.shingles.Find(ctx, store.Query{Index: by[0], Equal: []any{by[1]}, Desc: true, Limit: comparedWith}) {
				if err != nil {
					failed = err
					return
				}
				if seen[doc.Value.ID] || strings.HasPrefix(doc.Value.ID, id+"/") {
					continue
				}
				seen[doc.Value.ID] = true
				if !yield(doc.Value.ID, doc.Value.shingles()) {
					return
				}
			}
		}
	}
	best, found := casework.MostAlike(text, earlier)
	if failed != nil || !found {
		return Copied{}, false, told("look for copies", failed)
	}
	of, entry, _ := strings.Cut(best.ID, "/")
	n, err := strconv.Atoi(entry)
	if err != nil {
		return Copied{}, false, fmt.Errorf("shingles %q: %w", best.ID, err)
	}
	return Copied{Case: of, Entry: n, Share: best.Share}, true, nil
}

func (s shinglesDoc) shingles() casework.Shingles {
	out := make(casework.Shingles, 0, len(s.Runs)/8)
	for at := 0; at+8 <= len(s.Runs); at += 8 {
		out = append(out, binary.LittleEndian.Uint64(s.Runs[at:]))
	}
	return out
}
