package ratinglist_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/ratinglist"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func wantFault(t testing.TB, err error, code fault.Code, reason string) {
	t.Helper()
	if err == nil || fault.Of(err).Code != code || fault.Of(err).Reason != reason {
		t.Errorf("got %v, want %s %s", err, code, reason)
		return
	}
	for _, in := range language.All {
		if text := in.Text("fault." + reason); strings.HasPrefix(text, "fault.") {
			t.Errorf("%s has no words in %s", reason, in)
		}
	}
}

func sorted(ids ...string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}

// Whatever the size of the pages and the limits of a call, paging tells every rating once, in order; those that arrive
// meanwhile may be told, too.
func TestPagingWhileRatingsArrive(t *testing.T) {
	onEngines(t, func(h *house) {
		random := rand.New(rand.NewPCG(1, 2))
		units := []string{"a", "a1", "b"}
		one := func() given {
			return given{
				unit: units[random.IntN(3)], day: today.Add(-random.IntN(9) * random.IntN(9)), hour: random.IntN(12), channel: []pb.Channel{paper, web}[random.IntN(2)],
				comment: []string{"", "Chờ lâu quá", "cán bộ tận tình, không phải chờ"}[random.IntN(3)],
			}
		}
		var stood, spoken []string
		for range 150 {
			g := one()
			id := h.give(g)
			stood = append(stood, id)
			if g.comment != "" {
				spoken = append(spoken, id)
			}
		}
		from := string(today.Add(-70))
		for name, c := range map[string]struct {
			request *pb.ListRatingsRequest
			limits  ratinglist.Limits
			want    []string
			pages   int // at least
		}{
			"one page":             {&pb.ListRatingsRequest{PageSize: 200}, ratinglist.Limits{}, stood, 1},
			"pages of seven":       {&pb.ListRatingsRequest{PageSize: 7}, ratinglist.Limits{}, stood, 20},
			"five looked at":       {&pb.ListRatingsRequest{PageSize: 50}, ratinglist.Limits{Records: 5}, stood, 10},
			"one range a call":     {&pb.ListRatingsRequest{PageSize: 50}, ratinglist.Limits{Ranges: 1}, stood, 5},
			"one cell a call":      {&pb.ListRatingsRequest{PageSize: 50}, ratinglist.Limits{Cells: 1}, stood, 5},
			"comments":             {&pb.ListRatingsRequest{PageSize: 4, WithComment: true}, ratinglist.Limits{}, spoken, 10},
			"a word":               {&pb.ListRatingsRequest{PageSize: 4, Text: "cho"}, ratinglist.Limits{}, spoken, 10},
			"a word, a few looked": {&pb.ListRatingsRequest{PageSize: 50, Text: "chờ"}, ratinglist.Limits{Records: 5}, spoken, 10},
		} {
			h.Run(name, func(t *testing.T) {
				h := *h
				h.T = t
				c.request.UnitId, c.request.From = "p", from
				list := h.limited(c.limits)
				got, pages := h.all(list, leader(""), c.request, nil)
				if diff := cmp.Diff(sorted(c.want...), sorted(got...)); diff != "" {
					t.Error(diff)
				}
				if pages < c.pages {
					t.Errorf("%d pages, want at least %d", pages, c.pages)
				}
			})
		}
		for _, request := range []*pb.ListRatingsRequest{{PageSize: 7}, {PageSize: 7, Text: "chờ"}} {
			request.UnitId, request.From = "p", from
			want := stood
			if request.GetText() != "" {
				want = spoken
			}
			left := 40
			got, _ := h.all(h.list, leader("p"), request, func() {
				if left--; left > 0 {
					h.give(one())
				}
			})
			for _, id := range want {
				if !slices.Contains(got, id) {
					h.Errorf("%q: %s was left out", request.GetText(), id)
				}
			}
		}
	})
}

