package casebook

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// glance is a case as a list looks at it: most of what a list reads it leaves out again, and a history takes ten times as long to
// decode as the few fields a filter asks for.
type glance struct {
	item       store.Item
	id         string
	due, floor localday.Day
}

func glanceAt(item store.Item) glance {
	g := glance{item: item, id: item.ID}
	g.due, g.floor = localday.Day(g.text("due")), localday.Day(g.text("floor"))
	return g
}

// document is all of it.
func (g glance) document() (d document, err error) {
	return d, store.Decode(g.item.Body, &d)
}

// text is a field; "" where there is none.
func (g glance) text(field string) string {
	text, _ := bson.Raw(g.item.Body).Lookup(field).StringValueOK()
	return text
}

// opened is the day on which the case was received.
func (g glance) opened() localday.Day {
	at, _ := bson.Raw(g.item.Body).Lookup("opened_at").TimeOK()
	day, _ := localday.Of(at)
	return day
}

// holds tells whether a field is a list with a text in it.
func (g glance) holds(field, text string) bool {
	list, ok := bson.Raw(g.item.Body).Lookup(field).ArrayOK()
	return ok && listed(list, text)
}

func listed(list bson.RawArray, text string) bool {
	values, err := list.Values()
	if err != nil {
		return false
	}
	for _, value := range values {
		if one, ok := value.StringValueOK(); ok && one == text {
			return true
		}
	}
	return false
}

// bytes is a field of bytes.
func (g glance) bytes(field string) []byte {
	_, data, _ := bson.Raw(g.item.Body).Lookup(field).BinaryOK()
	return data
}
