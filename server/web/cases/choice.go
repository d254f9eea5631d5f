package cases

import (
	"slices"
	"strconv"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// choice is something the visitor may do to the case, with the form that has exactly what it needs.
type choice struct {
	*pb.CaseChoice
	ID      string // of its form, once a page
	Link    string // of the case
	Version string // of the case that was looked at
	Key     string // of the keyboard that opens it
	Title   string
	Ask     bool // its form is open
	Problem string
	Picker  *picker
	Typed   typed
	Begin   string // what a text begins with until somebody typed

	Officials []option
	Findings  []option
	Reasons   []option // one tap each
	Routes    []option
	Clocks    []option
	Targets   []option
	Needed    map[string]bool
}

// keys are the letters of the events, by what they are called in Vietnamese; no two that can be chosen at once share one.
func keys() map[string]string {
	return map[string]string{
		"assign": "g", "reassign": "k", "request_explanation": "y", "submit": "v", "accept": "c", "return": "t", "reply": "l", "file": "f",
		"satisfied": "d", "reopen": "m", "still_dissatisfied": "m", "close": "z", "route": "n", "hand_over": "b", "taken_up": "u",
		"route_result": "q", "put_back": "p", "merge": "x", "withdraw": "w", "extend": "e", "suspend": "s", "resume": "i", "attach": "h",
	}
}

// first are the events by which a case goes on; all others are seldom needed and stand below.
func first() []string {
	return []string{
		"accept", "return", "submit", "assign", "request_explanation", "reply", "file", "satisfied", "reopen", "still_dissatisfied", "close",
		"hand_over", "taken_up", "route_result",
	}
}

// open are those whose form is open at once, where they come first.
func open(event string) bool { return event == "accept" || event == "return" || event == "reply" }

// choices makes the forms of what the visitor may do. sent is the one that must be mended.
func (c *casePage) choices(sent typed) error {
	offered := c.answer.GetChoices()
	own := map[string]bool{}
	for _, one := range offered {
		if one.GetForAccountId() == "" {
			own[one.GetEvent()] = true
		}
	}
	for i, one := range offered {
		if one.GetForAccountId() != "" && own[one.GetEvent()] {
			continue // in one's own right is the shorter way
		}
		made := &choice{
			CaseChoice: one, ID: "do-" + one.GetEvent() + "-" + strconv.Itoa(i), Link: c.Link, Version: versionText(c.GetVersion()),
			Key: keys()[one.GetEvent()], Title: c.v.Text("casework.event." + one.GetEvent()), Needed: map[string]bool{},
		}
		if one.GetForName() != "" {
			made.Title = c.v.Text("casespage.for", "what", made.Title, "name", one.GetForName())
		}
		for _, need := range one.GetNeeds() {
			made.Needed[need] = true
		}
		if sent.value("event") == one.GetEvent() && sent.value("for") == one.GetForAccountId() {
			made.Typed, made.Ask = sent, true
		}
		if err := c.equip(made); err != nil {
			return err
		}
		if slices.Contains(first(), one.GetEvent()) && !c.othersWork(one.GetEvent()) {
			c.Choices = append(c.Choices, made)
		} else {
			c.More = append(c.More, made)
		}
	}
	slices.SortStableFunc(c.Choices, func(a, b *choice) int {
		return slices.Index(first(), a.GetEvent()) - slices.Index(first(), b.GetEvent())
	})
	for i, one := range c.Choices {
		one.Ask = one.Ask || open(one.GetEvent()) || i == 0
	}
	return nil
}

// othersWork tells that somebody else is waited for to do this, though the visitor may: a leader who asked a unit to explain does not
// answer in its place.
func (c *casePage) othersWork(event string) bool {
	account := c.v.Account
	return event == "submit" && account.GetRole() == pb.Role_ROLE_LEADER && !slices.Contains(account.GetHeadsUnitIds(), c.GetAssignedUnitId())
}

// beginning is what a reply to the citizen may begin with: thanks, the pardon the unit said it would ask for, and what is done. The analysis
// is for the office; it may name people.
func (c *casePage) beginning() string {
	said := c.answer.GetExplanation()
	parts := []string{c.v.Text("casespage.reply_thanks")}
	if said.GetApology() != "no" && c.GetFinding() != "not" {
		parts = append(parts, c.v.Text("casespage.reply_pardon"))
	}
	if said.GetRemedy() != "" {
		parts = append(parts, said.GetRemedy())
	}
	return strings.Join(parts, " ")
}

// equip gives a form what it offers to choose from.
func (c *casePage) equip(one *choice) (err error) {
	v := c.v
	if one.Needed["unit"] {
		chosen, err := pick(v, one.Typed, one.ID, v.Text("casespage.unit_in_charge"), c.atHand(one.GetEvent()))
		if err != nil {
			return err
		}
		one.Picker = &chosen
	}
	if one.GetEvent() == "reply" {
		one.Begin = c.beginning()
	}
	if one.GetEvent() == "request_explanation" && !one.Needed["unit"] {
		if one.Officials, err = c.officials(c.GetAssignedUnitId(), one.Typed.values("official")); err != nil {
			return err
		}
	}
	if one.Needed["finding"] {
		chosen := one.Typed.value("finding")
		if one.Typed == nil && c.Latest != nil {
			chosen = c.Latest.GetFinding()
		}
		one.Findings = optionsOf(v, "casework.finding.", []string{"upheld", "partly", "not"}, chosen)
	}
	if one.Needed["return_reasons"] {
		one.Reasons = optionsOf(v, "casework.return.", []string{"no_cause", "too_general", "nobody_responsible", "copied"}, one.Typed.values("reasons")...)
	}
	if one.Needed["reopen_reasons"] {
		one.Reasons = optionsOf(v, "casework.reopen.", []string{"not_answered", "not_true", "not_done"}, one.Typed.values("reasons")...)
	}
	if one.Needed["route"] {
		one.Routes = optionsOf(v, "casework.route.", []string{"complaint", "denunciation", "request", "elsewhere"}, one.Typed.value("kind"))
	}
	if one.Needed["clock"] {
		for _, running := range c.GetClocks() {
			if !running.GetExtended() {
				one.Clocks = append(one.Clocks, option{
					Value: running.GetName(), Words: v.Text("casespage.clock." + running.GetName()), Help: web.Day(v.Language, running.GetDueOn()), Chosen: one.Typed.value("clock") == running.GetName(),
				})
			}
		}
	}
	if one.Needed["target"] {
		one.Targets, err = c.targets(one.Typed)
	}
	return err
}

func optionsOf(v *web.Visit, prefix string, values []string, chosen ...string) []option {
	var list []option
	for _, value := range values {
		list = append(list, option{Value: value, Words: v.Text(prefix + value), Chosen: slices.Contains(chosen, value)})
	}
	return list
}

// atHand are the units that are most often put in charge: the one it is about, the one that received it.
func (c *casePage) atHand(event string) []option {
	var list []option
	for _, id := range []string{c.GetAboutUnitId(), c.GetAssignedUnitId(), c.GetReceivingUnitId()} {
		if id == "" || event == "reassign" && id == c.GetAssignedUnitId() || slices.ContainsFunc(list, func(o option) bool { return o.Value == id }) {
			continue
		}
		list = append(list, option{Value: id, Words: c.unit(id)})
	}
	return list
}

// maxOfficials is how many officials a form offers.
const maxOfficials = 60

// officials are those of a unit, as far as the visitor may know them, and those the case names.
func (c *casePage) officials(unit string, chosen []string) ([]option, error) {
	var list []option
	add := func(id, name, position string) {
		if !slices.ContainsFunc(list, func(o option) bool { return o.Value == id }) && len(list) < maxOfficials {
			list = append(list, option{Value: id, Words: name, Help: position, Chosen: slices.Contains(chosen, id)})
		}
	}
	for _, id := range append(slices.Clone(c.GetAskedOfficialIds()), c.GetOfficialIds()...) {
		add(id, c.official(id), "")
	}
	if own := c.v.Account.GetOfficialId(); own != "" && c.v.Account.GetUnitId() == unit {
		name := c.answer.GetOfficialNames()[own]
		if name == "" {
			name = c.v.Text("casespage.yourself")
		}
		add(own, name, "")
	}
	if unit == "" || !c.v.May("read_officials") {
		return list, nil
	}
	found, err := c.v.OfficialsOf(unit, true)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		if one.GetClosedAt() == nil || slices.Contains(chosen, one.GetId()) {
			add(one.GetId(), one.GetName(), one.GetPosition())
		}
	}
	return list, nil
}

