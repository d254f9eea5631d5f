package caserules

import (
	"slices"
	"strconv"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// openingPage is the form of the opening rule, as it was typed.
type openingPage struct {
	place
	form
	Origin         *pb.RuleOrigin
	Version        string
	Scores         []choice
	Channels       []choice
	With           []choice
	Registers      []choice
	Query          string // a unit that is searched for
	Nothing        bool
	Erase, Copied  string
	Stands         []fact // what somebody else saved meanwhile, where that stood in the way
	registerWanted string
}

// choice is one line of a list to choose from.
type choice struct {
	Value, Words, Help string
	Chosen             bool
}

const self = "-" // each unit keeps its own register

func (p pages) opening(v *web.Visit) error {
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	rule, err := v.CaseRules.GetOpeningRule(v.Context(), &pb.GetOpeningRuleRequest{UnitId: here.ID})
	if err != nil {
		return err
	}
	page := openingPage{
		place: here, Origin: rule.GetOrigin(), Version: rule.GetVersion(),
		Erase: strconv.Itoa(int(rule.GetEraseContactsAfterDays())), Copied: strconv.Itoa(int(rule.GetCopiedPercent())), registerWanted: rule.GetRegisterUnitId(),
	}
	if err := page.show(v, rule); err != nil {
		return err
	}
	return v.Render(p.Pages, "opening", page)
}

// show makes the lists with what is chosen.
func (page *openingPage) show(v *web.Visit, rule *pb.OpeningRule) error {
	for score := int32(1); score <= 5; score++ {
		value := strconv.Itoa(int(score))
		page.Scores = append(page.Scores, choice{Value: value, Words: v.Text("web.score." + value), Chosen: slices.Contains(rule.GetScores(), score)})
	}
	for _, channel := range []pb.Channel{pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_WEB, pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_PAPER} {
		page.Channels = append(page.Channels, choice{
			Value: strconv.Itoa(int(channel)), Words: v.Text("web.channel." + channel.String()), Chosen: slices.Contains(rule.GetChannels(), channel),
		})
	}
	for _, with := range []string{"either", "comment", "call_back", "both", "any"} {
		page.With = append(page.With, choice{Value: with, Words: v.Text("caserulespage.with." + with), Chosen: rule.GetWith() == with})
	}
	wanted := page.registerWanted
	page.Registers = []choice{{Value: self, Words: v.Text("caserulespage.register_self"), Chosen: wanted == ""}}
	if wanted != "" {
		u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: wanted})
		words := u.GetName()
		if err != nil { // it may stand above what this visitor sees
			words = v.Text("caserulespage.register_elsewhere")
		}
		page.Registers = append(page.Registers, choice{Value: wanted, Words: words, Chosen: true})
	}
	found, err := search(v, page.Query)
	for _, u := range found {
		if u.GetId() != wanted {
			page.Registers = append(page.Registers, choice{Value: u.GetId(), Words: u.GetName(), Help: u.GetCode()})
		}
	}
	page.Nothing = page.Query != "" && len(found) == 0
	return err
}

func (p pages) saveOpening(v *web.Visit) error {
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	stands, err := v.CaseRules.GetOpeningRule(v.Context(), &pb.GetOpeningRuleRequest{UnitId: here.ID})
	if err != nil {
		return err
	}
	page := openingPage{place: here, Origin: stands.GetOrigin(), Version: v.Value("version"), Query: v.Value("register_q")}
	rule := page.read(v)
	searching := v.Value("do") == "find" || page.Query != "" && page.Query != v.Value("register_was")
	request := &pb.SaveOpeningRuleRequest{UnitId: here.ID, Rule: rule, Version: page.Version}
	switch {
	case v.Value("do") == "inherit":
		request.Rule = nil
	case searching:
		page.form = form{} // searching is no mistake, and nothing is saved yet
	case page.bad():
		searching = true
	}
	if !searching {
		page.Query = ""
		_, err := v.CaseRules.SaveOpeningRule(v.Context(), request)
		if err == nil {
			v.Notice(v.Text("caserulespage.saved"))
			return v.Redirect(here.At("/admin/case-rules"))
		}
		for _, one := range violations(err) {
			page.wrong(v, one.GetField(), one.GetDescription())
		}
		if reason(err) == "office_rules_changed" {
			page.Version, page.Stands = stands.GetVersion(), facts(v, stands)
		}
		if len(page.Errors) == 0 {
			if err := page.refused(err); err != nil {
				return err
			}
		}
	}
	if err := page.show(v, rule); err != nil {
		return err
	}
	code := 200
	if page.bad() {
		code = unprocessable
	}
	return v.RenderStatus(code, p.Pages, "opening", page)
}

// read takes the form as it was typed, and the rule it means.
func (page *openingPage) read(v *web.Visit) *pb.OpeningRule {
	rule := &pb.OpeningRule{With: v.Value("with")}
	number := func(text string) (int32, bool) {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		return int32(n), err == nil && n >= 0 && n <= 100_000 //nolint:gosec // 32 bits were asked for
	}
	for _, text := range v.Values("score") {
		if n, ok := number(text); ok {
			rule.Scores = append(rule.Scores, n)
		}
	}
	for _, text := range v.Values("channel") {
		if n, ok := number(text); ok {
			rule.Channels = append(rule.Channels, pb.Channel(n))
		}
	}
	if page.registerWanted = v.Value("register"); page.registerWanted == self {
		page.registerWanted = ""
	}
	rule.RegisterUnitId = page.registerWanted
	page.Erase, page.Copied = v.Value("erase"), v.Value("copied")
	var ok bool
	if rule.EraseContactsAfterDays, ok = number(page.Erase); !ok {
		page.wrong(v, "erase_contacts_after_days", v.Text("caserulespage.number_wrong"))
	}
	if rule.CopiedPercent, ok = number(page.Copied); !ok || rule.GetCopiedPercent() > 100 {
		page.wrong(v, "copied_percent", v.Text("caserulespage.number_wrong"))
	}
	return rule
}
