package hotline

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/hotline"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

func itoa(n int) string           { return strconv.Itoa(n) }
func fields(text string) []string { return strings.Fields(text) }
func join(words []string) string  { return strings.Join(words, " ") }

// logPage is the log of calls.
type logPage struct {
	Tabs    []tab
	From    string // as typed
	To      string
	Kinds   []choice
	Mine    bool
	Calls   []logLine
	Counts  []kindCount // of the calls shown
	Next    string
	CSV     string
	Problem string
	Takes   bool
}

// logLine is a call as the log shows it.
type logLine struct {
	*pb.Call
	Words  string // result
	Lasted string
}

type kindCount struct {
	Kind  string
	Count int
}

// shownCalls is how many calls a page of the log shows.
const shownCalls = 100

// asked reads the filters.
func (page *logPage) asked(v *web.Visit) *pb.ListCallsRequest {
	request := &pb.ListCallsRequest{PageSize: shownCalls, PageToken: v.Value("page")}
	page.From, page.To, page.Mine, page.Takes = v.Value("from"), v.Value("to"), v.Value("mine") != "", v.May(takesCalls)
	query := url.Values{}
	for _, day := range []struct {
		name, text string
		to         *string
	}{{"from", page.From, &request.From}, {"to", page.To, &request.To}} {
		iso, ok := isoDay(day.text)
		if !ok {
			page.Problem = v.Text("hotlinepage.day_wrong")
			continue
		}
		if *day.to = iso; iso != "" {
			query.Set(day.name, day.text)
		}
	}
	page.Kinds = []choice{{Words: v.Text("hotlinepage.all_kinds")}}
	for _, kind := range hotline.CallKinds() {
		chosen := v.Value("kind") == string(kind)
		page.Kinds = append(page.Kinds, choice{string(kind), v.Text("hotline.kind." + string(kind)), chosen})
		if chosen {
			request.Kind = string(kind)
			query.Set("kind", string(kind))
		}
	}
	if page.Mine {
		request.OperatorId = "me"
		query.Set("mine", "1")
	}
	page.CSV = "/hotline/log.csv?" + query.Encode()
	page.Next = "/hotline/log?" + query.Encode()
	return request
}

func (p pages) showLog(v *web.Visit) error {
	page := &logPage{Tabs: tabs(v, "log")}
	request := page.asked(v)
	answer, err := v.Calls.ListCalls(v.Context(), request)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, call := range answer.GetCalls() {
		page.Calls = append(page.Calls, logLine{call, resultWords(v, call.GetResult()), lasted(call)})
		counts[call.GetKind()]++
	}
	for _, kind := range hotline.CallKinds() {
		if n := counts[string(kind)]; n > 0 {
			page.Counts = append(page.Counts, kindCount{string(kind), n})
		}
	}
	if token := answer.GetNextPageToken(); token != "" {
		page.Next += "&" + url.Values{"page": {token}}.Encode()
	} else {
		page.Next = ""
	}
	return v.Render(p.Pages, "log", page)
}

// sentAtMost is how many calls a file holds; more are asked for by day.
const sentAtMost = 50_000

// sendLog answers the log as a file, without a digit of who called.
func (p pages) sendLog(v *web.Visit) error {
	page := &logPage{}
	request := page.asked(v)
	request.PageSize, request.PageToken = 1000, ""
	answer, err := v.Calls.ListCalls(v.Context(), request)
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.W.Header().Set("Content-Disposition", `attachment; filename="nhat-ky-cuoc-goi.csv"`)
	_, _ = v.W.Write([]byte("\ufeff")) // so that spreadsheets read it as UTF-8
	w := csv.NewWriter(v.W)
	var names []string
	for _, column := range []string{"started", "ended", "lasted", "direction", "operator", "unit", "kind", "about", "official", "summary", "result", "call_back_on", "case", "id"} {
		names = append(names, v.Text("hotlinepage.column."+column))
	}
	_ = w.Write(names)
	for sent := 0; ; {
		for _, call := range answer.GetCalls() {
			row := []string{
				moment(v, call, true), moment(v, call, false), lasted(call), v.Text("hotline.direction." + call.GetDirection()), call.GetOperatorName(),
				call.GetUnitName(), v.Text("hotline.kind." + call.GetKind()), call.GetAboutUnitName(), call.GetOfficialName(), call.GetSummary(),
				resultWords(v, call.GetResult()), web.Day(v.Language, call.GetCallBackOn()), call.GetCaseId(), call.GetId(),
			}
			for i := range row {
				row[i] = web.Cell(row[i])
			}
			_ = w.Write(row)
		}
		sent += len(answer.GetCalls())
		if request.PageToken = answer.GetNextPageToken(); request.PageToken == "" || sent >= sentAtMost {
			break
		}
		if answer, err = v.Calls.ListCalls(v.Context(), request); err != nil {
			v.Logger.WarnContext(v.R.Context(), "a log of calls was cut off", "error", err)
			panic(http.ErrAbortHandler)
		}
	}
	w.Flush()
	return nil
}

func moment(v *web.Visit, call *pb.Call, start bool) string {
	at := call.GetEndedAt()
	if start {
		at = call.GetStartedAt()
	}
	if at == nil {
		return ""
	}
	return at.AsTime().In(vietnam()).Format("02/01/2006 15:04:05")
}
