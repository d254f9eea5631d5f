package ratingimport

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// shelf is a Submitter that keeps ratings in memory as intake does: by unit and id, same content again is DUPLICATE.
type shelf struct {
	mutex   sync.Mutex
	ratings map[string][]byte
	byID    map[string]*pb.Rating
	private map[string]*pb.Private
	calls   int
	fail    func(call int) error
}

func newShelf() *shelf {
	return &shelf{ratings: map[string][]byte{}, byID: map[string]*pb.Rating{}, private: map[string]*pb.Private{}}
}

func (s *shelf) Submit(_ context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls++
	if s.fail != nil {
		if err := s.fail(s.calls); err != nil {
			return nil, err
		}
	}
	outcomes := make([]*pb.ItemOutcome, len(items))
	for i, item := range items {
		r := &pb.Rating{}
		if err := proto.Unmarshal(item.GetRating(), r); err != nil {
			return nil, err
		}
		outcomes[i] = &pb.ItemOutcome{RatingId: r.GetId(), Outcome: pb.Outcome_OUTCOME_STORED}
		key := r.GetUnitId() + "/" + r.GetId()
		before, found := s.ratings[key]
		switch {
		case found && string(before) == string(item.GetRating()):
			outcomes[i].Outcome = pb.Outcome_OUTCOME_DUPLICATE
		case found:
			outcomes[i].Outcome = pb.Outcome_OUTCOME_CONFLICT
		case strings.HasPrefix(r.GetUnitId(), "REFUSED"):
			outcomes[i].Outcome, outcomes[i].ReasonCode, outcomes[i].Reason = pb.Outcome_OUTCOME_REJECTED, "unit_closed", "Đơn vị đã đóng."
		default:
			s.ratings[key], s.byID[r.GetId()], s.private[r.GetId()] = item.GetRating(), r, item.GetPrivate()
		}
	}
	return outcomes, nil
}

// names finds units by a fixed list.
type names map[string]string

func (n names) ResolveUnit(text string) (string, bool) {
	id, ok := n[text]
	return id, ok
}

func mapping(t *testing.T, text string) *Mapping {
	t.Helper()
	m, err := ParseMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mappingFile(t *testing.T, name string) *Mapping {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return mapping(t, string(text))
}

// simple maps the columns t, u, s and c.
const simple = `
source: simple
time: {column: t, formats: ["yyyy-MM-dd HH:mm"]}
constants: {channel: paper, questionnaire: kiosk@1, language: vi}
columns: {unit: u}
overall: {column: s}
comment: [{column: c}]
identity: line
`

// errorLines reads "line reason" of each entry of an errors file.
func errorLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range rows[1:] {
		lines = append(lines, row[0]+" "+row[2])
		if row[4] == "" || strings.HasPrefix(row[4], "import.reason") {
			t.Errorf("line %s has no words: %q", row[0], row[4])
		}
	}
	return lines
}

