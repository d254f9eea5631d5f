package notice

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/language"
)

// topics are all that casework tells of.
func topics() []string {
	var all []string
	for _, row := range casework.Rows() {
		all = append(all, "case."+string(row.Event))
	}
	for _, row := range casework.ActionRows() {
		all = append(all, "action."+string(row.Event))
	}
	for _, kind := range []deadline.Kind{deadline.RemindBefore, deadline.RemindAfter} {
		all = append(all, "clock."+string(kind))
	}
	for _, state := range []casework.ContestState{casework.ContestOpen, casework.ContestUpheld, casework.ContestDismissed, casework.ContestDropped} {
		all = append(all, "contest."+string(state))
	}
	slices.Sort(all)
	return slices.Compact(append(all, digestTopic, codeTopic, testTopic, "webhook.paused"))
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func TestEveryTopicHasWords(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	for _, topic := range topics() {
		for _, in := range language.All {
			if !Has(in, "notice."+topic) {
				t.Errorf("%s has no words for %s", in, topic)
			}
			for _, audience := range []casework.Audience{
				casework.TellDesk, casework.TellLeaders, casework.TellUnit, casework.TellAsked, casework.TellAuthor, casework.TellSubjects,
				casework.TellAbove, casework.TellTarget, casework.TellOwner,
			} {
				bare := h.Words(in, Notice{Topic: topic, Args: map[string]string{"audience": string(audience)}})
				if left := placeholder.FindString(bare.Subject + bare.Text); left != "" || bare.Subject == "" || bare.Text == "" {
					t.Errorf("%s, %s for %s: %q %q", in, topic, audience, bare.Subject, bare.Text)
				}
			}
		}
		vi, en := language.Vietnamese.Text("notice."+topic+".text"), language.English.Text("notice."+topic+".text")
		if a, b := names(vi), names(en); a != b {
			t.Errorf("%s: the Vietnamese words name %s, the English ones %s", topic, a, b)
		}
	}
	for _, in := range language.All {
		for _, name := range casework.Clocks() {
			if key := "notice.clock." + name; in.Text(key) == key {
				t.Errorf("%s has no words for the clock %s", in, name)
			}
		}
		for _, outcome := range []Outcome{
			OutcomeSent, OutcomeUnreachable, OutcomeTimeout, OutcomeTLS, OutcomeInside, OutcomeRedirect, OutcomeStatus, OutcomeRefused, OutcomeSignIn, OutcomeUnwanted, OutcomeOurs,
		} {
			if key := "notice.outcome." + string(outcome); in.Text(key) == key {
				t.Errorf("%s has no words for %s", in, key)
			}
		}
		for _, group := range Groups() {
			if key := "notice.group." + string(group); in.Text(key) == key {
				t.Errorf("%s has no words for %s", in, key)
			}
		}
		for _, family := range Families() {
			if key := "notice.family." + strings.TrimSuffix(family, ".*"); in.Text(key) == key {
				t.Errorf("%s has no words for %s", in, key)
			}
		}
	}
}

func names(text string) string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}

func TestWords(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	full := accepted("lan").notice()
	desk := accepted("lan").notice()
	desk.Args = map[string]string{"audience": "desk", "number": "7/2026", "title": "Chờ lâu"}
	standIn := accepted("lan").notice()
	standIn.Args = map[string]string{"for": "Nguyễn Văn Minh"}
	late := Notice{Topic: "case.escalate", Unit: "xa", Args: map[string]string{"clock": "review", "number": "7/2026", "title": "Chờ lâu"}}
	odd := late
	odd.Args = map[string]string{"clock": "một bước của riêng cơ quan"}
	for name, c := range map[string]struct {
		in            language.Language
		notice        Notice
		subject, text string
	}{
		"all of it":              {language.Vietnamese, full, "Giải trình phản ánh số 7/2026 được chấp nhận", "(Chờ lâu ở quầy 2) tại Xã Đồi Nắng đã được chấp nhận. Hạn: 30/11/2026."},
		"in English":             {language.English, full, "Accepted: case 7/2026", "at Xã Đồi Nắng was accepted. Due: 30/11/2026."},
		"for the desk":           {language.Vietnamese, desk, "Cần trả lời người dân: phản ánh số 7/2026", "Xin trả lời người dân."},
		"for a stand-in":         {language.Vietnamese, standIn, "Giải trình", "làm thay Nguyễn Văn Minh."},
		"a clock by its name":    {language.Vietnamese, late, "Quá hạn: phản ánh số 7/2026", "quá hạn bước xem xét giải trình"},
		"a clock of the office":  {language.Vietnamese, odd, "Quá hạn: phản ánh số –", "một bước của riêng cơ quan"},
		"a clock of an action":   {language.Vietnamese, Notice{Topic: "clock.remind_after", Unit: "xa", Args: map[string]string{"clock": "correct", "title": "Thêm quầy"}}, "Quá hạn: Thêm quầy", "Việc chấn chỉnh “Thêm quầy” tại Xã Đồi Nắng đã quá hạn làm xong"},
		"what nobody knows":      {language.Vietnamese, Notice{Topic: "case.flown_away", Unit: "xa"}, "Có việc mới tại Xã Đồi Nắng", "Xin mở trang để xem."},
		"an audience of no word": {language.English, Notice{Topic: "case.return", Unit: "xa", Args: map[string]string{"audience": "moon"}}, "Returned: case –", "explain again"},
	} {
		t.Run(name, func(t *testing.T) {
			words := h.Words(c.in, c.notice)
			if !strings.Contains(words.Subject, c.subject) || !strings.Contains(words.Text, c.text) {
				t.Errorf("%q %q", words.Subject, words.Text)
			}
		})
	}
}

func TestGroupsAndFamilies(t *testing.T) {
	for topic, want := range map[string]Group{
		"case.request_explanation": Tasks, "case.escalate": Late, "clock.remind_after": Late, "case.satisfied": Progress, "something.new": Progress, "action.order": Tasks,
	} {
		if got := GroupOf(topic); got != want {
			t.Errorf("%s is of %s", topic, got)
		}
	}
	for _, c := range []struct {
		chosen string
		topic  string
		want   bool
	}{
		{"case.*", "case.accept", true}, {"case.*", "casework.accept", false}, {"case.accept", "case.accept", true}, {"case.accept", "case.open", false},
		{"case", "case.open", false}, {"*", "case.open", false},
	} {
		if hears([]string{c.chosen}, c.topic) != c.want {
			t.Errorf("%s of %s", c.chosen, c.topic)
		}
	}
}
