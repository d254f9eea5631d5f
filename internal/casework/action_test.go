package casework_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
)

func ordered() casework.Ordered {
	return casework.Ordered{ID: "a1", Cases: []string{"c1"}, Order: "cd-1", Ordering: commune}
}

func actionEvent(name casework.Name) casework.ActionEvent {
	return casework.ActionEvent{
		Name: name, Product: "Bảng hướng dẫn mới ở quầy", Unit: office, Owner: "o-hoa", Due: "2026-12-19", Reason: "Chưa có ảnh",
		Evidence: casework.Evidence{Text: "Đã treo bảng mới.", Attachments: []casework.Attachment{{ID: "b1", Name: "Ảnh bảng.jpg", Type: "image/jpeg", Size: 1000}}},
	}
}

func TestALifeOfAnAction(t *testing.T) {
	m := machine(t)
	a, effects, err := m.Order(ordered(), actionEvent(casework.Order), deputy(), start)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(effects, func(e casework.Effect) bool { return e.Clock == casework.ClockCorrect })
	if at < 0 || effects[at].Due.Day != "2026-12-21" || effects[at].Due.Last != "2026-12-19" { // a Saturday rolls
		t.Fatalf("%+v", effects)
	}
	apply := func(name casework.Name, by casework.Actor, at time.Time, want string) {
		t.Helper()
		next, _, err := m.ApplyAction(a, actionEvent(name), by, at)
		if reason(err) != want {
			t.Fatalf("%s in %s: %v, want %q", name, a.State, err, want)
		}
		if err == nil {
			a = next
		}
	}
	apply(casework.Confirm, deputy(), start, "casework_not_now")
	apply(casework.Report, stranger(), start, "casework_denied")
	apply(casework.Report, writer(), days(1), "")
	apply(casework.Confirm, writer(), days(1), "casework_denied")
	apply(casework.Confirm, actor("hoa2", "o-hoa", casework.Leader, commune), days(1), "casework_own_action")
	apply(casework.Confirm, actor("minh2", "o-minh", casework.Leader, commune, office), days(1), "casework_your_unit")
	apply(casework.SendBack, deputy(), days(2), "")
	apply(casework.Overdue, casework.TheSystem(), days(20), "casework_not_late")
	if waiting, err := m.WaitingOf(a, days(32)); err != nil || len(waiting) != 1 || waiting[0].Name != casework.Overdue {
		t.Errorf("waiting %+v, %v", waiting, err)
	}
	apply(casework.Overdue, casework.TheSystem(), days(32), "")
	apply(casework.Overdue, casework.TheSystem(), days(32), "casework_not_late")
	if waiting, _ := m.WaitingOf(a, days(32)); len(waiting) != 0 {
		t.Errorf("it waits again: %+v", waiting)
	}
	if reminders, err := m.RemindersOf(a, "2026-12-22"); err != nil || len(reminders) != 1 {
		t.Errorf("reminders %+v, %v", reminders, err)
	}
	apply(casework.HandOn, deputy(), days(32), "")
	late := actionEvent(casework.ChangeDue)
	if _, _, err := m.ApplyAction(a, late, deputy(), days(32)); reason(err) != "casework_missing_due" {
		t.Errorf("a due day in the past: %v", err)
	}
	apply(casework.Report, head(), days(33), "")
	apply(casework.Confirm, deputy(), days(34), "")
	if a.State != casework.ActionConfirmed || a.Evidence.Text == "" {
		t.Errorf("%+v", a)
	}
	apply(casework.Cancel, deputy(), days(35), "casework_not_now")
	again, err := casework.ReplayAction(a.Ordered, a.History)
	if diff := cmp.Diff(a, again); err != nil || diff != "" {
		t.Errorf("replayed: %v %s", err, diff)
	}
	if running, err := m.RunningOf(a, "2027-01-01"); err != nil || len(running) != 0 {
		t.Errorf("clocks run on: %+v", running)
	}
	if _, ok, _ := m.NextOf(a, "2026-12-01"); ok {
		t.Error("it wakes when all is done")
	}
}

func TestActionsNeedWhatTheySay(t *testing.T) {
	m := machine(t)
	drop := map[casework.Need]func(*casework.ActionEvent){
		casework.NeedProduct: func(e *casework.ActionEvent) { e.Product = " " }, casework.NeedUnit: func(e *casework.ActionEvent) { e.Unit = "" },
		casework.NeedDue: func(e *casework.ActionEvent) { e.Due = "2026-02-30" }, casework.NeedReason: func(e *casework.ActionEvent) { e.Reason = "" },
		casework.NeedEvidence: func(e *casework.ActionEvent) { e.Evidence = casework.Evidence{} },
	}
	seen := map[string]bool{}
	queue := []casework.Action{{Ordered: ordered()}}
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for _, row := range casework.ActionRows() {
			if row.From != a.State || seen[rowKey(row)] {
				continue
			}
			for _, by := range cast() {
				at := start
				if row.Event == casework.Overdue {
					at = days(60)
				}
				next, _, err := m.ApplyAction(a, actionEvent(row.Event), by, at)
				if err != nil {
					continue
				}
				seen[rowKey(row)] = true
				if row.Event != casework.Overdue { // time does not come back
					queue = append(queue, next)
				}
				for _, need := range row.Needs {
					without := actionEvent(row.Event)
					drop[need](&without)
					if _, _, err := m.ApplyAction(a, without, by, at); reason(err) != "casework_missing_"+string(need) {
						t.Errorf("%s without %s: %v", rowKey(row), need, err)
					}
				}
				break
			}
		}
	}
	for _, row := range casework.ActionRows() {
		if !seen[rowKey(row)] {
			t.Errorf("%s is never taken", rowKey(row))
		}
	}
}

