package admin

import (
	"html/template"
	"net/url"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/poster"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// levels are those that have words here; a unit may be of any other too.
func levels() []string { return []string{"province", "commune", "department", "office"} }

func levelWords(v *web.Visit, level string) string {
	key := "adminpage.level." + level
	if words := v.Text(key); words != key {
		return words
	}
	return level
}

// levelChoices offers the levels, and the unit's own where it is another.
func levelChoices(v *web.Visit, chosen string) []choice {
	var list []choice
	known := chosen == ""
	for _, level := range levels() {
		list = append(list, choice{Value: level, Words: levelWords(v, level), Chosen: level == chosen})
		known = known || level == chosen
	}
	if !known {
		list = append(list, choice{Value: chosen, Words: chosen, Chosen: true})
	}
	return list
}

// ago says how long ago something was, in words; after a month its day.
func ago(v *web.Visit, at *timestamppb.Timestamp) string {
	if at == nil {
		return v.Text("adminpage.ago.never")
	}
	since := v.Clock().Sub(at.AsTime())
	for _, unit := range []struct {
		name string
		long time.Duration
		upTo time.Duration
	}{{"minute", time.Minute, time.Hour}, {"hour", time.Hour, 24 * time.Hour}, {"day", 24 * time.Hour, 30 * 24 * time.Hour}} {
		switch n := int(since / unit.long); {
		case since < time.Minute:
			return v.Text("adminpage.ago.now")
		case since >= unit.upTo:
		case n == 1:
			return v.Text("adminpage.ago.one_" + unit.name)
		default:
			return v.Text("adminpage.ago."+unit.name+"s", "n", n)
		}
	}
	return web.Moment(v.Language, at)
}

// onlyHere is the address that would be printed or typed elsewhere and can be opened on this very machine alone; "" = there is none.
func onlyHere(v *web.Visit) string {
	if v.OnlyHere() {
		return v.PublicAddress()
	}
	return ""
}

// sign is a place's form for citizens: its address, as a code to point a phone at, and the pieces to be printed.
type sign struct {
	Link     string // as it is printed for people to type
	Long     bool   // too long to be typed
	Uncoded  bool   // the unit has no code, which would make it short
	OnlyHere string // the address that phones cannot open; "" = they can
	Code     template.HTML
	Prints   []choice
}

// signOf is the form of a unit, or of one of its counters (nil = the unit).
func signOf(v *web.Visit, unit *pb.Unit, counter *pb.Counter) (sign, error) {
	name, query := unit.GetName(), url.Values{}
	if counter != nil {
		name = counter.GetName()
		query.Set("counter", counter.GetId())
	}
	address := v.FormAddress(unit, counter)
	s := sign{Link: address.Typed, Long: address.Long, Uncoded: unit.GetCode() == "", OnlyHere: onlyHere(v)}
	code, err := poster.QR(address.Lasting)
	if err != nil {
		return s, err
	}
	s.Code = code.SVG(v.Text("adminpage.code_of", "name", name))
	for _, size := range []string{"a4", "a6", "a4x4"} {
		query.Set("size", size)
		s.Prints = append(s.Prints, choice{Value: "/units/" + url.PathEscape(unit.GetId()) + "/poster.pdf?" + query.Encode(), Words: v.Text("adminpage.print." + size)})
	}
	return s, nil
}