// similarAtMost is how many cases are offered to be merged into.
const similarAtMost = 6

// targets are earlier open cases about the same unit, and what was searched for.
func (c *casePage) targets(sent typed) ([]option, error) {
	unit := c.GetAboutUnitId()
	if unit == "" {
		unit = c.GetReceivingUnitId()
	}
	request := &pb.ListCasesRequest{UnitId: unit, List: "open", PageSize: 20}
	if words := sent.value("target"); words != "" {
		request = &pb.ListCasesRequest{List: "all", Text: cut(words, 200), PageSize: 20}
	}
	answer, err := c.v.Cases.ListCases(c.v.Context(), request)
	if _, mendable := web.Message(err); err != nil && mendable {
		return nil, nil // words that nothing can be searched by find nothing
	}
	if err != nil {
		return nil, err
	}
	var list []option
	for _, other := range answer.GetCases() {
		if other.GetId() != c.GetId() && other.GetReceivingUnitId() == c.GetReceivingUnitId() && !other.GetOpenedAt().AsTime().After(c.GetOpenedAt().AsTime()) &&
			other.GetState() != "duplicate" && other.GetState() != "withdrawn" && len(list) < similarAtMost {
			list = append(list, option{Value: other.GetId(), Words: other.GetNumber().GetShown() + ": " + other.GetTitle(), Chosen: sent.value("into") == other.GetId()})
		}
	}
	if sent.value("target") != "" && len(list) == 1 {
		list[0].Chosen = true
	}
	return list, nil
}

// Value is what was typed into a field of this form.
func (c *choice) Value(name string) string {
	if c.Typed == nil && name == "text" {
		return c.Begin
	}
	return c.Typed.value(name)
}

// ReasonOptional tells whether words may stand beside what was tapped.
func (c *choice) ReasonOptional() bool { return !c.Needed["reason"] && !c.Needed["withdrawal"] }

func versionText(version int64) string { return strconv.FormatInt(version, 10) }
