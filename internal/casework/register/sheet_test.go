package register_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func sample() []*pb.RegisterRow {
	return []*pb.RegisterRow{
		{Number: 1, CaseId: "c1", ReceivedOn: "2026-03-10", Content: `=HYPERLINK("http://a")`, Source: "call", Kind: "opinion", People: 1, HasPerson: true, SettledBy: "Bộ phận một cửa",
			Handling: "taken_up", Result: &pb.RegisterResult{State: "replied", Finding: "upheld", On: "2026-03-12", Text: "Xin lỗi ông bà."}, Returns: 1},
		{Number: 2},
		{Number: 3, CaseId: "c3", ReceivedOn: "2026-03-11", Content: "+84 <script>", Source: "letter", Kind: "complaint", People: 2, Handling: "passed_on", PassedTo: "Thanh tra", PassedBy: "12/PC",
			Result: &pb.RegisterResult{State: "out_of_scope"}, Later: &pb.RegisterResult{State: "closed", On: "2027-01-10"}},
		{Number: 4, CaseId: "c4", ReceivedOn: "2026-03-11", Content: "chung", Source: "follow_up", Kind: "opinion", Handling: "not_handled", Result: &pb.RegisterResult{State: "received"},
			Person: &pb.CaseContact{Name: "Bà Tư", Phone: "0912"}},
	}
}

func rowsOf(rows []*pb.RegisterRow) iter.Seq2[*pb.RegisterRow, error] {
	return func(yield func(*pb.RegisterRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func cover() register.Cover {
	return register.Cover{Unit: "UBND xã Một", Year: 2026, Made: time.Date(2026, 3, 20, 2, 0, 0, 0, time.UTC), Words: language.Vietnamese}
}

func TestCells(t *testing.T) {
	for i, want := range [][]string{
		{"1", "10/03/2026", "(đã ghi)", "", `=HYPERLINK("http://a")`, "Phản ánh, kiến nghị / 1 người", "Bộ phận một cửa", "x", "", "",
			"Đã trả lời người dân, 12/03/2026. Phản ánh đúng. Xin lỗi ông bà.", "Cuộc gọi. Giải trình bị trả lại 1 lần"},
		{"2", "", "", "", "THIẾU SỐ: không có vụ việc mang số này", "", "", "", "", "", "", ""},
		{"3", "11/03/2026", "Không nêu tên", "", "+84 <script>", "Khiếu nại / 2 người", "", "", "", "Thanh tra, 12/PC",
			"Chưa cập nhật kết quả (Ngoài phạm vi, đã chuyển).", "Thư, đơn. Cập nhật sau khi khoá sổ: Đã kết thúc, 10/01/2027."},
		{"4", "11/03/2026", "Bà Tư, 0912", "", "chung", "Yêu cầu giải trình chung", "", "", "", "", "Chưa cập nhật kết quả (Đã tiếp nhận).", "Yêu cầu giải trình chung"},
	} {
		got := register.Cells(language.Vietnamese, sample()[i])
		if !slices.Equal(got, want) || len(got) != len(casework.Columns()) {
			t.Errorf("row %d: %q\nwant %q", i+1, got, want)
		}
	}
}

func TestWorkbook(t *testing.T) {
	var out bytes.Buffer
	if err := register.WriteXLSX(&out, cover(), rowsOf(sample())); err != nil {
		t.Fatal(err)
	}
	file, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := file.GetRows("2026")
	if err != nil || len(rows) < 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[0][0] != "UBND xã Một" || rows[1][0] != "SỔ TIẾP NHẬN PHẢN ÁNH, KIẾN NGHỊ NĂM 2026" || rows[5][7] != "Thụ lý" || rows[4][7] != "Hướng xử lý" {
		t.Errorf("the head: %q", rows[:6])
	}
	if rows[6][4] != `=HYPERLINK("http://a")` {
		t.Errorf("the first row: %q", rows[6])
	}
	for _, cell := range []string{"E7", "E9"} {
		if formula, err := file.GetCellFormula("2026", cell); err != nil || formula != "" {
			t.Errorf("%s is the formula %q (%v)", cell, formula, err)
		}
		if kind, err := file.GetCellType("2026", cell); err != nil || kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
			t.Errorf("%s is of type %v (%v)", cell, kind, err)
		}
	}
	layout, err := file.GetPageLayout("2026")
	if err != nil || layout.Orientation == nil || *layout.Orientation != "landscape" || layout.Size == nil || *layout.Size != 9 {
		t.Errorf("layout %+v %v", layout, err)
	}
	if names := file.GetDefinedName(); len(names) != 1 || names[0].RefersTo != "'2026'!$5:$6" {
		t.Errorf("repeated rows: %+v", names)
	}
	last := strings.Join(rows[len(rows)-2], "|")
	if !strings.Contains(last, "NGƯỜI GIỮ SỔ") || !strings.Contains(last, "THỦ TRƯỞNG ĐƠN VỊ") {
		t.Errorf("no room to sign: %q", last)
	}
}

func TestTableOfText(t *testing.T) {
	var out bytes.Buffer
	sealed := cover()
	sealed.Seal = &pb.RegisterSeal{AsOf: "2027-01-03", SealedBy: "=Lan", Rows: 4, Head: "abc"}
	if err := register.WriteCSV(&out, sealed, rowsOf(sample())); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if !strings.HasPrefix(text, "\ufeff") {
		t.Error("spreadsheets would not know that it is UTF-8")
	}
	reader := csv.NewReader(strings.NewReader(text[3:]))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil || len(rows) != 8 {
		t.Fatalf("%d rows %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q would be run", cell)
			}
		}
	}
	if rows[2][0] != "Sổ đã khoá: 4 số, số liệu đến hết ngày 03/01/2027, người khoá: =Lan. Mã niêm phong SHA-256: abc" || rows[3][7] != "Hướng xử lý: Thụ lý" {
		t.Errorf("the head: %q", rows[:4])
	}
}

func TestAFileThatCannotBeReadIsNoFile(t *testing.T) {
	away := errors.New("away")
	broken := func(yield func(*pb.RegisterRow, error) bool) { yield(nil, away) }
	if err := register.WriteXLSX(&bytes.Buffer{}, cover(), broken); !errors.Is(err, away) {
		t.Error(err)
	}
	if err := register.WriteCSV(&bytes.Buffer{}, cover(), broken); !errors.Is(err, away) {
		t.Error(err)
	}
}
