package ratings

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// asked is the question a page's address holds: a bookmark shows the same question again.
type asked struct {
	Unit, UnitName string
	From, To       string   // local days yyyy-mm-dd; empty = the last 30 days
	Channels       []string // names of channels; none = all
	Scores         []string // "1" to "5", "0" = not asked; none = all
	Reason         string   // question:choice
	Text           string
	Comment        bool
	Page           string   // token; "" = the first page
	Back           []string // tokens of the pages before, nearest last; the first page's is ""
}

// What is believed of an address.
const (
	backAtMost = 10 // pages one can go back by a link; further back leads the first page
	textAtMost = 200
)

func ask(v *web.Visit) asked {
	a := asked{
		Unit: v.Value("unit"), UnitName: clip(v.Value("unit_name")), From: v.Value("from"), To: v.Value("to"), Reason: v.Value("reason"),
		Text: clip(v.Value("text")), Comment: v.Value("comment") == "1", Page: v.Value("page"),
	}
	for _, channel := range v.Values("channel") {
		if number := pb.Channel_value[channel]; number > 0 && !slices.Contains(a.Channels, channel) {
			a.Channels = append(a.Channels, channel)
		}
	}
	for _, score := range v.Values("score") {
		if len(score) == 1 && score[0] >= '0' && score[0] <= '5' && !slices.Contains(a.Scores, score) {
			a.Scores = append(a.Scores, score)
		}
	}
	if a.Page != "" {
		a.Back = v.Values("back")
		a.Back = a.Back[max(0, len(a.Back)-backAtMost):]
	}
	return a
}

// clip cuts a text to what the service takes, between letters.
func clip(text string) string {
	text = norm.NFC.String(text)
	if letters := []rune(text); len(letters) > textAtMost {
		return string(letters[:textAtMost])
	}
	return text
}

// same compares names as people type them: with or without diacritics, in capitals or not.
func same(one, other string) bool { return plain(one) == plain(other) }

func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ':
			return 'd'
		}
		return r
	}, norm.NFD.String(strings.ToLower(strings.Join(strings.Fields(text), " "))))
}

// Link is the page's address with this question.
func (a asked) Link() string {
	values := url.Values{}
	for name, value := range map[string]string{"from": a.From, "to": a.To, "reason": a.Reason, "text": a.Text, "page": a.Page} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if a.Unit != "" {
		values.Set("unit", a.Unit)
	} else if a.UnitName != "" {
		values.Set("unit_name", a.UnitName)
	}
	for name, list := range map[string][]string{"channel": a.Channels, "score": a.Scores, "back": a.Back} {
		if len(list) > 0 {
			values[name] = list
		}
	}
	if a.Comment {
		values.Set("comment", "1")
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// at is the same question at another page, from which nothing leads back.
func (a asked) at(token string) asked {
	a.Page, a.Back = token, nil
	return a
}

// then is the page after this one.
func (a asked) then(token string) asked {
	back := append(slices.Clone(a.Back), a.Page)
	a.Page, a.Back = token, back[max(0, len(back)-backAtMost):]
	return a
}

// before is the page before this one; false where that is not known any more.
func (a asked) before() (asked, bool) {
	if len(a.Back) == 0 {
		return a, false
	}
	last := len(a.Back) - 1
	a.Page, a.Back = a.Back[last], a.Back[:last]
	return a, true
}

// over is the same question over other days.
func (a asked) over(from, to string) asked {
	a = a.at("")
	a.From, a.To = from, to
	return a
}

// periods are the periods one press away.
func (a asked) periods(today localday.Day) []web.Period {
	return web.Periods(today, a.From, a.To, func(from, to string) string { return a.over(from, to).Link() })
}

// bare is the same unit and days without conditions.
func (a asked) bare() asked { return asked{Unit: a.Unit, UnitName: a.UnitName, From: a.From, To: a.To} }

// Has tells whether a value of a field is asked for.
func (a asked) Has(field string, value any) bool {
	switch value := value.(type) {
	case int32:
		return field == "score" && slices.Contains(a.Scores, strconv.Itoa(int(value)))
	case pb.Channel:
		return field == "channel" && slices.Contains(a.Channels, value.String())
	}
	return false
}

func (a asked) channels() []pb.Channel {
	var list []pb.Channel
	for _, name := range a.Channels {
		list = append(list, pb.Channel(pb.Channel_value[name]))
	}
	return list
}

// request is the question as the service takes it. What an account may not read is not asked for.
func (a asked) request(comments bool) *pb.ListRatingsRequest {
	request := &pb.ListRatingsRequest{
		UnitId: a.Unit, From: a.From, To: a.To, Channels: a.channels(), Reason: a.Reason, PageSize: pageSize, PageToken: a.Page,
	}
	for _, score := range a.Scores {
		request.Scores = append(request.Scores, int32(score[0]-'0'))
	}
	if comments {
		request.Text, request.WithComment = a.Text, a.Comment
	}
	return request
}

// pageSize is how many ratings a page shows.
const pageSize = 50
