package server

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What a person wrote is erased at the person's wish; the rating stands, and sending it again brings nothing back.
func TestErasingWhatAPersonWrote(t *testing.T) {
	folder := t.TempDir()
	s := start(t, Config{Data: folder})
	admin := s.admin()
	unit := s.unit(admin, "", "Phường Bến Trăng")
	request := &pb.CreateRatingRequest{
		Rating: freshRating(unit, 2),
		Private: &pb.Private{
			Comment: "Chờ lâu quá", Contact: &pb.Contact{Phone: "0912345678"}, ConsentVersion: "1", Salt: bytes.Repeat([]byte{7}, 16),
		},
	}
	create := func(want pb.Outcome) {
		t.Helper()
		answer, err := s.ratings().CreateRating(admin, request)
		if err != nil || answer.GetOutcome() != want {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	create(pb.Outcome_OUTCOME_STORED)
	erase := func(rating string) (string, error) {
		var out, said bytes.Buffer
		at := &terminal{Language: language.English, stdout: &out, stderr: &said}
		err := at.dispatch(t.Context(), []string{"erase", "private", "ben trang", rating, "-data", folder})
		return out.String(), err
	}
	id := request.GetRating().GetId()
	if out, err := erase(id); err != nil || !strings.Contains(out, "erased") {
		t.Fatalf("%q, %v", out, err)
	}
	if out, err := erase(id); err != nil || !strings.Contains(out, "before") {
		t.Errorf("again: %q, %v", out, err)
	}
	if _, err := erase("01980000-0000-7000-8000-00000000ffff"); !fault.Is(err, fault.NotFound) {
		t.Errorf("of a rating without words: %v", err)
	}
	create(pb.Outcome_OUTCOME_DUPLICATE)
	listed, err := s.ratings().ListRatings(admin, &pb.ListRatingsRequest{UnitId: unit})
	if err != nil || len(listed.GetRatings()) != 1 || listed.GetRatings()[0].GetComment() != "" || listed.GetRatings()[0].GetCallBack() {
		t.Errorf("%v, %v", listed, err)
	}
	found, err := s.ratings().ListRatings(admin, &pb.ListRatingsRequest{UnitId: unit, Text: "cho lau"})
	if err != nil || len(found.GetRatings()) != 0 {
		t.Errorf("its words are still found: %v, %v", found, err)
	}
}

// A form's address may hold the official code of a unit, where one unit alone has it.
func TestAFormByTheUnitsCode(t *testing.T) {
	s := start(t, Config{})
	admin := s.admin()
	top := s.unit(admin, "", "Tỉnh")
	for _, one := range []*pb.Unit{
		{ParentId: top, Name: "Xã Một", Level: "commune", Code: "00011"}, {ParentId: top, Name: "Xã Hai", Level: "commune", Code: "7"},
		{ParentId: top, Name: "Sở Hai", Level: "department", Code: "7"},
	} {
		if _, err := s.directory().CreateUnit(admin, &pb.CreateUnitRequest{Unit: one}); err != nil {
			t.Fatal(err)
		}
	}
	form, err := s.citizens().GetForm(t.Context(), &pb.GetFormRequest{Place: "00011"})
	if err != nil || form.GetUnitName() != "Xã Một" || form.GetUnitId() == "00011" {
		t.Errorf("%v, %v", form, err)
	}
	_, err = s.citizens().GetForm(t.Context(), &pb.GetFormRequest{Place: "7"})
	wantRefused(t, err, codes.NotFound, "citizen_place_unknown")
}

// Which rule of the contract a field broke is told in the caller's language.
func TestRulesAreToldInTheCallersLanguage(t *testing.T) {
	s := start(t, Config{})
	admin, _ := metadata.FromOutgoingContext(s.admin())
	for in, want := range map[string]string{"vi": "chỉ được có nhiều nhất 10 ký tự", "en": "it may have at most 10 characters"} {
		admin.Set("accept-language", in)
		ctx := metadata.NewOutgoingContext(t.Context(), admin)
		_, err := s.directory().ListUnits(ctx, &pb.ListUnitsRequest{At: "2026-11-22 14:00"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