func TestFriendsAndFamily(t *testing.T) {
	errors := filepath.Join(t.TempDir(), "errors.csv")
	m, store := mappingFile(t, "fft-mapping.yaml"), newShelf()
	source := Source{Path: "testdata/fft.csv"}
	options := Options{ErrorsPath: errors, Units: names{"RIVERSIDE": "u1", "HILLTOP": "u2"}}
	dry := options
	dry.DryRun = true
	planned, err := Run(t.Context(), source, m, nil, dry)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), source, m, store, options)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 11 || got.Ready != 8 || got.Stored != 8 || got.Errors != 3 || got.Identical != 1 || !got.ExaminedAll {
		t.Errorf("rows %d, ready %d, stored %d, errors %d, identical %d", got.Rows, got.Ready, got.Stored, got.Errors, got.Identical)
	}
	if want := (Scores{1, 1, 0, 2, 1, 3}); got.Scores != want {
		t.Errorf("scores %v, want %v", got.Scores, want)
	}
	if diff := cmp.Diff(map[string]int64{"rating: Don’t know": 1}, got.Labels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"rating: Excellent": 1}, got.UnknownLabels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"11 label_unknown", "12 unit_missing", "13 time_unreadable"}, errorLines(t, errors)); diff != "" {
		t.Error(diff)
	}
	if planned.Ready != got.Ready || planned.Scores != got.Scores || planned.Stored != 0 || !planned.DryRun {
		t.Errorf("the dry run said %+v", planned)
	}
	if first := got.First.Format("2006-01-02 15:04:05"); first != "2026-03-02 09:15:00" {
		t.Errorf("first %s", first) // London's winter time is UTC
	}
	for id, p := range store.private {
		if p == nil {
			continue
		}
		commitment, err := rating.Commitment(p)
		if err != nil || string(commitment) != string(store.byID[id].GetPrivateCommitment()) {
			t.Errorf("%s: the commitment does not hold: %v", id, err)
		}
		if strings.HasPrefix(p.GetComment(), "What was good: Nobody") &&
			p.GetComment() != "What was good: Nobody answered the telephone,\nthen the \"queue\" was lost\nWhat could be better: Answer the telephone" {
			t.Errorf("comment %q", p.GetComment())
		}
	}
	again, err := Run(t.Context(), source, m, store, options)
	if err != nil || again.Stored != 0 || again.Duplicate != 8 || again.Conflict != 0 {
		t.Errorf("again: stored %d, duplicate %d, conflict %d, %v", again.Stored, again.Duplicate, again.Conflict, err)
	}
}

func TestSlips(t *testing.T) {
	const head = "Ngày;Giờ;Đơn vị;Quầy;Cán bộ;Thủ tục;Hồ sơ;Số thứ tự;Số phiếu;Chung;Thái độ;Thời gian;Nút;Lý do;Góp ý\r\n"
	text := "\ufeff" + head +
		"22/11/2026;9:05;UBND;Q1;CB1;1.000894;H01;A12;P-001;RAT HAI LONG;1;9;Tốt;;Cảm ơn\r\n" +
		"2026-11-22;09:06;UBND;Q1;CB1;1.000894;H02;A13;P-002;Không hài lòng;5;0;Kém;chờ lâu, Phòng chật;\r\n" +
		"22/11/2026;09:07;UBND;;;;;;P-003;Không trả lời;;;;;\r\n" +
		"\r\n;;;;;;;;;;;;;;\r\n" +
		"22/11/2026;09:08;UBND;;;;;;P-004;4,0;;11;;nóng;\r\n"
	store := newShelf()
	m := mappingFile(t, "phieu-mapping.yaml")
	errors := filepath.Join(t.TempDir(), "errors.csv")
	got, err := Run(t.Context(), Source{Name: "phieu.csv", Reader: strings.NewReader(text)}, m, store,
		Options{Units: names{"UBND": "ubnd"}, ErrorsPath: errors})
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 4 || got.Blank != 2 || got.Stored != 3 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"7 score_range", "7 choice_unknown"}, errorLines(t, errors)); diff != "" {
		t.Error(diff)
	}
	bySlip := map[string]*pb.Rating{}
	for _, r := range store.byID {
		bySlip[r.GetSlipNumber()] = r
	}
	r := bySlip["P-002"]
	if r.GetOverallScore() != 2 || r.GetOccurredAt().AsTime().Format("15:04") != "02:06" || r.GetChannel() != pb.Channel_CHANNEL_PAPER ||
		r.GetCounterId() != "Q1" || r.GetOfficialId() != "CB1" || r.GetProcedureCode() != "1.000894" || r.GetDossierCode() != "H02" || r.GetTicketCode() != "A13" {
		t.Errorf("%v", r)
	}
	want := []string{"attitude 1 []", "speed 1 []", "button 1 [bad]", "reasons 0 [waiting room]"}
	var answers []string
	for _, a := range r.GetAnswers() {
		answers = append(answers, a.GetQuestionId()+" "+string('0'+a.GetScore())+" ["+strings.Join(a.GetChoiceIds(), " ")+"]")
	}
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Error(diff)
	}
	if none := bySlip["P-003"]; none.GetOverallScore() != 0 || len(none.GetAnswers()) != 0 {
		t.Errorf("%v", none)
	}
}
