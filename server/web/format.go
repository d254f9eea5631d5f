package web

import (
	"errors"
	"html/template"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/face"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// functions are what templates may call, in one language.
func (s *Site) functions(in language.Language) template.FuncMap {
	return template.FuncMap{
		"t":       in.Text,                                    // {{t "key" "name" value}}
		"lang":    func() string { return string(in) },        // for lang attributes
		"asset":   s.link,                                     // address of an asset
		"count":   func(n any) string { return Count(in, n) }, // 1.234
		"number":  func(value float64, decimals int) string { return in.Number(value, decimals) },
		"percent": func(share float64) string { return Percent(in, share) },         // 82,4 %
		"figure":  func(figure *pb.Figure) string { return FigureText(in, figure) }, // 82,4 % (80,1–84,5)
		"day":     func(day string) string { return Day(in, day) },                  // 22/11/2026
		"moment":  func(at *timestamppb.Timestamp) string { return Moment(in, at) }, // 22/11/2026 14:05
		"role":    func(role pb.Role) string { return in.Text("web.role." + role.String()) },
		"channel": func(channel pb.Channel) string { return in.Text("web.channel." + channel.String()) },
		"score":   func(score int32) string { return in.Text("web.score." + string('0'+score)) },
		"face":    func(score int32) template.HTML { return face.SVG(int(score)) }, // words stand beside it
		"local":   func(texts []*pb.LocalText) string { return Local(in, texts) },
		"dict":    dict,
		"list":    func(values ...any) []any { return values },
	}
}

// Count writes a whole number with its thousands apart.
func Count(in language.Language, n any) string {
	switch n := n.(type) {
	case int:
		return in.Number(float64(n), 0)
	case int32:
		return in.Number(float64(n), 0)
	case int64:
		return in.Number(float64(n), 0)
	case uint32:
		return in.Number(float64(n), 0)
	case uint64:
		return in.Number(float64(n), 0)
	}
	return ""
}

// Percent writes a share (0 to 1) with one decimal.
func Percent(in language.Language, share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return "–"
	}
	return in.Number(share*100, 1) + "\u00a0%" // the sign stays on the number's line
}

// FigureText writes a share with its interval; a dash where there is nothing, and words where it is suppressed.
func FigureText(in language.Language, figure *pb.Figure) string {
	switch {
	case figure.GetSuppressed():
		return in.Text("web.suppressed")
	case figure.GetN() == 0:
		return "–"
	}
	return Percent(in, figure.GetValue()) + " (" + in.Number(figure.GetLow()*100, 1) + "–" + in.Number(figure.GetHigh()*100, 1) + ")"
}

// Day writes a local day yyyy-mm-dd as dd/MM/yyyy; what is no day is written as it is.
func Day(_ language.Language, day string) string {
	parsed, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return parsed.Format("02/01/2006")
}

// Moment writes a time as it is in Vietnam.
func Moment(_ language.Language, at *timestamppb.Timestamp) string {
	if at == nil {
		return "–"
	}
	day, _ := localday.Of(at.AsTime())
	return at.AsTime().In(day.Start().Location()).Format("02/01/2006 15:04")
}

// Local picks a text in a language, else the first there is.
func Local(in language.Language, texts []*pb.LocalText) string {
	for _, text := range texts {
		if text.GetLanguage() == string(in) {
			return text.GetText()
		}
	}
	if len(texts) > 0 {
		return texts[0].GetText()
	}
	return ""
}

// dict makes a map for a part that takes several values: {{template "x" dict "A" 1 "B" 2}}.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict takes names and values")
	}
	values := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict takes names and values")
		}
		values[name] = pairs[i+1]
	}
	return values, nil
}

// Cell guards a text for a spreadsheet: one that begins like a formula is not run as one.
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
