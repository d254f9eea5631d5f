package server

import (
	"context"
	"strconv"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/notice"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// digest is what the week was like for a leader or the head of a unit: what waits, what is late, what the register lacks, and how much
// of the week's dissatisfaction was explained. It is made with that account's own rights. False for all others.
func (a *application) digest(ctx context.Context, id string) (notice.DigestContent, bool, error) {
	account, err := a.accounts.Known(ctx, id)
	if err != nil {
		return notice.DigestContent{}, false, err
	}
	if !account.DisabledAt.IsZero() || account.Role != pb.Role_ROLE_LEADER && account.Role != pb.Role_ROLE_HEAD {
		return notice.DigestContent{}, false, nil
	}
	caller := identity.Caller{
		Kind: identity.CallerAccount, AccountID: account.ID, Name: account.Name, Role: account.Role, UnitID: account.UnitID,
		Display: account.Called(), OfficialID: account.OfficialID, Heads: account.HeadsUnits(),
	}
	ctx = context.WithValue(ctx, callerKey, caller)
	desk, err := caseService{application: a}.GetCaseDesk(ctx, &pb.GetCaseDeskRequest{})
	if err != nil {
		return notice.DigestContent{}, false, err
	}
	content := notice.DigestContent{Link: "/cases", Unit: account.UnitID, Args: map[string]string{}}
	for _, line := range []struct {
		key, link string
		count     int32
	}{
		{"digest.waiting", "/cases?list=mine", desk.GetWaitingCount()},
		{"digest.late", "/cases?list=late", desk.GetLateCount()},
		{"digest.result_missing", "/cases?list=result_missing", desk.GetResultMissingCount()},
	} {
		content.Lines = append(content.Lines, notice.Line{Key: line.key, Link: line.link, Args: map[string]string{"count": strconv.Itoa(int(line.count))}})
	}
	if account.UnitID != "" {
		share, err := a.weekExplained(ctx, account.UnitID)
		if err != nil {
			return notice.DigestContent{}, false, err
		}
		content.Lines = append(content.Lines, share)
	}
	return content, true, nil
}

// weekExplained is the line about last week's coverage.
func (a *application) weekExplained(ctx context.Context, unit string) (notice.Line, error) {
	today, _ := localday.Of(a.Clock())
	period, err := a.coverage.Period(string(today.Add(-7)), string(today.Add(-1)))
	if err != nil {
		return notice.Line{}, err
	}
	answer, err := a.coverage.Of(ctx, unit, period)
	if err != nil {
		return notice.Line{}, err
	}
	line := notice.Line{Key: "digest.no_dissatisfaction", Link: "/coverage"}
	if share, any := answer.Share(); any {
		line.Key = "digest.coverage"
		line.Args = map[string]string{"share": language.Vietnamese.Number(share*100, 0), "count": strconv.Itoa(answer.All)}
	}
	return line, nil
}
