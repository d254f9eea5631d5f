package caserules

import (
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// changesPage is who changed which rule when.
type changesPage struct {
	place
	Changes []changeRow
	Next    string
}

type changeRow struct {
	*pb.RuleChange
	Where string
	Lines []line // of the table of deadlines, that differ
	Facts []factChange
	Back  bool // since then what is decided above holds
}

// line is one line that was taken out or put in.
type line struct {
	In   bool
	Text string
}

// factChange is one line of an opening rule before and after.
type factChange struct{ Key, Was, Is string }

func (p pages) changes(v *web.Visit) error {
	if !mayReadLog(v) {
		return web.ErrNotFound
	}
	here, err := placeOf(v)
	if err != nil {
		return err
	}
	answer, err := v.CaseRules.ListRuleChanges(v.Context(), &pb.ListRuleChangesRequest{UnitId: here.ID, PageSize: 50, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	page := changesPage{place: here}
	for _, c := range answer.GetChanges() {
		row := changeRow{RuleChange: c, Where: c.GetUnitName()}
		if c.GetUnitId() == "" {
			row.Where = v.Text("caserulespage.everything")
		}
		if c.GetWhat() == "deadlines" {
			row.Back = c.GetDeadlinesAfter() == ""
			row.Lines = differ(c.GetDeadlinesBefore(), c.GetDeadlinesAfter())
		} else {
			row.Back = c.GetOpeningAfter() == nil
			row.Facts = differing(v, c.GetOpeningBefore(), c.GetOpeningAfter())
		}
		page.Changes = append(page.Changes, row)
	}
	if token := answer.GetNextPageToken(); token != "" {
		page.Next = "/admin/case-rules/changes?" + url.Values{"unit": {here.ID}, "page": {token}}.Encode()
	}
	return v.Render(p.Pages, "changes", page)
}

func differing(v *web.Visit, was, is *pb.OpeningRule) []factChange {
	words := func(rule *pb.OpeningRule) []fact {
		if rule == nil {
			return make([]fact, 6)
		}
		return facts(v, rule)
	}
	before, after := words(was), words(is)
	var list []factChange
	for i := range after {
		if before[i].Words != after[i].Words {
			key := after[i].Key
			if key == "" {
				key = before[i].Key
			}
			list = append(list, factChange{key, before[i].Words, after[i].Words})
		}
	}
	return list
}

// maxLines bounds the work of comparing two tables.
const maxLines = 2000

// differ answers the lines that were taken out of a text and put into it, in order; none where one of them is not there.
func differ(was, is string) []line {
	if was == "" || is == "" {
		return nil
	}
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	if len(a) > maxLines || len(b) > maxLines {
		return nil
	}
	same := make([][]int16, len(a)+1) // longest common run of lines from here on
	for i := range same {
		same[i] = make([]int16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			} else {
				same[i][j] = max(same[i+1][j], same[i][j+1])
			}
		}
	}
	var list []line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			list = append(list, line{false, a[i]})
			i++
		default:
			list = append(list, line{true, b[j]})
			j++
		}
	}
	return list
}
