package caserules

import (
	"strconv"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// rulesPage is what holds for a unit: its deadlines as a table, and which ratings become cases.
type rulesPage struct {
	place
	Query     string
	Found     []*pb.Unit
	Nothing   bool
	MayChange bool
	MaySeeLog bool
	Table     *pb.DeadlineRules
	Rows      []deadlineRow
	Opening   *pb.OpeningRule
	Facts     []fact
}

// deadlineRow is a step of casework as people read it.
type deadlineRow struct {
	*pb.DeadlineRule
	Term, Extension, Remind, Escalate string
}

// fact is one line of an opening rule.
type fact struct{ Key, Words string }

func mayRead(v *web.Visit) bool { return v.May("read_cases") || v.May("change_case_rules") }

func mayReadLog(v *web.Visit) bool { return v.May("read_audit") || v.May("change_case_rules") }

func (p pages) rules(v *web.Visit) error {
	if !mayRead(v) {
		return web.ErrNotFound
	}
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	page := rulesPage{place: here, MayChange: v.May("change_case_rules"), MaySeeLog: mayReadLog(v), Query: v.Value("q")}
	if page.Found, err = search(v, page.Query); err != nil {
		return err
	}
	page.Nothing = page.Query != "" && len(page.Found) == 0
	if page.Table, err = v.CaseRules.GetDeadlineRules(v.Context(), &pb.GetDeadlineRulesRequest{UnitId: here.ID}); err != nil {
		return err
	}
	if page.Opening, err = v.CaseRules.GetOpeningRule(v.Context(), &pb.GetOpeningRuleRequest{UnitId: here.ID}); err != nil {
		return err
	}
	page.Rows, page.Facts = rows(v, page.Table.GetRules()), facts(v, page.Opening)
	return v.Render(p.Pages, "rules", page)
}

func rows(v *web.Visit, rules []*pb.DeadlineRule) []deadlineRow {
	var list []deadlineRow
	for _, rule := range rules {
		days := func(n int32) string {
			return v.Text("caserulespage.days", "n", n, "count", v.Text("deadline.count."+rule.GetCount()))
		}
		row := deadlineRow{DeadlineRule: rule, Term: days(rule.GetDays())}
		if rule.GetExtensionDays() > 0 {
			row.Extension = days(rule.GetExtensionDays())
		}
		row.Remind = join(v, "caserulespage.before_", rule.GetRemindBeforeDays())
		if after := join(v, "caserulespage.after_", rule.GetRemindAfterDays()); after != "" {
			row.Remind = strings.TrimPrefix(row.Remind+"; "+after, "; ")
		}
		var up []string
		for i, n := range rule.GetEscalateAfterDays() {
			up = append(up, v.Text("caserulespage.escalate", "n", n, "level", i+1))
		}
		row.Escalate = strings.Join(up, "; ")
		list = append(list, row)
	}
	return list
}

func join(v *web.Visit, key string, days []int32) string {
	var words []string
	for _, n := range days {
		if n == 0 {
			words = append(words, v.Text(key+"0"))
		} else {
			words = append(words, v.Text(key+"n", "n", n))
		}
	}
	return strings.Join(words, "; ")
}

// facts are an opening rule in words.
func facts(v *web.Visit, rule *pb.OpeningRule) []fact {
	var scores, channels []string
	for _, score := range rule.GetScores() {
		scores = append(scores, v.Text("web.score."+strconv.Itoa(int(score))))
	}
	for _, channel := range rule.GetChannels() {
		channels = append(channels, v.Text("web.channel."+channel.String()))
	}
	keeps := v.Text("caserulespage.register_self")
	if rule.GetRegisterUnitId() != "" {
		keeps = rule.GetRegisterUnitName()
		if keeps == "" {
			keeps = v.Text("caserulespage.register_elsewhere")
		}
	}
	or := func(list []string) string {
		if len(list) == 0 {
			return v.Text("caserulespage.none")
		}
		return strings.Join(list, "; ")
	}
	return []fact{
		{"scores", or(scores)}, {"channels", or(channels)}, {"with", v.Text("caserulespage.with." + rule.GetWith())}, {"register", keeps},
		{"erase", v.Text("caserulespage.erase_value", "n", rule.GetEraseContactsAfterDays())},
		{"copied", v.Text("caserulespage.copied_value", "n", rule.GetCopiedPercent())},
	}
}

// deadlinesPage is the table as text, to be edited.
type deadlinesPage struct {
	place
	form
	Origin  *pb.RuleOrigin
	Version string
	YAML    string
	Faults  []lineFault
	Checked []deadlineRow // how it would read; nil where nobody asked
	Stands  string        // what somebody else saved meanwhile, where that stood in the way
}

// lineFault is what is wrong with one line of the text.
type lineFault struct {
	Line, Text, Words string
}

func (p pages) deadlines(v *web.Visit) error {
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	table, err := v.CaseRules.GetDeadlineRules(v.Context(), &pb.GetDeadlineRulesRequest{UnitId: here.ID})
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "deadlines", deadlinesPage{place: here, Origin: table.GetOrigin(), Version: table.GetVersion(), YAML: table.GetYaml()})
}

const unprocessable = 422

func (p pages) saveDeadlines(v *web.Visit) error {
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	stands, err := v.CaseRules.GetDeadlineRules(v.Context(), &pb.GetDeadlineRulesRequest{UnitId: here.ID})
	if err != nil {
		return err
	}
	page := deadlinesPage{
		place: here, Origin: stands.GetOrigin(), Version: v.Value("version"), YAML: strings.ReplaceAll(v.R.PostFormValue("yaml"), "\r\n", "\n"),
	}
	request := &pb.SaveDeadlineRulesRequest{UnitId: here.ID, Yaml: page.YAML, Version: page.Version, CheckOnly: v.Value("do") == "check"}
	if inherit := v.Value("do") == "inherit"; inherit {
		request.Yaml = ""
	} else if strings.TrimSpace(page.YAML) == "" {
		page.wrong(v, "yaml", v.Text("web.required"))
		return v.RenderStatus(unprocessable, p.Pages, "deadlines", page)
	}
	saved, err := v.CaseRules.SaveDeadlineRules(v.Context(), request)
	switch {
	case err == nil && request.GetCheckOnly():
		page.Checked = rows(v, saved.GetRules())
		return v.Render(p.Pages, "deadlines", page)
	case err == nil:
		v.Notice(v.Text("caserulespage.saved"))
		return v.Redirect(here.At("/admin/case-rules"))
	}
	lines := strings.Split(page.YAML, "\n")
	for _, one := range violations(err) {
		fault := lineFault{Line: one.GetField(), Words: one.GetDescription()}
		if n, bad := strconv.Atoi(fault.Line); bad == nil && n >= 1 && n <= len(lines) {
			fault.Text = lines[n-1]
		}
		page.Faults = append(page.Faults, fault)
	}
	if reason(err) == "office_rules_changed" { // what was typed stays; saving again is a decision
		page.Version, page.Stands = stands.GetVersion(), stands.GetYaml()
	}
	if err := page.refused(err); err != nil {
		return err
	}
	if len(page.Faults) > 0 {
		page.Problem = v.Text("caserulespage.faults_n", "n", len(page.Faults))
	}
	return v.RenderStatus(unprocessable, p.Pages, "deadlines", page)
}