func TestFilters(t *testing.T) {
	onEngines(t, func(h *house) {
		ids := map[string]string{}
		for name, g := range map[string]given{
			"an":      {unit: "a", hour: 9, score: 1, choices: []string{"waiting", "attitude"}, comment: "Chờ từ 7 giờ sáng, Đường vào ngập"},
			"an web":  {unit: "a", hour: 8, score: 2, channel: web, choices: []string{"attitude"}},
			"office":  {unit: "a1", hour: 8, score: 4, comment: "Rất tốt <script>alert(1)</script>"},
			"bình":    {unit: "b", hour: 7, score: 5, comment: norm.NFD.String("Đường dây nóng không ai nghe máy")},
			"before":  {unit: "b", day: yesterday, score: 3, contact: &pb.Contact{Phone: "0900000000", CallBack: true}},
			"long":    {unit: "b", day: today.Add(-200), score: 3},
			"to come": {unit: "b", day: today, hour: 12, score: 3},
		} {
			ids[name] = h.give(g)
		}
		for name, c := range map[string]struct {
			request *pb.ListRatingsRequest
			want    []string
		}{
			"thirty days":                 {&pb.ListRatingsRequest{UnitId: "p"}, []string{"to come", "an", "an web", "office", "bình", "before"}},
			"a commune":                   {&pb.ListRatingsRequest{UnitId: "a"}, []string{"an", "an web", "office"}},
			"an office":                   {&pb.ListRatingsRequest{UnitId: "a1"}, []string{"office"}},
			"one day":                     {&pb.ListRatingsRequest{UnitId: "p", From: "2026-11-21", To: "2026-11-21"}, []string{"before"}},
			"twenty years":                {&pb.ListRatingsRequest{UnitId: "b", From: "2006-11-22"}, []string{"to come", "bình", "before", "long"}},
			"the future":                  {&pb.ListRatingsRequest{UnitId: "p", From: "2027-01-01", To: "2027-01-02"}, nil},
			"a channel":                   {&pb.ListRatingsRequest{UnitId: "p", Channels: []pb.Channel{web}}, []string{"an web"}},
			"a channel nobody used":       {&pb.ListRatingsRequest{UnitId: "p", Channels: []pb.Channel{kiosk}}, nil},
			"dissatisfied":                {&pb.ListRatingsRequest{UnitId: "p", Scores: []int32{1, 2}}, []string{"an", "an web"}},
			"a reason":                    {&pb.ListRatingsRequest{UnitId: "p", Reason: "reasons:attitude"}, []string{"an", "an web"}},
			"a reason and a score":        {&pb.ListRatingsRequest{UnitId: "p", Reason: "reasons:attitude", Scores: []int32{1}}, []string{"an"}},
			"a reason that is none":       {&pb.ListRatingsRequest{UnitId: "p", Reason: "reasons:nothing"}, nil},
			"with comment":                {&pb.ListRatingsRequest{UnitId: "p", WithComment: true}, []string{"an", "office", "bình"}},
			"words without marks":         {&pb.ListRatingsRequest{UnitId: "p", Text: "duong"}, []string{"an", "bình"}},
			"words decomposed":            {&pb.ListRatingsRequest{UnitId: "p", Text: norm.NFD.String("Đường")}, []string{"an", "bình"}},
			"words in capitals":           {&pb.ListRatingsRequest{UnitId: "p", Text: "ĐƯỜNG DÂY"}, []string{"bình"}},
			"every word":                  {&pb.ListRatingsRequest{UnitId: "p", Text: "duong cho"}, []string{"an"}},
			"part of a word":              {&pb.ListRatingsRequest{UnitId: "p", Text: "duon"}, nil},
			"words of one unit":           {&pb.ListRatingsRequest{UnitId: "b", Text: "duong"}, []string{"bình"}},
			"words and a score":           {&pb.ListRatingsRequest{UnitId: "p", Text: "duong", Scores: []int32{5}}, []string{"bình"}},
			"words of another day":        {&pb.ListRatingsRequest{UnitId: "p", Text: "duong", To: "2026-11-21"}, nil},
			"words like a query language": {&pb.ListRatingsRequest{UnitId: "p", Text: `{"$ne": null}' OR 1=1 --`}, nil},
			"markup":                      {&pb.ListRatingsRequest{UnitId: "p", Text: "<script>"}, []string{"office"}},
		} {
			h.Run(name, func(t *testing.T) {
				h := *h
				h.T = t
				got, _ := h.all(h.list, leader(""), c.request, nil)
				names := map[string]string{}
				for name, id := range ids {
					names[id] = name
				}
				for i, id := range got {
					got[i] = names[id]
				}
				if diff := cmp.Diff(sorted(c.want...), sorted(got...)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// A province of many units reads an office by ranges of its own, and the whole by windows of days.
func TestManyUnits(t *testing.T) {
	onEngines(t, func(h *house) {
		var rows []string
		for i := range 100 {
			id := "u" + string(rune('a'+i/26)) + string(rune('a'+i%26))
			h.unit(id, "b", "office", "Văn phòng "+id)
			rows = append(rows, id)
		}
		var mine, all []string
		for i := range 60 {
			mine = append(mine, h.give(given{unit: "a1", day: today.Add(-i), hour: i % 12, comment: "cảm ơn"}))
			all = append(all, h.give(given{unit: rows[i], day: today.Add(-3 * i), hour: 3, comment: "cảm ơn"}))
		}
		all = append(all, mine...)
		for _, text := range []string{"", "cam on"} {
			for root, want := range map[string][]string{"a1": mine, "a": mine, "p": all} {
				got, _ := h.all(h.list, leader(""), &pb.ListRatingsRequest{UnitId: root, From: string(today.Add(-400)), PageSize: 9, Text: text}, nil)
				if diff := cmp.Diff(sorted(want...), sorted(got...)); diff != "" {
					h.Errorf("%s, words %q: %s", root, text, diff)
				}
			}
		}
	})
}

func TestOneRatingAsItIsTold(t *testing.T) {
	onEngines(t, func(h *house) {
		wrong := h.give(given{unit: "a1", hour: 9, score: 1, choices: []string{"waiting"}, comment: "Chờ lâu"})
		right := h.give(given{unit: "a1", hour: 9, score: 4, revises: wrong})
		h.doubt("a1", right, "twice")
		h.doubt("a1", right, "twice")
		h.doubt("a1", right, "of a kind to come")
		for _, text := range []string{"", "cho lau"} {
			page := h.page(h.list, &pb.ListRatingsRequest{UnitId: "p", Text: text})
			by := map[string]*pb.ListedRating{}
			for _, r := range page.GetRatings() {
				by[r.GetId()] = r
			}
			if r := by[wrong]; !r.GetRevised() || r.GetRevises() || r.GetComment() != "Chờ lâu" || r.GetHour() != 9 || r.GetDay() != string(today) ||
				r.GetUnitName() != "Một cửa xã An" || r.GetQuestionnaire() != "kiosk@1" || len(r.GetDoubts()) != 0 || r.GetCallBack() {
				t.Errorf("the corrected one: %v", r)
			}
			if answers := by[wrong].GetAnswers(); len(answers) != 1 || answers[0].GetChoices()[0] != "Long wait" ||
				!strings.HasPrefix(answers[0].GetQuestion(), "What were you not satisfied with?") {
				t.Errorf("answers %v", answers)
			}
			if text != "" {
				continue
			}
			if r := by[right]; r.GetRevised() || !r.GetRevises() || r.GetHour() != 9 || r.GetComment() != "" {
				t.Errorf("the correction: %v", r)
			}
			if diff := cmp.Diff([]string{"A doubt was noted about this rating.", "May have been given twice by the same person."}, sorted(by[right].GetDoubts()...)); diff != "" {
				t.Error(diff)
			}
		}
		h.give(given{unit: "a1", hour: 9, score: 3, revises: wrong})
		page := h.page(h.list, &pb.ListRatingsRequest{UnitId: "a1", Scores: []int32{3, 4}})
		for _, r := range page.GetRatings() {
			if r.GetRevised() != (r.GetId() == right) {
				t.Errorf("of two corrections the last stands: %v", r)
			}
		}
		called := h.give(given{unit: "b", contact: &pb.Contact{Name: "Nguyễn Văn A", Phone: "0900000000", CallBack: true}})
		page = h.page(h.list, &pb.ListRatingsRequest{UnitId: "b"})
		if r := page.GetRatings()[0]; r.GetId() != called || !r.GetCallBack() {
			t.Errorf("call back: %v", r)
		}
		if text := page.String(); strings.Contains(text, "0900") || strings.Contains(text, "Nguy") {
			t.Errorf("the contact is told: %s", text)
		}
	})
}

// Every doubt that intake notes is told in words of its own, in every language.
func TestDoubtsHaveWords(t *testing.T) {
	for _, in := range []language.Language{language.Vietnamese, language.English} {
		for _, flag := range []string{rating.FlagFuture, rating.FlagOld, rating.FlagTooSoon, rating.FlagTicketAgain} {
			if key := "ratinglist.doubt." + flag; in.Text(key) == key {
				t.Errorf("%s says nothing of %s", in, flag)
			}
		}
	}
}

func TestRights(t *testing.T) {
	onEngines(t, func(h *house) {
		id := h.give(given{unit: "a1", comment: "Chờ lâu", contact: &pb.Contact{Phone: "0900000000", CallBack: true}})
		h.give(given{unit: "a1", comment: "Chờ lâu"})
		without := identity.Caller{Kind: identity.CallerAccount, Role: pb.Role_ROLE_OFFICIAL, UnitID: "p"}
		page, err := h.list.Page(h.Context(), without, &pb.ListRatingsRequest{UnitId: "a1"}, language.Vietnamese)
		h.check(err)
		for _, r := range page.GetRatings() {
			if r.GetComment() != "" || r.GetCallBack() {
				t.Errorf("told to one who may not read it: %v", r)
			}
		}
		for _, request := range []*pb.ListRatingsRequest{{UnitId: "a1", Text: "cho"}, {UnitId: "a1", WithComment: true}} {
			_, err = h.list.Page(h.Context(), without, request, language.Vietnamese)
			wantFault(t, err, fault.Denied, "ratinglist_comments_denied")
		}
		names := map[string][]string{}
		for _, scope := range []string{"p", "a", "a1"} {
			for _, text := range []string{"", "cho"} {
				request := &pb.ListRatingsRequest{UnitId: "a1", PageSize: 1, Text: text}
				got, _ := h.all(h.list, leader(scope), request, nil)
				if opaque := !slices.Contains(got, id); opaque != (scope != "p") {
					t.Errorf("a leader of %s sees ids %v", scope, got)
				}
				if before := names[scope]; before != nil && !slices.Equal(before, got) {
					t.Errorf("names change: %v, %v", before, got)
				}
				names[scope] = got
				if raw := request.GetPageToken(); strings.Contains(raw, id) || raw == "" {
					t.Errorf("token %q", raw)
				}
			}
		}
		if names["a"][0] == names["a1"][0] || names["a"][0] == names["a1"][1] {
			t.Error("two units share a name for a rating")
		}
	})
}

func TestAsAtTheTime(t *testing.T) {
	onEngines(t, func(h *house) {
		_, err := h.directory.CreateUnit(h.Context(), "moving", "", unit.Words{ParentID: "a", Level: "office", Name: "Tổ cũ", Code: "m"})
		h.check(err)
		old := h.give(given{unit: "moving", day: "2026-11-10", comment: "một"})
		now := h.give(given{unit: "moving", day: today, comment: "một"})
		_, err = h.directory.ChangeUnit(h.Context(), "moving", "2026-11-15", unit.Words{ParentID: "b", Level: "office", Name: "Tổ mới", Code: "m"})
		h.check(err)
		for _, text := range []string{"", "mot"} {
			for root, want := range map[string][]string{"a": {old}, "b": {now}, "moving": {old, now}} {
				page := h.page(h.list, &pb.ListRatingsRequest{UnitId: root, Text: text})
				var got []string
				for _, r := range page.GetRatings() {
					got = append(got, r.GetId())
					if name := map[string]string{old: "Tổ cũ", now: "Tổ mới"}[r.GetId()]; r.GetUnitName() != name {
						t.Errorf("%s of %s, want %s", r.GetUnitName(), r.GetDay(), name)
					}
				}
				if diff := cmp.Diff(sorted(want...), sorted(got...)); diff != "" {
					t.Errorf("%s: %s", root, diff)
				}
			}
		}
	})
}

func TestHostileQuestions(t *testing.T) {
	onEngines(t, func(h *house) {
		for range 3 {
			h.give(given{unit: "a1", comment: "chờ"})
		}
		first := h.page(h.list, &pb.ListRatingsRequest{UnitId: "p", PageSize: 1})
		token := first.GetNextPageToken()
		if token == "" {
			t.Fatal("no token")
		}
		flipped := []byte(token)
		flipped[len(flipped)/2] ^= 1
		for name, c := range map[string]struct {
			caller  identity.Caller
			request *pb.ListRatingsRequest
			code    fault.Code
			reason  string
		}{
			"garbage":               {leader(""), &pb.ListRatingsRequest{UnitId: "p", PageToken: "%%%"}, fault.Invalid, "ratinglist_token_invalid"},
			"garbage in base64":     {leader(""), &pb.ListRatingsRequest{UnitId: "p", PageToken: strings.Repeat("A", 900)}, fault.Invalid, "ratinglist_token_invalid"},
			"a bit changed":         {leader(""), &pb.ListRatingsRequest{UnitId: "p", PageToken: string(flipped)}, fault.Invalid, "ratinglist_token_invalid"},
			"of another unit":       {leader(""), &pb.ListRatingsRequest{UnitId: "a", PageToken: token}, fault.Invalid, "ratinglist_token_invalid"},
			"of another search":     {leader(""), &pb.ListRatingsRequest{UnitId: "p", Text: "chờ", PageToken: token}, fault.Invalid, "ratinglist_token_invalid"},
			"of another's scope":    {leader("p"), &pb.ListRatingsRequest{UnitId: "p", PageToken: token}, fault.Invalid, "ratinglist_token_invalid"},
			"no unit":               {leader(""), &pb.ListRatingsRequest{UnitId: "nowhere"}, fault.NotFound, "unit_unknown"},
			"reversed":              {leader(""), &pb.ListRatingsRequest{UnitId: "p", From: "2026-11-22", To: "2026-11-21"}, fault.Invalid, "period_reversed"},
			"too long":              {leader(""), &pb.ListRatingsRequest{UnitId: "p", From: "1990-11-22"}, fault.Invalid, "period_too_long"},
			"no day":                {leader(""), &pb.ListRatingsRequest{UnitId: "p", From: "22/11/2026"}, fault.Invalid, "period_day_invalid"},
			"no day at the end":     {leader(""), &pb.ListRatingsRequest{UnitId: "p", To: "2026-02-30"}, fault.Invalid, "period_day_invalid"},
			"no words":              {leader(""), &pb.ListRatingsRequest{UnitId: "p", Text: " … !"}, fault.Invalid, "ratinglist_text_wordless"},
			"a reason of one word":  {leader(""), &pb.ListRatingsRequest{UnitId: "p", Reason: "waiting"}, fault.Invalid, "ratinglist_reason_invalid"},
			"a reason of no choice": {leader(""), &pb.ListRatingsRequest{UnitId: "p", Reason: "reasons:"}, fault.Invalid, "ratinglist_reason_invalid"},
		} {
			h.Run(name, func(t *testing.T) {
				_, err := h.list.Page(h.Context(), c.caller, c.request, language.Vietnamese)
				wantFault(t, err, c.code, c.reason)
			})
		}
		second := h.page(h.list, &pb.ListRatingsRequest{UnitId: "p", PageSize: 200, PageToken: token})
		if len(second.GetRatings()) != 2 || second.GetNextPageToken() != "" {
			t.Errorf("with another size: %v", second)
		}
		if first.GetFrom() != "2026-10-23" || first.GetTo() != string(today) || second.GetFrom() != first.GetFrom() {
			t.Errorf("period %s to %s", first.GetFrom(), first.GetTo())
		}
		if _, err := localday.Parse(second.GetTo()); err != nil {
			t.Error(err)
		}
	})
}
