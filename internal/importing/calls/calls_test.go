package callimport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	callimport "github.com/hailong-vn/hailong/internal/importing/calls"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/unit"
)

// log is the hotline of an office "U".
func log(t *testing.T) *hotline.Hotline {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC) }
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	d, err := directory.Open(t.Context(), engine, directory.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.CreateUnit(t.Context(), "U", "", unit.Words{Code: "U", Name: "Đơn vị U", Level: "office"}); err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Load(t.Context(), engine, secret.Source{Text: strings.Repeat("5a", 32)})
	if err != nil {
		t.Fatal(err)
	}
	feed := local.New(local.Options{Now: now})
	t.Cleanup(func() { _ = feed.Close() })
	h, err := hotline.Open(t.Context(), engine, hotline.Options{Directory: d, Keys: keys, Feed: feed, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const spreadsheet = "\ufeffBắt đầu;Kết thúc;Số điện thoại;Người trực;Chiều gọi;Kết quả;Loại;Nội dung\r\n" +
	"09/03/2026 08:00:00;09/03/2026 08:03:20;0912.345.678;Chị Lan;Gọi đến;Đã trả lời;Hỏi;\"Hỏi lệ phí; nộp ở đâu\"\r\n" +
	"09/03/2026 08:10;;'+84 24 3825 1234;101;đi;không nghe máy;;\r\n" +
	"\r\n" +
	"hôm qua;;0912345678;101;;;;\r\n" +
	"09/03/2026 08:20;09/03/2026 08:00;0912345678;101;;;;\r\n" +
	"09/03/2026 08:30;;không rõ;101;vòng vo;;;\r\n" +
	"09/03/2026 08:40;;\"0912;101;;;;\r\n" +
	"09/03/2026 08:50;;\xff\xfe;101;;;;\r\n" +
	"09/03/2027 08:50;;0912345678;101;;;;\r\n" +
	"09/03/2026 09:00;;không rõ;101;nhỡ;;;<script>alert(1)</script>"

func TestImport(t *testing.T) {
	h := log(t)
	for round := range 2 {
		summary, err := callimport.Import(t.Context(), h, strings.NewReader(spreadsheet), callimport.Options{Unit: "U"})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, line := range summary.Errors {
			told = append(told, fmt.Sprintf("%d %s", line.Line, line.Err.Reason))
		}
		want := "[5 hotline_import_time 6 hotline_import_turned 7 hotline_import_direction 8 hotline_import_line 9 hotline_import_text 10 hotline_import_turned]"
		if got := fmt.Sprint(told); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		stored, there := 3, 0
		if round == 1 {
			stored, there = there, stored
		}
		if summary.Rows != 9 || summary.Stored != stored || summary.There != there || summary.Failed != 6 {
			t.Errorf("round %d: %+v", round, summary)
		}
	}
	calls, _, err := h.List(t.Context(), hotline.Filter{Within: "U"}, "", 10)
	if err != nil || len(calls) != 3 {
		t.Fatal(calls, err)
	}
	missed, out, asked := calls[0], calls[1], calls[2]
	if missed.Result != hotline.NoAnswer || missed.Summary != "<script>alert(1)</script>" || missed.Kind != hotline.Other {
		t.Errorf("missed: %+v", missed)
	}
	if out.Direction != hotline.Out || out.Result != hotline.NoAnswer || out.OperatorName != "101" || h.LastFour(out) != "1234" {
		t.Errorf("out: %+v", out)
	}
	if asked.Kind != hotline.Question || asked.Summary != "Hỏi lệ phí; nộp ở đâu" || asked.Lasted() != 200*time.Second || asked.Result != hotline.Answered || !asked.Imported || asked.Open ||
		!asked.StartedAt.Equal(time.Date(2026, 3, 9, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("asked: %+v", asked)
	}
	if known, exact, err := h.FindCaller(t.Context(), "0912345678", 10); err != nil || !exact || len(known) != 1 {
		t.Errorf("known: %v, %v", known, err)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	for _, c := range []struct{ name, text, reason string }{
		{"nothing", "", "hotline_import_empty"}, {"only a mark", "\ufeff\n", "hotline_import_empty"},
		{"no start", "phone,operator\n0912345678,101\n", "hotline_import_column"}, {"a column twice", "start,Start\n", "hotline_import_column_twice"},
		{"UTF-16", "s\x00t\x00a\x00r\x00t\x00\n", "hotline_import_text"}, {"a torn header", "start,\"phone\n", "hotline_import_line"},
	} {
		_, err := callimport.Import(t.Context(), nobody{}, strings.NewReader(c.text), callimport.Options{})
		if got := fault.Of(err).Reason; err == nil || got != c.reason {
			t.Errorf("%s: %v, want %s", c.name, err, c.reason)
		}
	}
}

func TestExchangeLog(t *testing.T) {
	h := log(t)
	text := "calldate,clid,src,dst,duration,billsec,disposition\n2026-03-09 08:00:00,\"Lan\",0912345678,101,80,00:01:05,ANSWERED\n2026-03-09 08:00:00,,0912345678,101,80,65,ANSWERED\n"
	summary, err := callimport.Import(t.Context(), h, strings.NewReader(text), callimport.Options{Unit: "U"})
	if err != nil || summary.Stored != 2 { // two lines of one second are two calls
		t.Fatalf("%+v, %v", summary, err)
	}
	calls, _, err := h.List(t.Context(), hotline.Filter{}, "", 10)
	if err != nil || calls[0].Lasted() != 65*time.Second || calls[1].Lasted() != 65*time.Second || calls[0].ID == calls[1].ID || h.LastFour(calls[0]) != "5678" {
		t.Errorf("%+v, %v", calls, err)
	}
}

func TestLongLineFailsNoOther(t *testing.T) {
	h := log(t)
	text := "start,note\n2026-03-09 08:00," + strings.Repeat("x", callimport.MaxLine) + "\n2026-03-09 08:01,ok\n"
	summary, err := callimport.Import(t.Context(), h, strings.NewReader(text), callimport.Options{Unit: "U"})
	if err != nil || summary.Rows != 2 || summary.Stored != 1 || summary.Failed != 1 || summary.Errors[0].Line != 2 {
		t.Errorf("%+v, %v", summary, err)
	}
}

// Whatever stands in a file, every line is stored or told.
func TestEveryLineIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.StringMatching(`[0-9/: ,";a-zđ\xff-]{0,40}`)).Draw(t, "lines")
		summary, err := callimport.Import(context.Background(), nobody{}, strings.NewReader("start,phone,note\n"+strings.Join(lines, "\n")), callimport.Options{})
		if err != nil || summary.Rows != summary.Stored+summary.There+summary.Failed || summary.Rows > len(lines) {
			t.Fatalf("%+v, %v", summary, err)
		}
	})
}

// nobody takes everything and keeps nothing.
type nobody struct{}

func (nobody) Import(_ context.Context, calls []hotline.Imported) ([]error, error) {
	return make([]error, len(calls)), nil
}