func TestActionsWalk(t *testing.T) {
	m := machine(t)
	people := cast()
	rapid.Check(t, func(r *rapid.T) {
		a, _, err := m.Order(ordered(), actionEvent(casework.Order), deputy(), start)
		if err != nil {
			r.Fatal(err)
		}
		at := start
		for range 25 {
			at = at.Add(time.Duration(rapid.IntRange(0, 100).Draw(r, "hours")) * time.Hour)
			event := actionEvent(rapid.SampledFrom(casework.ActionRows()).Draw(r, "row").Event)
			event.Due = localdayOf(at).Add(rapid.IntRange(-1, 20).Draw(r, "due"))
			by := rapid.SampledFrom(people).Draw(r, "by")
			next, _, err := m.ApplyAction(a, event, by, at)
			if err != nil {
				continue
			}
			if a.State.Terminal() || len(next.History) != len(a.History)+1 {
				r.Fatalf("%s happened in %s", event.Name, a.State)
			}
			if event.Name == casework.Confirm && (by.Official == "o-hoa" || slices.Contains(by.Heads, a.Unit)) {
				r.Fatalf("%+v confirmed its own", by)
			}
			a = next
			again, err := casework.ReplayAction(a.Ordered, a.History)
			if diff := cmp.Diff(a, again); err != nil || diff != "" {
				r.Fatalf("replayed: %v %s", err, diff)
			}
			running, err := m.RunningOf(a, localdayOf(at))
			if err != nil || len(running) > 1 || (len(running) == 0) != a.State.Terminal() {
				r.Fatalf("in %s run %+v, %v", a.State, running, err)
			}
		}
	})
}

func TestContest(t *testing.T) {
	m := machine(t)
	rated := actor("hoa", "o-hoa", casework.Official, office)
	k, err := m.Contest("r1", "o-hoa", office, "Người dân đánh giá nhầm quầy.", rated, start)
	if err != nil || k.State != casework.ContestOpen || k.Clock.Name != casework.ClockContest {
		t.Fatalf("%+v, %v", k, err)
	}
	standIn := deputy()
	standIn.For = &casework.StandIn{Person: rated.Person, From: "2026-11-01", To: "2026-12-31"}
	for name, c := range map[string]struct {
		by   casework.Actor
		want string
	}{"another official": {actor("x", "o-x", casework.Official, office), "casework_contest_not_yours"}, "a stand-in": {standIn, "casework_contest_not_yours"}, "without a reason": {rated, "casework_missing_reason"}} {
		if _, err := m.Contest("r1", "o-hoa", office, " ", c.by, start); reason(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		by   casework.Actor
		to   casework.ContestState
		want string
	}{
		"a second person":            {deputy(), casework.ContestUpheld, ""},
		"dismissed":                  {deputy(), casework.ContestDismissed, ""},
		"neither":                    {deputy(), casework.ContestDropped, "casework_contest_state"},
		"the official":               {actor("hoa", "o-hoa", casework.Leader, commune), casework.ContestUpheld, "casework_about_you"},
		"by another account":         {actor("hoa2", "o-hoa", casework.Leader, commune), casework.ContestUpheld, "casework_about_you"},
		"who recorded the rating":    {actor("lan", "", casework.Leader, commune), casework.ContestUpheld, "casework_contest_second"},
		"who heads the unit":         {actor("minh", "", casework.Leader, commune, office), casework.ContestUpheld, "casework_your_unit"},
		"a leader elsewhere":         {stranger(), casework.ContestUpheld, "casework_denied"},
		"no leader":                  {operator(), casework.ContestUpheld, "casework_denied"},
		"a stand-in of the official": {standIn, casework.ContestUpheld, "casework_denied"},
	} {
		decided, err := m.DecideContest(k, c.to, "Đã xem lại camera.", []string{"lan"}, c.by, days(1))
		if reason(err) != c.want || err == nil && (decided.State != c.to || len(decided.History) != 2 || decided.Clock.Running()) {
			t.Errorf("%s: %+v, %v", name, decided, err)
		}
		if err == nil {
			if _, err := m.DecideContest(decided, casework.ContestDismissed, "Khác", nil, deputy(), days(1)); reason(err) != "casework_not_now" {
				t.Errorf("%s: decided twice: %v", name, err)
			}
		}
	}
	if dropped, err := m.DropContest(k, "Tôi đồng ý với người dân.", rated, days(1)); err != nil || dropped.State != casework.ContestDropped {
		t.Errorf("%+v, %v", dropped, err)
	}
	all, without, err := casework.BothFigures([5]uint32{2, 1, 0, 3, 4}, []int{1, 2})
	if err != nil || all != [5]uint32{2, 1, 0, 3, 4} || without != [5]uint32{1, 0, 0, 3, 4} {
		t.Errorf("%v %v %v", all, without, err)
	}
	for _, wrong := range [][]int{{2, 2}, {0}, {6}, {3}} {
		if _, _, err := casework.BothFigures([5]uint32{2, 1, 0, 3, 4}, wrong); reason(err) != "casework_contest_scores" {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if _, err := m.Contest("", "o-hoa", office, "x", rated, start); reason(err) != "casework_opening" {
		t.Errorf("a contest of nothing: %v", err)
	}
}
