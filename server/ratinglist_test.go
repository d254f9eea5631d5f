package server

import (
	"net/http"
	"net/url"
	"testing"

	"google.golang.org/grpc/codes"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestSingleRatings(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		for _, unit := range []string{p.top, p.office, p.sibling} {
			rated := freshRating(unit, 2)
			answer, err := p.ratings().CreateRating(p.admin, &pb.CreateRatingRequest{Rating: rated, Private: &pb.Private{Comment: "Chờ lâu ở Đường 3/2"}})
			if err != nil || answer.GetOutcome() != stored {
				t.Fatal(answer, err)
			}
		}
		list := func(unit, text string) *pb.ListRatingsRequest {
			return &pb.ListRatingsRequest{UnitId: unit, Text: text}
		}
		page, err := p.ratings().ListRatings(p.admin, list(p.top, "duong cho"))
		if err != nil || len(page.GetRatings()) != 3 {
			t.Fatal(page, err)
		}
		leader := p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
		page, err = p.ratings().ListRatings(leader, list(p.mine, ""))
		if err != nil || len(page.GetRatings()) != 1 || page.GetRatings()[0].GetComment() != "Chờ lâu ở Đường 3/2" {
			t.Fatal(page, err)
		}
		for _, unit := range []string{p.top, p.sibling, "khong-co"} {
			_, err = p.ratings().ListRatings(leader, list(unit, ""))
			wantRefused(t, err, codes.NotFound, "unit_unknown")
		}
		for name, role := range map[string]pb.Role{"nhập liệu": pb.Role_ROLE_OPERATOR, "cán bộ": pb.Role_ROLE_OFFICIAL} {
			_, err = p.ratings().ListRatings(p.as(name, role, p.mine), list(p.mine, ""))
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
		}
		_, err = p.ratings().ListRatings(t.Context(), list(p.top, ""))
		wantRefused(t, err, codes.Unauthenticated, "sign_in_needed")
		_, err = p.ratings().ListRatings(leader, &pb.ListRatingsRequest{UnitId: p.mine, PageToken: "rác"})
		wantRefused(t, err, codes.InvalidArgument, "ratinglist_token_invalid")
		_, err = p.ratings().ListRatings(leader, &pb.ListRatingsRequest{UnitId: p.mine, PageSize: 201})
		wantRefused(t, err, codes.InvalidArgument, "request_invalid")
		session, err := p.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "lãnh đạo", Password: rolePassword})
		if err != nil {
			t.Fatal(err)
		}
		code, answer := p.json("GET", "/v1/units/"+p.mine+"/ratings?scores=2&channels=CHANNEL_PAPER&text="+url.QueryEscape("đường"), session.GetToken(), "")
		if listed, _ := answer["ratings"].([]any); code != http.StatusOK || len(listed) != 1 {
			t.Errorf("JSON: %d %v", code, answer)
		}
	})
}

// Who reads page after page with a program is slowed down.
func TestSingleRatingsAreNotCopiedAway(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	for range listsPerAccount.Burst {
		if _, err := s.ratings().ListRatings(ctx, &pb.ListRatingsRequest{UnitId: unit}); err != nil {
			t.Fatal(err)
		}
	}
	refused := 0
	for range 50 { // the budget refills while this runs
		if _, err := s.ratings().ListRatings(ctx, &pb.ListRatingsRequest{UnitId: unit}); err != nil {
			wantRefused(t, err, codes.ResourceExhausted, "too_often")
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
